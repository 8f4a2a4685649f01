// A hit allocates nothing, from the shield to the cache. In a program of its own, since it replaces operator new.
#include <gtest/gtest.h>

#include <memory>

#include "base/counted_allocations.h"
#include "validator/protected_stack.h"

namespace credcache {
namespace {

TEST(ValidatorAllocationTest, AHitAllocatesNothing) {
  FakeClock clock;
  auto directory = std::make_shared<FakeValidator>();
  directory->AddUser("alice", "secret", {"al"});
  ProtectedStack stack({}, clock, directory);
  const Username alice = Name("alice");
  const Username al = Name("al");
  const Username mallory = Name("mallory");
  const IpAddress address = IpAddress::Parse("2001:db8::1").value();
  // Guessing elsewhere, so that limits are looked at in earnest.
  for (int guess = 0; guess < 10; ++guess) stack.Decided("mallory", absl::StrCat("guess", guess), "192.0.2.1");

  const auto ask = [&](const Username& name, absl::string_view password) {
    Decision decided = Decision::kUnknownUser;
    stack.validator().Validate(
        {.username = name, .password = SecretView(password), .asked_at = clock.Monotonic(), .client_address = &address},
        [&decided](const absl::StatusOr<Verdict>& verdict) { decided = verdict->decision; });
    return decided;
  };
  for (int i = 0; i < 2; ++i) {
    EXPECT_EQ(ask(alice, "secret"), Decision::kAccepted);
    EXPECT_EQ(ask(al, "secret"), Decision::kAccepted);
    EXPECT_EQ(ask(alice, "wrong"), Decision::kWrongPassword);
  }
  const int64_t before = allocations;
  EXPECT_EQ(ask(alice, "secret"), Decision::kAccepted);
  EXPECT_EQ(ask(al, "secret"), Decision::kAccepted);
  EXPECT_EQ(ask(alice, "wrong"), Decision::kWrongPassword);
  EXPECT_EQ(ask(mallory, "guess"), Decision::kThrottled);
  EXPECT_EQ(allocations, before);
}

}  // namespace
}  // namespace credcache
