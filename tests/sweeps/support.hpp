#pragma once

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include "sweeps/plan.hpp"

namespace winnow::sweeps::testing {

inline std::string read_text(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  std::ostringstream out;
  out << in.rdbuf();
  return out.str();
}

std::filesystem::path source_dir();

inline TimestampNs at(std::string_view text) { return parse_timestamp(text).value(); }

inline DatasetInfo dataset(const std::string& name, const std::string& instrument) {
  DatasetInfo d;
  d.name = name;
  d.content_hash = "hash-of-" + name;
  d.instrument = instrument;
  d.interval = seconds(300);
  d.first = at("2023-01-01");
  d.last = at("2024-05-14T15:35");
  d.bars = static_cast<std::uint64_t>((d.last - d.first).ns / d.interval.ns) + 1;
  d.has_funding = true;
  return d;
}

/// Four datasets and the execution profiles of the source tree.
inline Catalog catalog() {
  const std::vector<DatasetInfo> all{dataset("btcusdt-5m", "BTCUSDT"),
                                     dataset("ethusdt-5m", "ETHUSDT"),
                                     dataset("sim-btc", "SIM-BTC"), dataset("sim-eth", "SIM-ETH")};
  Catalog c;
  for (const DatasetInfo& d : all) c.dataset_names.push_back(d.name);
  c.dataset = [all](std::string_view name) -> std::optional<DatasetInfo> {
    for (const DatasetInfo& d : all) {
      if (d.name == name) return d;
    }
    return std::nullopt;
  };
  c.execution_names = {"binance-spot", "binance-usdm", "none", "okx-swap"};
  c.execution = [](std::string_view name) -> Result<std::string> {
    return read_text(source_dir() / "configs/execution" / (std::string(name) + ".yaml"));
  };
  return c;
}

/// The specification that tests change one thing of.
inline const std::string kSpec = R"(sweep: demo
data: [btcusdt-5m, ethusdt-5m]
window: {from: 2023-01-01, to: 2024-01-01, holdout: 90d}
execution: binance-usdm
strategies:
  - family: mean_reversion
    params:
      lookback_bars: {int: [12, 288], step: 12}
      entry_z: {float: [1.0, 3.0], step: 0.25}
      stop_bps: {values: [50, 100, 200]}
  - family: sma_cross
    params:
      fast_bars: {int: [4, 40], step: 4}
      slow_bars: {int: [12, 120], step: 12}
search: {method: grid}
validation: {protocol: walk_forward, train: 90d, test: 30d, step: 30d, embargo: 1d}
seed: 42
priority: 0
budget: {trials: 100000, cpu_hours: 2}
)";

/// kSpec with the first `from` replaced by `to`.
inline std::string with(std::string_view from, std::string_view to, std::string spec = kSpec) {
  const std::size_t at_text = spec.find(from);
  if (at_text == std::string::npos) return "THE TEXT TO REPLACE IS NOT THERE";
  return spec.replace(at_text, from.size(), to);
}

inline Result<Plan> plan_of(std::string_view yaml) {
  Result<ResolvedSpec> spec = parse_spec(yaml, "spec.yaml", catalog());
  if (!spec) return spec.error();
  return Plan::make(*std::move(spec));
}

/// The error text, or "accepted".
inline std::string refusal(std::string_view yaml) {
  const Result<ResolvedSpec> spec = parse_spec(yaml, "spec.yaml", catalog());
  return spec ? "accepted" : spec.error().text();
}

}  // namespace winnow::sweeps::testing
