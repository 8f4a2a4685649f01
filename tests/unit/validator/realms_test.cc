#include "validator/realms.h"

#include <gtest/gtest.h>

#include <memory>
#include <utility>
#include <vector>

#include "validator/fake_validator.h"

namespace credcache {
namespace {

Realms TwoRealms() {
  std::vector<Realm> realms;
  realms.push_back({.name = "Corp.Example", .aliases = {"CORP"}, .validator = std::make_shared<FakeValidator>()});
  realms.push_back(
      {.name = "exact", .case_rule = CaseRule::kSensitive, .validator = std::make_shared<FakeValidator>()});
  return Realms(std::move(realms), 0);
}

std::string RoutedTo(absl::string_view realm, absl::string_view username) {
  const Realms realms = TwoRealms();
  const absl::StatusOr<Realms::Routed> routed = realms.Route(realm, username);
  if (!routed.ok()) return "error: " + std::string(routed.status().message());
  return (routed->realm == nullptr ? "none" : routed->realm->name) + " " + std::string(routed->username.view());
}

TEST(RealmsTest, TheFieldNamesTheRealmOrAnAliasInAnyCase) {
  EXPECT_EQ(RoutedTo("corp.example", "Alice"), "Corp.Example alice");
  EXPECT_EQ(RoutedTo("corp", "Alice"), "Corp.Example alice");
  EXPECT_EQ(RoutedTo("EXACT", "Alice"), "exact Alice");
}

TEST(RealmsTest, WithTheFieldTheNameIsTakenWhole) {
  EXPECT_EQ(RoutedTo("corp", "alice@exact"), "Corp.Example alice@exact");
}

TEST(RealmsTest, TheNameSaysTheRealmWhereThatExists) {
  EXPECT_EQ(RoutedTo("", "CORP\\Alice"), "Corp.Example alice");
  EXPECT_EQ(RoutedTo("", "Alice@exact"), "exact Alice");
  EXPECT_EQ(RoutedTo("", "alice@work@corp.example"), "Corp.Example alice@work");
}

TEST(RealmsTest, ElseTheDefaultRealmGetsTheWholeName) {
  EXPECT_EQ(RoutedTo("", "alice"), "Corp.Example alice");
  EXPECT_EQ(RoutedTo("", "alice@elsewhere"), "Corp.Example alice@elsewhere");
  EXPECT_EQ(RoutedTo("", "OTHER\\alice"), "Corp.Example other\\alice");
}

TEST(RealmsTest, ARealmThatDoesNotExistIsNoError) { EXPECT_EQ(RoutedTo("nowhere", "alice"), "none alice"); }

TEST(RealmsTest, WhatIsNoNameIsAnErrorInAnyRealm) {
  EXPECT_EQ(RoutedTo("nowhere", ""), "error: is empty");
  EXPECT_EQ(RoutedTo("", "@exact"), "error: is empty");
  EXPECT_EQ(RoutedTo("", "CORP\\"), "error: is empty");
}

TEST(CurrentRealmsTest, ASetEndsOnlyWhenReapedAndUnused) {
  auto first = std::make_shared<const Realms>(TwoRealms());
  const std::weak_ptr<const Realms> watch = first;
  CurrentRealms current(std::move(first));
  auto in_use = current.Get();
  current.Set(std::make_shared<const Realms>(TwoRealms()));
  EXPECT_FALSE(current.Reap());
  EXPECT_FALSE(watch.expired());
  in_use.reset();
  EXPECT_FALSE(watch.expired());
  EXPECT_TRUE(current.Reap());
  EXPECT_TRUE(watch.expired());
}

}  // namespace
}  // namespace credcache
