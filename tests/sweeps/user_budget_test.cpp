// Budgets of users: what is refused, with which numbers, and what is not taken for a budget.

#include "sweeps/user_budget.hpp"

#include <gtest/gtest.h>

#include <limits>

namespace winnow::sweeps {
namespace {

constexpr std::uint64_t kMost = std::numeric_limits<std::uint64_t>::max();

TrialLimit limit_of(std::uint64_t trials) {
  return {"hash-1", "btc", trials, "operator", TimestampNs{1'700'000'000'000'000'000}};
}

TEST(UserBudget, ADemandUpToTheLastTrialIsMetAndOneMoreIsRefused) {
  EXPECT_TRUE(check_limit(limit_of(100), {.spent = 40, .reserved = 30, .asked = 30}, "ann"));
  const Status more = check_limit(limit_of(100), {.spent = 40, .reserved = 30, .asked = 31}, "ann");
  ASSERT_FALSE(more);
  EXPECT_EQ(more.error().code(), ErrorCode::Refused);
  for (const char* part : {"'ann'", "100 trials", "dataset btc", "40 are spent", "30 are reserved",
                           "31 are asked for", "winnow ledger budget set"}) {
    EXPECT_NE(more.error().text().find(part), std::string::npos)
        << part << " in: " << more.error().text();
  }
}

TEST(UserBudget, WhatAsksForNothingIsNeverRefused) {
  EXPECT_TRUE(check_limit(limit_of(0), {.spent = 40, .reserved = 30, .asked = 0}, "ann"));
  EXPECT_FALSE(check_limit(limit_of(0), {.spent = 0, .reserved = 0, .asked = 1}, "ann"));
}

TEST(UserBudget, ALimitOnAllDatasetsNamesNone) {
  TrialLimit all = limit_of(5);
  all.dataset_hash.clear();
  all.data.clear();
  const Status no = check_limit(all, {.asked = 6}, "ann");
  ASSERT_FALSE(no);
  EXPECT_EQ(no.error().text().find("dataset"), std::string::npos) << no.error().text();
}

TEST(UserBudget, HugeDemandsDoNotWrapAround) {
  EXPECT_FALSE(
      check_limit(limit_of(100), {.spent = kMost, .reserved = kMost, .asked = kMost}, "ann"));
  EXPECT_FALSE(check_limit(limit_of(100), {.spent = 1, .reserved = 0, .asked = kMost}, "ann"));
  EXPECT_TRUE(check_limit(limit_of(kMost), {.spent = 1, .reserved = 2, .asked = 3}, "ann"));
}

TEST(UserBudget, LimitsComeBackFromTheirTextAsTheyWere) {
  const std::vector<TrialLimit> limits{limit_of(kMost), {"", "", 0, "root\xff", TimestampNs{-1}}};
  const auto back = limits_from_json(limits_to_json(limits), "ann");
  ASSERT_TRUE(back) << back.error().text();
  ASSERT_EQ(back->size(), 2u);
  EXPECT_EQ((*back)[0].dataset_hash, "hash-1");
  EXPECT_EQ((*back)[0].data, "btc");
  EXPECT_EQ((*back)[0].trials, kMost);
  EXPECT_EQ((*back)[0].set_by, "operator");
  EXPECT_EQ((*back)[0].set_at.ns, 1'700'000'000'000'000'000);
  EXPECT_EQ((*back)[1].trials, 0u);
  EXPECT_EQ((*back)[1].set_at.ns, -1);
}

TEST(UserBudget, WhatCannotBeReadIsNotTakenForNoBudget) {
  const std::string good = limits_to_json({limit_of(7)});
  std::string negative = good;
  negative.replace(negative.find(":7,"), 3, ":-7,");
  for (const std::string& odd :
       {std::string(), std::string("{"), std::string("[]"), std::string("{}"),
        std::string(R"({"limits":3})"), std::string(R"({"limits":[3]})"),
        std::string(R"({"limits":[{}]})"), negative, good.substr(0, good.size() - 1)}) {
    const auto read = limits_from_json(odd, "ann");
    ASSERT_FALSE(read) << odd;
    EXPECT_EQ(read.error().code(), ErrorCode::Corrupt) << odd;
    EXPECT_NE(read.error().text().find("'ann'"), std::string::npos);
  }
}

}  // namespace
}  // namespace winnow::sweeps
