// The server's certificate, read from PEM files and read again whenever they change: a new pair serves the next
// handshake, without a restart and without touching connections that stand.
//
// A replacement that is broken (a key that does not belong to the certificate, half a file) is told to the Reporter,
// and the pair before it goes on serving. TLS 1.2 at least.
//
// Thread-safe.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "base/reporter.h"
#include "base/secret.h"
#include "config/config.h"

namespace grpc {
class ServerCredentials;
}

namespace credcache {

// What the files hold, checked: the key is the certificate's, and the CA file holds certificates.
struct TlsMaterial {
  std::string certificate;
  Secret private_key;
  std::string client_ca;  // empty: none
};
absl::StatusOr<TlsMaterial> ReadTlsMaterial(const TlsConfig& config);

// Whether handshakes ask for a client's certificate. One that is shown is always verified.
enum class ClientCertificates : uint8_t {
  kNotAsked,  // no client_ca
  kAsked,     // callers with tokens come without one
  kRequired,
};
ClientCertificates ClientCertificatesFor(const Config& config);

class ServerTls {
 public:
  // Reads the files, and looks for changes every `interval` from then on. The error names the file.
  static absl::StatusOr<std::unique_ptr<ServerTls>> Start(const TlsConfig& config, ClientCertificates clients,
                                                          Reporter& reporter,
                                                          absl::Duration interval = absl::Seconds(1));
  ~ServerTls();

  // For one listening port. This outlives the server.
  std::shared_ptr<grpc::ServerCredentials> NewCredentials();

  // From now on these files. An error, with the files before them still in use, if they are not good.
  absl::Status SetFiles(const TlsConfig& config) ABSL_LOCKS_EXCLUDED(mutex_);

  // Looks for changes now.
  void Check() ABSL_LOCKS_EXCLUDED(mutex_);

 private:
  class Credentials;

  // What tells that a file has been written or replaced.
  struct Stamp {
    int64_t modified_nanoseconds = 0;
    uint64_t inode = 0;
    int64_t size = -1;
    friend bool operator==(const Stamp&, const Stamp&) = default;
  };

  ServerTls(ClientCertificates clients, Reporter& reporter);
  static Stamp StampOf(const std::string& path);
  static std::vector<Stamp> StampsOf(const TlsConfig& config);
  void Watch(absl::Duration interval);

  const ClientCertificates clients_;
  Reporter& reporter_;

  absl::Mutex mutex_;
  TlsConfig config_ ABSL_GUARDED_BY(mutex_);
  std::vector<Stamp> stamps_ ABSL_GUARDED_BY(mutex_);
  std::shared_ptr<const TlsMaterial> material_ ABSL_GUARDED_BY(mutex_);
  uint64_t generation_ ABSL_GUARDED_BY(mutex_) = 0;
  std::vector<std::shared_ptr<Credentials>> credentials_ ABSL_GUARDED_BY(mutex_);
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  std::thread watcher_;
};

}  // namespace credcache
