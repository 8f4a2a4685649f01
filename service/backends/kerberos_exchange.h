// Messages to a realm's KDCs and their answers, over TCP (RFC 4120, section 7.2.2), by a deadline.
//
// libkrb5 could send them itself, but knows no deadline: a silent KDC holds it for half a minute. It also repeats what
// is not answered, at the same KDC and at others, each of which may count it as another wrong password.
#pragma once

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "backends/kerberos_kdcs.h"
#include "base/clock.h"

namespace credcache {

struct KdcDeadlines {
  MonotonicTime connection;
  MonotonicTime answer;
};

// One question and its answer. UNAVAILABLE, by the deadlines at the latest. `sent`: set where the KDC may have seen any
// of it. A host name is looked up first, for as long as the machine's resolver takes.
absl::StatusOr<std::string> AskKdc(const KdcAddress& kdc, absl::string_view request, Clock& clock,
                                   const KdcDeadlines& deadlines, bool* sent);

enum class Proof : uint8_t {
  kNone,      // nothing in it can count as a wrong password: what is not answered is asked of another KDC
  kPassword,  // it is sent once, or not at all
};

// The answer of the first KDC that can be reached, or with kNone of the first that answers. Marks KDCs down and up.
// `timeout`: what one question usually has; a KDC that had far less is not blamed. Errors as AskKdc, and WithoutBlame
// while another KDC is not known to be down.
absl::StatusOr<std::string> AskRealm(KnownKdcs& kdcs, absl::string_view request, Proof proof, Clock& clock,
                                     absl::Duration timeout, MonotonicTime deadline, bool* sent);

}  // namespace credcache
