// Certificates for tests, made on the spot.
#pragma once

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <memory>
#include <string>

namespace credcache {

// A certificate with its key, in PEM.
struct TestCertificate {
  std::string certificate;
  std::string private_key;
};

// Signs certificates for `alternative_names` ("DNS:localhost", "URI:spiffe://example.org/imap"; comma-separated).
class TestAuthority {
 public:
  TestAuthority() : key_(EVP_EC_gen("P-256")) {
    certificate_ = Make(key_, "CA:TRUE", "");
    root_ = ToPem(certificate_);
  }
  ~TestAuthority() {
    X509_free(certificate_);
    EVP_PKEY_free(key_);
  }
  TestAuthority(const TestAuthority&) = delete;
  TestAuthority& operator=(const TestAuthority&) = delete;

  const std::string& root() const { return root_; }
  TestCertificate Issue(const std::string& alternative_names) {
    EVP_PKEY* key = EVP_EC_gen("P-256");
    X509* certificate = Make(key, "CA:FALSE", alternative_names);
    TestCertificate issued{.certificate = ToPem(certificate), .private_key = ToPem(key)};
    X509_free(certificate);
    EVP_PKEY_free(key);
    return issued;
  }

 private:
  X509* Make(EVP_PKEY* key, const char* constraints, const std::string& alternative_names) {
    X509* certificate = X509_new();
    X509_set_version(certificate, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(certificate), ++serial_);
    X509_gmtime_adj(X509_getm_notBefore(certificate), -3600);
    X509_gmtime_adj(X509_getm_notAfter(certificate), 3600);
    X509_set_pubkey(certificate, key);
    // Authorities of one name would be taken for one another.
    static int authorities = 0;
    const std::string name =
        certificate_ == nullptr ? "test authority " + std::to_string(++authorities) : "test " + std::to_string(serial_);
    X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate), "CN", MBSTRING_ASC,
                               reinterpret_cast<const unsigned char*>(name.c_str()), -1, -1, 0);
    X509* issuer = certificate_ == nullptr ? certificate : certificate_;
    X509_set_issuer_name(certificate, X509_get_subject_name(issuer));
    Extend(certificate, issuer, NID_basic_constraints, constraints);
    if (!alternative_names.empty()) Extend(certificate, issuer, NID_subject_alt_name, alternative_names.c_str());
    X509_sign(certificate, key_, EVP_sha256());
    return certificate;
  }
  static void Extend(X509* certificate, X509* issuer, int kind, const char* value) {
    X509V3_CTX context;
    X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
    X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, &context, kind, value);
    X509_add_ext(certificate, extension, -1);
    X509_EXTENSION_free(extension);
  }
  template <typename Object>
  static std::string ToPem(Object* object) {
    BIO* bio = BIO_new(BIO_s_mem());
    if constexpr (std::is_same_v<Object, X509>) {
      PEM_write_bio_X509(bio, object);
    } else {
      PEM_write_bio_PrivateKey(bio, object, nullptr, nullptr, 0, nullptr, nullptr);
    }
    char* bytes = nullptr;
    const auto size = BIO_get_mem_data(bio, &bytes);
    std::string pem(bytes, static_cast<size_t>(size));
    BIO_free(bio);
    return pem;
  }

  EVP_PKEY* key_;
  X509* certificate_ = nullptr;
  std::string root_;
  int serial_ = 0;
};

}  // namespace credcache
