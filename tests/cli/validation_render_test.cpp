#include "cli/validation_render.hpp"

#include <gtest/gtest.h>

namespace winnow::cli::render {
namespace {

using Json = nlohmann::ordered_json;

Json family() {
  return Json::parse(R"({"family": "mean_reversion", "data": "sim", "validation": {
    "protocol_text": "2 folds", "reason": null, "oos_sharpe_ann": 1.5, "oos_return_frac": 0.12,
    "oos_drawdown_max_frac": 0.04, "oos_days": 60, "train_sharpe_ann_mean": 2.5,
    "degradation_frac": 0.4, "efficiency": null, "folds_positive_frac": 0.5, "folds": [
      {"fold": 1, "train": [["2023-02-01", "2023-03-02"]],
       "test": [["2023-01-01", "2023-01-11"], ["2023-01-11", "2023-01-31"]], "purged_days": 1,
       "embargoed_days": 0, "pick": 7, "pick_params_text": "a=1", "train_sharpe_ann": 2.5,
       "test_sharpe_ann": 1.25, "test_return_frac": 0.1},
      {"fold": 2, "train": [["2023-01-01", "2023-01-30"]],
       "test": [["2023-01-31", "2023-02-05"], ["2023-02-20", "2023-03-02"]], "purged_days": 1,
       "embargoed_days": 2, "pick": null, "train_sharpe_ann": null, "test_sharpe_ann": null,
       "test_return_frac": 0}]}})");
}

TEST(FaultA1, FoldsAreShownWithTheirPicks) {
  const std::string text = validation_text(family(), 0);
  for (const char* part :
       {"mean_reversion on sim", "Sharpe 1.500/year, return 12.0%, drawdown 4.0% over 60 test days",
        "degradation 40.0%, efficiency -", "2023-01-01 to 2023-01-31 ", "(2 parts)", "none"}) {
    EXPECT_NE(text.find(part), std::string::npos) << part << " in\n" << text;
  }
  EXPECT_EQ(text.find("2023-01-31 (2 parts)"), std::string::npos);  // two tests side by side
}

TEST(FaultA1, WhatCannotBeComputedSaysWhy) {
  Json holder = family();
  holder["validation"]["reason"] = "there are no results yet";
  holder["validation"]["folds"] = Json::array();
  EXPECT_NE(validation_text(holder, 0).find("none: there are no results yet"), std::string::npos);
  holder["validation"] = nullptr;
  EXPECT_EQ(validation_text(holder, 0), "");
  EXPECT_EQ(validation_text(Json::object(), 0), "");
}

}  // namespace
}  // namespace winnow::cli::render
