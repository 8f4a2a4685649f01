// Asks a validator plug-in (protos/credcache/validator/v1; service/docs/plugins.md).
#pragma once

#include <grpcpp/channel.h>
#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/support/byte_buffer.h>
#include <grpcpp/support/status.h>

#include <atomic>
#include <cstddef>
#include <memory>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_set.h"
#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "backends/remote_feed.h"
#include "backends/remote_messages.h"
#include "backends/remote_options.h"
#include "base/change_listener.h"
#include "base/clock.h"
#include "base/random.h"
#include "base/reporter.h"
#include "base/secret.h"
#include "validator/validator.h"

namespace credcache {

// One connection, as many calls at once as there are log-ons, on gRPC's own threads. While the plug-in is not there,
// and when it is late, fails, or breaks a rule of its protocol, the answer is UNAVAILABLE; the reason goes to the
// reporter alone. A password is sent once for a log-on.
//
// Passwords: our copies are wiped; what is handed to gRPC lies in one buffer that is wiped when gRPC lets go of it,
// which over a unix socket or plain TCP is when the kernel has it. With TLS, gRPC and OpenSSL have buffers of their
// own, which are overwritten by what is sent next, not wiped.
//
// Destroy it when no call is under way; what waits is cancelled, and answered UNAVAILABLE.
class RemoteBackend final : public Validator {
 public:
  // `changes` hears what the plug-in says in Watch. Null: it has no change feed.
  RemoteBackend(RemoteBackendOptions options, Clock& clock, Randomness& randomness, Reporter& reporter,
                std::shared_ptr<ChangeListener> changes = nullptr);
  ~RemoteBackend() override;

  void Resolve(const NameQuery& query, ResolveDone done) override;
  void Validate(const LogOn& log_on, ValidateDone done) override;

 private:
  struct Call;
  struct Method {
    absl::string_view name;
    const char* path;
  };
  static constexpr Method kResolve = {"Resolve", "/credcache.validator.v1.ValidatorService/Resolve"};
  static constexpr Method kValidate = {"Validate", "/credcache.validator.v1.ValidatorService/Validate"};
  using Answered = absl::AnyInvocable<void(const grpc::Status& status, const grpc::ByteBuffer& response)>;

  // A call that may be sent, and is under way from now on, until End.
  absl::StatusOr<Call*> Admit(MonotonicTime deadline) ABSL_LOCKS_EXCLUDED(mutex_);
  // `answered` is called once, by a thread of gRPC's.
  void Send(Call* call, const Method& method, grpc::ByteBuffer request, Answered answered);
  void End(Call* call) ABSL_LOCKS_EXCLUDED(mutex_);
  // Reports an error of the call, and says what to answer.
  absl::Status Failed(const Method& method, const grpc::Status& status, SecretView secret = {});
  // Reports an answer that breaks the rules.
  void ReportBroken(const Method& method, const absl::Status& status);
  void ReportAnswering();

  const RemoteBackendOptions options_;
  const RemoteRules rules_;
  Clock& clock_;
  Reporter& reporter_;
  const std::shared_ptr<grpc::Channel> channel_;
  grpc::GenericStub stub_;
  std::atomic<bool> failing_ = false;
  // The plug-in of this connection has no Resolve.
  std::atomic<bool> cannot_resolve_ = false;
  absl::Mutex mutex_;
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  absl::flat_hash_set<std::shared_ptr<Call>> calls_ ABSL_GUARDED_BY(mutex_);
  size_t under_way_ ABSL_GUARDED_BY(mutex_) = 0;
  std::unique_ptr<RemoteFeed> feed_;  // null: nobody listens, or there is none
};

}  // namespace credcache
