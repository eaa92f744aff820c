// D1: what a client's specification names is read where the client is, and by nobody else.

#include <gtest/gtest.h>

#include "actors/sweep_registry.hpp"
#include "sweeps/attachment.hpp"
#include "tests/actors/sweeps_in_memory.hpp"

namespace winnow::actors {
namespace {

constexpr const char* kFree = "name: none\nsizing: all_in\ninitial_cash: 100000\n";
constexpr const char* kDear =
    "name: dear\ntaker_fee_bps: 50\nsizing: all_in\ninitial_cash: 100000\n";

/// A specification that says `execution` in this way.
std::string spec_with(const std::string& execution) {
  return "sweep: named\ndata: [sim]\nwindow: {}\n" + execution +
         "\nstrategies:\n  - family: mean_reversion\n    params: {entry_z: {values: [1, 2]}}\n"
         "search: {method: grid}\n";
}

/// Every way to write the same key and value.
std::vector<std::string> ways(const std::string& value) {
  return {"execution: " + value,
          "execution : " + value,
          "\"execution\": " + value,
          "'execution': '" + value + "'",
          "execution: \"" + value + "\"",
          "execution:\n  " + value,
          "execution: >-\n  " + value,
          "? execution\n: " + value,
          "execution: " + value + " # not /etc/passwd",
          "\"\\x65xecution\": " + value};
}

/// The simulated catalogue, which notes what it is asked for.
sweeps::Catalog catalog(std::vector<std::string>& asked) {
  sweeps::Catalog out = catalog_of_sim();
  out.execution = [&asked](std::string_view name) -> Result<std::string> {
    asked.emplace_back(name);
    return std::string(kFree);
  };
  return out;
}

TEST(FaultD1, TheParsedTreeSaysWhatIsAttached) {
  for (const std::string path : {"/etc/passwd", "./mine.yaml", "mine.yml", "../x/mine.yaml"}) {
    std::vector<std::string> texts;
    for (const std::string& way : ways(path)) texts.push_back(spec_with(way));
    texts.push_back("{sweep: flow, data: [sim], execution: " + path + ", strategies: []}");
    for (const std::string& text : texts) {
      const auto file = sweeps::file_of_execution(text, "spec.yaml");
      ASSERT_TRUE(file.ok()) << file.error().text() << "\n" << text;
      EXPECT_EQ(file->value_or("none"), path) << text;
    }
  }
  for (const std::string& text :
       {spec_with("execution: none"), spec_with("# execution: ./mine.yaml\nexecution: none"),
        spec_with("execution: [./mine.yaml]"), spec_with("weight: 1"),
        std::string("sweep: x\nstrategies:\n  - execution: ./mine.yaml\n")}) {
    const auto file = sweeps::file_of_execution(text, "spec.yaml");
    ASSERT_TRUE(file.ok());
    EXPECT_FALSE(*file) << text;
  }
  const auto broken = sweeps::file_of_execution("execution: ./a.yaml\nexecution: b", "spec.yaml");
  ASSERT_FALSE(broken.ok());
  EXPECT_EQ(broken.error().text().substr(0, 12), "spec.yaml:2:");
}

TEST(FaultD1, ACoordinatorLooksForNoFileOfAClient) {
  for (const std::string path : {"/etc/passwd", "/dev/zero", "./mine.yaml", "C.yaml"}) {
    for (const std::string& way : ways(path)) {
      std::vector<std::string> asked;
      const Submit leak{spec_with(way), "leak.yaml", {}, {}};
      const auto plan = plan_of(leak, catalog(asked));
      ASSERT_FALSE(plan.ok()) << way;
      EXPECT_NE(plan.error().text().find("did not come along"), std::string::npos)
          << plan.error().text();
      EXPECT_TRUE(asked.empty()) << "the catalogue was asked for " << asked.front();
    }
  }
}

TEST(FaultD1, WhatCameAlongIsTakenUnderItsOwnNameOnly) {
  std::vector<std::string> asked;
  const auto taker_bps = [&](const Submit& request) {
    const auto plan = plan_of(request, catalog(asked));
    EXPECT_TRUE(plan.ok()) << plan.error().text();
    return plan.ok() ? plan->spec().execution.taker_fee_bps : -1;
  };
  for (const std::string& way : ways("./mine.yaml")) {
    EXPECT_EQ(taker_bps({spec_with(way), "s.yaml", {"./mine.yaml"}, {kDear}}), 50) << way;
  }
  EXPECT_TRUE(asked.empty());
  // A profile of the farm cannot be replaced by one of the same name.
  EXPECT_EQ(taker_bps({spec_with("execution: none"), "s.yaml", {"none"}, {kDear}}), 0);
  EXPECT_EQ(asked, std::vector<std::string>{"none"});
}

}  // namespace
}  // namespace winnow::actors
