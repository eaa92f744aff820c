#include "tests/sim/results.hpp"

#include <algorithm>
#include <limits>
#include <map>

#include "actors/codec.hpp"
#include "base/rng.hpp"

namespace winnow::sim {

namespace {

constexpr std::uint32_t kBlockRows = 16;

// Two datasets, so that there are two segments.
std::uint32_t sets_of(const SweepDecl& sweep) {
  return static_cast<std::uint32_t>(1 + std::count(sweep.data.begin(), sweep.data.end(), ','));
}
std::uint32_t samples_of(const SweepDecl& sweep) {  // of each dataset
  return std::max(1u, sweep.blocks / sets_of(sweep)) * kBlockRows;
}

// Blocks of a search that learns have half as many rows.
std::string search_text(const SweepDecl& sweep) {
  if (sweep.search == "random" && sweep.fidelity.empty()) {
    return "search: {method: random, samples: " + std::to_string(samples_of(sweep)) + "}";
  }
  // Of an objective that a day of data measures, as an annual one is not.
  return "search: {method: " + sweep.search +
         ", objective: total_return_frac, generation: 32, trials: " +
         std::to_string(samples_of(sweep) / 2) + "}" +
         (sweep.fidelity.empty() ? "" : "\nfidelity: " + sweep.fidelity);
}

std::string budget_text(const SweepDecl& sweep) {
  std::string out;
  if (sweep.budget_frac > 0) out += "trials: " + std::to_string(budget_trials(sweep));
  if (sweep.budget_cpu_s > 0) {
    out += out.empty() ? "" : ", ";
    out += "cpu_hours: " + std::to_string(sweep.budget_cpu_s / 3600);
  }
  return out.empty() ? "" : "budget: {" + out + "}\n";
}

}  // namespace

std::uint64_t budget_trials(const SweepDecl& sweep) {
  const double trials = sweep.budget_frac * samples_of(sweep) * sets_of(sweep);
  return trials <= 0 ? 0 : std::max<std::uint64_t>(kBlockRows, static_cast<std::uint64_t>(trials));
}

std::string spec_text(const SweepDecl& sweep) {
  return "sweep: " + sweep.name + "\ndata: [" + sweep.data +
         "]\n"
         "window: {}\n"
         "execution: none\n"
         "strategies:\n"
         "  - family: mean_reversion\n"
         "    params:\n"
         "      lookback_bars: {int: [2, 200]}\n"
         "      entry_z: {float: [0.5, 4.0]}\n"
         "      stop_bps: {float: [10, 1000]}\n" +
         search_text(sweep) + "\nseed: " + std::to_string(hash128(sweep.name).low % 1000) +
         "\npriority: " + std::to_string(sweep.priority) +
         "\nweight: " + std::to_string(sweep.weight) + "\n" + budget_text(sweep);
}

sweeps::Catalog catalog() {
  sweeps::DatasetInfo data;
  data.instrument = "SIM";
  data.interval = seconds(300);
  data.first = TimestampNs{} + days(19'000);
  data.bars = 288;
  data.last = data.first + DurationNs{data.interval.ns * 287};
  sweeps::Catalog out;
  out.dataset_names = {"sim-a", "sim-b", "sim-c", "sim-d", "sim-long"};
  out.dataset = [data](std::string_view name) -> std::optional<sweeps::DatasetInfo> {
    sweeps::DatasetInfo found = data;
    if (name == "sim-long") {  // a century of hours
      found.interval = hours(1);
      found.first = {};
      found.bars = 24 * 36'500;
      found.last = found.first + hours(static_cast<std::int64_t>(found.bars) - 1);
    } else if (name != "sim-a" && name != "sim-b" && name != "sim-c" && name != "sim-d") {
      return std::nullopt;
    }
    found.name = name;
    found.content_hash = "content of " + found.name;
    return found;
  };
  out.execution_names = {"none"};
  out.execution = [](std::string_view) -> Result<std::string> {
    return std::string("name: none\nsizing: all_in\ninitial_cash: 100000\n");
  };
  return out;
}

Result<Results::PlanPtr> Results::plan(const std::string& spec_json) {
  if (const auto known = plans_.find(spec_json); known != plans_.end()) return known->second;
  auto spec = sweeps::ResolvedSpec::from_json(spec_json);
  if (!spec) return spec.error();
  auto made = sweeps::Plan::make(std::move(*spec));
  if (!made) return made.error();
  return plans_[spec_json] = std::make_shared<const sweeps::Plan>(std::move(*made));
}

const std::string& Results::block(const PlanPtr& plan, std::uint64_t block) {
  if (blocks_.size() >= kBlocksMax) blocks_.clear();
  std::string& bytes = blocks_[{plan->id(), block}];
  if (!bytes.empty()) return bytes;
  const auto range = plan->block_range(block);
  const std::vector<double> params = plan->params(range.first_trial, range.rows);
  const std::size_t width = params.size() / range.rows;
  ResultBlock out;
  out.block = block;
  out.first_trial = range.first_trial;
  out.rows = range.rows;
  out.metric_count = static_cast<std::uint32_t>(engine::metric_decls().size());
  out.periods = 1;
  out.status.assign(range.rows, TrialStatus::Ok);
  out.metrics.resize(std::size_t{out.metric_count} * range.rows);
  out.returns.resize(range.rows);
  for (std::uint32_t row = 0; row < range.rows; ++row) {
    out.keys.push_back(plan->trial_key(block, std::span(params).subspan(row * width, width)));
    Rng rng(out.keys[row].low);
    for (std::uint32_t m = 0; m < out.metric_count; ++m) {
      out.metrics[std::size_t{m} * range.rows + row] = rng.uniform() * 4 - 2;
    }
    out.returns[row] = static_cast<float>(rng.uniform());
  }
  return bytes = actors::encode_block(out);
}

std::string Results::wrong_block(const std::string& right) {
  auto block = actors::decode_block(right);
  block->metrics[0] += 1;
  return actors::encode_block(*block);
}

std::string Results::cut_block(const std::string& right, const actors::Condemned& trials) {
  auto block = actors::decode_block(right);
  for (const auto& [trial, why] : trials) {
    const std::uint64_t row = trial - block->first_trial;
    if (row >= block->rows) continue;
    block->status[row] = TrialStatus::Cut;
    block->errors.push_back(why);
    for (std::uint32_t m = 0; m < block->metric_count; ++m) {
      block->metrics[std::size_t{m} * block->rows + row] = std::numeric_limits<double>::quiet_NaN();
    }
    block->returns[row] = std::numeric_limits<float>::quiet_NaN();
  }
  return actors::encode_block(*block);
}

Results& results() {
  static Results all;
  return all;
}

}  // namespace winnow::sim
