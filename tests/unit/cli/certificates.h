// Authorities and certificates for a test, made on the spot.
#pragma once

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <fstream>
#include <memory>
#include <string>

namespace credcache::cli {

struct Pem {
  std::string certificate;
  std::string key;
};

// A name with its key, signed by itself or by an authority.
class TestCertificate {
 public:
  // `address`: the IP address that it is good for; empty: an authority.
  TestCertificate(const std::string& name, const std::string& address, const TestCertificate* issuer)
      : key_(EVP_EC_gen("P-256"), EVP_PKEY_free), x509_(X509_new(), X509_free) {
    X509* x509 = x509_.get();
    X509_set_version(x509, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(x509), static_cast<int64_t>(std::hash<std::string>{}(name)&0xFFFFFF));
    X509_gmtime_adj(X509_getm_notBefore(x509), -3600);
    X509_gmtime_adj(X509_getm_notAfter(x509), 3600);
    X509_set_pubkey(x509, key_.get());
    X509_NAME_add_entry_by_txt(X509_get_subject_name(x509), "CN", MBSTRING_UTF8,
                               reinterpret_cast<const unsigned char*>(name.c_str()), -1, -1, 0);
    X509_set_issuer_name(x509, X509_get_subject_name(issuer == nullptr ? x509 : issuer->x509_.get()));
    if (address.empty()) {
      Extend(NID_basic_constraints, "critical,CA:TRUE");
    } else {
      Extend(NID_subject_alt_name, "IP:" + address);
    }
    X509_sign(x509, issuer == nullptr ? key_.get() : issuer->key_.get(), EVP_sha256());
  }

  Pem pem() const {
    return {Written([this](BIO* bio) { PEM_write_bio_X509(bio, x509_.get()); }), Written([this](BIO* bio) {
              PEM_write_bio_PrivateKey(bio, key_.get(), nullptr, nullptr, 0, nullptr, nullptr);
            })};
  }

  // Writes STEM.pem and STEM.key.
  void Write(const std::string& stem) const {
    std::ofstream(stem + ".pem") << pem().certificate;
    std::ofstream(stem + ".key") << pem().key;
  }

 private:
  void Extend(int nid, const std::string& value) {
    X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, nullptr, nid, value.c_str());
    X509_add_ext(x509_.get(), extension, -1);
    X509_EXTENSION_free(extension);
  }

  template <typename Writer>
  static std::string Written(Writer writer) {
    BIO* bio = BIO_new(BIO_s_mem());
    writer(bio);
    char* data = nullptr;
    const auto size = BIO_get_mem_data(bio, &data);
    std::string text(data, static_cast<size_t>(size));
    BIO_free(bio);
    return text;
  }

  std::unique_ptr<EVP_PKEY, void (*)(EVP_PKEY*)> key_;
  std::unique_ptr<X509, void (*)(X509*)> x509_;
};

}  // namespace credcache::cli
