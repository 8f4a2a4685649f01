// What the service and its helper processes say to each other (pam_process.h, pam_helper.h): pure functions over bytes.
//
// A message is a frame: the size of its body in four bytes, then the body; numbers are big-endian. The helper begins
// with an answer to question 0, when it is ready. Then the service asks, one question at a time, and the helper answers
// each. Both sides are one program, so there are no versions. What a module of the stack writes into the socket is told
// from an answer by its form and number.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "base/limits.h"
#include "base/secret.h"

namespace credcache {

// PAM_MAX_RESP_SIZE less its NUL: modules have room for no more, and some cut off what is longer.
inline constexpr size_t kMaxPamPasswordSize = 511;

inline constexpr size_t kPamFrameHeader = 4;
inline constexpr size_t kMaxPamQuestion = 4 + 2 + kMaxUsernameSize + kMaxPamPasswordSize;
// The most that an identity may take, with the sizes of its parts.
inline constexpr size_t kMaxPamAnswer = kMaxIdentitySize + 2 * kMaxGroups + 64;

struct PamQuestion {
  uint32_t number = 0;
  std::string name;  // as the stack is given it
  Secret password;   // without NUL
};

// How far a stack came, and so what its code means.
enum class PamPhase : uint8_t {
  kReady,         // the helper is; the code means nothing
  kStart,         // no module has run
  kAuthenticate,  // pam_authenticate said no, or PAM_NEW_AUTHTOK_REQD and pam_acct_mgmt nothing worse
  kAccount,       // the password is right; the code is pam_acct_mgmt's
  kIdentity,      // as kAccount with PAM_SUCCESS, but the system cannot tell who it is; the code is an errno
};

struct PamAnswer {
  uint32_t number = 0;  // of the question
  PamPhase phase = PamPhase::kStart;
  int32_t code = 0;
  // Of who is let in.
  std::string user;             // PAM_USER, as the stack left it
  std::optional<uint32_t> uid;  // nothing: no user of the system
  std::vector<std::string> groups;
};

// Whole frames. Whoever asks keeps to the limits above. An answer over them becomes one that says so (kIdentity,
// EMSGSIZE).
Secret EncodePamQuestion(uint32_t number, absl::string_view name, SecretView password);
std::string EncodePamAnswer(const PamAnswer& answer);

// A body's size, of a frame's first kPamFrameHeader bytes. INVALID_ARGUMENT: none, or more than `most`.
absl::StatusOr<size_t> PamBodySize(absl::string_view header, size_t most);

// Of a frame's body, all of it. INVALID_ARGUMENT: it is no question or answer, or over a limit of limits.h.
absl::StatusOr<PamQuestion> DecodePamQuestion(SecretView body);
absl::StatusOr<PamAnswer> DecodePamAnswer(absl::string_view body);

}  // namespace credcache
