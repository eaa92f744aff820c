#include "sweeps/bakeoff.hpp"

#include <algorithm>
#include <cmath>

#include "base/check.hpp"
#include "base/numbers.hpp"
#include "sweeps/bakeoff_series.hpp"
#include "sweeps/best_of_many.hpp"
#include "sweeps/stats/basic.hpp"
#include "sweeps/stats/multiplicity.hpp"

namespace winnow::sweeps {
namespace {

const SeriesFigures& tested(const Bakeoff& b, std::size_t entrant) {
  const EntrantFigures& e = b.entrants[entrant];
  return b.tested_walk_forward ? e.walk_forward : e.portfolio;
}

void fill_correlation(Bakeoff& b) {
  const std::size_t n = b.entrants.size();
  b.correlation.assign(n, std::vector<double>(n, kNaN));
  for (std::size_t i = 0; i < n; ++i) {
    for (std::size_t j = 0; j < n; ++j) {
      const SeriesFigures& x = b.entrants[i].portfolio;
      const SeriesFigures& y = b.entrants[j].portfolio;
      if (x.measured && y.measured) b.correlation[i][j] = stats::correlation(x.returns, y.returns);
    }
  }
  for (std::size_t i = 0; i < n; ++i) {
    std::vector<double> others;
    for (std::size_t j = 0; j < n; ++j) {
      if (j != i && std::isfinite(b.correlation[i][j])) others.push_back(b.correlation[i][j]);
    }
    b.entrants[i].crowding_mean = others.empty() ? kNaN : stats::mean(others);
    b.entrants[i].crowding_max =
        others.empty() ? kNaN : *std::max_element(others.begin(), others.end());
  }
}

/// Sharpe of each resample of each measured series, then pairs of them.
std::vector<PairFigures> pairs_of(const std::vector<const SeriesFigures*>& series,
                                  const std::vector<std::vector<double>>& resampled, double level) {
  std::vector<PairFigures> out;
  for (std::size_t i = 0; i < series.size(); ++i) {
    for (std::size_t j = i + 1; j < series.size(); ++j) {
      if (!series[i]->measured || !series[j]->measured) continue;
      PairFigures pair;
      pair.first = i;
      pair.second = j;
      const double d = series[i]->sharpe_ann - series[j]->sharpe_ann;
      std::vector<double> drawn;
      std::size_t as_far = 1;
      for (std::size_t b = 0; b < resampled[i].size(); ++b) {
        const double value = resampled[i][b] - resampled[j][b];
        if (!std::isfinite(value)) {  // a resample of equal days: counted against the difference
          ++as_far;
          continue;
        }
        drawn.push_back(value);
        if (std::fabs(value - d) >= std::fabs(d)) ++as_far;
      }
      pair.difference_sharpe_ann = d;
      pair.p = static_cast<double>(as_far) / static_cast<double>(resampled[i].size() + 1);
      if (drawn.empty()) {
        pair.interval = {kNaN, kNaN};
      } else {
        pair.interval = {stats::quantile(drawn, (1 - level) / 2),
                         stats::quantile(drawn, (1 + level) / 2)};
      }
      out.push_back(pair);
    }
  }
  return out;
}

/// Intervals of one kind of series over common resamples; gives the pairs.
std::vector<PairFigures> resample_kind(std::vector<SeriesFigures*> series,
                                       const BakeoffOptions& options, double mean_block,
                                       const ParallelFor& parallel) {
  std::vector<std::vector<double>> drawn(series.size());
  std::size_t periods = 0;
  for (const SeriesFigures* s : series) periods = std::max(periods, s->returns.size());
  if (periods < 2) return {};
  const auto rows = draw_rows(periods, options, mean_block, parallel);
  parallel(series.size(), [&](std::size_t i) {
    if (series[i]->measured)
      drawn[i] = resampled_sharpes(*series[i], rows, options.periods_per_year);
  });
  for (std::size_t i = 0; i < series.size(); ++i) {
    std::vector<double> known = drawn[i];
    std::erase_if(known, [](double v) { return !std::isfinite(v); });
    series[i]->sharpe_interval = {kNaN, kNaN};
    if (known.empty()) continue;
    series[i]->sharpe_interval = {stats::quantile(known, (1 - options.level) / 2),
                                  stats::quantile(known, (1 + options.level) / 2)};
  }
  return pairs_of({series.begin(), series.end()}, drawn, options.level);
}

void correct_pairs(Bakeoff& b) {
  std::vector<double> p;
  for (const auto* pairs : {&b.portfolio_pairs, &b.walk_forward_pairs}) {
    for (const PairFigures& pair : *pairs) p.push_back(pair.p);
  }
  if (p.empty()) return;
  const auto holm = stats::adjust(stats::Correction::Holm, p);
  std::size_t at = 0;
  for (auto* pairs : {&b.portfolio_pairs, &b.walk_forward_pairs}) {
    for (PairFigures& pair : *pairs) pair.p_holm = holm[at++];
  }
}

/// Tests of the best of all measured entrants.
void test_all(Bakeoff& b, const BakeoffOptions& options, const ParallelFor& parallel) {
  std::vector<std::vector<double>> returns;
  std::vector<std::size_t> of;
  for (std::size_t i = 0; i < b.entrants.size(); ++i) {
    const SeriesFigures& s = tested(b, i);
    if (!s.measured) continue;
    returns.push_back(s.returns);
    of.push_back(i);
  }
  if (of.empty()) return;
  const auto rows = draw_rows(returns.front().size(), options, b.mean_block, parallel);
  const Contest found = contest(returns, rows, b.mean_block, options.alpha);
  b.p_spa = found.p_spa;
  for (std::size_t k = 0; k < of.size(); ++k) {
    b.entrants[of[k]].p_beats_cash = found.p_beats_cash[k];
    b.entrants[of[k]].p_in_best_set = found.p_in_best_set[k];
  }
}

/// True if `winner` is better than every other entrant after correction.
bool beats_all(const Bakeoff& b, std::size_t winner, double alpha) {
  const auto& pairs = b.tested_walk_forward ? b.walk_forward_pairs : b.portfolio_pairs;
  std::size_t beaten = 0;
  for (const PairFigures& pair : pairs) {
    if (pair.first != winner && pair.second != winner) continue;
    const double d =
        pair.first == winner ? pair.difference_sharpe_ann : -pair.difference_sharpe_ann;
    if (d > 0 && pair.p_holm < alpha) ++beaten;
  }
  return beaten + 1 == b.entrants.size();
}

void decide(Bakeoff& b, const BakeoffOptions& options) {
  std::size_t measured = 0;
  std::size_t best = b.entrants.size();
  for (std::size_t i = 0; i < b.entrants.size(); ++i) {
    const SeriesFigures& s = tested(b, i);
    if (!s.measured) {
      b.reasons.push_back(b.entrants[i].name + ": its daily returns do not vary, or it has none");
      continue;
    }
    ++measured;
    if (best == b.entrants.size() || s.sharpe_ann > tested(b, best).sharpe_ann) best = i;
  }
  if (b.entrants.size() == 1) {
    b.verdict = BakeoffVerdict::OneEntrant;
    b.reasons.push_back("there is one family: nothing to compare it with");
    return;
  }
  if (b.periods < kBakeoffDaysMin) {
    b.verdict = BakeoffVerdict::TooFewDays;
    b.reasons.push_back(std::to_string(b.periods) + " days; a comparison needs at least " +
                        std::to_string(kBakeoffDaysMin));
    return;
  }
  if (measured < 2) {
    b.verdict = BakeoffVerdict::NotMeasurable;
    b.reasons.push_back("fewer than two families have days that vary");
    return;
  }
  if (!(b.p_spa < options.alpha)) {
    b.verdict = BakeoffVerdict::NoneBeatsCash;
    b.reasons.push_back("the best of them is not shown to be better than earning nothing");
    return;
  }
  if (b.entrants[best].p_beats_cash < options.alpha && beats_all(b, best, options.alpha)) {
    b.verdict = BakeoffVerdict::Better;
    b.winner = best;
    b.reasons.push_back(b.entrants[best].name + " is better than every other family after " +
                        "correction for all pairs");
    return;
  }
  b.verdict = BakeoffVerdict::NotDistinguishable;
  b.reasons.push_back("no family is better than all others after correction for all pairs");
}

}  // namespace

const char* bakeoff_verdict_name(BakeoffVerdict verdict) {
  switch (verdict) {
    case BakeoffVerdict::Better:
      return "BETTER";
    case BakeoffVerdict::NotDistinguishable:
      return "NOT_DISTINGUISHABLE";
    case BakeoffVerdict::NoneBeatsCash:
      return "NONE_BEATS_CASH";
    case BakeoffVerdict::OneEntrant:
      return "ONE_ENTRANT";
    case BakeoffVerdict::TooFewDays:
      return "TOO_FEW_DAYS";
    case BakeoffVerdict::NotMeasurable:
      return "NOT_MEASURABLE";
  }
  return "";
}

BakeoffOptions bakeoff_windows(std::size_t periods) {
  BakeoffOptions out;
  constexpr std::size_t kEnough = 150;
  if (periods >= kEnough) return out;
  out.train = std::max<std::size_t>(periods / 2, 2);
  out.test = std::max<std::size_t>(periods / 6, 1);
  return out;
}

Bakeoff bake_off(const std::vector<Entrant>& entrants, const BakeoffOptions& options,
                 const ParallelFor& parallel) {
  WINNOW_REQUIRES(!entrants.empty() && entrants.size() <= kBakeoffEntrantsMax);
  WINNOW_REQUIRES(std::all_of(entrants.begin(), entrants.end(), [&](const Entrant& e) {
    return e.panel.periods() == entrants.front().panel.periods();
  }));
  Bakeoff out;
  out.periods = entrants.front().panel.periods();
  double block = 1;
  std::size_t oos = out.periods;
  for (const Entrant& entrant : entrants) {
    out.entrants.push_back(describe_entrant(entrant, options, parallel));
    const EntrantFigures& e = out.entrants.back();
    oos = std::min(oos, e.walk_forward.returns.size());
    if (!e.portfolio.measured) continue;
    block = std::max(block, stats::optimal_block_length(e.portfolio.returns).stationary);
  }
  out.tested_walk_forward = oos >= kBakeoffDaysMin;
  out.mean_block = stats::usable_block(block, std::max<std::size_t>(oos, 1));
  fill_correlation(out);
  std::vector<SeriesFigures*> portfolios, walks, centres;
  for (EntrantFigures& e : out.entrants) {
    portfolios.push_back(&e.portfolio);
    walks.push_back(&e.walk_forward);
    centres.push_back(&e.centre);
  }
  out.portfolio_pairs = resample_kind(portfolios, options, out.mean_block, parallel);
  out.walk_forward_pairs = resample_kind(walks, options, out.mean_block, parallel);
  // Centres get intervals, but their pairs were chosen with all days in view and are not kept.
  static_cast<void>(resample_kind(centres, options, out.mean_block, parallel));
  correct_pairs(out);
  if (out.periods >= kBakeoffDaysMin) test_all(out, options, parallel);
  decide(out, options);
  return out;
}

ImpactCapacity impact_capacity(double edge_before_impact, double impact) {
  WINNOW_REQUIRES(impact > 0);
  ImpactCapacity out;
  if (!(edge_before_impact > 0)) return out;
  const double ratio = edge_before_impact / impact;
  out.half_edge = ratio * ratio / 4;
  out.optimum = 4 * ratio * ratio / 9;
  out.breakeven = ratio * ratio;
  return out;
}

}  // namespace winnow::sweeps
