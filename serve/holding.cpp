#include "serve/holding.hpp"

#include <array>
#include <cmath>

#include "base/text.hpp"
#include "serve/board_cache.hpp"
#include "serve/rerun.hpp"

namespace winnow::serve {
namespace {

// What holding says of itself: alpha, beta, trades and costs are those of a variant.
constexpr std::array kHoldingMetrics = {"total_return_frac", "cagr_frac",         "sharpe_ann",
                                        "sortino_ann",       "vol_ann",           "calmar",
                                        "drawdown_max_frac", "positive_days_frac"};

Result<std::shared_ptr<const engine::Holding>> hold(const Sources& sources,
                                                    const sweeps::ResolvedSpec& spec,
                                                    std::size_t dataset) {
  const auto loaded = sources.datasets->load(spec.data[dataset].content_hash);
  if (!loaded.ok()) return loaded.error();
  auto held = engine::hold_market(loaded->view(), window_of(loaded->view(), spec));
  if (!held.ok()) return held.error();
  return std::make_shared<const engine::Holding>(*std::move(held));
}

}  // namespace

Result<std::shared_ptr<const engine::Holding>> hold_dataset(const Sources& sources,
                                                            const SweepView& view,
                                                            std::size_t dataset) {
  if (sources.datasets == nullptr) {
    return Error(ErrorCode::NotFound, "no datasets are here");
  }
  const sweeps::ResolvedSpec& spec = view.plan.spec();
  const auto make = [&] { return hold(sources, spec, dataset); };
  if (sources.boards == nullptr) return make();
  const std::string name =
      json_text(Json{spec.data[dataset].content_hash, spec.from.ns, spec.to.ns});
  return sources.boards->holdings().get(name, {}, make);
}

answer::Holding holding_of(const Sources& sources, const SweepView& view, std::size_t dataset) {
  const sweeps::DatasetInfo& info = view.plan.spec().data[dataset];
  answer::Holding out{.data = info.name,
                      .calendar = std::string(engine::calendar_name(info.periods_per_year)),
                      .periods_per_year = info.periods_per_year};
  const auto held = hold_dataset(sources, view, dataset);
  if (!held.ok()) {
    out.reason = held.error().text();
    return out;
  }
  out.days = (*held)->returns.size();
  out.metrics = Json::object();
  for (const char* name : kHoldingMetrics) {
    const double v = (*held)->metrics[static_cast<std::size_t>(engine::find_metric(name))];
    out.metrics[name] = number_json(v);
    if (!std::isfinite(v)) {
      out.notes =
          "what stands empty is not measurable: annual figures need 30 days, ratios "
          "returns that vary";
    }
  }
  return out;
}

std::vector<answer::Holding> holdings_of(const Sources& sources, const SweepView& view) {
  std::vector<answer::Holding> out;
  for (std::size_t d = 0; d < view.plan.spec().data.size(); ++d) {
    out.push_back(holding_of(sources, view, d));
  }
  return out;
}

}  // namespace winnow::serve
