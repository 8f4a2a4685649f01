#include <lber.h>
#include <ldap.h>

#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "peers/lane.h"

namespace credcache::peers {
namespace {

constexpr timeval kPatience = {10, 0};

absl::Status Failed(absl::string_view what, int code) {
  return absl::UnavailableError(absl::StrCat(what, ": ", ldap_err2string(code)));
}

class LdapLane final : public Lane {
 public:
  explicit LdapLane(LdapOptions options) : options_(std::move(options)) {}
  ~LdapLane() override { Close(); }

  absl::Status Open() override {
    Close();
    if (ldap_is_ldap_url(options_.url.c_str()) == 0) {
      return absl::InvalidArgumentError(absl::StrCat("\"", options_.url, "\" is no URL: ldap://HOST:PORT expected"));
    }
    if (const int code = ldap_initialize(&ldap_, options_.url.c_str()); code != LDAP_SUCCESS) {
      return Failed(options_.url, code);
    }
    const int version = LDAP_VERSION3;
    ldap_set_option(ldap_, LDAP_OPT_PROTOCOL_VERSION, &version);
    ldap_set_option(ldap_, LDAP_OPT_NETWORK_TIMEOUT, &kPatience);
    ldap_set_option(ldap_, LDAP_OPT_TIMEOUT, &kPatience);
    if (!options_.ca.empty()) {
      ldap_set_option(ldap_, LDAP_OPT_X_TLS_CACERTFILE, options_.ca.c_str());
      const int is_server = 0;
      ldap_set_option(ldap_, LDAP_OPT_X_TLS_NEWCTX, &is_server);
    }
    const int code = options_.start_tls ? ldap_start_tls_s(ldap_, nullptr, nullptr) : ldap_connect(ldap_);
    return code == LDAP_SUCCESS ? absl::OkStatus() : Failed(options_.url, code);
  }

  void Ask(uint32_t id, const workload::Credentials& credentials) override {
    id_ = id;
    dn_ = absl::StrReplaceAll(options_.dn, {{"{username}", credentials.username()}});
    password_ = std::string(credentials.password());
  }

  absl::Status Wait(std::vector<Answer>* answers) override {
    berval secret = {password_.size(), password_.data()};
    const int code = ldap_sasl_bind_s(ldap_, dn_.c_str(), LDAP_SASL_SIMPLE, &secret, nullptr, nullptr, nullptr);
    if (code != LDAP_SUCCESS && code != LDAP_INVALID_CREDENTIALS) return Failed("bind", code);
    answers->push_back({id_, code == LDAP_SUCCESS});
    return absl::OkStatus();
  }

 private:
  void Close() {
    if (ldap_ != nullptr) ldap_unbind_ext_s(ldap_, nullptr, nullptr);
    ldap_ = nullptr;
  }

  const LdapOptions options_;
  LDAP* ldap_ = nullptr;
  uint32_t id_ = 0;
  std::string dn_;
  std::string password_;
};

}  // namespace

std::unique_ptr<Lane> NewLdapLane(const LdapOptions& options) { return std::make_unique<LdapLane>(options); }

}  // namespace credcache::peers
