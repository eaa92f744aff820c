#include <gtest/gtest.h>

#include <sstream>

#include "cli/result_render.hpp"
#include "cli/table.hpp"

namespace winnow::cli {
namespace {

Json top_answer() {
  return Json::parse(R"({"sweep_id":"abcd","sweep_name":"demo","state":"done","trials":3,
    "trials_committed":3,"trials_failed":1,"trials_matching":2,"by":"ulcer_frac",
    "noise":[{"data":"btc","ledger_trials":1200,"noise_sharpe_ann_max_expected":3.25}],
    "rows":[{"rank":1,"trial":2,"family":"sma_cross","data":"btc","params_text":"fast_bars=4",
             "metrics":{"ulcer_frac":0.01,"sharpe_ann":1.5,"trades":1234.0}},
            {"rank":2,"trial":0,"family":"sma_cross","data":"btc","params_text":"fast_bars=8",
             "metrics":{"ulcer_frac":null,"sharpe_ann":-0.25,"trades":12.0}}]})");
}

TEST(RenderTop, ShowsTheRankingMetricFirstAndTheNoiseBelow) {
  const std::string text = render_top(top_answer(), 0);
  EXPECT_NE(text.find("2 "), std::string::npos);
  EXPECT_LT(text.find("ulcer_frac"), text.find("sharpe_ann"));
  EXPECT_NE(text.find("1,234"), std::string::npos);
  EXPECT_NE(text.find("the best of 1,200 trials"), std::string::npos);
  EXPECT_NE(text.find("1 failed"), std::string::npos);
}

TEST(RenderTop, TableLinesFitTheTerminal) {
  std::istringstream lines(render_top(top_answer(), 100));
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with("sweep") || line.starts_with("noise")) continue;  // sentences may wrap
    EXPECT_LE(text_columns(line), 100u) << line;
  }
}

TEST(RenderCsv, IsExactQuotedAndEmptyWhereThereIsNoNumber) {
  const Json table = Json::parse(R"({"columns":["trial","family","x"],
    "rows":[[7,"a,\"b\"",0.1],[8,"plain",null],[9,"p",1e-300]]})");
  EXPECT_EQ(render_csv(table), "trial,family,x\n7,\"a,\"\"b\"\"\",0.1\n8,plain,\n9,p,1e-300\n");
}

TEST(RenderCompare, PutsVariantsSideBySide) {
  const Json answer = Json::parse(R"({"sweep_id":"a","sweep_name":"n","state":"done",
    "variants":[{"trial":1,"family":"f","data":"d","committed":true,"status":"ok",
                 "params":{"p":1},"metrics":{"sharpe_ann":2.0}},
                {"trial":4,"family":"g","data":"d","committed":false,"params":{"q":3}}],
    "daily_return_correlation":[[1.0,null],[null,null]]})");
  const std::string text = render_compare(answer, 0);
  EXPECT_NE(text.find("not run yet"), std::string::npos);
  EXPECT_NE(text.find("correlation with 4"), std::string::npos);
}

TEST(RenderSweepList, SaysThatThereIsNone) {
  EXPECT_NE(render_sweep_list({{"sweeps", Json::array()}}, 80).find("no sweep yet"),
            std::string::npos);
}

}  // namespace
}  // namespace winnow::cli
