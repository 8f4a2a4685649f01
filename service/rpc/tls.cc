#include "rpc/tls.h"

#include <fcntl.h>
#include <grpc/grpc.h>
#include <grpc/grpc_security.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <iterator>
#include <utility>

#include "absl/strings/str_cat.h"
#include "grpcpp/security/server_credentials.h"

namespace credcache {
namespace {

template <typename T, void (*Free)(T*)>
struct Deleter {
  void operator()(T* object) const { Free(object); }
};
void FreeBio(BIO* bio) { BIO_free(bio); }
using BioPtr = std::unique_ptr<BIO, Deleter<BIO, FreeBio>>;
using X509Ptr = std::unique_ptr<X509, Deleter<X509, X509_free>>;
using KeyPtr = std::unique_ptr<EVP_PKEY, Deleter<EVP_PKEY, EVP_PKEY_free>>;

absl::StatusOr<std::string> ReadFile(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file.is_open()) return absl::InvalidArgumentError(absl::StrCat(path, ": ", std::strerror(errno)));
  std::string content{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  if (file.bad()) return absl::InvalidArgumentError(absl::StrCat(path, ": cannot be read"));
  return content;
}

BioPtr Bio(const std::string& bytes) { return BioPtr(BIO_new_mem_buf(bytes.data(), static_cast<int>(bytes.size()))); }

// An encrypted key is an error rather than a question on the terminal.
int NoPassphrase(char*, int, int, void*) { return -1; }

// The PEM certificates in `bytes`, the first of them; null: there is none, or one is broken.
X509Ptr FirstCertificate(const std::string& bytes) {
  const BioPtr bio = Bio(bytes);
  X509Ptr first(PEM_read_bio_X509(bio.get(), nullptr, NoPassphrase, nullptr));
  if (first == nullptr) return nullptr;
  while (X509Ptr(PEM_read_bio_X509(bio.get(), nullptr, NoPassphrase, nullptr)) != nullptr) {
  }
  const auto error = ERR_peek_last_error();
  ERR_clear_error();
  return ERR_GET_REASON(error) == PEM_R_NO_START_LINE ? std::move(first) : nullptr;
}

}  // namespace

absl::StatusOr<TlsMaterial> ReadTlsMaterial(const TlsConfig& config) {
  ERR_clear_error();
  absl::StatusOr<std::string> certificate = ReadFile(config.certificate);
  if (!certificate.ok()) return certificate.status();
  const X509Ptr leaf = FirstCertificate(*certificate);
  if (leaf == nullptr) {
    return absl::InvalidArgumentError(absl::StrCat(config.certificate, ": holds no valid PEM certificate"));
  }
  absl::StatusOr<std::string> key = ReadFile(config.private_key);
  if (!key.ok()) return key.status();
  const KeyPtr private_key(PEM_read_bio_PrivateKey(Bio(*key).get(), nullptr, NoPassphrase, nullptr));
  ERR_clear_error();
  Secret key_bytes{SecretView(*key)};
  WipeMemory(key->data(), key->size());
  if (private_key == nullptr) {
    return absl::InvalidArgumentError(
        absl::StrCat(config.private_key, ": holds no valid PEM private key without a passphrase"));
  }
  const bool belongs = X509_check_private_key(leaf.get(), private_key.get()) == 1;
  ERR_clear_error();
  if (!belongs) {
    return absl::InvalidArgumentError(
        absl::StrCat(config.private_key, ": is not the key of the certificate in ", config.certificate));
  }
  std::string client_ca;
  if (!config.client_ca.empty()) {
    absl::StatusOr<std::string> ca = ReadFile(config.client_ca);
    if (!ca.ok()) return ca.status();
    if (FirstCertificate(*ca) == nullptr) {
      return absl::InvalidArgumentError(absl::StrCat(config.client_ca, ": holds no valid PEM certificate"));
    }
    client_ca = *std::move(ca);
  }
  return TlsMaterial{*std::move(certificate), std::move(key_bytes), std::move(client_ca)};
}

ClientCertificates ClientCertificatesFor(const Config& config) {
  if (!config.tls.has_value() || config.tls->client_ca.empty()) return ClientCertificates::kNotAsked;
  const bool tokens = config.callers.has_value() && std::any_of(config.callers->begin(), config.callers->end(),
                                                                [](const auto& c) { return !c.token_file.empty(); });
  return tokens ? ClientCertificates::kAsked : ClientCertificates::kRequired;
}

// gRPC asks at every handshake whether there is something new, by a function of its C interface that the C++ one does
// not offer; hence credentials of our own. (Its C++ file watcher forgets the good pair when a bad one comes.)
class ServerTls::Credentials final : public grpc::ServerCredentials {
 public:
  explicit Credentials(ServerTls& tls) : tls_(tls) {
    credentials_ = grpc_ssl_server_credentials_create_with_options(
        grpc_ssl_server_credentials_create_options_using_config_fetcher(RequestType(tls.clients_), Fetch, this));
  }
  ~Credentials() override { grpc_server_credentials_release(credentials_); }

  void SetAuthMetadataProcessor(const std::shared_ptr<grpc::AuthMetadataProcessor>&) override {}

 private:
  static grpc_ssl_client_certificate_request_type RequestType(ClientCertificates clients) {
    switch (clients) {
      case ClientCertificates::kNotAsked:
        return GRPC_SSL_DONT_REQUEST_CLIENT_CERTIFICATE;
      case ClientCertificates::kAsked:
        return GRPC_SSL_REQUEST_CLIENT_CERTIFICATE_AND_VERIFY;
      case ClientCertificates::kRequired:
        return GRPC_SSL_REQUEST_AND_REQUIRE_CLIENT_CERTIFICATE_AND_VERIFY;
    }
    return GRPC_SSL_REQUEST_AND_REQUIRE_CLIENT_CERTIFICATE_AND_VERIFY;
  }

  int AddPortToServer(const std::string& address, grpc_server* server) override {
    return grpc_server_add_http2_port(server, address.c_str(), credentials_);
  }

  static grpc_ssl_certificate_config_reload_status Fetch(void* self, grpc_ssl_server_certificate_config** config) {
    auto* credentials = static_cast<Credentials*>(self);
    std::shared_ptr<const TlsMaterial> material;
    {
      absl::MutexLock lock(&credentials->tls_.mutex_);
      if (credentials->delivered_ == credentials->tls_.generation_) return GRPC_SSL_CERTIFICATE_CONFIG_RELOAD_UNCHANGED;
      credentials->delivered_ = credentials->tls_.generation_;
      material = credentials->tls_.material_;
    }
    const grpc_ssl_pem_key_cert_pair pair = {material->private_key.c_str(), material->certificate.c_str()};
    // gRPC insists on roots, even where no client's certificate is asked for.
    const char* roots = (material->client_ca.empty() ? material->certificate : material->client_ca).c_str();
    *config = grpc_ssl_server_certificate_config_create(roots, &pair, 1);
    return GRPC_SSL_CERTIFICATE_CONFIG_RELOAD_NEW;
  }

  ServerTls& tls_;
  grpc_server_credentials* credentials_;
  uint64_t delivered_ = 0;  // guarded by tls_.mutex_
};

absl::StatusOr<std::unique_ptr<ServerTls>> ServerTls::Start(const TlsConfig& config, ClientCertificates clients,
                                                            Reporter& reporter, absl::Duration interval) {
  std::unique_ptr<ServerTls> tls(new ServerTls(clients, reporter));
  if (absl::Status status = tls->SetFiles(config); !status.ok()) return status;
  tls->watcher_ = std::thread([self = tls.get(), interval] { self->Watch(interval); });
  return tls;
}

ServerTls::ServerTls(ClientCertificates clients, Reporter& reporter) : clients_(clients), reporter_(reporter) {}

ServerTls::~ServerTls() {
  {
    absl::MutexLock lock(&mutex_);
    stopping_ = true;
  }
  if (watcher_.joinable()) watcher_.join();
}

std::shared_ptr<grpc::ServerCredentials> ServerTls::NewCredentials() {
  auto credentials = std::make_shared<Credentials>(*this);
  absl::MutexLock lock(&mutex_);
  credentials_.push_back(credentials);
  return credentials;
}

absl::Status ServerTls::SetFiles(const TlsConfig& config) {
  // Before the files are read: what changes meanwhile is then seen as a change.
  std::vector<Stamp> stamps = StampsOf(config);
  absl::StatusOr<TlsMaterial> material = ReadTlsMaterial(config);
  if (!material.ok()) return material.status();
  absl::MutexLock lock(&mutex_);
  config_ = config;
  stamps_ = std::move(stamps);
  material_ = std::make_shared<const TlsMaterial>(*std::move(material));
  ++generation_;
  return absl::OkStatus();
}

void ServerTls::Check() {
  TlsConfig config;
  {
    absl::MutexLock lock(&mutex_);
    std::vector<Stamp> stamps = StampsOf(config_);
    if (stamps == stamps_) return;
    stamps_ = std::move(stamps);  // a broken replacement is told of once
    config = config_;
  }
  if (const absl::Status status = SetFiles(config); !status.ok()) {
    reporter_.Report(
        Severity::kError, "tls_files",
        absl::StrCat("the changed TLS files are not used, those before them still are: ", status.message()));
    return;
  }
  reporter_.Report(Severity::kInfo, "tls_files",
                   absl::StrCat("the changed TLS files are in use for new connections: ", config.certificate));
}

ServerTls::Stamp ServerTls::StampOf(const std::string& path) {
  struct stat status;
  if (path.empty() || stat(path.c_str(), &status) != 0) return {};
  return {.modified_nanoseconds = status.st_mtim.tv_sec * 1'000'000'000 + status.st_mtim.tv_nsec,
          .inode = status.st_ino,
          .size = status.st_size};
}

std::vector<ServerTls::Stamp> ServerTls::StampsOf(const TlsConfig& config) {
  return {StampOf(config.certificate), StampOf(config.private_key), StampOf(config.client_ca)};
}

void ServerTls::Watch(absl::Duration interval) {
  while (true) {
    {
      absl::MutexLock lock(&mutex_);
      if (mutex_.AwaitWithTimeout(absl::Condition(&stopping_), interval)) return;
    }
    Check();
  }
}

}  // namespace credcache
