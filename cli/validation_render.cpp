#include "cli/validation_render.hpp"

#include "base/text.hpp"
#include "cli/render_parts.hpp"
#include "cli/table.hpp"
#include "serve/validation.hpp"

namespace winnow::cli::render {
namespace {

constexpr std::size_t kFoldsShown = 40;

bool has_validation(const Json& holder) {
  const auto found = holder.find("validation");
  return found != holder.end() && found->is_object();
}

std::string paths_text(const Json& v) {
  return std::to_string(v["paths"].size()) + " paths: Sharpe " +
         short_number(number_of(v, "path_sharpe_ann_min")) + " to " +
         short_number(number_of(v, "path_sharpe_ann_max")) + ", median " +
         short_number(number_of(v, "path_sharpe_ann_median")) + "; " +
         percent(number_of(v, "paths_negative_frac")) + " below 0";
}

}  // namespace

std::string validation_fields(const Json& holder) {
  if (!has_validation(holder)) return "";
  const Json& v = holder["validation"];
  std::string out = field("validation", text_of(v, "protocol_text"));
  if (!v["reason"].is_null()) return out + field("out of sample", "none: " + text_of(v, "reason"));
  out += field("out of sample", "Sharpe " + short_number(number_of(v, "oos_sharpe_ann")) +
                                    "/year, return " + percent(number_of(v, "oos_return_frac")) +
                                    ", drawdown " + percent(number_of(v, "oos_drawdown_max_frac")) +
                                    " over " + count_of(v, "oos_days") + " test days");
  out += field("against training", "Sharpe " + short_number(number_of(v, "train_sharpe_ann_mean")) +
                                       "/year in training: degradation " +
                                       percent(number_of(v, "degradation_frac")) + ", efficiency " +
                                       short_number(number_of(v, "efficiency")) + "; " +
                                       percent(number_of(v, "folds_positive_frac")) + " of " +
                                       std::to_string(v["folds"].size()) + " folds gained");
  if (v.contains("inner_oos_sharpe_ann")) {
    out += field("inner folds", "Sharpe " + short_number(number_of(v, "inner_oos_sharpe_ann")) +
                                    "/year out of sample inside the trainings");
  }
  if (v.contains("paths")) out += field("paths", paths_text(v));
  return out;
}

std::string fold_table(const Json& holder, std::size_t width) {
  if (!has_validation(holder)) return "";
  const Json& folds = holder["validation"]["folds"];
  if (folds.empty()) return "";
  TextTable table({{.title = "fold"},
                   {.title = "train", .align = Align::Left, .optional = true},
                   {.title = "test", .align = Align::Left},
                   {.title = "purged", .optional = true},
                   {.title = "embargoed", .optional = true},
                   {.title = "pick"},
                   {.title = "parameters", .align = Align::Left, .width_min = 12, .optional = true},
                   {.title = "train_sharpe"},
                   {.title = "test_sharpe"},
                   {.title = "test_return"}});
  for (const Json& f : folds) {
    if (table.rows() == kFoldsShown) break;
    table.add_row(
        {json_text(f["fold"]), printable(serve::span_text(f["train"])),
         printable(serve::span_text(f["test"])), count_of(f, "purged_days"),
         count_of(f, "embargoed_days"), f["pick"].is_null() ? "none" : json_text(f["pick"]),
         text_of(f, "pick_params_text"), short_number(number_of(f, "train_sharpe_ann")),
         short_number(number_of(f, "test_sharpe_ann")), percent(number_of(f, "test_return_frac"))});
  }
  std::string out = table.render(width);
  if (folds.size() > kFoldsShown) {
    out += "  and " + group_digits(folds.size() - kFoldsShown) + " more folds; --json has all\n";
  }
  return out;
}

std::string validation_text(const Json& holder, std::size_t width) {
  if (!has_validation(holder)) return "";
  return "\n" + text_of(holder, "family") + " on " + text_of(holder, "data") + "\n" +
         validation_fields(holder) + fold_table(holder, width);
}

std::string variant_validation_text(const Json& v) {
  if (!v.is_object()) return "";
  std::string out = field("validation", text_of(v, "protocol_text"));
  if (!v["reason"].is_null()) return out + field("out of sample", "none: " + text_of(v, "reason"));
  out += field("out of sample", "Sharpe " + short_number(number_of(v, "oos_sharpe_ann")) +
                                    "/year, return " + percent(number_of(v, "oos_return_frac")) +
                                    ", drawdown " + percent(number_of(v, "oos_drawdown_max_frac")) +
                                    " over " + count_of(v, "test_days") + " test days");
  return out + field("picked by", std::to_string(v["picked_by_folds"].size()) + " of " +
                                      count_of(v, "folds") + " folds");
}

}  // namespace winnow::cli::render
