// How credcachectl shows who it is, and checks who the server is. Files are checked here, because gRPC itself only says
// "handshake failed" of a bad one, and that much later.
#pragma once

#include <grpcpp/security/credentials.h>

#include <memory>
#include <string>

#include "absl/status/statusor.h"

namespace credcache::cli {

// Files in PEM; empty: not given.
struct TlsFiles {
  std::string ca;           // empty, with a certificate: the system's authorities
  std::string certificate;  // ours, then intermediates
  std::string key;          // its private key, not encrypted

  // Whether TLS is asked for at all.
  bool any() const { return !ca.empty() || !certificate.empty() || !key.empty(); }
};

// Plain text when no file is given. INVALID_ARGUMENT names the file and what is wrong with it.
absl::StatusOr<std::shared_ptr<grpc::ChannelCredentials>> LoadCredentials(const TlsFiles& files);

// A bearer token: the file's one line. INVALID_ARGUMENT if it cannot be read or cannot stand in a header.
absl::StatusOr<std::string> LoadToken(const std::string& path);

}  // namespace credcache::cli
