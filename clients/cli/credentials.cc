#include "cli/credentials.h"

#include <openssl/bio.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include <cerrno>
#include <cstddef>
#include <cstdio>
#include <cstring>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "cli/password.h"

namespace credcache::cli {
namespace {

constexpr size_t kLargestFile = size_t{4} << 20;  // the system's authorities are a quarter of a megabyte

template <auto Free>
struct Freer {
  template <typename T>
  void operator()(T* object) const {
    Free(object);
  }
};
using Bio = std::unique_ptr<BIO, Freer<BIO_free>>;
using Certificate = std::unique_ptr<X509, Freer<X509_free>>;
using PrivateKey = std::unique_ptr<EVP_PKEY, Freer<EVP_PKEY_free>>;

absl::Status Bad(absl::string_view option, absl::string_view path, absl::string_view why) {
  return absl::InvalidArgumentError(absl::StrCat(option, " ", path, ": ", why));
}

using File = std::unique_ptr<std::FILE, Freer<std::fclose>>;

absl::StatusOr<std::string> ReadFile(absl::string_view option, const std::string& path) {
  const File file(std::fopen(path.c_str(), "rbe"));
  if (file == nullptr) return Bad(option, path, strerror(errno));
  std::string text(kLargestFile + 1, '\0');
  text.resize(std::fread(text.data(), 1, text.size(), file.get()));
  // A folder opens, but does not read.
  if (std::ferror(file.get()) != 0) return Bad(option, path, strerror(errno));
  if (text.empty()) return Bad(option, path, "is empty");
  if (text.size() > kLargestFile) return Bad(option, path, "is larger than 4 MiB");
  return text;
}

Bio Reader(const std::string& pem) { return Bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size()))); }

Certificate FirstCertificate(const std::string& pem) {
  return Certificate(PEM_read_bio_X509(Reader(pem).get(), nullptr, nullptr, nullptr));
}

// Without it OpenSSL asks at the terminal for the passphrase of an encrypted key.
int NoPassphrase(char* /*buffer*/, int /*size*/, int /*writing*/, void* /*data*/) { return 0; }

absl::Status CheckPair(const TlsFiles& files, const std::string& certificate, const std::string& key) {
  const Certificate first = FirstCertificate(certificate);
  if (first == nullptr) return Bad("--certificate", files.certificate, "holds no certificate in PEM");
  const PrivateKey private_key(PEM_read_bio_PrivateKey(Reader(key).get(), nullptr, NoPassphrase, nullptr));
  if (private_key == nullptr) return Bad("--key", files.key, "holds no private key in PEM, or an encrypted one");
  if (X509_check_private_key(first.get(), private_key.get()) != 1) {
    return Bad("--key", files.key, absl::StrCat("is not the key of the certificate in ", files.certificate));
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::shared_ptr<grpc::ChannelCredentials>> LoadCredentials(const TlsFiles& files) {
  if (!files.any()) return grpc::InsecureChannelCredentials();
  if (files.certificate.empty() != files.key.empty()) {
    return absl::InvalidArgumentError("--certificate and --key go together: one without the other proves nothing");
  }
  grpc::SslCredentialsOptions options;
  if (!files.ca.empty()) {
    absl::StatusOr<std::string> ca = ReadFile("--ca", files.ca);
    if (!ca.ok()) return ca.status();
    if (FirstCertificate(*ca) == nullptr) return Bad("--ca", files.ca, "holds no certificate in PEM");
    options.pem_root_certs = *std::move(ca);
  }
  if (!files.certificate.empty()) {
    absl::StatusOr<std::string> certificate = ReadFile("--certificate", files.certificate);
    if (!certificate.ok()) return certificate.status();
    absl::StatusOr<std::string> key = ReadFile("--key", files.key);
    if (!key.ok()) return key.status();
    if (absl::Status status = CheckPair(files, *certificate, *key); !status.ok()) return status;
    options.pem_cert_chain = *std::move(certificate);
    options.pem_private_key = *std::move(key);
  }
  auto credentials = grpc::SslCredentials(options);
  Wipe(options.pem_private_key);
  return credentials;
}

absl::StatusOr<std::string> LoadToken(const std::string& path) {
  absl::StatusOr<std::string> token = ReadFile("--token-file", path);
  if (!token.ok()) return token.status();
  absl::StripAsciiWhitespace(&*token);
  if (token->empty()) return Bad("--token-file", path, "is empty");
  for (const char c : *token) {
    if (!absl::ascii_isgraph(static_cast<unsigned char>(c))) {
      return Bad("--token-file", path, "is not one line of printable characters without spaces");
    }
  }
  return token;
}

}  // namespace credcache::cli
