#include "backends/ldap_connection.h"

#include <openldap.h>
#include <poll.h>
#include <sys/time.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

#include "absl/cleanup/cleanup.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "backends/ldap_sigpipe.h"
#include "backends/ldap_socket.h"
#include "backends/tcp_socket.h"

namespace credcache {
namespace {

constexpr const char* kSystemCa = "/etc/ssl/certs/ca-certificates.crt";

timeval TimeLeft(Clock& clock, MonotonicTime deadline) {
  return absl::ToTimeval(std::clamp(deadline - clock.Monotonic(), absl::ZeroDuration(), absl::Hours(1)));
}

struct Url {
  std::string host;
  int port = 0;
  bool ldaps = false;
};

absl::StatusOr<Url> ParseUrl(const std::string& text) {
  LDAPURLDesc* parsed = nullptr;
  if (ldap_url_parse(text.c_str(), &parsed) != LDAP_URL_SUCCESS) {
    return absl::UnavailableError("is no LDAP URL");
  }
  const absl::Cleanup freer = [parsed] { ldap_free_urldesc(parsed); };
  const bool ldaps = absl::EqualsIgnoreCase(parsed->lud_scheme, "ldaps");
  if (!ldaps && !absl::EqualsIgnoreCase(parsed->lud_scheme, "ldap")) {
    return absl::UnavailableError("is neither ldap:// nor ldaps://");
  }
  const bool has_host = parsed->lud_host != nullptr && *parsed->lud_host != '\0';
  return Url{.host = has_host ? parsed->lud_host : "localhost",
             .port = parsed->lud_port != 0 ? parsed->lud_port : (ldaps ? LDAPS_PORT : LDAP_PORT),
             .ldaps = ldaps};
}

// libldap asks for what it only reads without const.
char* Unconst(const char* text) { return const_cast<char*>(text); }  // NOLINT(cppcoreguidelines-pro-type-const-cast)

void SetInt(LDAP* handle, int option, int value) { ldap_set_option(handle, option, &value); }

// Says everything that /etc/ldap/ldap.conf could say otherwise.
void SetOptions(LDAP* handle) {
  SetInt(handle, LDAP_OPT_PROTOCOL_VERSION, LDAP_VERSION3);
  SetInt(handle, LDAP_OPT_DEREF, LDAP_DEREF_NEVER);
  ldap_set_option(handle, LDAP_OPT_REFERRALS, LDAP_OPT_OFF);
  ldap_set_option(handle, LDAP_OPT_RESTART, LDAP_OPT_ON);
  ldap_set_option(handle, LDAP_OPT_NETWORK_TIMEOUT, nullptr);  // none: see SocketDeadline
}

std::string TakeString(char* text) {
  std::string result = text == nullptr ? "" : text;
  ldap_memfree(text);
  return result;
}

PolicyError PolicyErrorIn(LDAP* handle, LDAPControl** controls) {
  LDAPControl* control = ldap_control_find(LDAP_CONTROL_PASSWORDPOLICYRESPONSE, controls, nullptr);
  if (control == nullptr) return PolicyError::kNone;
  ber_int_t expire = -1;
  ber_int_t grace = -1;
  LDAPPasswordPolicyError error = PP_noError;
  if (ldap_parse_passwordpolicy_control(handle, control, &expire, &grace, &error) != LDAP_SUCCESS) {
    return PolicyError::kOther;
  }
  switch (error) {
    case PP_noError:
      return PolicyError::kNone;
    case PP_passwordExpired:
      return PolicyError::kPasswordExpired;
    case PP_accountLocked:
      return PolicyError::kAccountLocked;
    case PP_changeAfterReset:
      return PolicyError::kChangeAfterReset;
    default:
      return PolicyError::kOther;
  }
}

LdapEntry EntryOf(LDAP* handle, LDAPMessage* message) {
  LdapEntry entry = {.dn = TakeString(ldap_get_dn(handle, message))};
  BerElement* position = nullptr;
  for (char* name = ldap_first_attribute(handle, message, &position); name != nullptr;
       name = ldap_next_attribute(handle, message, position)) {
    std::vector<std::string> texts;
    berval** values = ldap_get_values_len(handle, message, name);
    for (berval** value = values; value != nullptr && *value != nullptr; ++value) {
      texts.emplace_back((*value)->bv_val, (*value)->bv_len);
    }
    ldap_value_free_len(values);
    entry.attributes.emplace_back(TakeString(name), std::move(texts));
  }
  ber_free(position, 0);
  return entry;
}

std::string TakeBytes(berval* bytes) {
  std::string result = bytes == nullptr ? "" : std::string(bytes->bv_val, bytes->bv_len);
  ber_bvfree(bytes);
  return result;
}

std::string ValueOf(const char* oid, LDAPControl** controls) {
  const LDAPControl* control = ldap_control_find(oid, controls, nullptr);
  return control == nullptr ? "" : std::string(control->ldctl_value.bv_val, control->ldctl_value.bv_len);
}

LdapEvent EventOf(LDAP* handle, int type, LDAPMessage* message) {
  LdapEvent event = {.message_id = ldap_msgid(message)};
  switch (type) {
    case LDAP_RES_SEARCH_ENTRY: {
      event.kind = LdapEvent::Kind::kEntry;
      event.entry = EntryOf(handle, message);
      LDAPControl** controls = nullptr;
      ldap_get_entry_controls(handle, message, &controls);
      event.value = ValueOf(LDAP_CONTROL_SYNC_STATE, controls);
      ldap_controls_free(controls);
      break;
    }
    case LDAP_RES_INTERMEDIATE: {
      event.kind = LdapEvent::Kind::kIntermediate;
      char* oid = nullptr;
      berval* value = nullptr;
      ldap_parse_intermediate(handle, message, &oid, &value, nullptr, 0);
      event.oid = TakeString(oid);
      event.value = TakeBytes(value);
      break;
    }
    case LDAP_RES_SEARCH_RESULT: {
      event.kind = LdapEvent::Kind::kResult;
      char* diagnostic = nullptr;
      event.code = LDAP_OTHER;
      LDAPControl** controls = nullptr;
      ldap_parse_result(handle, message, &event.code, nullptr, &diagnostic, nullptr, &controls, 0);
      event.diagnostic = TakeString(diagnostic);
      event.value = ValueOf(LDAP_CONTROL_PAGEDRESULTS, controls);
      ldap_controls_free(controls);
      break;
    }
    default:
      break;
  }
  return event;
}

}  // namespace

const std::vector<std::string>* LdapEntry::Find(absl::string_view name) const {
  const auto found = std::find_if(attributes.begin(), attributes.end(), [name](const auto& attribute) {
    return absl::EqualsIgnoreCase(attribute.first, name);
  });
  return found == attributes.end() ? nullptr : &found->second;
}

absl::StatusOr<std::unique_ptr<LdapConnection>> LdapConnection::Open(const std::string& url, const LdapTls& tls,
                                                                     Clock& clock, MonotonicTime deadline) {
  const LdapSigpipeGuard guard;
  const auto parsed = ParseUrl(url);
  if (!parsed.ok()) return parsed.status();
  const auto fd = ConnectTcp(parsed->host, parsed->port, clock, deadline);
  if (!fd.ok()) return fd.status();
  LDAP* handle = nullptr;
  // The URL gives libldap the name that the certificate must bear.
  const int code = ldap_init_fd(*fd, LDAP_PROTO_TCP, url.c_str(), &handle);
  if (code != LDAP_SUCCESS || handle == nullptr) {
    close(*fd);
    return absl::UnavailableError(absl::StrCat("libldap: ", ldap_err2string(code)));
  }
  std::unique_ptr<LdapConnection> connection(new LdapConnection(handle, *fd, clock));
  SetOptions(handle);
  if (parsed->ldaps || tls.start_tls) {
    connection->needs_tls_ = true;
    const absl::Status status = connection->StartTls(url, tls, deadline);
    if (!status.ok()) return status;
  }
  // libldap waits for the first byte of an answer itself; this holds where an answer stops half way.
  LimitReadsAndWrites(*fd, deadline - clock.Monotonic());
  return connection;
}

LdapConnection::~LdapConnection() {
  const LdapSigpipeGuard guard;
  ldap_unbind_ext(handle_, nullptr, nullptr);
}

absl::Status LdapConnection::StartTls(const std::string& url, const LdapTls& tls, MonotonicTime deadline) {
  if (!absl::StartsWithIgnoreCase(url, "ldaps:")) {
    int id = 0;
    if (ldap_start_tls(handle_, nullptr, nullptr, &id) != LDAP_SUCCESS)
      return absl::UnavailableError("asking for StartTLS");
    const auto message = Await(id, deadline);
    if (!message.ok()) return message.status();
    int code = LDAP_OTHER;
    char* diagnostic = nullptr;
    ldap_parse_result(handle_, message->get(), &code, nullptr, &diagnostic, nullptr, nullptr, 0);
    const std::string text = TakeString(diagnostic);
    if (code != LDAP_SUCCESS) {
      return absl::UnavailableError(absl::StrCat("the directory refused StartTLS: ", ldap_err2string(code), " ", text));
    }
  }
  if (absl::Status prepared = PrepareTls(tls); !prepared.ok()) return prepared;
  const int code = [&] {
    const SocketDeadline limit(socket_, clock_, deadline);
    return ldap_install_tls(handle_);
  }();
  if (code != LDAP_SUCCESS || ldap_tls_inplace(handle_) == 0) {
    if (clock_.Monotonic() >= deadline) return absl::UnavailableError("TLS: no answer in time");
    return absl::UnavailableError(
        absl::StrCat("TLS: ", Describe(code), "; is its certificate signed by an authority in ",
                     tls.ca.empty() ? kSystemCa : tls.ca, ", and does it bear the host's name as in the URL?"));
  }
  // libldap with GnuTLS ignores PROTOCOL_MIN, and each cipher suite that is set leaks: so the result is looked at.
  char* version = nullptr;
  ldap_get_option(handle_, LDAP_OPT_X_TLS_VERSION, &version);
  const std::string name = TakeString(version);
  if (!absl::EndsWith(name, "1.2") && !absl::EndsWith(name, "1.3")) {
    return absl::UnavailableError(absl::StrCat("TLS: the directory speaks ", name, ", which is older than 1.2"));
  }
  return absl::OkStatus();
}

absl::Status LdapConnection::PrepareTls(const LdapTls& tls) {
  const std::string ca = tls.ca.empty() ? kSystemCa : tls.ca;
  // libldap only warns of a file without certificates, and then trusts nobody: say it here.
  if (access(ca.c_str(), R_OK) != 0)
    return absl::UnavailableError(absl::StrCat("TLS: the CA file ", ca, " cannot be read"));
  ldap_set_option(handle_, LDAP_OPT_X_TLS_CACERTFILE, ca.c_str());
  SetInt(handle_, LDAP_OPT_X_TLS_REQUIRE_CERT, LDAP_OPT_X_TLS_DEMAND);
  SetInt(handle_, LDAP_OPT_X_TLS_PROTOCOL_MIN, LDAP_OPT_X_TLS_PROTOCOL_TLS1_2);
  const int client = 0;
  if (ldap_set_option(handle_, LDAP_OPT_X_TLS_NEWCTX, &client) != LDAP_OPT_SUCCESS) {
    return absl::UnavailableError(absl::StrCat("TLS: the CA file ", ca, " cannot be used"));
  }
  return absl::OkStatus();
}

absl::StatusOr<BindAnswer> LdapConnection::Bind(const std::string& dn, SecretView password, MonotonicTime deadline) {
  if (dn.empty() || password.empty()) return absl::InvalidArgumentError("an anonymous bind proves nothing");
  const LdapSigpipeGuard guard;
  // After a loss libldap would connect anew by itself, in the clear.
  if (needs_tls_ && ldap_tls_inplace(handle_) == 0) return absl::AbortedError("TLS is not in place");

  LDAPControl policy = {};
  policy.ldctl_oid = Unconst(LDAP_CONTROL_PASSWORDPOLICYREQUEST);
  LDAPControl* controls[] = {&policy, nullptr};
  berval credentials = {.bv_len = password.size(), .bv_val = Unconst(password.Expose().data())};
  int id = 0;
  const int sent = ldap_sasl_bind(handle_, dn.c_str(), LDAP_SASL_SIMPLE, &credentials, controls, nullptr, &id);
  // A bind is far smaller than a socket's buffer: it was taken whole, or not at all.
  if (sent != LDAP_SUCCESS) return absl::AbortedError(absl::StrCat("sending a bind: ", Describe(sent)));

  const auto message = Await(id, deadline);
  if (!message.ok()) return message.status();
  BindAnswer answer;
  char* diagnostic = nullptr;
  LDAPControl** returned = nullptr;
  const int parsed =
      ldap_parse_result(handle_, message->get(), &answer.code, nullptr, &diagnostic, nullptr, &returned, 0);
  answer.diagnostic = TakeString(diagnostic);
  if (parsed != LDAP_SUCCESS) return absl::UnavailableError(absl::StrCat("a bind's answer: ", ldap_err2string(parsed)));
  answer.policy = PolicyErrorIn(handle_, returned);
  ldap_controls_free(returned);
  return answer;
}

absl::StatusOr<LdapSearchAnswer> LdapConnection::Search(const LdapSearch& search, MonotonicTime deadline) {
  const LdapSigpipeGuard guard;
  timeval left = TimeLeft(clock_, deadline);
  left.tv_sec += 1;  // the server's own limit, in whole seconds
  const auto id = SendSearch(search, nullptr, &left);
  if (!id.ok()) return id.status();
  const auto message = Await(*id, deadline);
  if (!message.ok()) return message.status();
  LdapSearchAnswer answer;
  char* diagnostic = nullptr;
  const int parsed =
      ldap_parse_result(handle_, message->get(), &answer.code, nullptr, &diagnostic, nullptr, nullptr, 0);
  answer.diagnostic = TakeString(diagnostic);
  if (parsed != LDAP_SUCCESS)
    return absl::UnavailableError(absl::StrCat("a search's answer: ", ldap_err2string(parsed)));
  for (LDAPMessage* entry = ldap_first_entry(handle_, message->get()); entry != nullptr;
       entry = ldap_next_entry(handle_, entry)) {
    answer.entries.push_back(EntryOf(handle_, entry));
  }
  return answer;
}

absl::StatusOr<int> LdapConnection::SendSearch(const LdapSearch& search, LDAPControl** controls, timeval* time_limit) {
  if (needs_tls_ && ldap_tls_inplace(handle_) == 0) return absl::UnavailableError("TLS is not in place");
  std::vector<char*> attributes;
  attributes.reserve(search.attributes.size() + 1);
  for (const std::string& name : search.attributes) attributes.push_back(Unconst(name.c_str()));
  attributes.push_back(nullptr);
  int id = 0;
  const int sent = ldap_search_ext(handle_, search.base.c_str(), search.scope, search.filter.c_str(), attributes.data(),
                                   0, controls, nullptr, time_limit, search.size_limit, &id);
  if (sent == LDAP_FILTER_ERROR) return absl::InvalidArgumentError("the filter is none");
  if (sent != LDAP_SUCCESS) return absl::UnavailableError(absl::StrCat("sending a search: ", Describe(sent)));
  return id;
}

absl::StatusOr<int> LdapConnection::BeginSearch(const LdapSearch& search, const std::vector<LdapControl>& controls) {
  const LdapSigpipeGuard guard;
  std::vector<LDAPControl> values;
  values.reserve(controls.size());
  std::vector<LDAPControl*> pointers;
  for (const LdapControl& control : controls) {
    const bool has_value = !control.value.empty();
    values.push_back(
        {.ldctl_oid = Unconst(control.oid.c_str()),
         .ldctl_value = {.bv_len = control.value.size(), .bv_val = has_value ? Unconst(control.value.data()) : nullptr},
         .ldctl_iscritical = 1});
    pointers.push_back(&values.back());
  }
  pointers.push_back(nullptr);
  return SendSearch(search, pointers.data(), nullptr);
}

absl::StatusOr<std::optional<LdapEvent>> LdapConnection::Next(absl::Duration wait) {
  const LdapSigpipeGuard guard;
  timeval left = absl::ToTimeval(std::max(wait, absl::ZeroDuration()));
  LDAPMessage* got = nullptr;
  // One at a time, of whichever search: so all come in the order in which the server sent them.
  const int type = ldap_result(handle_, LDAP_RES_ANY, LDAP_MSG_ONE, &left, &got);
  const Message message(got);
  if (type == 0) return std::nullopt;
  if (type < 0) {
    int code = LDAP_OTHER;
    ldap_get_option(handle_, LDAP_OPT_RESULT_CODE, &code);
    return absl::UnavailableError(absl::StrCat("the connection is lost: ", Describe(code)));
  }
  return EventOf(handle_, type, message.get());
}

bool LdapConnection::LooksAlive() const {
  pollfd event = {.fd = socket_, .events = POLLIN | POLLRDHUP, .revents = 0};
  return poll(&event, 1, 0) == 0;
}

absl::StatusOr<LdapConnection::Message> LdapConnection::Await(int message_id, MonotonicTime deadline) {
  timeval left = TimeLeft(clock_, deadline);
  LDAPMessage* message = nullptr;
  const int type = ldap_result(handle_, message_id, LDAP_MSG_ALL, &left, &message);
  Message result(message);
  if (type == 0) return absl::UnavailableError("no answer in time");
  if (type < 0) {
    int code = LDAP_OTHER;
    ldap_get_option(handle_, LDAP_OPT_RESULT_CODE, &code);
    return absl::UnavailableError(absl::StrCat("no answer: ", Describe(code)));
  }
  return result;
}

std::string LdapConnection::Describe(int code) const {
  char* diagnostic = nullptr;
  ldap_get_option(handle_, LDAP_OPT_DIAGNOSTIC_MESSAGE, &diagnostic);
  const std::string text = TakeString(diagnostic);
  // GnuTLS has no text for a certificate that failed the check.
  const bool says_something = !text.empty() && text != "(unknown error code)";
  return !says_something ? ldap_err2string(code) : absl::StrCat(ldap_err2string(code), " (", text, ")");
}

}  // namespace credcache
