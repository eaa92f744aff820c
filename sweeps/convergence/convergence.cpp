#include "sweeps/convergence/convergence.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "base/check.hpp"
#include "base/formatted.hpp"
#include "sweeps/convergence/anova.hpp"
#include "sweeps/convergence/prepare.hpp"
#include "sweeps/stats/multiplicity.hpp"

namespace winnow::sweeps {
namespace {

constexpr std::size_t kPeriodsMin = 60;
constexpr double kMeanCorrelationMax = 0.95;
constexpr double kNormal95 = 1.645;
constexpr double kCoverageMin = 0.75;
constexpr double kFutilityMin = 0.95;
constexpr double kStressMin = 0.95;
constexpr double kStressMinHardStops = 0.90;
constexpr double kNever = 2;

struct Look {
  std::uint64_t days;
  double equal;
  double spending;
};
constexpr std::array<Look, kLooks> kLookTable{
    {{90, .982, .999}, {180, .982, .995}, {365, .982, .985}, {730, .982, .965}}};

/// Last third of the blocks against the rest: mean, and pooled two-sample t.
void judge_recency(Convergence& r) {
  const std::size_t n = r.block_means.size();
  const std::size_t last = n / 3;
  const std::size_t rest = n - last;
  if (last < 1 || rest < 2) return;
  double mean_rest = 0;
  for (std::size_t b = 0; b < n; ++b) {
    if (b < rest) {
      mean_rest += r.block_means[b] / static_cast<double>(rest);
    } else {
      r.recent_mean += r.block_means[b] / static_cast<double>(last);
    }
  }
  double ss = 0;
  for (std::size_t b = 0; b < n; ++b) {
    const double d = r.block_means[b] - (b < rest ? mean_rest : r.recent_mean);
    ss += d * d;
  }
  const double pooled = ss / (static_cast<double>(n) - 2);
  const double se =
      std::sqrt(pooled * (1 / static_cast<double>(last) + 1 / static_cast<double>(rest)));
  const double difference = r.recent_mean - mean_rest;
  if (se > 0) {
    r.recent_t = difference / se;
  } else {
    // No spread within either part: any fall is beyond chance.
    r.recent_t = difference < 0 ? -1e9 : (difference > 0 ? 1e9 : 0);
  }
  r.recent_ok = r.recent_mean > 0 && r.recent_t > -kNormal95;
}

/// C at h = 0 with one phantom loss of stress_sd standard deviations in the middle block of every
/// variant. Only the block means move, by the same amount in every variant, so MSV and MSE stay.
double stressed_c(const Convergence& r, const BlockAnova& a, const ConvergenceOptions& options) {
  BlockAnova stressed = a;
  std::vector<double> means = r.block_means;
  means[means.size() / 2] -= std::sqrt(options.periods_per_year) * options.stress_sd /
                             static_cast<double>(r.block_periods);
  const double b = static_cast<double>(means.size());
  stressed.mu = 0;
  for (double m : means) stressed.mu += m / b;
  double ss = 0;
  for (double m : means) ss += (m - stressed.mu) * (m - stressed.mu);
  stressed.se2 = ss / (b - 1) / b;
  return convergence_c(stressed, r.distinct, r.blocks, 0);
}

void fill_components(const FamilyTable& table, const ConvergenceOptions& options, Convergence& r) {
  const std::size_t n = table.distinct;
  const std::size_t blocks = table.cut.blocks;
  const double bd = static_cast<double>(blocks);
  const double h = options.hurdle_sharpe_ann;
  const BlockAnova a =
      block_anova({.table = table.block_means, .variants = n, .blocks = blocks, .hurdle = h});
  r.block_means.assign(blocks, 0.0);
  for (std::size_t i = 0; i < n; ++i) {
    for (std::size_t b = 0; b < blocks; ++b) {
      r.block_means[b] += table.block_means[i * blocks + b];
    }
  }
  for (double& m : r.block_means) m /= static_cast<double>(n);
  const auto above =
      std::count_if(r.block_means.begin(), r.block_means.end(), [h](double m) { return m > h; });
  r.scored = true;
  r.block_sign_frac = static_cast<double>(above) / bd;
  r.variant_sign_frac = a.variant_sign_frac;
  r.mu_sharpe_ann = a.mu;
  r.se = std::sqrt(a.se2);
  r.tau = std::sqrt(a.tau2());
  r.ms_block = a.ms_block;
  r.ms_variant = a.ms_variant;
  r.ms_residual = a.ms_residual;
  const double icc_den = a.ms_variant + (bd - 1) * a.ms_residual;
  r.icc = icc_den > 0 ? std::max(0.0, (a.ms_variant - a.ms_residual) / icc_den) : 0;
  r.tau2_raw = a.tau2_raw;
  r.tau2_jackknife_se = a.tau2_jackknife_se;
  r.c = convergence_c(a, n, blocks, h);
  r.evidence = student_ratio(a.mu - h, r.se, bd - 1);
  r.coverage = normal_ratio(a.mu - h, r.tau);
  r.heterogeneous =
      a.tau2_raw > kNormal95 * a.tau2_jackknife_se && a.tau2_raw > 0 && r.coverage < kCoverageMin;
  r.futility = student_ratio(options.target_sharpe_ann - a.mu, r.se, bd - 1);
  r.mean_correlation = table.mean_correlation;
  judge_recency(r);
  r.stress_sd = options.stress_sd;
  r.c_stress = options.stress_sd > 0 ? stressed_c(r, a, options) : r.c;
  const double worst = *std::min_element(table.period_mean_sd.begin(), table.period_mean_sd.end());
  r.stress_in_sample = options.stress_sd > 0 && worst <= -options.stress_sd;
}

/// C at h = 0 with the charge for gaps taken off: a constant a variant, so that only its block
/// means move.
void charge_gaps(FamilyTable& table, Convergence& r) {
  r.return_mean = table.return_mean;
  r.gap_loss_mean = table.gap_loss_mean;
  r.c_gaps = r.c;
  if (table.block_charge.empty()) return;
  const std::size_t blocks = table.cut.blocks;
  for (std::size_t i = 0; i < table.distinct; ++i) {
    for (std::size_t b = 0; b < blocks; ++b) {
      table.block_means[i * blocks + b] -= table.block_charge[i];
    }
  }
  const BlockAnova a = block_anova({.table = table.block_means,
                                    .variants = table.distinct,
                                    .blocks = blocks,
                                    .hurdle = 0,
                                    .jackknife = false});
  r.c_gaps = convergence_c(a, r.distinct, r.blocks, 0);
}

void check_spread(const ParameterSpread& spread, Convergence& r) {
  if (spread.crowded_frac > kCrowdedFracMax) {
    r.reasons.push_back(
        formatted("parameters: %.0f%% of the variants lie within a quarter of the range of every "
                  "parameter, at most %.0f%% allowed",
                  100 * spread.crowded_frac, 100 * kCrowdedFracMax));
  }
  if (spread.coverage_frac < kAxisCoverageMin) {
    r.reasons.push_back(
        formatted("parameters: the variants reach %.0f%% of the range of %s, %.0f%% "
                  "needed",
                  100 * spread.coverage_frac, spread.thinnest.c_str(), 100 * kAxisCoverageMin));
  }
}

void check_gates(const ConvergenceOptions& options, Convergence& r) {
  auto& why = r.reasons;
  if (r.c_required >= kNever) {
    why.push_back(formatted("no look is due before day %llu; there are %llu days",
                            static_cast<unsigned long long>(kLookTable[0].days),
                            static_cast<unsigned long long>(r.periods)));
  } else if (r.c < r.c_required) {
    why.push_back(formatted("score: C = %.4f, %.4f needed", r.c, r.c_required));
  }
  if (r.distinct < kDistinctVariantsMin) {
    why.push_back(formatted("breadth: %llu distinct variants, %zu needed",
                            static_cast<unsigned long long>(r.distinct), kDistinctVariantsMin));
  }
  if (r.periods < kPeriodsMin) {
    why.push_back(formatted("length: %llu days, %zu needed",
                            static_cast<unsigned long long>(r.periods), kPeriodsMin));
  }
  if (r.mean_correlation > kMeanCorrelationMax) {
    why.push_back(formatted("diversity: mean correlation %.4f, at most %.2f allowed",
                            r.mean_correlation, kMeanCorrelationMax));
  }
  check_spread(options.spread, r);
  // A variant without usable returns (failed, quarantined) is missing, whatever the reason.
  const std::uint64_t usable = r.variants - r.not_finite;
  const std::uint64_t launched =
      std::max(options.chosen_by_periods > 0 ? options.chosen : options.launched, r.variants);
  if (usable < launched) {
    why.push_back(formatted(
        "survivorship: %llu of %llu launched variants are scored, all are needed",
        static_cast<unsigned long long>(usable), static_cast<unsigned long long>(launched)));
  }
  if (!r.recent_ok) {
    why.push_back(
        formatted("recency: the last third of the blocks has mean Sharpe %.3f and t = %.3f "
                  "against the rest; above 0 and above -1.645 needed",
                  r.recent_mean, r.recent_t));
  }
  const double stress_min = options.hard_stops ? kStressMinHardStops : kStressMin;
  if (options.stress_sd > 0 && !r.stress_in_sample && r.c_stress < stress_min) {
    why.push_back(
        formatted("stress: C = %.4f after one loss of %.1f standard deviations, %.2f needed",
                  r.c_stress, r.stress_sd, stress_min));
  }
}

void decide(const ConvergenceOptions& options, Convergence& r) {
  check_gates(options, r);
  if (r.reasons.empty()) {
    r.verdict = Verdict::Converged;
    return;
  }
  if (r.futility >= kFutilityMin) {
    r.verdict = Verdict::NotConverged;
    r.reasons.push_back(
        formatted("futile: the family's Sharpe %.3f is below the target %.3f with "
                  "probability %.4f",
                  r.mu_sharpe_ann, options.target_sharpe_ann, r.futility));
  }
  if (r.heterogeneous) {
    r.verdict = Verdict::NotConverged;
    r.reasons.push_back(
        formatted("heterogeneous: true Sharpes differ by sd %.3f (tau^2 %.3f, jackknife "
                  "error %.3f) and only %.2f of the variants have an edge",
                  r.tau, r.tau2_raw, r.tau2_jackknife_se, r.coverage));
  }
}

void explain_unscored(const PanelView& panel, std::size_t skipped, Convergence& r) {
  if (panel.variants() == 0) {
    r.reasons.push_back("empty: the family has no variant");
  } else if (skipped > 0 && panel.periods() == 0) {
    r.reasons.push_back(formatted(
        "selection: the variants were chosen by their results on all %zu days, none is left "
        "to judge them by",
        skipped));
  } else if (r.block_periods == 0 || panel.periods() < 2) {
    r.reasons.push_back(formatted("length: %zu days cannot fill %llu blocks", panel.periods(),
                                  static_cast<unsigned long long>(r.blocks)));
  } else {
    r.reasons.push_back(
        formatted("nothing to score: of %zu variants %llu have constant returns and %llu "
                  "have returns that are not finite",
                  panel.variants(), static_cast<unsigned long long>(r.zero_variance),
                  static_cast<unsigned long long>(r.not_finite)));
  }
}

}  // namespace

const char* verdict_name(Verdict verdict) {
  switch (verdict) {
    case Verdict::Converged:
      return "CONVERGED";
    case Verdict::NotConverged:
      return "NOT_CONVERGED";
    case Verdict::Insufficient:
      break;
  }
  return "INSUFFICIENT";
}

const char* look_plan_name(LookPlan plan) {
  switch (plan) {
    case LookPlan::OneLook:
      return "one";
    case LookPlan::EqualLooks:
      return "equal";
    case LookPlan::SpendingLooks:
      return "spending";
  }
  return "";
}

std::uint64_t look_days(std::size_t look) {
  WINNOW_REQUIRES(look >= 1 && look <= kLooks);
  return kLookTable[look - 1].days;
}

std::size_t due_look(std::uint64_t periods) {
  std::size_t look = 0;
  while (look < kLooks && periods >= kLookTable[look].days) ++look;
  return look;
}

double required_level(LookPlan plan, double alpha, std::uint64_t periods) {
  if (plan == LookPlan::OneLook) return 1 - alpha;
  double level = kNever;
  for (const Look& look : kLookTable) {
    if (periods >= look.days) level = plan == LookPlan::EqualLooks ? look.equal : look.spending;
  }
  return level;
}

Convergence score_convergence(const PanelView& all_periods, const ConvergenceOptions& options,
                              const ParallelFor& parallel) {
  const std::size_t skipped = std::min(options.chosen_by_periods, all_periods.periods());
  const PanelView panel =
      skipped > 0 ? all_periods.window(skipped, all_periods.periods()) : all_periods;
  Convergence r;
  r.crowded_frac = options.spread.crowded_frac;
  r.coverage_frac = options.spread.coverage_frac;
  r.variants = panel.variants();
  r.periods = panel.periods();
  r.c_required = required_level(options.looks, options.alpha, r.periods);
  FamilyTable table = prepare_family(panel, options, parallel);
  r.blocks = table.cut.blocks;
  r.block_periods = table.cut.length;
  r.zero_variance = table.zero_variance;
  r.not_finite = table.not_finite;
  r.distinct = table.distinct;
  r.dedupe = table.dedupe;
  r.unchecked_pairs = table.unchecked_pairs;
  if (table.distinct == 0 || table.cut.blocks < 2) {
    explain_unscored(panel, skipped, r);
    return r;
  }
  fill_components(table, options, r);
  decide(options, r);
  charge_gaps(table, r);
  return r;
}

std::vector<FamilyDecision> correct_families(std::span<const double> p_values) {
  std::vector<double> p(p_values.begin(), p_values.end());
  for (double& v : p) v = v >= 0 && v <= 1 ? v : 1;
  const std::vector<double> holm = stats::adjust(stats::Correction::Holm, p);
  const std::vector<double> bh = stats::adjust(stats::Correction::BenjaminiHochberg, p);
  std::vector<FamilyDecision> out(p.size());
  for (std::size_t i = 0; i < p.size(); ++i) out[i] = {p[i], holm[i], bh[i]};
  return out;
}

PlateauCentre plateau_centre(
    std::span<const double> values,
    const std::function<std::span<const std::uint32_t>(std::size_t)>& neighbours) {
  double lowest = std::numeric_limits<double>::infinity();
  for (double v : values) {
    if (std::isfinite(v)) lowest = std::min(lowest, v);
  }
  PlateauCentre best;
  if (!std::isfinite(lowest)) return best;
  const auto value = [&](std::size_t i) { return std::isfinite(values[i]) ? values[i] : lowest; };
  for (std::size_t i = 0; i < values.size(); ++i) {
    double sum = value(i);
    std::size_t members = 1;
    for (std::uint32_t j : neighbours(i)) {
      if (j >= values.size()) continue;
      sum += value(j);
      ++members;
    }
    const double mean = sum / static_cast<double>(members);
    if (best.members == 0 || mean > best.mean) best = {i, mean, members};
  }
  return best;
}

}  // namespace winnow::sweeps
