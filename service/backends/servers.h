// Which of several servers to ask that all know the same (a directory's, a realm's KDCs): the first in the configured
// order that is not known to be down.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/inlined_vector.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "base/clock.h"
#include "base/reporter.h"

namespace credcache {

// Thread-safe; asks nobody, it only remembers what others found. A server that failed is asked again when all others
// are down too, or by a probe (ClaimProbe) once its cool-down is over: no log-on waits to find out that it is still
// down.
class Servers {
 public:
  // `kind`: of the backend, as reports begin ("ldap" makes "ldap_server_down"). `urls`: at least one, in the order of
  // preference; how they are written is the backend's.
  Servers(absl::string_view kind, std::vector<std::string> urls, Clock& clock, Reporter& reporter);

  struct Choice {
    size_t server;
    // Changes when the server goes down: what was opened under another number is not to be trusted.
    uint64_t generation;
  };
  using Choices = absl::InlinedVector<Choice, 4>;

  // The server whose changes are heard of; nothing: of none. Nothing until this is called.
  void SetFollowed(std::optional<size_t> server);

  // Those to ask, best first: the ones that are up in the configured order, then the others by how long ago they
  // failed. Those that refused us wait for the end of their cool-down, so it may be empty: why() says what to answer
  // then.
  Choices Order() const { return Order(Prefer::kConfigured); }
  // kFollowed: the followed server before them all, if it is up.
  enum class Prefer : uint8_t { kConfigured, kFollowed };
  Choices Order(Prefer prefer) const;

  // Whether one of them is not known to be down.
  bool AnyUp() const;
  // What is wrong with the first server.
  std::string why() const;
  const std::string& url(size_t server) const { return urls_[server]; }
  size_t size() const { return urls_.size(); }

  enum class Failure : uint8_t {
    kUnreachable,  // it may be back at any moment
    kRefused,      // it answered, and will not serve us: asking on and on would lock our own account there
  };
  void MarkDown(size_t server, Failure failure, absl::string_view why);
  void MarkUp(size_t server);

  // A server that is down, whose cool-down is over, and which nobody else probes, while another is up.
  std::optional<size_t> ClaimProbe();

 private:
  struct State {
    bool up = true;
    Failure failure = Failure::kUnreachable;
    MonotonicTime cool_until;
    uint64_t generation = 0;
    std::string why;
  };

  const std::string down_kind_;
  const std::string up_kind_;
  const std::vector<std::string> urls_;
  Clock& clock_;
  Reporter& reporter_;
  mutable absl::Mutex mutex_;
  std::vector<State> states_ ABSL_GUARDED_BY(mutex_);
  std::optional<size_t> followed_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace credcache
