#pragma once

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "bench/engine_workloads.hpp"
#include "store/dataset_store.hpp"
#include "sweeps/resolved_spec.hpp"

// What the benchmarks of a whole farm plan on.
namespace winnow::actors {

/// Puts the market of `bars` five-minute bars into a farm's datasets.
inline Result<sweeps::DatasetInfo> put_market(const store::DatasetStore& datasets,
                                              const std::string& name, std::size_t bars) {
  MarketColumns market = bench::minute_market(42, bars);
  market.interval_ns = seconds(300).ns;
  for (std::size_t i = 0; i < bars; ++i) {
    market.time_ns[i] = days(19'000).ns + static_cast<std::int64_t>(i) * market.interval_ns;
  }
  store::NewDataset meta;
  meta.name = name;
  meta.instrument = "BENCH";
  meta.format = "synth";
  const auto put = datasets.put(market.view(), meta);
  if (!put) return put.error();
  return sweeps::DatasetInfo{.name = name,
                             .content_hash = put->manifest.content_hash,
                             .instrument = meta.instrument,
                             .first = put->manifest.first,
                             .last = put->manifest.last,
                             .interval = put->manifest.interval,
                             .bars = put->manifest.bars};
}

/// Of such markets, traded all in and without costs.
inline sweeps::Catalog catalog_of(std::vector<sweeps::DatasetInfo> markets) {
  sweeps::Catalog out;
  for (const auto& market : markets) out.dataset_names.push_back(market.name);
  out.dataset =
      [markets = std::move(markets)](std::string_view name) -> std::optional<sweeps::DatasetInfo> {
    const auto found = std::find_if(markets.begin(), markets.end(),
                                    [&](const auto& market) { return market.name == name; });
    return found == markets.end() ? std::nullopt : std::optional(*found);
  };
  out.execution_names = {"none"};
  out.execution = [](std::string_view) -> Result<std::string> {
    return std::string("name: none\nsizing: all_in\ninitial_cash: 100000\n");
  };
  return out;
}

}  // namespace winnow::actors
