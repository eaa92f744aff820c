#include "serve/score_opened.hpp"

#include <algorithm>

#include "base/check.hpp"
#include "base/hash.hpp"
#include "serve/market_part.hpp"
#include "serve/score_rows.hpp"
#include "sweeps/level/skill.hpp"
#include "sweeps/level/tile_search.hpp"

namespace winnow::serve {
namespace {

/// The seed of a claim's sign flips: of everything that it fixed.
std::uint64_t flip_seed(const sweeps::level::Claim& claim) { return hash128(claim.id).low; }

/// Finds the best tile of a declared search on the judged panel, and the rows in it.
std::vector<std::uint32_t> zoom(const Sources& sources, const SweepView& view,
                                const sweeps::Segment& segment, const FamilyPanel& panel,
                                const sweeps::PanelView& judged, const MarketPart& market,
                                const sweeps::level::Claim& claim, ZoomedTile& out) {
  namespace level = sweeps::level;
  const std::size_t blocks = level::tile_blocks(judged.periods());
  const std::vector<double> betas = level::market_betas(judged, market.returns, sources.parallel);
  const auto means = [&](std::span<const double> shares) {
    const level::LessMarket rest(judged, shares, market.returns, sources.parallel);
    return level::scaled_block_means(rest.view(), blocks, sources.parallel);
  };
  const std::vector<double> ols = means(betas);
  const std::vector<double> exposure = means(market.mean_exposure);
  std::vector<std::string> names;
  for (const auto& p : view.plan.spec().strategies[segment.strategy].params)
    names.push_back(p.name);
  std::vector<double> params;
  for (const std::uint64_t trial : panel.trial) {
    const std::vector<double> row = view.plan.params(trial, 1);
    params.insert(params.end(), row.begin(), row.end());
  }
  const std::vector<level::SpaceTile> tiles = level::space_tiles(params, names);
  const level::BestTile best =
      level::search_space(ols, exposure, blocks, tiles, flip_seed(claim), sources.parallel);
  out = {.text = tiles[best.tile].text,
         .variants = tiles[best.tile].rows.size(),
         .tiles = best.tiles,
         .flips = best.flips,
         .p_ols = best.p_ols,
         .p_exposure = best.p_exposure};
  return tiles[best.tile].rows;
}

}  // namespace

Status score_opened(const Sources& sources, const SweepView& view, const sweeps::Segment& segment,
                    const OpenedPart& part, const Judging& judging, sweeps::ConvergenceOptions how,
                    FamilyScore& out) {
  WINNOW_REQUIRES(out.opened.has_value());
  const FamilyPanel& panel = part.panel;
  if (judging.days.empty()) {
    out.score.reasons = {"days: somebody had seen every one that could judge it"};
    return {};
  }
  FamilyPanel cut;
  if (!judging.all) cut = judged_panel(panel, judging);
  const FamilyPanel& judged = judging.all ? panel : cut;
  const auto all = sweeps::PanelView::of(judged.returns, judged.trial.size(), judged.periods);
  auto market = read_market_part(sources, view, segment, panel, judging.periods);
  if (market.ok()) market->returns = judged_values(market->returns, judging);
  const bool searches = out.opened->claim.mode == sweeps::level::OpenMode::Search;
  const bool enough = sweeps::level::tile_blocks(judged.periods) > 1;
  if (!searches || !market.ok() || !enough || judged.trial.empty()) {
    set_rows_score(score_rows({all, nullptr, part.gaps}, market, how, sources.parallel), out);
    return {};
  }
  ZoomedTile tile;
  const std::vector<std::uint32_t> rows =
      zoom(sources, view, segment, judged, all, *market, out.opened->claim, tile);
  how.launched = how.chosen = rows.size();
  if (rows.size() < judged.trial.size()) how.spread = {};  // a part of the space by construction
  set_rows_score(score_rows({all, &rows, part.gaps}, market, how, sources.parallel), out);
  out.tile = std::move(tile);
  return {};
}

double look_p(const FamilyScore& family) {
  double p = family.score.p_value();
  if (family.tile) p = std::max({p, family.tile->p_ols, family.tile->p_exposure});
  return p;
}

Status look_at(const Sources& sources, const Judging& judging, FamilyScore& family) {
  if (!family.opened || judging.look == 0 || family.committed != family.trials) return {};
  // Nothing was found yet: a look at it would be lost.
  if (!family.skill.missing.empty()) return {};
  family.look_recordable = sources.verdicts == nullptr;
  if (family.look_recordable) return {};
  const sweeps::level::LookRecord look{.judged_days = family.judged_days,
                                       .p = look_p(family),
                                       .gates = family.score.verdict == sweeps::Verdict::Converged,
                                       .bound = 0,
                                       .time = system_clock().now(),
                                       .number = judging.look,
                                       .to_day = judging.days.back() + 1};
  auto documents = documents_of(sources);
  auto after =
      sweeps::level::take_look(documents, family.opened->account, family.opened->claim.id, look);
  if (!after.ok()) return after.error();
  family.opened = std::move(*after);
  return {};
}

}  // namespace winnow::serve
