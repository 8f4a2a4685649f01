#include "backends/password_hash.h"

#include <argon2.h>
#include <crypt.h>

#include <algorithm>
#include <array>
#include <memory>
#include <optional>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "backends/scram_verifier.h"

namespace credcache {
namespace {

// What one check may cost: about two seconds of one core, and a quarter of a gibibyte, at worst.
constexpr uint64_t kMaxMemoryKibibytes = uint64_t{256} << 10;
constexpr uint64_t kMaxArgon2WorkKibibytes = uint64_t{2} << 20;  // memory times passes
constexpr uint32_t kMaxArgon2Lanes = 64;
constexpr uint32_t kMaxShaRounds = 2'000'000;
constexpr uint32_t kMinShaRounds = 1'000;  // libxcrypt takes no fewer
constexpr int kMinBcryptCost = 4;
constexpr int kMaxBcryptCost = 15;

constexpr size_t kMaxBcryptPasswordSize = 72;
constexpr size_t kMaxEncodedSize = 512;

constexpr absl::string_view kScram = "SCRAM-SHA-256";

constexpr absl::string_view kCryptAlphabet = "./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

absl::Status Bad(absl::string_view what) { return absl::InvalidArgumentError(what); }

bool IsCryptBase64(absl::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return absl::StrContains(kCryptAlphabet, c); });
}

// A decimal number as hashes hold it: no sign, no leading zero, at most nine digits.
std::optional<uint32_t> ParseNumber(absl::string_view text) {
  uint32_t value = 0;
  if (text.empty() || text.size() > 9 || (text.size() > 1 && text.front() == '0') ||
      !std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; }) ||
      !absl::SimpleAtoi(text, &value)) {
    return std::nullopt;
  }
  return value;
}

// One of yescrypt's numbers of variable length, at least `minimum` (libxcrypt, alg-yescrypt-common.c,
// decode64_uint32). Removes it from `text`.
std::optional<uint32_t> TakeYescryptNumber(absl::string_view& text, uint32_t minimum) {
  const auto take = [&text]() -> std::optional<uint32_t> {
    if (text.empty()) return std::nullopt;
    const size_t value = kCryptAlphabet.find(text.front());
    if (value == absl::string_view::npos) return std::nullopt;
    text.remove_prefix(1);
    return static_cast<uint32_t>(value);
  };
  const auto first = take();
  if (!first) return std::nullopt;
  uint32_t start = 0;
  uint32_t end = 47;
  uint32_t more = 0;
  uint32_t value = minimum;
  while (*first > end) {
    value += (end + 1 - start) << (6 * more);
    start = end + 1;
    end = start + (62 - end) / 2;
    ++more;
  }
  value += (*first - start) << (6 * more);
  while (more-- > 0) {
    const auto next = take();
    if (!next) return std::nullopt;
    value += *next << (6 * more);
  }
  return value;
}

struct Argon2Parts {
  uint32_t version = ARGON2_VERSION_10;
  uint32_t memory_kibibytes = 0;
  uint32_t passes = 0;
  uint32_t lanes = 0;
  std::string salt;
  std::string hash;
  size_t parameters_size = 0;  // of the text before the salt
};

std::optional<std::string> Unbase64(absl::string_view text) {
  std::string result;
  // The reference encoder writes no padding; Abseil takes text with and without.
  if (text.empty() || absl::StrContains(text, '=') || !absl::Base64Unescape(text, &result)) return std::nullopt;
  return result;
}

absl::StatusOr<Argon2Parts> ParseArgon2(absl::string_view text) {
  Argon2Parts parts;
  const std::vector<absl::string_view> fields = absl::StrSplit(text, '$');
  // "", "argon2id", ["v=19"], "m=65536,t=3,p=4", salt, hash
  const bool has_version = fields.size() == 6;
  if (fields.size() != 5 && !has_version) return Bad("the Argon2id hash is damaged");
  if (has_version) {
    if (fields[2] == "v=19") {
      parts.version = ARGON2_VERSION_13;
    } else if (fields[2] != "v=16") {
      return Bad("the Argon2id hash is of a version other than 16 and 19");
    }
  }
  const absl::string_view parameters = fields[fields.size() - 3];
  const std::vector<absl::string_view> numbers = absl::StrSplit(parameters, ',');
  if (numbers.size() != 3) return Bad("the Argon2id hash's parameters are not m=,t=,p=");
  const auto number = [&numbers](size_t i, absl::string_view name) -> std::optional<uint32_t> {
    absl::string_view field = numbers[i];
    return absl::ConsumePrefix(&field, name) ? ParseNumber(field) : std::nullopt;
  };
  const auto memory = number(0, "m=");
  const auto passes = number(1, "t=");
  const auto lanes = number(2, "p=");
  if (!memory || !passes || !lanes) return Bad("the Argon2id hash's parameters are not m=,t=,p=");
  if (*passes < 1 || *lanes < 1 || *memory < 8 * uint64_t{*lanes})
    return Bad("the Argon2id hash's m=,t=,p= are too low");
  if (*memory > kMaxMemoryKibibytes || uint64_t{*memory} * *passes > kMaxArgon2WorkKibibytes ||
      *lanes > kMaxArgon2Lanes) {
    return Bad("the Argon2id hash costs too much: at most m=262144, m times t 2097152, p=64");
  }
  const auto salt = Unbase64(fields[fields.size() - 2]);
  const auto hash = Unbase64(fields[fields.size() - 1]);
  if (!salt || salt->size() < ARGON2_MIN_SALT_LENGTH || !hash || hash->size() < 16 || hash->size() > 64) {
    return Bad("the Argon2id hash is damaged");
  }
  parts.memory_kibibytes = *memory;
  parts.passes = *passes;
  parts.lanes = *lanes;
  parts.salt = *salt;
  parts.hash = *hash;
  parts.parameters_size = static_cast<size_t>(parameters.data() + parameters.size() - text.data());
  return parts;
}

// crypt_r's work space: 32 KiB, so not on the stack; one for each thread that checks passwords.
crypt_data& ThreadCryptData() {
  // crypt_r wants it zeroed before the first use; wiping leaves it so.
  static thread_local const auto data = std::make_unique<crypt_data>();
  return *data;
}

}  // namespace

absl::StatusOr<PasswordHash> PasswordHash::Parse(absl::string_view text) {
  std::string scheme;
  if (absl::ConsumePrefix(&text, "{")) {
    const size_t end = text.find('}');
    if (end == absl::string_view::npos) return Bad("the hash's {SCHEME} has no end");
    scheme = absl::AsciiStrToUpper(text.substr(0, end));
    text.remove_prefix(end + 1);
  }
  if (text.empty()) return Bad("the hash is empty");
  if (text.size() > kMaxEncodedSize) return Bad("the hash is longer than 512 bytes");

  if (scheme == kScram) return ParseDovecotScram(text);

  struct Known {
    absl::string_view prefix;
    absl::string_view scheme;  // Dovecot's name
    absl::StatusOr<PasswordHash> (*parse)(absl::string_view text);
  };
  static constexpr std::array<Known, 7> kKnown = {{
      {"$y$", "CRYPT", ParseYescrypt},
      {"$2b$", "BLF-CRYPT", ParseBcrypt},
      {"$2y$", "BLF-CRYPT", ParseBcrypt},
      {"$6$", "SHA512-CRYPT", ParseShaCrypt},
      {"$5$", "SHA256-CRYPT", ParseShaCrypt},
      {"$argon2id$", "ARGON2ID", ParseArgon2id},
      {"SCRAM-SHA-256$", kScram, ParsePostgresScram},
  }};
  const bool scheme_known =
      scheme.empty() || scheme == "CRYPT" ||
      std::any_of(kKnown.begin(), kKnown.end(), [&](const Known& k) { return k.scheme == scheme; });
  if (!scheme_known) {
    return Bad(
        "the hash's {SCHEME} is none of {CRYPT}, {BLF-CRYPT}, {SHA512-CRYPT}, {SHA256-CRYPT}, {ARGON2ID}, "
        "{SCRAM-SHA-256}");
  }
  for (const Known& known : kKnown) {
    if (!absl::StartsWith(text, known.prefix)) continue;
    // {CRYPT} is whatever crypt(3) takes, which is all that begins with $ but Argon2.
    const bool agrees = scheme.empty() || scheme == known.scheme ||
                        (scheme == "CRYPT" && known.scheme != "ARGON2ID" && known.scheme != kScram);
    if (!agrees) return Bad(absl::StrCat("the hash is no {", scheme, "} hash"));
    return known.parse(text);
  }
  return Bad("the hash is none of $y$, $2b$, $2y$, $6$, $5$, $argon2id$, SCRAM-SHA-256$");
}

PasswordHash PasswordHash::Placeholder() {
  return *Parse("$y$j9T$EO9Dg34FH/j0lIgc4uXIU.$Na3.8zxtEP4Mx.0iu0Vtzdmcl0mjla.XJGHLaRT2Pk0");
}

// $y$ PARAMETERS $ SALT $ HASH
absl::StatusOr<PasswordHash> PasswordHash::ParseYescrypt(absl::string_view text) {
  const std::vector<absl::string_view> fields = absl::StrSplit(text, '$');
  if (fields.size() != 5 || fields[3].empty() || fields[3].size() > 86 || !IsCryptBase64(fields[3]) ||
      fields[4].size() != 43 || !IsCryptBase64(fields[4])) {
    return Bad("the yescrypt hash is damaged");
  }
  absl::string_view parameters = fields[2];
  const auto flavor = TakeYescryptNumber(parameters, 0);
  const auto log2_blocks = TakeYescryptNumber(parameters, 1);
  const auto block_size = TakeYescryptNumber(parameters, 1);
  if (!flavor || !log2_blocks || !block_size) return Bad("the yescrypt hash's parameters are damaged");
  // crypt_gensalt(3) makes no others.
  if (*flavor != 47 || !parameters.empty()) return Bad("the yescrypt hash has parameters that crypt(3) does not make");
  // 128 bytes times r times N.
  if (*log2_blocks > 30 || ((uint64_t{128} * *block_size) << *log2_blocks) >> 10 > kMaxMemoryKibibytes) {
    return Bad("the yescrypt hash needs more than 256 MiB");
  }
  return PasswordHash(Scheme::kCrypt, text, static_cast<size_t>(fields[3].data() - text.data()));
}

// $2b$ COST $ SALT (22) HASH (31)
absl::StatusOr<PasswordHash> PasswordHash::ParseBcrypt(absl::string_view text) {
  constexpr size_t kCostSize = 7;  // "$2b$12$"
  if (text.size() != 60 || text[6] != '$' || text[4] < '0' || text[4] > '3' || text[5] < '0' || text[5] > '9' ||
      !IsCryptBase64(text.substr(kCostSize))) {
    return Bad("the bcrypt hash is damaged");
  }
  const int cost = (text[4] - '0') * 10 + (text[5] - '0');
  if (cost < kMinBcryptCost || cost > kMaxBcryptCost) return Bad("the bcrypt hash's cost is not between 4 and 15");
  return PasswordHash(Scheme::kBcrypt, text, kCostSize);
}

// $6$ [rounds=N$] SALT $ HASH
absl::StatusOr<PasswordHash> PasswordHash::ParseShaCrypt(absl::string_view text) {
  const std::vector<absl::string_view> fields = absl::StrSplit(text, '$');
  const bool has_rounds = fields.size() == 5 && absl::StartsWith(fields[2], "rounds=");
  if (fields.size() != 4 && !has_rounds) return Bad("the SHA-crypt hash is damaged");
  if (has_rounds) {
    const auto rounds = ParseNumber(absl::StripPrefix(fields[2], "rounds="));
    if (!rounds || *rounds < kMinShaRounds || *rounds > kMaxShaRounds) {
      return Bad("the SHA-crypt hash's rounds= is not between 1000 and 2000000");
    }
  }
  const absl::string_view salt = fields[fields.size() - 2];
  const absl::string_view hash = fields[fields.size() - 1];
  // Salts come from many tools; libxcrypt refuses what could be mistaken for something else in a file of passwords.
  const bool salt_good = !salt.empty() && salt.size() <= 16 && std::all_of(salt.begin(), salt.end(), [](char c) {
    return c > ' ' && c < 0x7f && !absl::StrContains("!*:;\\", c);
  });
  if (!salt_good || hash.size() != (text[1] == '6' ? 86U : 43U) || !IsCryptBase64(hash)) {
    return Bad("the SHA-crypt hash is damaged");
  }
  return PasswordHash(Scheme::kCrypt, text, static_cast<size_t>(salt.data() - text.data()));
}

absl::StatusOr<PasswordHash> PasswordHash::ParseArgon2id(absl::string_view text) {
  const auto parts = ParseArgon2(text);
  if (!parts.ok()) return parts.status();
  return PasswordHash(Scheme::kArgon2id, text, parts->parameters_size);
}

absl::StatusOr<PasswordHash> PasswordHash::ParsePostgresScram(absl::string_view text) {
  const auto verifier = ScramVerifier::ParsePostgres(text);
  if (!verifier.ok()) return verifier.status();
  return PasswordHash(Scheme::kPostgresScram, text, verifier->cost_size);
}

absl::StatusOr<PasswordHash> PasswordHash::ParseDovecotScram(absl::string_view text) {
  const auto verifier = ScramVerifier::ParseDovecot(text);
  if (!verifier.ok()) return verifier.status();
  return PasswordHash(Scheme::kDovecotScram, text, verifier->cost_size);
}

absl::StatusOr<bool> PasswordHash::Matches(SecretView password) const {
  switch (scheme_) {
    case Scheme::kCrypt:
    case Scheme::kBcrypt:
      return MatchesCrypt(password);
    case Scheme::kArgon2id:
      return MatchesArgon2id(password);
    case Scheme::kPostgresScram:
    case Scheme::kDovecotScram:
      break;
  }
  return MatchesScram(password);
}

absl::StatusOr<bool> PasswordHash::MatchesScram(SecretView password) const {
  const auto verifier = scheme_ == Scheme::kPostgresScram ? ScramVerifier::ParsePostgres(encoded_)
                                                          : ScramVerifier::ParseDovecot(encoded_);
  if (!verifier.ok()) return absl::UnavailableError(verifier.status().message());
  return verifier->Matches(password);
}

absl::StatusOr<bool> PasswordHash::MatchesCrypt(SecretView password) const {
  const size_t max_size = scheme_ == Scheme::kBcrypt ? kMaxBcryptPasswordSize : CRYPT_MAX_PASSPHRASE_SIZE - 1;
  const bool fits = password.size() <= max_size && !absl::StrContains(password.Expose(), '\0');
  // What does not fit costs the work of what does.
  const Secret phrase(fits ? password : SecretView("x"));
  crypt_data& data = ThreadCryptData();
  const char* result = crypt_r(phrase.c_str(), encoded_.c_str(), &data);
  absl::StatusOr<bool> matches = absl::UnavailableError("crypt(3) could not compute a hash");
  // libxcrypt answers "*0" or "*1" instead of null.
  if (result != nullptr && result[0] == '$') matches = (SecretView(result) == SecretView(encoded_)) && fits;
  WipeMemory(&data, sizeof(data));
  return matches;
}

absl::StatusOr<bool> PasswordHash::MatchesArgon2id(SecretView password) const {
  auto parts = ParseArgon2(encoded_);
  if (!parts.ok()) return absl::UnavailableError(parts.status().message());
  std::array<uint8_t, 64> output;
  argon2_context context = {};
  context.out = output.data();
  context.outlen = static_cast<uint32_t>(parts->hash.size());
  // The library takes the password without const, and only reads it with these flags.
  // NOLINTNEXTLINE(cppcoreguidelines-pro-type-const-cast)
  context.pwd = reinterpret_cast<uint8_t*>(const_cast<char*>(password.Expose().data()));
  context.pwdlen = static_cast<uint32_t>(password.size());
  context.salt = reinterpret_cast<uint8_t*>(parts->salt.data());
  context.saltlen = static_cast<uint32_t>(parts->salt.size());
  context.t_cost = parts->passes;
  context.m_cost = parts->memory_kibibytes;
  context.lanes = parts->lanes;
  // The result depends on the lanes alone. Threads of its own would take the cores from the other workers.
  context.threads = 1;
  context.version = parts->version;
  context.flags = ARGON2_DEFAULT_FLAGS;
  const int error = argon2id_ctx(&context);
  if (error != ARGON2_OK) {
    return absl::UnavailableError(absl::StrCat("Argon2id could not compute a hash: ", argon2_error_message(error)));
  }
  const bool matches = SecretView(absl::string_view(reinterpret_cast<const char*>(output.data()),
                                                    parts->hash.size())) == SecretView(parts->hash);
  WipeMemory(output.data(), output.size());
  return matches;
}

}  // namespace credcache
