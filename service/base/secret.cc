#include "base/secret.h"

#include <openssl/crypto.h>

#include <cstring>
#include <utility>

namespace credcache {

bool operator==(SecretView a, SecretView b) {
  return a.size() == b.size() && CRYPTO_memcmp(a.bytes_.data(), b.bytes_.data(), a.size()) == 0;
}

Secret::Secret(SecretView bytes) : bytes_(std::make_unique<char[]>(bytes.size() + 1)), size_(bytes.size()) {
  if (size_ > 0) std::memcpy(bytes_.get(), bytes.Expose().data(), size_);
}

Secret::Secret(Secret&& other) noexcept : bytes_(std::move(other.bytes_)), size_(std::exchange(other.size_, 0)) {}

Secret& Secret::operator=(Secret&& other) noexcept {
  if (this != &other) {
    Wipe();
    bytes_ = std::move(other.bytes_);
    size_ = std::exchange(other.size_, 0);
  }
  return *this;
}

Secret::~Secret() { Wipe(); }

SecretView Secret::view() const { return SecretView(absl::string_view(bytes_.get(), size_)); }

const char* Secret::c_str() const { return bytes_ ? bytes_.get() : ""; }

void Secret::Wipe() {
  if (bytes_) WipeMemory(bytes_.get(), size_);
  bytes_.reset();
  size_ = 0;
}

void WipeMemory(void* bytes, size_t size) { OPENSSL_cleanse(bytes, size); }

}  // namespace credcache
