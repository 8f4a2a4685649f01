#include "backends/kerberos_client.h"

#include <utility>

#include "absl/cleanup/cleanup.h"
#include "absl/strings/str_cat.h"
#include "backends/kerberos_exchange.h"
#include "backends/kerberos_result.h"

namespace credcache {
namespace {

// The ticket is looked at once, and thrown away.
constexpr krb5_deltat kTicketSeconds = 300;
// The first, the proof, and for SPAKE a challenge before it. More is somebody's game.
constexpr int kMostMessages = 5;

krb5_data DataOf(const std::string& bytes) {
  krb5_data data = {};
  data.length = static_cast<unsigned>(bytes.size());
  data.data = const_cast<char*>(bytes.data());  // NOLINT: libkrb5 only reads it
  return data;
}

}  // namespace

absl::StatusOr<KerberosPrincipal> UserPrincipal(const KerberosContext& context, const std::string& realm,
                                                absl::string_view name) {
  krb5_principal principal = nullptr;
  // One component, whatever is in it.
  const krb5_error_code code =
      krb5_build_principal_ext(context.get(), &principal, static_cast<unsigned>(realm.size()), realm.c_str(),
                               static_cast<unsigned>(name.size()), name.data(), 0);
  if (code != 0) return absl::UnavailableError(absl::StrCat("the principal: ", context.Text(code)));
  principal->type = KRB5_NT_PRINCIPAL;
  return KerberosPrincipal(principal, KerberosFree{context.get()});
}

absl::StatusOr<KerberosPrincipal> ServicePrincipal(const KerberosContext& context, const std::string& realm,
                                                   const std::string& service) {
  krb5_principal principal = nullptr;
  const krb5_error_code code = krb5_parse_name_flags(context.get(), absl::StrCat(service, "@", realm).c_str(),
                                                     KRB5_PRINCIPAL_PARSE_REQUIRE_REALM, &principal);
  if (code != 0) return absl::UnavailableError(absl::StrCat("service ", service, ": ", context.Text(code)));
  return KerberosPrincipal(principal, KerberosFree{context.get()});
}

// What libkrb5 keeps of one; with it go its copies of the password and of the key, which it wipes.
struct KerberosClient::Conversation {
  KerberosPointer<krb5_get_init_creds_opt> options;
  KerberosPointer<struct _krb5_init_creds_context> steps;
};

absl::StatusOr<KerberosClient::Conversation> KerberosClient::Begin(krb5_principal user, const std::string& service,
                                                                   const Secret& password) {
  krb5_context context = context_.get();
  krb5_get_init_creds_opt* options = nullptr;
  krb5_error_code code = krb5_get_init_creds_opt_alloc(context, &options);
  if (code != 0) return Trouble("the options", code);
  Conversation conversation = {.options = {options, KerberosFree{context}}, .steps = {nullptr, KerberosFree{context}}};
  krb5_get_init_creds_opt_set_tkt_life(options, kTicketSeconds);
  krb5_get_init_creds_opt_set_renew_life(options, 0);
  krb5_get_init_creds_opt_set_forwardable(options, 0);
  krb5_get_init_creds_opt_set_proxiable(options, 0);
  krb5_get_init_creds_opt_set_canonicalize(options, 0);
  krb5_get_init_creds_opt_set_anonymous(options, 0);
  krb5_init_creds_context steps = nullptr;
  code = krb5_init_creds_init(context, user, /*prompter=*/nullptr, /*data=*/nullptr, /*start_time=*/0, options, &steps);
  if (code != 0) return Trouble("a conversation", code);
  conversation.steps.reset(steps);
  code = krb5_init_creds_set_service(context, steps, service.c_str());
  if (code == 0) code = krb5_init_creds_set_password(context, steps, password.c_str());
  if (code != 0) return Trouble("a conversation", code);
  return conversation;
}

absl::StatusOr<KdcReply> KerberosClient::Ask(krb5_principal user, const std::string& service, const Secret& password,
                                             MonotonicTime deadline, bool* proof_sent) {
  krb5_context context = context_.get();
  const auto conversation = Begin(user, service, password);
  if (!conversation.ok()) return conversation.status();
  std::string answer;
  for (int message = 0; message < kMostMessages; ++message) {
    krb5_data received = DataOf(answer);
    krb5_data request = {};
    krb5_data realm = {};
    const absl::Cleanup freeing = [&] {
      krb5_free_data_contents(context, &request);
      krb5_free_data_contents(context, &realm);
    };
    unsigned flags = 0;
    const krb5_error_code code =
        krb5_init_creds_step(context, conversation->steps.get(), &received, &request, &realm, &flags);
    if (code != 0) return KdcReply{.code = code, .text = context_.Text(code)};
    if ((flags & KRB5_INIT_CREDS_STEP_FLAG_CONTINUE) == 0) {
      KerberosCredentials credentials(new krb5_creds{}, KerberosFree{context});
      const krb5_error_code got = krb5_init_creds_get_creds(context, conversation->steps.get(), credentials.get());
      if (got != 0) return Trouble("the ticket", got);
      return KdcReply{.credentials = std::move(credentials)};
    }
    if (absl::string_view(realm.data, realm.length) != absl::string_view(user->realm.data, user->realm.length)) {
      return KdcReply{.code = KRB5KDC_ERR_WRONG_REALM, .text = "the KDC refers to another realm"};
    }
    // The first message has no proof in it; each that follows one may.
    const Proof proof = message == 0 ? Proof::kNone : Proof::kPassword;
    bool sent = false;
    auto answered =
        AskRealm(kdcs_, absl::string_view(request.data, request.length), proof, clock_, timeout_, deadline, &sent);
    if (proof == Proof::kPassword) *proof_sent = *proof_sent || sent;
    if (!answered.ok()) return answered.status();
    answer = *std::move(answered);
    std::string text;
    const krb5_error_code error = ErrorIn(answer, &text);
    if (error != 0 && !GoesOnAfter(error, proof == Proof::kPassword)) return KdcReply{.code = error, .text = text};
  }
  return absl::UnavailableError("the KDC does not come to an end");
}

absl::StatusOr<std::string> KerberosClient::FirstRequest(krb5_principal user, const std::string& service) {
  const auto conversation = Begin(user, service, Secret());
  if (!conversation.ok()) return conversation.status();
  krb5_data nothing = {};
  krb5_data request = {};
  krb5_data realm = {};
  unsigned flags = 0;
  const krb5_error_code code =
      krb5_init_creds_step(context_.get(), conversation->steps.get(), &nothing, &request, &realm, &flags);
  std::string first(request.data, request.length);
  krb5_free_data_contents(context_.get(), &request);
  krb5_free_data_contents(context_.get(), &realm);
  if (code != 0) return Trouble("a first message", code);
  return first;
}

krb5_error_code KerberosClient::ErrorIn(const std::string& answer, std::string* text) const {
  const krb5_data data = DataOf(answer);
  krb5_error* found = nullptr;
  if (krb5_rd_error(context_.get(), &data, &found) != 0) return 0;
  const KerberosPointer<krb5_error> error(found, KerberosFree{context_.get()});
  const auto code = static_cast<krb5_error_code>(error->error + KRB5KDC_ERR_NONE);
  *text = context_.Text(code);
  if (error->text.length > 0) {
    absl::StrAppend(text, " (", SafeText(absl::string_view(error->text.data, error->text.length)), ")");
  }
  return code;
}

absl::Status KerberosClient::Trouble(absl::string_view doing, krb5_error_code code) const {
  return absl::UnavailableError(absl::StrCat("libkrb5, ", doing, ": ", context_.Text(code)));
}

}  // namespace credcache
