// From a market specification to datasets whose manifests hold the truth.
#include <nlohmann/json.hpp>

#include "base/text.hpp"
#include "cli/market_spec.hpp"
#include "engine/synth/market_sim.hpp"
#include "store/dataset_files.hpp"

namespace winnow::cli {
namespace {

namespace synth = engine::synth;
using Json = nlohmann::ordered_json;

std::string_view edge_name(synth::EdgeKind kind) {
  switch (kind) {
    case synth::EdgeKind::None:
      return "none";
    case synth::EdgeKind::MeanReversion:
      return "mean_reversion";
    case synth::EdgeKind::Trend:
      return "trend";
  }
  return "";
}

Json regimes_json(const synth::SimulatedInstrument& instrument) {
  constexpr std::size_t kRunsMax = 10'000;
  Json kinds = Json::array();
  for (const auto& r : instrument.spec.regimes) {
    kinds.push_back({{"name", r.name},
                     {"volatility_ann_frac", r.volatility_ann_frac},
                     {"drift_ann_frac", r.drift_ann_frac},
                     {"mean_duration", format_duration(r.mean_duration)}});
  }
  Json runs = Json::array();
  for (const auto& run : instrument.truth.regimes) {
    if (runs.size() == kRunsMax) break;
    runs.push_back({run.first_bar, run.regime});
  }
  return {{"kinds", std::move(kinds)},
          {"changes", instrument.truth.regimes.size()},
          {"first_bar_and_kind", std::move(runs)}};
}

std::string truth_json(const synth::SimulatedInstrument& instrument, const synth::MarketSpec& spec,
                       std::uint64_t seed) {
  const auto& s = instrument.spec;
  const auto& truth = instrument.truth;
  Json out{{"market", spec.name},
           {"seed", seed},
           {"simulator_version", synth::kSimulatorVersion},
           {"martingale", truth.martingale},
           {"edge", {{"kind", edge_name(s.edge.kind)}}}};
  if (s.edge.kind != synth::EdgeKind::None) {
    out["edge"]["half_life_bars"] = truth.edge.half_life_bars;
    out["edge"]["amplitude_sd_frac"] = truth.edge.amplitude_sd_frac;
    out["edge"]["sharpe_ann_prices"] = truth.edge.sharpe_ann_prices;
    out["edge"]["sharpe_ann_state"] = truth.edge.sharpe_ann_state;
  }
  if (s.pair) {
    out["pair"] = {{"with", s.pair->with},
                   {"hedge_ratio", s.pair->hedge_ratio},
                   {"half_life_bars", truth.pair_half_life_bars},
                   {"spread_sd_frac", s.pair->spread_sd_frac}};
    return json_text(out);
  }
  out["volatility_bar_frac"] = truth.volatility_bar_frac;
  out["tail_dof"] = s.tail_dof;
  out["regimes"] = regimes_json(instrument);
  Json jumps = Json::array();
  for (const auto& jump : truth.jumps) jumps.push_back({jump.bar, jump.size_frac});
  out["jumps_bar_and_size_frac"] = std::move(jumps);
  return json_text(out);
}

std::string dataset_name(const std::string& name, const std::string& instrument,
                         std::size_t instruments) {
  if (instruments == 1) return name;
  return instrument.starts_with(name + "-") ? instrument : name + "-" + instrument;
}

}  // namespace

Result<std::vector<store::PutOutcome>> synth_datasets(const store::DatasetStore& datasets,
                                                      const SynthRequest& request) {
  WINNOW_TRY(store::DatasetStore::check_name(request.name));
  auto text = store::read_whole_file(request.spec_file);
  if (!text.ok()) return text.error();
  auto spec = parse_market_spec(*text, request.spec_file.string());
  if (!spec.ok()) return spec.error();
  auto market = synth::simulate_market(*spec, request.seed);
  if (!market.ok()) return market.error();

  std::vector<store::PutOutcome> out;
  for (const auto& instrument : *market) {
    store::NewDataset meta;
    meta.name = dataset_name(request.name, instrument.spec.name, market->size());
    meta.instrument = instrument.spec.name;
    meta.format = "synth";
    meta.created = request.now;
    meta.seal = request.seal;
    meta.raw.push_back({request.spec_file.filename().string(), "spec", *text});
    meta.notes.push_back("simulated with seed " + std::to_string(request.seed) +
                         "; `truth` says what is in it");
    meta.truth_json = truth_json(instrument, *spec, request.seed);
    auto stored = datasets.put(instrument.columns.view(), meta);
    if (!stored.ok()) return stored.error();
    out.push_back(*std::move(stored));
  }
  return out;
}

}  // namespace winnow::cli
