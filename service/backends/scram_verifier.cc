#include "backends/scram_verifier.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/sha.h>

#include <array>
#include <optional>
#include <utility>
#include <vector>

#include "absl/cleanup/cleanup.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "backends/saslprep.h"

namespace credcache {
namespace {

constexpr absl::string_view kPostgresPrefix = "SCRAM-SHA-256$";
constexpr uint32_t kMinIterations = 4'096;
// About a second of one core; OWASP advises 600,000.
constexpr uint32_t kMaxIterations = 2'000'000;
constexpr size_t kMinSaltSize = 8;
constexpr size_t kMaxSaltSize = 64;

using Key = std::array<uint8_t, SHA256_DIGEST_LENGTH>;

absl::Status Bad(absl::string_view what) { return absl::InvalidArgumentError(what); }

std::optional<std::string> Unbase64(absl::string_view text) {
  std::string result;
  if (!absl::Base64Unescape(text, &result)) return std::nullopt;
  return result;
}

absl::StatusOr<ScramVerifier> Parse(absl::string_view iterations, absl::string_view salt, absl::string_view stored_key,
                                    absl::string_view server_key) {
  ScramVerifier verifier;
  if (iterations.empty() || iterations.size() > 9 || iterations.find_first_not_of("0123456789") != iterations.npos ||
      !absl::SimpleAtoi(iterations, &verifier.iterations)) {
    return Bad("the SCRAM verifier is damaged");
  }
  if (verifier.iterations < kMinIterations || verifier.iterations > kMaxIterations) {
    return Bad("the SCRAM verifier's iterations are not between 4096 and 2000000");
  }
  auto salt_bytes = Unbase64(salt);
  auto stored_bytes = Unbase64(stored_key);
  auto server_bytes = Unbase64(server_key);
  if (!salt_bytes || salt_bytes->size() < kMinSaltSize || salt_bytes->size() > kMaxSaltSize || !stored_bytes ||
      stored_bytes->size() != SHA256_DIGEST_LENGTH || !server_bytes || server_bytes->size() != SHA256_DIGEST_LENGTH) {
    return Bad("the SCRAM verifier is damaged");
  }
  verifier.salt = *std::move(salt_bytes);
  verifier.stored_key = *std::move(stored_bytes);
  verifier.server_key = *std::move(server_bytes);
  return verifier;
}

const uint8_t* Bytes(absl::string_view text) { return reinterpret_cast<const uint8_t*>(text.data()); }

bool Hmac(const Key& key, absl::string_view text, Key& result) {
  unsigned size = 0;
  return HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()), Bytes(text), text.size(), result.data(), &size) !=
         nullptr;
}

SecretView View(const Key& key) {
  return SecretView(absl::string_view(reinterpret_cast<const char*>(key.data()), key.size()));
}

}  // namespace

absl::StatusOr<ScramVerifier> ScramVerifier::ParsePostgres(absl::string_view text) {
  absl::string_view rest = text;
  if (!absl::ConsumePrefix(&rest, kPostgresPrefix)) return Bad("the SCRAM verifier is damaged");
  const std::vector<absl::string_view> fields = absl::StrSplit(rest, absl::ByAnyChar("$:"));
  if (fields.size() != 4 || text[fields[1].data() - text.data() - 1] != ':' ||
      text[fields[2].data() - text.data() - 1] != '$' || text[fields[3].data() - text.data() - 1] != ':') {
    return Bad("the SCRAM verifier is damaged");
  }
  auto verifier = Parse(fields[0], fields[1], fields[2], fields[3]);
  if (verifier.ok()) verifier->cost_size = static_cast<size_t>(fields[1].data() - text.data());
  return verifier;
}

absl::StatusOr<ScramVerifier> ScramVerifier::ParseDovecot(absl::string_view text) {
  const std::vector<absl::string_view> fields = absl::StrSplit(text, ',');
  if (fields.size() != 4) return Bad("the SCRAM verifier is damaged");
  auto verifier = Parse(fields[0], fields[1], fields[2], fields[3]);
  if (verifier.ok()) {
    verifier->saslprep = false;
    verifier->cost_size = static_cast<size_t>(fields[1].data() - text.data());
  }
  return verifier;
}

absl::StatusOr<bool> ScramVerifier::Matches(SecretView password) const {
  // To HMAC a key and the same with NULs behind it are one. What has a NUL costs the work of what has none.
  const bool fits = !absl::StrContains(password.Expose(), '\0');
  const SecretView phrase = fits ? password : SecretView("x");
  const auto prepared = saslprep ? SaslPrep(phrase) : absl::StatusOr<Secret>(Secret(phrase));
  if (!prepared.ok()) return prepared.status();
  Key salted;
  Key client_key;
  Key client_hash;
  Key server_hash;
  const absl::Cleanup wipe = [&] {
    for (Key* key : {&salted, &client_key, &client_hash, &server_hash}) WipeMemory(key->data(), key->size());
  };
  const bool computed = PKCS5_PBKDF2_HMAC(prepared->c_str(), static_cast<int>(prepared->size()), Bytes(salt),
                                          static_cast<int>(salt.size()), static_cast<int>(iterations), EVP_sha256(),
                                          static_cast<int>(salted.size()), salted.data()) == 1 &&
                        Hmac(salted, "Client Key", client_key) &&
                        SHA256(client_key.data(), client_key.size(), client_hash.data()) != nullptr &&
                        Hmac(salted, "Server Key", server_hash);
  if (!computed) return absl::UnavailableError("OpenSSL could not compute SCRAM's keys");
  // Both: a verifier of two halves that do not belong together is nobody's.
  const bool stored_equal = View(client_hash) == SecretView(stored_key);
  const bool server_equal = View(server_hash) == SecretView(server_key);
  return stored_equal && server_equal && fits;
}

size_t PostgresVerifierSize(absl::string_view text) {
  if (!absl::StartsWith(text, kPostgresPrefix)) return 0;
  size_t end = 0;
  for (int colon = 0; colon < 3; ++colon) {
    end = text.find(':', colon == 0 ? 0 : end + 1);
    if (end == absl::string_view::npos) return text.size();
  }
  return end;
}

}  // namespace credcache
