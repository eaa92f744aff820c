#include "serve/score_rows.hpp"

#include "serve/display.hpp"
#include "sweeps/level/skill.hpp"

namespace winnow::serve {
namespace {

std::string fixed_digits(double v) { return fixed(v, 4); }

}  // namespace

RowsScore score_rows(const JudgedPart& part, const Result<MarketPart>& market,
                     const sweeps::ConvergenceOptions& declared,
                     const sweeps::ParallelFor& parallel) {
  RowsScore out;
  const sweeps::PanelView returns = part.rows == nullptr ? part.all : part.all.subset(*part.rows);
  const std::vector<double> losses = part.of_rows(part.gaps.loss);
  sweeps::ConvergenceOptions how = declared;
  how.gap_loss = losses;
  how.gap_rate_year = part.gaps.gap.rate_year();
  if (!market.ok()) {
    out.score = sweeps::score_convergence(returns, how, parallel);
    out.skill.missing = market.error().text();
    if (out.score.verdict == sweeps::Verdict::Converged) {
      out.score.verdict = sweeps::Verdict::Insufficient;
    }
    apply_gaps(part.gaps, out.score.return_mean, out.score, out.gaps);
    out.score.reasons.push_back("skill: " + out.skill.missing);
    return out;
  }
  const auto skill =
      sweeps::level::score_skill(returns, std::span(market->returns).first(returns.periods()),
                                 part.of_rows(market->mean_exposure), how, parallel);
  out.score = skill.gate();
  out.skill = {.c_cash = skill.cash.c,
               .c_ols = skill.ols.c,
               .c_exposure = skill.exposure.c,
               .alpha_ann_frac = skill.alpha_mean * how.periods_per_year,
               .beta_mean = skill.beta_mean,
               .exposure_mean = skill.exposure_mean,
               .text = sweeps::level::market_share_text(skill.market_share()),
               .missing = {}};
  const bool stood = out.score.verdict == sweeps::Verdict::Converged;
  apply_gaps(part.gaps, skill.cash.return_mean, out.score, out.gaps);
  if (out.skill.text.empty() || stood) return out;
  out.score.reasons.insert(out.score.reasons.begin(),
                           "skill: C = " + fixed_digits(out.skill.c_cash) + " against cash, " +
                               fixed_digits(out.skill.c_ols) + " less beta times the market, " +
                               fixed_digits(out.skill.c_exposure) +
                               " less the market at the mean exposure: " + out.skill.text);
  return out;
}

}  // namespace winnow::serve
