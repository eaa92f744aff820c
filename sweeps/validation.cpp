#include "sweeps/validation.hpp"

#include <algorithm>
#include <array>
#include <cmath>

#include "base/check.hpp"
#include "base/numbers.hpp"
#include "sweeps/stats/basic.hpp"
#include "sweeps/stats/metrics.hpp"

namespace winnow::sweeps {
namespace {

constexpr std::size_t kTasks = 64;
constexpr std::size_t kChunkMin = 64;  // variants
// Rounding alone makes a spread of this part of the mean: returns that do not vary.
constexpr double kFlatFrac = 1e-12;
// Sums of squares by difference are good to about 1e-10 of the whole sum: below this part of it
// they say nothing, above it a Sharpe ratio is off by less than kSlack of itself.
constexpr double kTrustedFrac = 1e-6;
constexpr double kSlack = 1e-5;

bool better(const Pick& a, const Pick& b) {
  if (!a.found || !b.found) return a.found;
  return a.sharpe > b.sharpe || (a.sharpe == b.sharpe && a.variant < b.variant);
}

double ratio_above_zero(double top, double bottom) { return bottom > 0 ? top / bottom : kNaN; }

double mean_or_nan(const std::vector<double>& x) { return x.empty() ? kNaN : stats::mean(x); }

std::vector<double> finite(const std::vector<OosFigures>& paths, double OosFigures::*member) {
  std::vector<double> out;
  for (const OosFigures& p : paths) {
    if (std::isfinite(p.*member)) out.push_back(p.*member);
  }
  return out;
}

using ReturnsOf = std::function<std::span<const double>(std::uint64_t)>;

/// Appends what a pick earns in a test; cash without one.
void append(const Pick& pick, const ReturnsOf& returns, const stats::Range& test,
            std::vector<double>& out) {
  if (!pick.found) {
    out.resize(out.size() + (test.last - test.first), 0.0);
    return;
  }
  const auto part = returns(pick.variant).subspan(test.first, test.last - test.first);
  out.insert(out.end(), part.begin(), part.end());
}

/// The tests of several folds in the order of time, each with its fold.
struct Piece {
  stats::Range test;
  std::size_t fold = 0;
};
std::vector<Piece> pieces_of(const std::vector<Fold>& folds, std::size_t path) {
  std::vector<Piece> out;
  for (std::size_t k = 0; k < folds.size(); ++k) {
    for (std::size_t i = 0; i < folds[k].tests.size(); ++i) {
      if (folds[k].paths[i] == path) out.push_back({folds[k].tests[i], k});
    }
  }
  std::sort(out.begin(), out.end(),
            [](const Piece& a, const Piece& b) { return a.test.first < b.test.first; });
  return out;
}

std::vector<double> stitch(const std::vector<Fold>& folds, std::span<const Pick> picks,
                           const ReturnsOf& returns, std::size_t path) {
  std::vector<double> out;
  for (const Piece& piece : pieces_of(folds, path)) {
    append(picks[piece.fold], returns, piece.test, out);
  }
  return out;
}

void add_paths(const FoldPlan& plan, std::span<const Pick> picks, const ReturnsOf& returns,
               double p, FamilyValidation& out) {
  std::vector<double> all;
  for (std::size_t path = 0; path < plan.paths; ++path) {
    const std::vector<double> series = stitch(plan.folds, picks, returns, path);
    if (plan.protocol.kind == ProtocolKind::Cpcv) {
      out.paths.push_back(oos_figures(series, p));
    }
    all.insert(all.end(), series.begin(), series.end());
  }
  out.oos = oos_figures(all, p);
  if (out.paths.empty()) return;
  // One path after the other is no history: what is lost and won belongs to each by itself.
  const auto gains = finite(out.paths, &OosFigures::return_frac);
  const auto falls = finite(out.paths, &OosFigures::drawdown_max_frac);
  out.oos.return_frac = gains.empty() ? kNaN : stats::median(gains);
  out.oos.drawdown_max_frac = falls.empty() ? kNaN : *std::max_element(falls.begin(), falls.end());
}

void add_folds(const FoldPlan& plan, std::span<const Pick> picks, const ReturnsOf& returns,
               double p, FamilyValidation& out) {
  std::size_t inner_at = plan.folds.size();
  for (std::size_t k = 0; k < plan.folds.size(); ++k) {
    FoldResult fold;
    fold.picked = picks[k].found;
    if (fold.picked) {
      fold.pick = picks[k].variant;
      fold.train_sharpe_ann = picks[k].sharpe * std::sqrt(p);
      fold.train_mean_ann_frac = picks[k].mean * p;
    }
    std::vector<double> test;
    for (const stats::Range& r : plan.folds[k].tests) append(picks[k], returns, r, test);
    fold.test = oos_figures(test, p);
    if (!plan.inner.empty()) {
      const auto& inner = plan.inner[k];
      const auto own = picks.subspan(inner_at, inner.size());
      fold.inner_oos_sharpe_ann = oos_figures(stitch(inner, own, returns, 0), p).sharpe_ann;
      inner_at += inner.size();
    }
    out.folds.push_back(fold);
  }
}

double path_quantile(const FamilyValidation& v, double q) {
  const auto sharpes = finite(v.paths, &OosFigures::sharpe_ann);
  return sharpes.empty() ? kNaN : stats::quantile(sharpes, q);
}

double paths_negative(const FamilyValidation& v) {
  const auto sharpes = finite(v.paths, &OosFigures::sharpe_ann);
  if (sharpes.empty()) return kNaN;
  const auto below = std::count_if(sharpes.begin(), sharpes.end(), [](double s) { return s < 0; });
  return static_cast<double>(below) / static_cast<double>(sharpes.size());
}

// The first exists for nested only, the last four for cpcv only.
constexpr std::array<ValidationNumber, 14> kNumbers{{
    {"inner_oos_sharpe_ann", "mean over the folds of the annual Sharpe ratio of their inner tests",
     [](const FamilyValidation& v) { return v.inner_oos_sharpe_ann; }},
    {"oos_sharpe_ann", "annual Sharpe ratio of the stitched tests",
     [](const FamilyValidation& v) { return v.oos.sharpe_ann; }},
    {"oos_return_frac", "return over the stitched tests (cpcv: median of the paths)",
     [](const FamilyValidation& v) { return v.oos.return_frac; }},
    {"oos_mean_ann_frac", "mean return of the stitched tests, times the periods of a year",
     [](const FamilyValidation& v) { return v.oos.mean_ann_frac; }},
    {"oos_drawdown_max_frac", "largest fall over the stitched tests (cpcv: of any path)",
     [](const FamilyValidation& v) { return v.oos.drawdown_max_frac; }},
    {"oos_days", "days of the stitched tests (cpcv: of all paths)",
     [](const FamilyValidation& v) { return static_cast<double>(v.oos.days); }},
    {"train_sharpe_ann_mean", "mean annual Sharpe ratio of the picks in training",
     [](const FamilyValidation& v) { return v.train_sharpe_ann_mean; }},
    {"degradation_frac", "1 - oos_sharpe_ann / train_sharpe_ann_mean",
     [](const FamilyValidation& v) { return v.degradation_frac; }},
    {"efficiency", "annual mean return of the stitched tests / of the picks in training",
     [](const FamilyValidation& v) { return v.efficiency; }},
    {"folds_positive_frac", "folds whose test gained",
     [](const FamilyValidation& v) { return v.folds_positive_frac; }},
    {"path_sharpe_ann_min", "annual Sharpe ratio of the worst path",
     [](const FamilyValidation& v) { return path_quantile(v, 0); }},
    {"path_sharpe_ann_median", "annual Sharpe ratio of the median path",
     [](const FamilyValidation& v) { return path_quantile(v, 0.5); }},
    {"path_sharpe_ann_max", "annual Sharpe ratio of the best path",
     [](const FamilyValidation& v) { return path_quantile(v, 1); }},
    {"paths_negative_frac", "paths with a Sharpe ratio below 0", paths_negative},
}};
constexpr std::size_t kPathNumbers = 4;

constexpr std::array<VariantOosNumber, 3> kVariantNumbers{{
    {"oos_sharpe_ann", true, [](const OosFigures& f) { return f.sharpe_ann; }},
    {"oos_return_frac", true, [](const OosFigures& f) { return f.return_frac; }},
    {"oos_drawdown_max_frac", false, [](const OosFigures& f) { return f.drawdown_max_frac; }},
}};

}  // namespace

FoldPicker::FoldPicker(std::vector<stats::Ranges> trainings, std::size_t periods)
    : trainings_(std::make_shared<const std::vector<stats::Ranges>>(std::move(trainings))),
      picks_(trainings_->size()),
      sum_(periods + 1, 0.0),
      square_(periods + 1, 0.0) {}

// A Sharpe ratio from running sums decides only what is clear; the rest is measured as
// everywhere else, so that the choice does not depend on how it was found.
bool FoldPicker::may_win(std::size_t fold, double s1, double s2, double n) const {
  const Pick& best = picks_[fold];
  if (n < 2 || (s1 == 0 && s2 == 0)) return false;
  if (!best.found) return true;
  const double spread = s2 - s1 * s1 / n;
  if (spread < kTrustedFrac * square_.back()) return true;
  const double sharpe = s1 / n / std::sqrt(spread / (n - 1));
  return sharpe >= best.sharpe - kSlack * (1 + std::fabs(best.sharpe));
}

Pick FoldPicker::measure(const stats::Ranges& training, std::span<const double> returns) {
  std::span<const double> part;
  if (training.size() == 1) {
    part = returns.subspan(training[0].first, training[0].last - training[0].first);
  } else {
    gathered_ = gather(returns, training);
    part = gathered_;
  }
  Pick out;
  out.mean = stats::mean(part);
  const double sd = stats::stdev(part);
  out.found = sd > kFlatFrac * std::fabs(out.mean);
  if (out.found) out.sharpe = out.mean / sd;
  return out;
}

bool FoldPicker::add(std::uint64_t variant, std::span<const double> returns) {
  WINNOW_REQUIRES(returns.size() + 1 == sum_.size());
  for (std::size_t t = 0; t < returns.size(); ++t) {
    sum_[t + 1] = sum_[t] + returns[t];
    square_[t + 1] = square_[t] + returns[t] * returns[t];
  }
  if (!std::isfinite(sum_.back()) || !std::isfinite(square_.back())) return false;
  const auto& trainings = *trainings_;
  for (std::size_t k = 0; k < trainings.size(); ++k) {
    double s1 = 0;
    double s2 = 0;
    std::size_t n = 0;
    for (const stats::Range& r : trainings[k]) {
      s1 += sum_[r.last] - sum_[r.first];
      s2 += square_[r.last] - square_[r.first];
      n += r.last - r.first;
    }
    if (!may_win(k, s1, s2, static_cast<double>(n))) continue;
    Pick own = measure(trainings[k], returns);
    own.variant = variant;
    if (better(own, picks_[k])) picks_[k] = own;
  }
  return true;
}

void FoldPicker::merge(const FoldPicker& other) {
  for (std::size_t k = 0; k < picks_.size(); ++k) {
    if (better(other.picks_[k], picks_[k])) picks_[k] = other.picks_[k];
  }
}

std::vector<stats::Ranges> trainings_of(const FoldPlan& plan) {
  std::vector<stats::Ranges> out;
  for (const Fold& fold : plan.folds) out.push_back(fold.train);
  for (const auto& inner : plan.inner) {
    for (const Fold& fold : inner) out.push_back(fold.train);
  }
  return out;
}

OosFigures oos_figures(std::span<const double> returns, double periods_per_year) {
  OosFigures out;
  out.days = returns.size();
  if (returns.empty()) return out;
  const double mean = stats::mean(returns);
  out.mean_ann_frac = mean * periods_per_year;
  double equity = 1;
  double peak = 1;
  double fall = 0;
  for (const double r : returns) {
    equity *= 1 + r;
    peak = std::max(peak, equity);
    fall = std::max(fall, 1 - equity / peak);
  }
  out.return_frac = equity - 1;
  out.drawdown_max_frac = fall;
  if (returns.size() < 2) return out;
  const double sd = stats::stdev(returns);
  if (sd > kFlatFrac * std::fabs(mean)) out.sharpe_ann = mean / sd * std::sqrt(periods_per_year);
  return out;
}

std::vector<double> gather(std::span<const double> returns, std::span<const stats::Range> ranges) {
  std::vector<double> out;
  for (const stats::Range& r : ranges) {
    const auto part = returns.subspan(r.first, r.last - r.first);
    out.insert(out.end(), part.begin(), part.end());
  }
  return out;
}

FamilyValidation conclude_validation(const FoldPlan& plan, std::span<const Pick> picks,
                                     const ReturnsOf& returns, double periods_per_year) {
  FamilyValidation out;
  const auto outer = picks.first(plan.folds.size());
  add_folds(plan, picks, returns, periods_per_year, out);
  add_paths(plan, outer, returns, periods_per_year, out);
  std::vector<double> sharpes;
  std::vector<double> means;
  std::vector<double> inner;
  std::size_t positive = 0;
  for (const FoldResult& fold : out.folds) {
    if (fold.picked) {
      sharpes.push_back(fold.train_sharpe_ann);
      means.push_back(fold.train_mean_ann_frac);
    }
    if (std::isfinite(fold.inner_oos_sharpe_ann)) inner.push_back(fold.inner_oos_sharpe_ann);
    positive += fold.test.mean_ann_frac > 0 ? 1 : 0;
  }
  out.train_sharpe_ann_mean = mean_or_nan(sharpes);
  out.train_mean_ann_frac = mean_or_nan(means);
  out.inner_oos_sharpe_ann = mean_or_nan(inner);
  out.degradation_frac = 1 - ratio_above_zero(out.oos.sharpe_ann, out.train_sharpe_ann_mean);
  out.efficiency = ratio_above_zero(out.oos.mean_ann_frac, out.train_mean_ann_frac);
  if (!out.folds.empty()) {
    out.folds_positive_frac = static_cast<double>(positive) / static_cast<double>(out.folds.size());
  }
  return out;
}

std::vector<Pick> pick_variants(const PanelView& panel, std::vector<stats::Ranges> trainings,
                                const ParallelFor& parallel) {
  const std::size_t chunk = std::max(kChunkMin, (panel.variants() + kTasks - 1) / kTasks);
  const std::size_t chunks = (panel.variants() + chunk - 1) / chunk;
  FoldPicker none(std::move(trainings), panel.periods());
  std::vector<FoldPicker> pickers(chunks, none);
  parallel(chunks, [&](std::size_t c) {
    std::vector<double> returns(panel.periods());
    for (std::size_t v = c * chunk; v < std::min(panel.variants(), (c + 1) * chunk); ++v) {
      for (std::size_t t = 0; t < returns.size(); ++t) returns[t] = panel.at(v, t);
      pickers[c].add(v, returns);
    }
  });
  for (const FoldPicker& picker : pickers) none.merge(picker);
  return none.picks();
}

FamilyValidation validate_panel(const FoldPlan& plan, const PanelView& panel,
                                double periods_per_year, const ParallelFor& parallel) {
  const auto picks = pick_variants(panel, trainings_of(plan), parallel);
  std::vector<std::vector<double>> rows(panel.variants());
  const auto returns = [&](std::uint64_t variant) -> std::span<const double> {
    std::vector<double>& row = rows[variant];
    for (std::size_t t = row.size(); t < panel.periods(); ++t) row.push_back(panel.at(variant, t));
    return row;
  };
  return conclude_validation(plan, picks, returns, periods_per_year);
}

std::span<const ValidationNumber> validation_numbers(ProtocolKind kind) {
  const std::span<const ValidationNumber> all(kNumbers);
  const std::size_t first = kind == ProtocolKind::Nested ? 0 : 1;
  const std::size_t last = all.size() - (kind == ProtocolKind::Cpcv ? 0 : kPathNumbers);
  return all.subspan(first, last - first);
}

std::span<const VariantOosNumber> variant_oos_numbers() { return kVariantNumbers; }

}  // namespace winnow::sweeps
