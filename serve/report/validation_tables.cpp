#include "serve/report/validation_tables.hpp"

#include <cmath>

#include "serve/report/html.hpp"

namespace winnow::serve::report {
namespace {

constexpr std::size_t kFoldsShown = 60;

double number_of(const Json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_number() ? found->get<double>() : std::nan("");
}
std::string two(const Json& v, const char* key) { return fixed(number_of(v, key), 2); }
std::string percent(const Json& v, const char* key) { return display(number_of(v, key), "frac"); }

std::string span_words(const Json& ranges) {
  if (!ranges.is_array() || ranges.empty()) return "–";
  std::string out =
      ranges.front().front().get<std::string>() + " to " + ranges.back().back().get<std::string>();
  std::size_t parts = 1;
  for (std::size_t i = 1; i < ranges.size(); ++i) {
    parts += ranges[i].front() != ranges[i - 1].back() ? 1 : 0;
  }
  if (parts > 1) out += " (" + std::to_string(parts) + " parts)";
  return out;
}

std::string summary(const Json& v) {
  std::string out = "Sharpe " + two(v, "oos_sharpe_ann") + " a year, return " +
                    percent(v, "oos_return_frac") + ", largest fall " +
                    percent(v, "oos_drawdown_max_frac") + " over " + v["oos_days"].dump() +
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
    out.rows.push_back({span_words(f["test"]), span_words(f["train"]), f["purged_days"].dump(),
                        f["embargoed_days"].dump(), f["pick"].is_null() ? "none" : f["pick"].dump(),
                        two(f, "train_sharpe_ann"), two(f, "test_sharpe_ann"),
                        percent(f, "test_return_frac")});
  }
  if (v["folds"].size() > kFoldsShown) {
    out.note += " The first " + std::to_string(kFoldsShown) + " folds are shown.";
  }
  return out;
}

}  // namespace winnow::serve::report
