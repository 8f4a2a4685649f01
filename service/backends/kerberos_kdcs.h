// A realm's KDCs, as krb5.conf names them, and which of them to ask.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "backends/servers.h"
#include "base/clock.h"
#include "base/reporter.h"

namespace credcache {

struct KdcAddress {
  std::string host;
  uint16_t port = 88;

  // "kdc1.corp.example:88", "[::1]:88".
  std::string ToString() const;
  friend bool operator==(const KdcAddress&, const KdcAddress&) = default;
};

// As krb5.conf writes it: kdc1.corp.example, tcp/10.0.0.1:88, [::1]:88. INVALID_ARGUMENT: that is no address, or one
// that is not asked over TCP (udp/..., https://...).
absl::StatusOr<KdcAddress> ParseKdc(absl::string_view written);

struct KnownKdcs {
  // At least one.
  KnownKdcs(std::vector<KdcAddress> found, Clock& clock, Reporter& reporter);

  const std::vector<KdcAddress> addresses;
  Servers servers;  // of the same order
};

// Thread-safe. DNS is not asked for KDCs: whoever answers there would choose who sees what proves a password.
class KerberosKdcs {
 public:
  // `krb5_conf`: as in KerberosProfile::Open.
  KerberosKdcs(std::string krb5_conf, std::string realm, Clock& clock, Reporter& reporter);

  // Lives as long as this. UNAVAILABLE: krb5.conf cannot be read, or names none; it is read again next time.
  absl::StatusOr<KnownKdcs*> Get();

 private:
  absl::StatusOr<std::vector<KdcAddress>> Read() const;

  const std::string krb5_conf_;
  const std::string realm_;
  Clock& clock_;
  Reporter& reporter_;
  absl::Mutex mutex_;
  std::unique_ptr<KnownKdcs> known_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace credcache
