#include "cli/password.h"

#include <openssl/crypto.h>

#include <utility>

namespace credcache::cli {

void Wipe(std::string& text) {
  text.resize(text.capacity());
  OPENSSL_cleanse(text.data(), text.size());
  text.clear();
}

Password::Password(Password&& other) noexcept : bytes_(std::move(other.bytes_)), size_(std::exchange(other.size_, 0)) {}

Password& Password::operator=(Password&& other) noexcept {
  if (this != &other) {
    WipeAll();
    bytes_ = std::move(other.bytes_);
    size_ = std::exchange(other.size_, 0);
  }
  return *this;
}

Password::~Password() { WipeAll(); }

bool Password::ChompLineEnd() {
  if (size_ == 0 || bytes_[size_ - 1] != '\n') return false;
  bytes_[--size_] = '\0';
  if (size_ > 0 && bytes_[size_ - 1] == '\r') bytes_[--size_] = '\0';
  return true;
}

void Password::WipeAll() {
  if (bytes_ != nullptr) OPENSSL_cleanse(bytes_.get(), kCapacity + 1);
  size_ = 0;
}

}  // namespace credcache::cli
