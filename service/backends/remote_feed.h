// The change feed of a plug-in: its Watch (protos/credcache/validator/v1).
#pragma once

#include <grpcpp/channel.h>
#include <grpcpp/client_context.h>
#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/support/byte_buffer.h>
#include <grpcpp/support/status.h>

#include <memory>
#include <string>
#include <thread>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "backends/remote_changes.h"
#include "backends/remote_options.h"
#include "base/change_listener.h"
#include "base/clock.h"
#include "base/random.h"
#include "base/reporter.h"

namespace credcache {

// Keeps a Watch open, and opens it anew when it ends or hangs: after 100 ms at first, 5 s at most; a minute where the
// plug-in has none. Each time the realm is forgotten before the feed counts as up, since nobody knows what changed
// meanwhile.
//
// Starts a thread, which alone calls `listener`; ends it in the destructor. All that it is given must outlive it.
class RemoteFeed {
 public:
  RemoteFeed(const RemoteBackendOptions& options, std::shared_ptr<grpc::Channel> channel, Clock& clock,
             Randomness& randomness, Reporter& reporter, std::shared_ptr<ChangeListener> listener);
  ~RemoteFeed();
  RemoteFeed(const RemoteFeed&) = delete;
  RemoteFeed& operator=(const RemoteFeed&) = delete;

 private:
  class Stream;
  struct End {
    std::string why;
    bool unimplemented = false;
  };

  void Run();
  // Opens a stream and hands on what it says, until it ends.
  End Follow();
  End Listen(Stream& stream);
  // Waits for as long as no further message should be read. Whether the feed is to end.
  bool Pause();
  static End EndOf(Stream& stream);
  void Report(const End& end);
  // Whether the feed is to end.
  bool WaitUntil(MonotonicTime time) ABSL_LOCKS_EXCLUDED(mutex_);

  const RemoteBackendOptions& options_;
  const std::shared_ptr<grpc::Channel> channel_;
  grpc::GenericStub stub_;
  Clock& clock_;
  Randomness& randomness_;
  Reporter& reporter_;
  const std::shared_ptr<ChangeListener> listener_;
  RemoteChangePacer pacer_;
  std::string reported_;  // why it was down last
  absl::Mutex mutex_;
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  grpc::ClientContext* context_ ABSL_GUARDED_BY(mutex_) = nullptr;  // of the stream that is open
  std::thread thread_;
};

}  // namespace credcache
