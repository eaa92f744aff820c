#include "sweeps/results.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "base/check.hpp"
#include "base/names.hpp"
#include "engine/engine.hpp"
#include "sweeps/design.hpp"
#include "sweeps/validation.hpp"

namespace winnow::sweeps {

std::vector<std::string> parameter_names(const Plan& plan) {
  std::vector<std::string> names;
  for (const StrategySpace& strategy : plan.spec().strategies) {
    for (const ParamSpace& param : strategy.params) {
      if (std::find(names.begin(), names.end(), param.name) == names.end()) {
        names.push_back(param.name);
      }
    }
  }
  return names;
}

bool ranked_alike(const Plan& plan, std::uint64_t trial) {
  WINNOW_REQUIRES(trial < plan.trials());
  return plan.rungs() == 1 || plan.whole_window(block_of_trial(plan, trial));
}

bool missing_is_best(std::string_view metric) {
  constexpr std::array kRatiosToLosses = {"sortino_ann", "calmar", "omega", "tail_ratio",
                                          "profit_factor"};
  return std::find(kRatiosToLosses.begin(), kRatiosToLosses.end(), metric) != kRatiosToLosses.end();
}

bool metric_higher_is_better(std::string_view name) {
  for (const VariantOosNumber& n : variant_oos_numbers()) {
    if (name == n.name) return n.higher_is_better;
  }
  const int index = engine::find_metric(name);
  if (index < 0) return true;
  return engine::metric_decls()[static_cast<std::size_t>(index)].higher_is_better;
}

Result<std::uint32_t> metric_index(std::string_view name,
                                   std::span<const std::string> metric_names) {
  const auto found = std::find(metric_names.begin(), metric_names.end(), name);
  if (found != metric_names.end()) {
    return static_cast<std::uint32_t>(found - metric_names.begin());
  }
  return Error(ErrorCode::InvalidInput, "no metric is named " + show_text(name) +
                                            did_you_mean(name, metric_names) +
                                            "; allowed: " + join_names(metric_names));
}

Result<Ranking> Ranking::make(const Plan& plan, std::span<const std::string> metric_names,
                              const RankRequest& request) {
  Ranking ranking;
  ranking.plan_ = &plan;
  ranking.limit_ = request.limit;
  ranking.metric_count_ = metric_names.size();
  ranking.names_.assign(metric_names.begin(), metric_names.end());
  for (std::string& name : parameter_names(plan)) ranking.names_.push_back(std::move(name));
  const auto by = metric_index(request.by, metric_names);
  if (!by.ok()) return by.error();
  ranking.higher_is_better_ = metric_higher_is_better(request.by);
  auto filter = Filter::parse(request.where, ranking.names_);
  if (!filter.ok()) return filter.error().within("--where");
  ranking.filter_ = std::move(*filter);
  ranking.metrics_.push_back(*by);
  for (const std::uint32_t column : ranking.filter_.columns()) {
    if (column < ranking.metric_count_ && column != *by) ranking.metrics_.push_back(column);
  }
  return ranking;
}

// A parameter's value in every row; NaN where the row's family has no such parameter.
std::vector<double> Ranking::param_column(std::string_view name,
                                          const ResultColumns& columns) const {
  std::vector<double> out(columns.trial.size(), std::numeric_limits<double>::quiet_NaN());
  std::size_t row = 0;
  for (const Segment& segment : plan_->segments()) {
    const auto& params = plan_->spec().strategies[segment.strategy].params;
    const auto found = std::find_if(params.begin(), params.end(),
                                    [&](const ParamSpace& p) { return p.name == name; });
    const std::uint64_t end = segment.first_trial + segment.trials;
    const bool has = found != params.end();
    const auto at = static_cast<std::size_t>(found - params.begin());
    std::vector<double> point(params.size());
    for (; row < out.size() && columns.trial[row] < end; ++row) {
      if (!has) continue;
      plan_->design(segment).point(columns.trial[row] - segment.first_trial, point);
      out[row] = point[at];
    }
  }
  return out;
}

std::vector<double> Ranking::metric_column(std::uint32_t metric,
                                           const ResultColumns& columns) const {
  const auto at = std::find(metrics_.begin(), metrics_.end(), metric) - metrics_.begin();
  const auto stored = columns.metrics[static_cast<std::size_t>(at)];
  std::vector<double> out(stored.begin(), stored.end());
  if (!missing_is_best(names_[metric])) return out;
  for (std::size_t r = 0; r < out.size(); ++r) {
    if (std::isnan(out[r]) && columns.status[r] == TrialStatus::Ok) {
      out[r] = std::numeric_limits<double>::infinity();
    }
  }
  return out;
}

Ranking::Ranked Ranking::rank(const ResultColumns& columns) const {
  WINNOW_REQUIRES(columns.metrics.size() == metrics_.size() &&
                  columns.status.size() == columns.trial.size());
  std::vector<std::vector<double>> params;  // and metrics, as they compare
  std::vector<std::span<const double>> data;
  params.reserve(filter_.columns().size());  // the spans below stay valid
  for (const std::uint32_t column : filter_.columns()) {
    if (column >= metric_count_) {
      params.push_back(param_column(names_[column], columns));
      data.push_back(params.back());
      continue;
    }
    params.push_back(metric_column(column, columns));
    data.push_back(params.back());
  }
  std::vector<std::uint32_t> undecided;
  std::vector<std::uint32_t> rows = filter_.select(data, columns.trial.size(), &undecided);
  const auto has_no_rank = [&](std::uint32_t r) {
    return columns.status[r] != TrialStatus::Ok || !ranked_alike(*plan_, columns.trial[r]);
  };
  std::erase_if(rows, has_no_rank);
  std::erase_if(undecided, has_no_rank);
  Ranked ranked;
  ranked.matching = rows.size();
  ranked.undecided = undecided.size();
  ranked.rows = sort_rows(rows, metric_column(metrics_.front(), columns), columns.trial,
                          higher_is_better_ ? SortOrder::Descending : SortOrder::Ascending, limit_);
  return ranked;
}

std::string params_text(const Plan& plan, const Segment& segment, std::span<const double> params) {
  const Design& design = plan.design(segment);
  const auto& space = plan.spec().strategies[segment.strategy].params;
  bool varies = false;
  for (std::size_t p = 0; p < space.size(); ++p) varies |= !design.axis(p).fixed();
  std::string out;
  for (std::size_t p = 0; p < space.size() && p < params.size(); ++p) {
    if (varies && design.axis(p).fixed()) continue;
    if (!out.empty()) out += ' ';
    out += space[p].name + "=" + show_rounded(params[p]);
  }
  return out;
}

std::uint64_t block_of_trial(const Plan& plan, std::uint64_t trial) {
  WINNOW_REQUIRES(trial < plan.trials());
  const Segment& segment = plan.segment_of_trial(trial);
  return segment.first_block + (trial - segment.first_trial) / plan.block_rows();
}

}  // namespace winnow::sweeps
