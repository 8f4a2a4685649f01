// The calibration that every other figure is held against, and our own digest beside it.
//
// SHA256_CTX for the same reason as in service/cache/digest.cc, and so with the same licence:
#define OPENSSL_SUPPRESS_DEPRECATED

#include <benchmark/benchmark.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/sha.h>

#include <array>
#include <string>

#include "in_process/population.h"

namespace credcache::bench {
namespace {

// One HMAC-SHA256 of 54 bytes (a 51-byte credential with its three lengths) from precomputed states: two compressions,
// and nothing else. The cheapest that a keyed hash of a credential can be; "one HMAC" means this one.
void BM_Hmac(benchmark::State& state) {
  SHA256_CTX inner;
  SHA256_CTX outer;
  std::array<unsigned char, SHA256_CBLOCK> block{};
  SHA256_Init(&inner);
  SHA256_Update(&inner, block.data(), block.size());
  outer = inner;
  std::array<unsigned char, 54> message{};
  std::array<unsigned char, SHA256_DIGEST_LENGTH> digest{};
  for (auto _ : state) {
    SHA256_CTX hash = inner;
    SHA256_Update(&hash, message.data(), message.size());
    SHA256_Final(digest.data(), &hash);
    hash = outer;
    SHA256_Update(&hash, digest.data(), digest.size());
    SHA256_Final(digest.data(), &hash);
    message[0] = digest[0];
    benchmark::DoNotOptimize(message);
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(BM_Hmac)->Threads(1)->Threads(2)->UseRealTime();

// OpenSSL's one-shot function, which hashes the key each time: what most programs call.
void BM_HmacOneShot(benchmark::State& state) {
  const std::array<unsigned char, 32> key{};
  std::array<unsigned char, 54> message{};
  std::array<unsigned char, SHA256_DIGEST_LENGTH> digest{};
  for (auto _ : state) {
    HMAC(EVP_sha256(), key.data(), key.size(), message.data(), message.size(), digest.data(), nullptr);
    message[0] = digest[0];
    benchmark::DoNotOptimize(message);
  }
}
BENCHMARK(BM_HmacOneShot);

// The digest of a credential of so many bytes in all.
void BM_Digest(benchmark::State& state) {
  const Digester& digester = TheWorld().digester;
  workload::Credentials credentials;
  const std::string password(static_cast<size_t>(state.range(0)) - workload::kRealm.size() - 20, 'x');
  uint32_t user = 0;
  for (auto _ : state) {
    credentials.Set(user++ % 1000);
    benchmark::DoNotOptimize(digester.Compute(workload::kRealm, credentials.username(), SecretView(password)));
  }
}
BENCHMARK(BM_Digest)->ArgName("bytes")->Arg(51)->Arg(842);

void BM_Normalize(benchmark::State& state) {
  workload::Credentials credentials;
  uint32_t user = 0;
  for (auto _ : state) {
    credentials.Set(user++ % 1000);
    benchmark::DoNotOptimize(NameOf(credentials.username()));
  }
}
BENCHMARK(BM_Normalize);

}  // namespace
}  // namespace credcache::bench
