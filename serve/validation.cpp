#include "serve/validation.hpp"

#include <algorithm>
#include <cmath>
#include <map>

#include "base/check.hpp"
#include "base/numbers.hpp"
#include "base/text.hpp"
#include "serve/period_days.hpp"
#include "serve/returns_stream.hpp"
#include "sweeps/convergence_declared.hpp"
#include "sweeps/convergence_require.hpp"
#include "sweeps/results.hpp"

namespace winnow::serve {
namespace {

constexpr const char* kValidationDocument = "validation";
// Grows with every change of what the numbers mean: kept ones are then computed again.
constexpr int kValidationRules = 1;
// So few variants are read by themselves.
constexpr std::size_t kFewTrials = 64;

double number_from(const Json& j) { return j.is_number() ? j.get<double>() : kNaN; }

std::string document_key(const SweepView& view, const sweeps::Segment& segment) {
  return view.meta.id + "/" + std::to_string(segment.index);
}

/// Everything that kept numbers depend on beside the trials themselves.
Json options_json(const SweepView& view, const ValidatedFamily& family) {
  return {{"rules", kValidationRules},
          {"engine_version", view.meta.engine_version},
          {"periods_per_year", family.periods_per_year},
          {"protocol", parse_ordered_json(view.plan.spec().validation_json)},
          {"trials", family.trials}};
}

Json figures_json(const sweeps::OosFigures& f) {
  return {{"days", f.days},
          {"sharpe_ann", number_json(f.sharpe_ann)},
          {"mean_ann_frac", number_json(f.mean_ann_frac)},
          {"return_frac", number_json(f.return_frac)},
          {"drawdown_max_frac", number_json(f.drawdown_max_frac)}};
}

sweeps::OosFigures figures_from(const Json& j) {
  return {.days = j.at("days"),
          .sharpe_ann = number_from(j.at("sharpe_ann")),
          .mean_ann_frac = number_from(j.at("mean_ann_frac")),
          .return_frac = number_from(j.at("return_frac")),
          .drawdown_max_frac = number_from(j.at("drawdown_max_frac"))};
}

Json result_json(const sweeps::FamilyValidation& v) {
  Json folds = Json::array();
  for (const sweeps::FoldResult& fold : v.folds) {
    folds.push_back({{"pick", fold.picked ? Json(fold.pick) : Json()},
                     {"train_sharpe_ann", number_json(fold.train_sharpe_ann)},
                     {"train_mean_ann_frac", number_json(fold.train_mean_ann_frac)},
                     {"inner_oos_sharpe_ann", number_json(fold.inner_oos_sharpe_ann)},
                     {"test", figures_json(fold.test)}});
  }
  Json paths = Json::array();
  for (const sweeps::OosFigures& path : v.paths) paths.push_back(figures_json(path));
  return {{"folds", std::move(folds)},
          {"oos", figures_json(v.oos)},
          {"train_sharpe_ann_mean", number_json(v.train_sharpe_ann_mean)},
          {"train_mean_ann_frac", number_json(v.train_mean_ann_frac)},
          {"degradation_frac", number_json(v.degradation_frac)},
          {"efficiency", number_json(v.efficiency)},
          {"folds_positive_frac", number_json(v.folds_positive_frac)},
          {"inner_oos_sharpe_ann", number_json(v.inner_oos_sharpe_ann)},
          {"paths", std::move(paths)}};
}

sweeps::FamilyValidation result_from(const Json& j) {
  sweeps::FamilyValidation out;
  for (const Json& f : j.at("folds")) {
    sweeps::FoldResult fold;
    fold.picked = f.at("pick").is_number_unsigned();
    if (fold.picked) fold.pick = f.at("pick");
    fold.train_sharpe_ann = number_from(f.at("train_sharpe_ann"));
    fold.train_mean_ann_frac = number_from(f.at("train_mean_ann_frac"));
    fold.inner_oos_sharpe_ann = number_from(f.at("inner_oos_sharpe_ann"));
    fold.test = figures_from(f.at("test"));
    out.folds.push_back(fold);
  }
  out.oos = figures_from(j.at("oos"));
  out.train_sharpe_ann_mean = number_from(j.at("train_sharpe_ann_mean"));
  out.train_mean_ann_frac = number_from(j.at("train_mean_ann_frac"));
  out.degradation_frac = number_from(j.at("degradation_frac"));
  out.efficiency = number_from(j.at("efficiency"));
  out.folds_positive_frac = number_from(j.at("folds_positive_frac"));
  out.inner_oos_sharpe_ann = number_from(j.at("inner_oos_sharpe_ann"));
  for (const Json& path : j.at("paths")) out.paths.push_back(figures_from(path));
  return out;
}

/// The folds on the family's days. A protocol that does not fit them is a reason, not an error.
void plan_on_days(ValidatedFamily& out) {
  auto plan = sweeps::plan_folds(out.protocol, std::span<const std::int64_t>(out.days));
  if (plan.ok()) {
    out.plan = std::move(*plan);
  } else {
    out.reason = plan.error().text();
  }
}

bool read_kept(const Sources& sources, const SweepView& view, const sweeps::Segment& segment,
               ValidatedFamily& out) {
  const auto text = sources.store->document(kValidationDocument, document_key(view, segment));
  if (!text.ok() || !*text) return false;
  const Json json = parse_ordered_json(**text);
  if (!json.is_object() || json.value("options", Json()) != options_json(view, out)) return false;
  try {
    ValidatedFamily kept = out;
    json.at("days").get_to(kept.days);
    kept.calendar_known = json.at("calendar_known");
    kept.variants = json.at("variants");
    kept.result = result_from(json.at("result"));
    kept.cached = true;
    plan_on_days(kept);
    if (kept.plan.folds.size() != kept.result->folds.size()) return false;
    out = std::move(kept);
    return true;
  } catch (const Json::exception&) {
    return false;  // of another version: it is computed again
  }
}

void keep_result(const Sources& sources, const SweepView& view, const sweeps::Segment& segment,
                 const ValidatedFamily& family) {
  keep(sources, {kValidationDocument, document_key(view, segment),
                 json_text(Json{{"options", options_json(view, family)},
                                {"days", family.days},
                                {"calendar_known", family.calendar_known},
                                {"variants", family.variants},
                                {"result", result_json(*family.result)}})});
}

/// Returns of the variants that some fold picked.
Result<std::map<std::uint64_t, std::vector<double>>> picked_returns(
    const Sources& sources, const SweepView& view, std::span<const sweeps::Pick> picks) {
  std::map<std::uint64_t, std::vector<double>> out;
  for (const sweeps::Pick& pick : picks) {
    if (pick.found) out[pick.variant];
  }
  std::vector<std::uint64_t> trials;
  for (const auto& [trial, returns] : out) trials.push_back(trial);
  const auto rows = read_trials(sources, view, trials, {.returns = true});
  if (!rows.ok()) return rows.error();
  for (std::size_t i = 0; i < trials.size(); ++i) {
    if (!(*rows)[i]) continue;
    out[trials[i]].assign((*rows)[i]->returns.begin(), (*rows)[i]->returns.end());
  }
  return out;
}

/// Looks at every variant once.
Status compute(const Sources& sources, const SweepView& view, const sweeps::Segment& segment,
               const FamilyPanel* panel, ValidatedFamily& out) {
  const sweeps::FoldPicker none(sweeps::trainings_of(out.plan), out.plan.periods);
  std::vector<std::optional<sweeps::FoldPicker>> pickers(return_parts(segment));
  std::vector<std::uint64_t> variants(pickers.size(), 0);
  const auto read = read_return_rows(sources, view, segment, panel,
                                     [&](std::size_t part, const ReturnRows& rows) {
                                       pickers[part] = none;
                                       std::vector<double> returns(rows.periods);
                                       for (std::size_t i = 0; i < rows.trial.size(); ++i) {
                                         const auto row = rows.row(i);
                                         std::copy(row.begin(), row.end(), returns.begin());
                                         if (pickers[part]->add(rows.trial[i], returns))
                                           ++variants[part];
                                       }
                                     });
  if (!read.ok()) return read.error();
  sweeps::FoldPicker all = none;
  for (std::size_t part = 0; part < pickers.size(); ++part) {
    if (pickers[part]) all.merge(*pickers[part]);
    out.variants += variants[part];
  }
  const auto returns = picked_returns(sources, view, all.picks());
  if (!returns.ok()) return returns.error();
  out.result = sweeps::conclude_validation(
      out.plan, all.picks(),
      [&](std::uint64_t variant) { return std::span<const double>(returns->at(variant)); },
      out.periods_per_year);
  return {};
}

/// [[from, to], ...]: dates, the end exclusive.
Json dates_json(const ValidatedFamily& family, std::span<const sweeps::stats::Range> ranges) {
  Json out = Json::array();
  if (!family.calendar_known) return Json();
  for (const auto& r : ranges) {
    if (r.first == r.last) continue;
    out.push_back({format_day(family.days[r.first]), format_day(family.days[r.last - 1] + 1)});
  }
  return out;
}

Json ranges_json(std::span<const sweeps::stats::Range> ranges) {
  Json out = Json::array();
  for (const auto& r : ranges) out.push_back({r.first, r.last});
  return out;
}

Json fold_json(const SweepView& view, const sweeps::Segment& segment, const ValidatedFamily& family,
               std::size_t k) {
  const sweeps::Fold& fold = family.plan.folds[k];
  const sweeps::FoldResult& found = family.result->folds[k];
  Json out{{"fold", k + 1},
           {"train", dates_json(family, fold.train)},
           {"test", dates_json(family, fold.tests)},
           {"train_periods", ranges_json(fold.train)},
           {"test_periods", ranges_json(fold.tests)},
           {"train_days", sweeps::size_of(fold.train)},
           {"test_days", sweeps::size_of(fold.tests)},
           {"purged_days", fold.purged},
           {"embargoed_days", fold.embargoed},
           {"pick", found.picked ? Json(found.pick) : Json()},
           {"train_sharpe_ann", number_json(found.train_sharpe_ann)},
           {"train_mean_ann_frac", number_json(found.train_mean_ann_frac)},
           {"test_sharpe_ann", number_json(found.test.sharpe_ann)},
           {"test_mean_ann_frac", number_json(found.test.mean_ann_frac)},
           {"test_return_frac", number_json(found.test.return_frac)},
           {"test_drawdown_max_frac", number_json(found.test.drawdown_max_frac)}};
  if (found.picked) {
    out["pick_params_text"] =
        sweeps::params_text(view.plan, segment, view.plan.params(found.pick, 1));
  }
  if (!family.plan.inner.empty()) {
    out["inner_folds"] = family.plan.inner[k].size();
    out["inner_oos_sharpe_ann"] = number_json(found.inner_oos_sharpe_ann);
  }
  if (family.protocol.kind == sweeps::ProtocolKind::Cpcv) out["paths"] = fold.paths;
  return out;
}

}  // namespace

Result<std::shared_ptr<const ValidatedFamily>> validate_family(const Sources& sources,
                                                               const SweepView& view,
                                                               const sweeps::Segment& segment,
                                                               const FamilyPanel* panel) {
  const std::string& declared = view.plan.spec().validation_json;
  if (declared.empty()) return std::shared_ptr<const ValidatedFamily>();
  const auto protocol = sweeps::declared_validation(declared);
  if (!protocol.ok()) return protocol.error();
  auto out = std::make_shared<ValidatedFamily>();
  out->protocol = *protocol;
  out->trials = segment.trials;
  out->periods_per_year = periods_per_year(view, segment);
  if (read_kept(sources, view, segment, *out)) return std::shared_ptr<const ValidatedFamily>(out);
  const auto periods = panel != nullptr ? Result<std::uint32_t>(panel->periods)
                                        : return_periods(sources, view, segment);
  if (!periods.ok()) return periods.error();
  if (*periods == 0) {
    out->reason = "there are no results yet";
    return std::shared_ptr<const ValidatedFamily>(out);
  }
  PeriodDays calendar = period_days(sources, view, segment, *periods);
  out->days = std::move(calendar.days);
  out->calendar_known = calendar.known;
  plan_on_days(*out);
  if (out->reason.empty()) {
    WINNOW_TRY(compute(sources, view, segment, panel, *out));
    const auto committed =
        sources.store->returns_shape(view.meta.id, segment.first_block, segment.blocks);
    const bool complete = committed.ok() && committed->rows == segment.trials;
    if (complete && out->calendar_known) keep_result(sources, view, segment, *out);
  }
  return std::shared_ptr<const ValidatedFamily>(out);
}

std::vector<std::string> unmet_requirements(const SweepView& view, const sweeps::Convergence& score,
                                            const ValidatedFamily* validated) {
  const auto& spec = view.plan.spec();
  const auto require = sweeps::declared_requirements(spec.convergence_json);
  if (require.empty()) return {};
  const bool there = validated != nullptr && validated->result;
  return sweeps::failed_requirements(require, spec.validation_json, score,
                                     there ? &*validated->result : nullptr,
                                     validated != nullptr ? validated->reason : "");
}

std::string span_text(const Json& ranges) {
  if (!ranges.is_array() || ranges.empty()) return "-";
  std::string out =
      ranges.front().front().get<std::string>() + " to " + ranges.back().back().get<std::string>();
  std::size_t parts = 1;
  for (std::size_t i = 1; i < ranges.size(); ++i) {
    parts += ranges[i].front() != ranges[i - 1].back() ? 1 : 0;
  }
  if (parts > 1) out += " (" + std::to_string(parts) + " parts)";
  return out;
}

Json validation_json(const SweepView& view, const sweeps::Segment& segment,
                     const ValidatedFamily* validated) {
  if (validated == nullptr) return Json();
  const ValidatedFamily& v = *validated;
  Json out{{"protocol", sweeps::protocol_name(v.protocol.kind)},
           {"protocol_text", sweeps::protocol_words(v.protocol)},
           {"periods_per_year", v.periods_per_year},
           {"variants", v.variants},
           {"trials", v.trials},
           {"reason", v.reason.empty() ? Json() : Json(v.reason)}};
  for (const auto& n : sweeps::validation_numbers(v.protocol.kind)) {
    out[n.name] = v.result ? number_json(n.of(*v.result)) : Json();
  }
  out["folds"] = Json::array();
  if (!v.result) return out;
  out["oos_days"] = v.result->oos.days;
  for (std::size_t k = 0; k < v.result->folds.size(); ++k) {
    out["folds"].push_back(fold_json(view, segment, v, k));
  }
  if (v.protocol.kind != sweeps::ProtocolKind::Cpcv) return out;
  out["paths"] = Json::array();
  for (const sweeps::OosFigures& path : v.result->paths) out["paths"].push_back(figures_json(path));
  return out;
}

Result<VariantOos> VariantOos::make(const Sources& sources, const SweepView& view) {
  WINNOW_REQUIRES(!view.plan.spec().validation_json.empty());
  VariantOos out(sources, view);
  const auto protocol = sweeps::declared_validation(view.plan.spec().validation_json);
  if (!protocol.ok()) return protocol.error();
  out.protocol_ = *protocol;
  out.places_.resize(view.plan.segments().size());
  return out;
}

Status VariantOos::locate(const sweeps::Segment& segment, std::size_t periods) {
  Place& place = places_[segment.index];
  if (place.known && place.periods == periods) return {};
  place = {.plan = {}, .periods = periods, .known = true};
  place.periods_per_year = periods_per_year(*view_, segment);
  const PeriodDays calendar =
      period_days(*sources_, *view_, segment, static_cast<std::uint32_t>(periods));
  auto plan = sweeps::plan_folds(protocol_, std::span<const std::int64_t>(calendar.days));
  if (plan.ok()) place.plan = std::move(*plan);
  return {};
}

std::vector<double> VariantOos::numbers(const sweeps::Segment& segment,
                                        std::span<const float> returns) const {
  const Place& place = places_[segment.index];
  sweeps::OosFigures figures;
  const std::vector<double> all(returns.begin(), returns.end());
  const bool whole = std::all_of(all.begin(), all.end(), [](double r) { return std::isfinite(r); });
  if (place.plan && whole && returns.size() == place.periods) {
    figures = sweeps::oos_figures(sweeps::gather(all, place.plan->tested), place.periods_per_year);
  }
  std::vector<double> out;
  for (const auto& n : sweeps::variant_oos_numbers()) out.push_back(n.of(figures));
  return out;
}

Status VariantOos::read_segment(const sweeps::Segment& segment,
                                std::span<const std::uint64_t> trials,
                                std::vector<std::vector<double>>& out) {
  const auto periods = return_periods(*sources_, *view_, segment);
  if (!periods.ok()) return periods.error();
  WINNOW_TRY(locate(segment, *periods));
  constexpr auto kNowhere = ~std::uint32_t{0};
  std::vector<std::uint32_t> place_of(segment.trials, kNowhere);
  for (std::size_t i = 0; i < trials.size(); ++i) {
    const std::uint64_t t = trials[i] - segment.first_trial;
    if (trials[i] >= segment.first_trial && t < segment.trials) {
      place_of[t] = static_cast<std::uint32_t>(i);
    }
  }
  const auto read = read_return_rows(
      *sources_, *view_, segment, nullptr, [&](std::size_t, const ReturnRows& rows) {
        for (std::size_t i = 0; i < rows.trial.size(); ++i) {
          const std::uint32_t at = place_of[rows.trial[i] - segment.first_trial];
          if (at != kNowhere) out[at] = numbers(segment, rows.row(i));
        }
      });
  return read.ok() ? Status() : Status(read.error());
}

Result<std::vector<std::vector<double>>> VariantOos::of(std::span<const std::uint64_t> trials) {
  const std::size_t width = sweeps::variant_oos_numbers().size();
  std::vector<std::vector<double>> out(trials.size(), std::vector<double>(width, kNaN));
  if (trials.size() > kFewTrials) {
    for (const sweeps::Segment& segment : view_->plan.segments()) {
      WINNOW_TRY(read_segment(segment, trials, out));
    }
    return out;
  }
  const auto rows = read_trials(*sources_, *view_, trials, {.returns = true});
  if (!rows.ok()) return rows.error();
  for (std::size_t i = 0; i < trials.size(); ++i) {
    const auto& row = (*rows)[i];
    if (!row || row->status != TrialStatus::Ok || row->returns.empty()) continue;
    const sweeps::Segment& segment = view_->plan.segment_of_trial(trials[i]);
    WINNOW_TRY(locate(segment, row->returns.size()));
    out[i] = numbers(segment, row->returns);
  }
  return out;
}

}  // namespace winnow::serve
