#include "backends/pam_stack.h"

#include <security/pam_appl.h>

#include <cstdlib>
#include <cstring>
#include <utility>

#include "backends/pam_system_user.h"

namespace credcache {
namespace {

constexpr int kFlags = PAM_SILENT | PAM_DISALLOW_NULL_AUTHTOK;

struct Conversation {
  const Secret& password;
  bool takes_questions = true;
  bool refused = false;  // a question was put that has no answer here
};

void FreeReplies(pam_response* replies, int count) {
  for (int i = 0; i < count; ++i) {
    if (replies[i].resp != nullptr) WipeMemory(replies[i].resp, std::strlen(replies[i].resp));
    std::free(replies[i].resp);
  }
  std::free(replies);
}

// pam_conv(3): modules free what they are given, hence malloc.
int Converse(int count, const pam_message** messages, pam_response** responses, void* data) {
  auto& conversation = *static_cast<Conversation*>(data);
  *responses = nullptr;
  if (count <= 0 || count > PAM_MAX_NUM_MSG) return PAM_CONV_ERR;
  auto* replies = static_cast<pam_response*>(std::calloc(static_cast<size_t>(count), sizeof(pam_response)));
  if (replies == nullptr) return PAM_BUF_ERR;
  for (int i = 0; i < count; ++i) {
    const int style = messages[i]->msg_style;
    if (style == PAM_TEXT_INFO || style == PAM_ERROR_MSG) continue;
    if (style == PAM_PROMPT_ECHO_OFF && conversation.takes_questions) {
      replies[i].resp = strdup(conversation.password.c_str());
      if (replies[i].resp != nullptr) continue;
    }
    conversation.refused = true;
    FreeReplies(replies, count);
    return PAM_CONV_ERR;
  }
  *responses = replies;
  return PAM_SUCCESS;
}

// Instead of sleeping: how long a rejection takes is seen to elsewhere, for all backends.
void DoNotDelay(int /*result*/, unsigned /*microseconds*/, void* /*data*/) {}

int Start(const PamStack& stack, const PamQuestion& question, const pam_conv& conversation, pam_handle_t** handle) {
  const int code = stack.config_folder.empty()
                       ? pam_start(stack.service.c_str(), question.name.c_str(), &conversation, handle)
                       : pam_start_confdir(stack.service.c_str(), question.name.c_str(), &conversation,
                                           stack.config_folder.c_str(), handle);
  if (code != PAM_SUCCESS) return code;
  return pam_set_item(*handle, PAM_FAIL_DELAY, reinterpret_cast<const void*>(DoNotDelay));
}

// Fills all of the answer but its number.
void Run(pam_handle_t* handle, Conversation& conversation, bool system_users, PamAnswer& answer) {
  answer.phase = PamPhase::kAuthenticate;
  answer.code = pam_authenticate(handle, kFlags);
  const bool right = answer.code == PAM_SUCCESS || answer.code == PAM_NEW_AUTHTOK_REQD;
  // A module may take the refusal for a wrong password.
  if (!right && conversation.refused) answer.code = PAM_CONV_ERR;
  if (!right) return;

  conversation.takes_questions = false;
  const int account = pam_acct_mgmt(handle, kFlags);
  if (answer.code == PAM_SUCCESS || account != PAM_SUCCESS) {
    answer.phase = PamPhase::kAccount;
    answer.code = account;
  }
  if (answer.code != PAM_SUCCESS) return;

  const void* user = nullptr;
  if (const int code = pam_get_item(handle, PAM_USER, &user); code != PAM_SUCCESS || user == nullptr) {
    answer.code = code == PAM_SUCCESS ? PAM_BAD_ITEM : code;
    return;
  }
  answer.user = static_cast<const char*>(user);
  if (!system_users) return;
  SystemUserAnswer found = FindSystemUser(answer.user);
  if (found.error != 0) {
    answer.phase = PamPhase::kIdentity;
    answer.code = found.error;
  } else if (found.user.has_value()) {
    answer.uid = found.user->uid;
    answer.groups = std::move(found.user->groups);
  }
}

}  // namespace

PamAnswer RunPamStack(const PamStack& stack, const PamQuestion& question) {
  PamAnswer answer;
  Conversation conversation = {.password = question.password};
  const pam_conv pam_conversation = {.conv = Converse, .appdata_ptr = &conversation};
  pam_handle_t* handle = nullptr;
  answer.code = Start(stack, question, pam_conversation, &handle);
  if (answer.code == PAM_SUCCESS) Run(handle, conversation, stack.system_users, answer);
  if (handle != nullptr) pam_end(handle, answer.phase == PamPhase::kIdentity ? PAM_SYSTEM_ERR : answer.code);
  return answer;
}

}  // namespace credcache
