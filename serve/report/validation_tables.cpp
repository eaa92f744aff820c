#include "serve/report/validation_tables.hpp"

#include <cmath>

#include "base/text.hpp"
#include "serve/report/fields.hpp"
#include "serve/report/html.hpp"

namespace winnow::serve::report {
namespace {

constexpr std::size_t kFoldsShown = 60;

std::string summary(const Json& v) {
  std::string out = "Sharpe " + two(v, "oos_sharpe_ann") + " a year, return " +
                    percent(v, "oos_return_frac") + ", largest fall " +
                    percent(v, "oos_drawdown_max_frac") + " over " + json_text(v["oos_days"]) +
                    " test days; Sharpe in training " + two(v, "train_sharpe_ann_mean") +
                    ", degradation " + percent(v, "degradation_frac") + ", efficiency " +
                    two(v, "efficiency") + "; " + percent(v, "folds_positive_frac") + " of " +
                    std::to_string(v["folds"].size()) + " folds gained.";
  if (v.contains("inner_oos_sharpe_ann")) {
    out += " Sharpe out of sample inside the trainings: " + two(v, "inner_oos_sharpe_ann") + ".";
  }
  if (v.contains("paths")) {
    out += " " + std::to_string(v["paths"].size()) + " paths: Sharpe " +
           two(v, "path_sharpe_ann_min") + " to " + two(v, "path_sharpe_ann_max") + ", median " +
           two(v, "path_sharpe_ann_median") + ".";
  }
  return out;
}

}  // namespace

std::string validation_words(const std::string& canonical_json) {
  const auto protocol = sweeps::declared_validation(canonical_json);
  return protocol.ok() ? sweeps::protocol_words(*protocol) : canonical_json;
}

WordTable validation_table(const SweepView& view, const sweeps::Segment& segment,
                           const ValidatedFamily& validated) {
  const Json v = validation_json(view, segment, &validated);
  WordTable out;
  out.title = view.family(segment) + " on " + view.dataset(segment).name + ", " +
              v["protocol_text"].get<std::string>();
  if (!v["reason"].is_null()) {
    out.note = "Nothing could be computed: " + v["reason"].get<std::string>();
    return out;
  }
  out.note = summary(v);
  out.header = {"Test", "Training",           "Purged",         "Embargoed",
                "Pick", "Sharpe in training", "Sharpe in test", "Return in test"};
  for (const Json& f : v["folds"]) {
    if (out.rows.size() == kFoldsShown) break;
    out.rows.push_back(
        {span_text(f["test"]), span_text(f["train"]), json_text(f["purged_days"]),
         json_text(f["embargoed_days"]), f["pick"].is_null() ? "none" : json_text(f["pick"]),
         two(f, "train_sharpe_ann"), two(f, "test_sharpe_ann"), percent(f, "test_return_frac")});
  }
  if (v["folds"].size() > kFoldsShown) {
    out.note += " The first " + std::to_string(kFoldsShown) + " folds are shown.";
  }
  return out;
}

}  // namespace winnow::serve::report
