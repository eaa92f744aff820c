#include "sweeps/truth/accounts.hpp"

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "sweeps/convergence.hpp"
#include "sweeps/level/account.hpp"
#include "sweeps/truth/noise.hpp"

namespace winnow::sweeps {
namespace {

constexpr std::size_t kFamilyVariants = 50;
constexpr double kVariantCorrelation = 0.6;
constexpr double kDailySd = 0.01;

/// Returns of a family without an edge, [variant][day], of one standard deviation.
std::vector<double> null_family(std::uint64_t days, Rng& rng) {
  std::vector<double> common(days);
  for (double& x : common) x = nearly_normal(rng);
  std::vector<double> out(kFamilyVariants * days);
  const double own = std::sqrt(1 - kVariantCorrelation);
  const double shared = std::sqrt(kVariantCorrelation);
  for (std::size_t v = 0; v < kFamilyVariants; ++v) {
    for (std::uint64_t t = 0; t < days; ++t) {
      out[v * days + t] = shared * common[t] + own * nearly_normal(rng);
    }
  }
  return out;
}

/// The next step of a climb: as far from the one before as the correlation says.
void step(std::vector<double>& family, double correlation, std::uint64_t days, Rng& rng) {
  const std::vector<double> fresh = null_family(days, rng);
  const double rest = std::sqrt(1 - correlation * correlation);
  for (std::size_t i = 0; i < family.size(); ++i) {
    family[i] = correlation * family[i] + rest * fresh[i];
  }
}

/// A Sharpe ratio of a family is that of its variants' common part and what averaging leaves.
double daily_mean(double sharpe_ann) {
  const double family_sd =
      std::sqrt(kVariantCorrelation + (1 - kVariantCorrelation) / double{kFamilyVariants});
  return sharpe_ann * family_sd / std::sqrt(engine::kPeriodsPerYearOpen);
}

Convergence score_of(const std::vector<double>& family, double sharpe_ann, std::uint64_t days) {
  const double mean = daily_mean(sharpe_ann);
  std::vector<double> returns(family.size());
  std::transform(family.begin(), family.end(), returns.begin(),
                 [&](double x) { return kDailySd * (x + mean); });
  return score_convergence(PanelView::of(returns, kFamilyVariants, days));
}

/// Places of the real ones among those asked.
std::vector<bool> places_of(const AccountTruth& truth, Rng& rng) {
  std::vector<bool> real(truth.asked, false);
  for (std::uint64_t left = std::min(truth.real, truth.asked); left > 0;) {
    const std::uint64_t at = rng.below(truth.asked);
    if (real[at]) continue;
    real[at] = true;
    --left;
  }
  return real;
}

}  // namespace

Result<AccountYear> run_account_year(const AccountTruth& truth, std::uint64_t seed) {
  Rng rng(seed, 47);
  const std::vector<bool> real = places_of(truth, rng);
  level::Account account;
  AccountYear out;
  std::vector<double> family = null_family(truth.days, rng);
  for (std::uint64_t h = 0; h < truth.asked; ++h) {
    if (h > 0 && truth.correlation > 0) step(family, truth.correlation, truth.days, rng);
    if (h > 0 && truth.correlation == 0) family = null_family(truth.days, rng);
    if (account.available(truth.share).level == 0) break;
    const std::string id = std::to_string(h);
    const auto opened =
        account.open({.id = id, .weights = {1.0}, .share = truth.share, .related = {}});
    if (!opened) return opened.error();
    ++out.opened;
    out.real += real[h] ? 1 : 0;
    const Convergence score = score_of(family, real[h] ? truth.sharpe_ann : 0, truth.days);
    const bool gates = score.verdict == Verdict::Converged;
    const auto state = account.look(id, gates ? score.p_value() : 1);
    if (!state) return state.error();
    if (*state != level::HypothesisState::Converged) continue;
    (real[h] ? out.real_promoted : out.false_promoted) += 1;
  }
  return out;
}

}  // namespace winnow::sweeps
