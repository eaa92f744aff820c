#include "serve/period_days.hpp"

#include <algorithm>
#include <numeric>

#include "engine/engine.hpp"
#include "sweeps/spec_params.hpp"

namespace winnow::serve {
namespace {

std::vector<std::int64_t> days_of_dataset(const Sources& sources, const SweepView& view,
                                          const sweeps::Segment& segment) {
  if (sources.datasets == nullptr) return {};
  const auto dataset = sources.datasets->load(view.dataset(segment).content_hash);
  if (!dataset.ok()) return {};
  const MarketView& market = dataset->view();
  const auto at = [&](TimestampNs t) {
    return static_cast<std::size_t>(
        std::lower_bound(market.time_ns.begin(), market.time_ns.end(), t.ns) -
        market.time_ns.begin());
  };
  const engine::Window window{at(view.plan.spec().from), at(view.plan.spec().to)};
  if (window.first >= window.last) return {};
  std::vector<std::int64_t> out;
  for (const std::int64_t start : engine::period_starts(market, window)) {
    out.push_back(utc_day(TimestampNs{start}));
  }
  return out;
}

}  // namespace

PeriodDays period_days(const Sources& sources, const SweepView& view,
                       const sweeps::Segment& segment, std::uint32_t periods) {
  PeriodDays out;
  const auto& spec = view.plan.spec();
  if (periods != sweeps::window_days(spec, view.dataset(segment))) {
    out.days = days_of_dataset(sources, view, segment);
    if (out.days.size() == periods) return out;
    out.known = false;
  }
  out.days.resize(periods);
  std::iota(out.days.begin(), out.days.end(),
            utc_day(std::max(spec.from, view.dataset(segment).first)));
  return out;
}

double periods_per_year(const SweepView& view, const sweeps::Segment& segment) {
  return view.periods_per_year(segment);
}

}  // namespace winnow::serve
