#include "backends/remote_channel.h"

#include <grpc/compression.h>
#include <grpc/grpc.h>
#include <grpcpp/create_channel.h>
#include <grpcpp/security/credentials.h>
#include <grpcpp/security/tls_certificate_provider.h>
#include <grpcpp/security/tls_certificate_verifier.h>
#include <grpcpp/security/tls_credentials_options.h>
#include <grpcpp/support/channel_arguments.h>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"

namespace credcache {
namespace {

constexpr int kFirstReconnectMilliseconds = 100;
constexpr int kLastReconnectMilliseconds = 5'000;
// gRPC servers end connections that ping more often than every 5 minutes, unless they are told otherwise.
constexpr int kKeepaliveMilliseconds = 310'000;
constexpr int kKeepaliveTimeoutMilliseconds = 10'000;
constexpr int kResolutionMilliseconds = 5'000;
constexpr unsigned kTlsFileSeconds = 1;

grpc::ChannelArguments Arguments(const RemoteBackendOptions& options) {
  grpc::ChannelArguments arguments;
  // gRPC would repeat a call by itself where it thinks that the server has not seen it. One log-on is one attempt at
  // the account, so nothing is repeated; and no DNS record may turn it on.
  arguments.SetInt(GRPC_ARG_ENABLE_RETRIES, 0);
  arguments.SetInt(GRPC_ARG_SERVICE_CONFIG_DISABLE_RESOLUTION, 1);
  // Passwords go to the address that is configured, not to where the environment points.
  arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  arguments.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, kFirstReconnectMilliseconds);
  arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, kLastReconnectMilliseconds);
  // So long one attempt to connect may take.
  arguments.SetInt(GRPC_ARG_MIN_RECONNECT_BACKOFF_MS, static_cast<int>(absl::ToInt64Milliseconds(options.timeout)));
  arguments.SetInt(GRPC_ARG_DNS_MIN_TIME_BETWEEN_RESOLUTIONS_MS, kResolutionMilliseconds);
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIME_MS, kKeepaliveMilliseconds);
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, kKeepaliveTimeoutMilliseconds);
  // Else pings stop after two of them while nothing is asked, and with them the watch over Watch.
  arguments.SetInt(GRPC_ARG_HTTP2_MAX_PINGS_WITHOUT_DATA, 0);
  // The limit holds for what comes over the wire: nothing is taken that would grow beyond it.
  arguments.SetMaxReceiveMessageSize(kMaxRemoteMessageSize);
  arguments.SetInt(GRPC_COMPRESSION_CHANNEL_ENABLED_ALGORITHMS_BITSET, 1U << GRPC_COMPRESS_NONE);
  arguments.SetInt(GRPC_ARG_ENABLE_PER_MESSAGE_DECOMPRESSION, 0);
  return arguments;
}

std::shared_ptr<grpc::ChannelCredentials> TlsCredentials(const RemoteTls& tls) {
  using grpc::experimental::FileWatcherCertificateProvider;
  grpc::experimental::TlsChannelCredentialsOptions options;
  options.set_verify_server_certs(true);
  options.set_certificate_verifier(std::make_shared<grpc::experimental::HostNameCertificateVerifier>());
  if (!tls.ca.empty() || !tls.certificate.empty()) {
    options.set_certificate_provider(
        std::make_shared<FileWatcherCertificateProvider>(tls.private_key, tls.certificate, tls.ca, kTlsFileSeconds));
  }
  if (!tls.ca.empty()) options.watch_root_certs();
  if (!tls.certificate.empty()) options.watch_identity_key_cert_pairs();
  return grpc::experimental::TlsCredentials(options);
}

}  // namespace

std::shared_ptr<grpc::Channel> OpenRemoteChannel(const RemoteBackendOptions& options) {
  return grpc::CreateCustomChannel(
      RemoteTarget(options.address),
      options.tls.has_value() ? TlsCredentials(*options.tls) : grpc::InsecureChannelCredentials(), Arguments(options));
}

std::string RemoteTarget(absl::string_view address) {
  absl::string_view path = address;
  // A name is never taken for a scheme.
  if (!absl::ConsumePrefix(&path, "unix:")) return absl::StrCat("dns:///", address);
  // A URI, so whatever is special in one is escaped.
  std::string target = "unix:";
  for (const char c : path) {
    if (absl::ascii_isalnum(static_cast<unsigned char>(c)) || absl::StrContains("/-._~", c)) {
      target += c;
    } else {
      absl::StrAppend(&target, "%", absl::Hex(static_cast<unsigned char>(c), absl::kZeroPad2));
    }
  }
  return target;
}

}  // namespace credcache
