#include "serve/regime_part.hpp"

#include <algorithm>
#include <string>
#include <vector>

#include "base/time.hpp"
#include "engine/engine.hpp"
#include "serve/rerun.hpp"
#include "sweeps/regimes.hpp"

namespace winnow::serve {
namespace {

/// The UTC days of a market that have bars, with their closes.
struct DayCloses {
  std::vector<std::int64_t> days;
  std::vector<double> closes;
};

DayCloses day_closes(const MarketView& market) {
  DayCloses out;
  for (std::size_t t = 0; t < market.size(); ++t) {
    const std::int64_t day = utc_day_of_ns(market.time_ns[t]);
    if (out.days.empty() || out.days.back() != day) {
      out.days.push_back(day);
      out.closes.push_back(0);
    }
    out.closes.back() = market.close[t];
  }
  return out;
}

Json group_json(const sweeps::RegimeDecl& decl, std::size_t state,
                const sweeps::RegimeGroup& group) {
  const bool known = state < decl.states.size();
  return {{"regime", decl.name},
          {"state", known ? Json(decl.states[state]) : Json("unknown")},
          {"days", group.days},
          {"mean_frac", number_json(group.mean_frac)},
          {"sharpe_ann", number_json(group.sharpe_ann)},
          {"sum_frac", number_json(group.sum_frac)}};
}

}  // namespace

Json regimes_json(const Sources& sources, const SweepView& view, std::uint64_t trial,
                  std::span<const float> returns, std::string& reason) {
  const sweeps::Segment& segment = view.plan.segment_of_trial(trial);
  const sweeps::DatasetInfo& info = view.dataset(segment);
  if (sources.datasets == nullptr) {
    reason = "no datasets are here, so in which regimes it earned is not known";
    return {};
  }
  const auto loaded = sources.datasets->load(info.content_hash);
  if (!loaded.ok()) {
    reason = "in which regimes it earned is not known: " + loaded.error().text();
    return {};
  }
  const MarketView& market = loaded->view();
  const auto starts = engine::period_starts(market, window_of(market, view.plan.spec()));
  if (starts.size() < returns.size()) {
    reason = "dataset " + info.name +
             " has fewer days in the window than the results, so in which " +
             "regimes it earned is not known";
    return {};
  }
  const DayCloses known = day_closes(market);
  const auto first =
      std::lower_bound(known.days.begin(), known.days.end(), utc_day_of_ns(starts.front())) -
      known.days.begin();
  const std::vector<double> earned(returns.begin(), returns.end());
  Json out = Json::array();
  for (const sweeps::RegimeDecl& decl : sweeps::regime_decls()) {
    const auto states = sweeps::regime_states(decl, known.closes);
    const auto of_window = std::span(states).subspan(static_cast<std::size_t>(first));
    const auto groups = sweeps::regime_groups(decl, of_window.first(earned.size()), earned,
                                              view.periods_per_year(segment));
    for (std::size_t s = 0; s < groups.size(); ++s) {
      if (groups[s].days > 0) out.push_back(group_json(decl, s, groups[s]));
    }
  }
  return out;
}

}  // namespace winnow::serve
