#include "cli/connection.h"

#include <grpcpp/create_channel.h>
#include <grpcpp/support/channel_arguments.h>
#include <sys/un.h>

#include <array>
#include <cstddef>
#include <cstdint>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/strip.h"
#include "cli/duration.h"

namespace credcache::cli {
namespace {

constexpr absl::string_view kDefaultPort = "50051";
constexpr int kMaxAnswerSize = 64 << 20;  // statistics of very many buckets
constexpr int kReconnectMilliseconds = 250;
constexpr int kMaxReconnectMilliseconds = 2000;

// What the messages of gRPC and OpenSSL mean to a person. `when` narrows to how we tried. The first that applies is
// taken.
enum class When : uint8_t { kAny, kPlain, kTls, kTlsWithoutCertificate, kTlsWithCertificate };
struct Explanation {
  absl::string_view symptom;
  When when;
  absl::string_view meaning;  // $A: the address
};
constexpr std::array<Explanation, 18> kExplanations = {{
    {"Connection refused", When::kAny, "nothing listens at $A; is credcached running there?"},
    {"No such file or directory", When::kAny, "there is no socket at $A; is credcached running there?"},
    {"Permission denied", When::kAny, "this user may not open $A"},
    {"DNS resolution failed", When::kAny, "the host's name in $A is not known"},
    {"No route to host", When::kAny, "there is no way to $A"},
    {"Network is unreachable", When::kAny, "there is no way to $A"},
    {"certificate verify failed", When::kTls,
     "the certificate of $A does not come from an authority that is trusted here (--ca)"},
    {"Hostname Verification", When::kTls, "the certificate of $A is good, but for another name than this address"},
    {"is not in peer certificate", When::kTls, "the certificate of $A is good, but for another name than this address"},
    {"wrong version number", When::kTls, "the server at $A speaks no TLS; leave out --ca, --certificate and --key"},
    {"certificate required", When::kTlsWithoutCertificate,
     "the server at $A wants a certificate of ours (--certificate, --key)"},
    {"unknown ca", When::kTlsWithCertificate, "the server at $A does not trust the authority of our --certificate"},
    {"tls", When::kPlain, "the server at $A seems to want TLS (--ca)"},
    {"Socket closed", When::kPlain, "the server at $A closed the connection at once; does it want TLS (--ca)?"},
    {"Connection reset", When::kPlain, "the server at $A closed the connection at once; does it want TLS (--ca)?"},
    {"Socket closed", When::kTlsWithoutCertificate,
     "the server at $A closed the connection; does it want a certificate of ours (--certificate, --key)?"},
    {"Socket closed", When::kTlsWithCertificate,
     "the server at $A closed the connection; does it trust the authority of our --certificate?"},
    {"andshake failed", When::kTls, "no TLS connection to $A came about; is that a TLS server?"},
}};

bool Applies(When when, const TlsFiles& tls) {
  switch (when) {
    case When::kAny:
      return true;
    case When::kPlain:
      return !tls.any();
    case When::kTls:
      return tls.any();
    case When::kTlsWithoutCertificate:
      return tls.any() && tls.certificate.empty();
    case When::kTlsWithCertificate:
      return !tls.certificate.empty();
  }
  return false;
}

bool IsUnix(absl::string_view target) { return absl::StartsWith(target, "unix:"); }

absl::Status BadAddress(absl::string_view address, absl::string_view why) {
  return absl::InvalidArgumentError(
      absl::StrCat("--address \"", address, "\": ", why, "; expected HOST:PORT, [IPV6]:PORT or unix:/PATH"));
}

}  // namespace

absl::StatusOr<std::string> ParseAddress(absl::string_view address) {
  if (IsUnix(address)) {
    absl::string_view path = absl::StripPrefix(address, "unix:");
    absl::ConsumePrefix(&path, "//");
    if (path.empty()) return BadAddress(address, "the socket's path is missing");
    if (path.size() >= sizeof(sockaddr_un::sun_path)) return BadAddress(address, "the socket's path is too long");
    return std::string(address);
  }
  for (const absl::string_view scheme : {"dns:", "ipv4:", "ipv6:", "unix-abstract:"}) {
    if (absl::StartsWith(address, scheme)) return std::string(address);
  }
  if (absl::StartsWith(address, "/")) return BadAddress(address, "a socket is written unix:/PATH");
  if (absl::StrContains(address, "://")) return BadAddress(address, "URLs are not understood");
  absl::string_view host = address;
  absl::string_view port = kDefaultPort;
  const size_t colon = address.rfind(':');
  const bool bare_ipv6 = colon != absl::string_view::npos && address.find(':') != colon && address.front() != '[';
  if (!bare_ipv6 && colon != absl::string_view::npos && address.back() != ']') {
    host = address.substr(0, colon);
    port = address.substr(colon + 1);
  }
  if (host.empty()) return BadAddress(address, "the host is missing");
  int number = 0;
  if (!absl::SimpleAtoi(port, &number) || number < 1 || number > 65535) {
    return BadAddress(address, absl::StrCat("\"", port, "\" is not a port"));
  }
  return bare_ipv6 ? absl::StrCat("[", host, "]:", port) : absl::StrCat(host, ":", port);
}

absl::StatusOr<Connection> Connection::Open(const ConnectionOptions& options) {
  const absl::StatusOr<std::string> target = ParseAddress(options.address);
  if (!target.ok()) return target.status();
  const auto credentials = LoadCredentials(options.tls);
  if (!credentials.ok()) return credentials.status();
  std::string token;
  if (!options.token_file.empty()) {
    if (!options.tls.any() && !IsUnix(*target)) {
      return absl::InvalidArgumentError(
          "--token-file: the token would travel in the clear; give --ca for TLS, or a unix: address");
    }
    absl::StatusOr<std::string> loaded = LoadToken(options.token_file);
    if (!loaded.ok()) return loaded.status();
    token = *std::move(loaded);
  }
  grpc::ChannelArguments arguments;
  arguments.SetUserAgentPrefix("credcachectl/" CREDCACHE_VERSION);
  arguments.SetMaxReceiveMessageSize(kMaxAnswerSize);
  // Passwords go to the address given, not through whatever proxy the environment names for the web.
  arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
  arguments.SetInt(GRPC_ARG_SERVICE_CONFIG_DISABLE_RESOLUTION, 1);
  // Channels to the same place with other files must not share a connection.
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  // A live view finds a server that is back soon.
  arguments.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, kReconnectMilliseconds);
  arguments.SetInt(GRPC_ARG_MIN_RECONNECT_BACKOFF_MS, static_cast<int>(absl::ToInt64Milliseconds(options.timeout)));
  arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, kMaxReconnectMilliseconds);
  return Connection(*target, options, grpc::CreateCustomChannel(*target, *credentials, arguments), std::move(token));
}

void Connection::Prepare(grpc::ClientContext& context, absl::Time deadline) const {
  context.set_wait_for_ready(false);
  context.set_deadline(absl::ToChronoTime(deadline));
  if (!token_.empty()) context.AddMetadata("authorization", absl::StrCat("Bearer ", token_));
}

bool Connection::AwaitAnswer(absl::Time deadline) const {
  while (true) {
    const grpc_connectivity_state state = channel_->GetState(/*try_to_connect=*/true);
    // After a failure the call itself fails at once, and knows why.
    if (state != GRPC_CHANNEL_IDLE && state != GRPC_CHANNEL_CONNECTING) return true;
    if (!channel_->WaitForStateChange(state, absl::ToChronoTime(deadline))) return false;
  }
}

grpc::Status Connection::Call(const std::function<grpc::Status(grpc::ClientContext&)>& call) const {
  const absl::Time deadline = absl::Now() + timeout_;
  if (!AwaitAnswer(deadline)) {
    return {grpc::StatusCode::DEADLINE_EXCEEDED,
            absl::StrCat("no connection to ", address_, " within ", absl::FormatDuration(timeout_))};
  }
  grpc::ClientContext context;
  Prepare(context, deadline);
  return Explain(call(context));
}

grpc::Status Connection::Explain(const grpc::Status& status) const {
  // What the service itself says carries details; it needs no explaining.
  if (status.ok() || !status.error_details().empty()) return status;
  if (status.error_code() == grpc::StatusCode::DEADLINE_EXCEEDED) {
    return {status.error_code(), absl::StrCat("no answer from ", address_, " within ", absl::FormatDuration(timeout_))};
  }
  if (status.error_code() != grpc::StatusCode::UNAVAILABLE) return status;
  for (const Explanation& explanation : kExplanations) {
    if (Applies(explanation.when, tls_) && absl::StrContains(status.error_message(), explanation.symptom)) {
      return {status.error_code(), absl::StrCat(absl::StrReplaceAll(explanation.meaning, {{"$A", address_}}), " (",
                                                status.error_message(), ")")};
    }
  }
  return status;
}

}  // namespace credcache::cli
