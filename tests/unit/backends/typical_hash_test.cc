#include "backends/typical_hash.h"

#include <gtest/gtest.h>

namespace credcache {
namespace {

constexpr absl::string_view kSha256 = "$5$rounds=1000$saltsalt$zjC/Njk9Y.EVEc3QygFw/Rhx5L4ZHXnWMx5WovHpIO2";
constexpr absl::string_view kBcrypt = "$2b$05$I0YZkxBAXsSwxoACaFwG3ugfVQMiy5igwFGpDezSs0mpRYQExczFu";

TEST(TypicalHashTest, CostsWhatMostOfThoseSeenDo) {
  TypicalHash typical;
  EXPECT_EQ(typical.Get(), PasswordHash::Placeholder());
  const PasswordHash bcrypt = *PasswordHash::Parse(kBcrypt);
  const PasswordHash sha256 = *PasswordHash::Parse(kSha256);
  typical.Note(bcrypt);
  EXPECT_EQ(typical.Get().cost(), bcrypt.cost());
  typical.Note(sha256);
  EXPECT_EQ(typical.Get().cost(), bcrypt.cost());
  typical.Note(sha256);
  EXPECT_EQ(typical.Get().cost(), sha256.cost());
}

}  // namespace
}  // namespace credcache
