#include "sweeps/truth/accounts.hpp"

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "sweeps/convergence/convergence.hpp"
#include "sweeps/level/account.hpp"
#include "sweeps/truth/noise.hpp"

namespace winnow::sweeps {
namespace {

constexpr std::size_t kFamilyVariants = 50;
constexpr double kVariantCorrelation = 0.6;
constexpr double kDailySd = 0.01;

/// What the year's families have in common: a part of each one's common part.
struct SharedDays {
  std::vector<double> moves;  ///< of one standard deviation; empty: nothing
  double correlation = 0;
};

/// Returns of a family without an edge, [variant][day], of one standard deviation.
std::vector<double> null_family(std::uint64_t days, const SharedDays& with, Rng& rng) {
  std::vector<double> common(days);
  for (double& x : common) x = nearly_normal(rng);
  if (!with.moves.empty()) {
    const double kept = std::sqrt(1 - with.correlation);
    const double of_all = std::sqrt(with.correlation);
    for (std::uint64_t t = 0; t < days; ++t) common[t] = kept * common[t] + of_all * with.moves[t];
  }
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
  const std::vector<double> fresh = null_family(days, {}, rng);
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

/// Adds a promotion to the year.
void count_promotion(std::vector<bool>& promoted_real, bool real, AccountYear& out) {
  promoted_real.push_back(real);
  (real ? out.real_promoted : out.false_promoted) += 1;
}

/// Draws one of the promoted ones of the moment at which most of them were false.
void draw_promoted(const std::vector<bool>& promoted_real, Rng& rng, AccountYear& out) {
  std::size_t wrong = 0;
  for (std::size_t i = 0; i < promoted_real.size(); ++i) {
    wrong += promoted_real[i] ? 0 : 1;
    const double share = static_cast<double>(wrong) / static_cast<double>(i + 1);
    out.false_share = std::max(out.false_share, share);
  }
  out.drew_false = rng.uniform() < out.false_share;
}

}  // namespace

Result<AccountYear> run_account_year(const AccountTruth& truth, std::uint64_t seed) {
  Rng rng(seed, 47);
  const std::vector<bool> real = places_of(truth, rng);
  level::Account account;
  AccountYear out;
  SharedDays with{.moves = {}, .correlation = truth.shared};
  if (truth.shared > 0) {
    Rng days(seed, 48);
    for (std::uint64_t t = 0; t < truth.days; ++t) with.moves.push_back(nearly_normal(days));
  }
  std::vector<bool> promoted_real;
  std::vector<double> family = null_family(truth.days, with, rng);
  for (std::uint64_t h = 0; h < truth.asked; ++h) {
    if (h > 0 && truth.correlation > 0) step(family, truth.correlation, truth.days, rng);
    if (h > 0 && truth.correlation == 0) family = null_family(truth.days, with, rng);
    if (account.available(truth.share).level == 0) break;
    const std::string id = std::to_string(h);
    const auto opened =
        account.open({.id = id, .weights = {1.0}, .share = truth.share, .related = {}});
    if (!opened) return opened.error();
    ++out.opened;
    out.real += real[h] ? 1 : 0;
    const Convergence score = score_of(family, real[h] ? truth.sharpe_ann : 0, truth.days);
    out.passed_score += score.p_value() <= opened->hypothesis->level ? 1 : 0;
    const bool gates = score.verdict == Verdict::Converged;
    const auto state = account.look(id, gates ? score.p_value() : 1);
    if (!state) return state.error();
    if (*state != level::HypothesisState::Converged) continue;
    count_promotion(promoted_real, real[h], out);
  }
  Rng draw(seed, 49);
  draw_promoted(promoted_real, draw, out);
  return out;
}

}  // namespace winnow::sweeps
