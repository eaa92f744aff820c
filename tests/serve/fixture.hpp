#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <memory>
#include <sstream>
#include <string>
#include <vector>

#include "base/rng.hpp"
#include "engine/engine.hpp"
#include "serve/query.hpp"
#include "store/dataset_store.hpp"
#include "store/store.hpp"
#include "sweeps/adaptive.hpp"
#include "sweeps/generation.hpp"
#include "sweeps/plan.hpp"

namespace winnow::serve {

template <class T>
T must(Result<T> result) {
  if (!result.ok()) {
    ADD_FAILURE() << result.error().text();
    std::abort();
  }
  return std::move(*result);
}
inline void must(Status status) {
  if (!status.ok()) ADD_FAILURE() << status.error().text();
}

/// A seeded market: a price that reverts to a wandering mean, so that families differ.
inline MarketColumns seeded_market(std::uint64_t seed, std::size_t bars) {
  MarketColumns out;
  Rng rng(seed);
  out.interval_ns = hours(1).ns;
  const std::int64_t start = must(parse_timestamp("2023-01-01")).ns;
  double mean = std::log(100.0);
  double pull = 0;
  double before = 100;
  for (std::size_t i = 0; i < bars; ++i) {
    mean += 0.002 * (rng.uniform() + rng.uniform() - 1);
    pull = 0.9 * pull + 0.01 * (rng.uniform() + rng.uniform() - 1);
    const double close = std::exp(mean + pull);
    out.time_ns.push_back(start + static_cast<std::int64_t>(i) * out.interval_ns);
    out.open.push_back(before);
    out.close.push_back(close);
    out.high.push_back(std::max(before, close) * (1 + 0.001 * rng.uniform()));
    out.low.push_back(std::min(before, close) * (1 - 0.001 * rng.uniform()));
    out.volume.push_back(1000 + 100 * rng.uniform());
    before = close;
  }
  return out;
}

inline const std::string kSpecYaml = R"(sweep: test
data: [alpha, beta]
window: {from: 2023-01-05, to: 2023-06-01, holdout: 10d}
execution: plain
strategies:
  - family: mean_reversion
    params:
      lookback_bars: {int: [12, 72], step: 12}
      entry_z: {float: [1.0, 2.5], step: 0.5}
      stop_bps: {values: [0, 200]}
  - family: sma_cross
    params:
      fast_bars: {int: [4, 20], step: 4}
      slow_bars: {int: [24, 96], step: 24}
search: {method: grid}
seed: 7
)";

/// Purpose: a home with two datasets and sweeps that the engine really ran. Thread: one.
class Home {
 public:
  Home() {
    const bool in_memory = ::access("/dev/shm", W_OK) == 0;
    std::string pattern =
        ((in_memory ? std::filesystem::path("/dev/shm") : std::filesystem::temp_directory_path()) /
         "winnow-serve-XXXXXX")
            .string();
    if (::mkdtemp(pattern.data()) == nullptr) ADD_FAILURE() << "no folder " << pattern;
    path_ = pattern;
    datasets_.emplace(must(store::DatasetStore::open(path_ / "data")));
    store_ = must(store::Store::open(path_ / "store"));
    add_market("alpha", seeded_market(1, 24 * 160));
    add_market("beta", seeded_market(2, 24 * 160));
  }
  ~Home() {
    store_.reset();
    std::error_code ec;
    if (!kept_) std::filesystem::remove_all(path_, ec);
  }
  Home(const Home&) = delete;
  Home& operator=(const Home&) = delete;

  const std::filesystem::path& path() const { return path_; }
  void keep() { kept_ = true; }
  store::Store& store() { return *store_; }
  Sources sources() {
    Sources s;
    s.store = store_.get();
    s.datasets = &*datasets_;
    s.asker = {.name = "ann", .rights = cluster::Rights::Operator};
    return s;
  }

  struct RunOptions {
    std::string name = "demo";                     // as stored
    std::uint64_t blocks_max = ~std::uint64_t{0};  ///< fewer: an interrupted sweep
    std::uint64_t failed_trial = ~std::uint64_t{0};
    std::string failure = "engine stopped";
    std::string yaml = kSpecYaml;
    std::int64_t created_s = 1'700'000'000;
    std::size_t metrics_dropped = 0;  ///< the last so many: results of an earlier engine
  };

  sweeps::Plan plan(const RunOptions& o) {
    std::string yaml = o.yaml;
    sweeps::Catalog catalog;
    catalog.dataset_names = datasets_->names();
    catalog.dataset = [this](std::string_view name) -> std::optional<sweeps::DatasetInfo> {
      const auto m = datasets_->manifest(name);
      if (!m.ok()) return std::nullopt;
      return sweeps::DatasetInfo{.name = m->name,
                                 .content_hash = m->content_hash,
                                 .instrument = m->instrument,
                                 .first = m->first,
                                 .last = m->last,
                                 .interval = m->interval,
                                 .bars = m->bars,
                                 .has_funding = false};
    };
    catalog.execution_names = {"plain"};
    catalog.execution = [](std::string_view) -> Result<std::string> {
      return std::string("name: plain\ntaker_fee_bps: 2\nmaker_fee_bps: 1\n");
    };
    return must(sweeps::Plan::make(must(sweeps::parse_spec(yaml, "spec.yaml", catalog))));
  }

  /// Plans, runs and commits a sweep; gives its id.
  std::string run(const RunOptions& o) {
    const sweeps::Plan p = plan(o);
    store::SweepMeta meta;
    meta.id = p.id();
    meta.name = o.name;  // the store takes any text, a specification does not
    meta.spec_json = p.spec().to_json();
    meta.user = "tester";
    meta.created = {o.created_s * 1'000'000'000};
    meta.finished = {(o.created_s + 20) * 1'000'000'000};
    meta.trials = p.trials();
    meta.blocks = p.blocks();
    meta.engine_version = engine::kEngineVersion;
    meta.code_version = "test";
    for (const auto& d : engine::metric_decls()) meta.metric_names.emplace_back(d.name);
    meta.metric_names.resize(meta.metric_names.size() - o.metrics_dropped);
    const bool cut = o.blocks_max < p.blocks();
    meta.state = cut ? store::SweepState::Paused : store::SweepState::Done;
    if (cut) meta.finished = {};
    must(store_->put_sweep(meta));
    if (p.spec().learns()) {
      learn(p, meta, o);
      return meta.id;
    }
    for (std::uint64_t b = 0; b < std::min(p.blocks(), o.blocks_max); ++b) {
      commit(p, meta, run_block(p, b, o));
    }
    return meta.id;
  }

  void add_market(const std::string& name, const MarketColumns& columns) {
    store::NewDataset meta;
    meta.name = name;
    meta.instrument = "SIM-" + name;
    meta.format = "test";
    must(datasets_->put(columns.view(), meta));
  }

 private:
  // A search of one segment, generation by generation, as a coordinator runs it.
  void learn(sweeps::Plan p, const store::SweepMeta& meta, const RunOptions& o) {
    const sweeps::Segment segment = p.segments()[0];
    auto search = must(sweeps::SegmentSearch::make(p, segment));
    std::uint64_t made = 0;
    for (std::uint64_t g = 0; made < segment.trials; ++g) {
      must(search.open());
      const sweeps::GenerationRows rows = search.open_rows();
      p = must(p.with_rows({&rows, 1}));
      must(store_->put_document(sweeps::kGenerationKind,
                                sweeps::generation_key(meta.id, segment.index, g),
                                sweeps::encode_generation(rows)));
      std::vector<sweeps::search::Outcome> outcomes;
      const std::uint64_t first = segment.first_block + made / p.block_rows();
      made += rows.rows();
      for (std::uint64_t b = first; b < segment.first_block + made / p.block_rows(); ++b) {
        const ResultBlock block = run_block(p, b, o);
        commit(p, meta, block);
        for (std::uint32_t r = 0; r < block.rows; ++r) {
          outcomes.push_back(sweeps::outcome_of(p.spec().adaptive, block, r));
        }
      }
      must(search.tell(outcomes));
    }
  }

  ResultBlock run_block(const sweeps::Plan& p, std::uint64_t b, const RunOptions& o) {
    const sweeps::Segment& segment = p.segment_of_block(b);
    const auto range = p.block_range(b);
    const auto dataset = must(datasets_->load(p.spec().data[segment.dataset].name));
    const MarketView& market = dataset.view();
    const auto at = [&](TimestampNs t) {
      return static_cast<std::size_t>(
          std::lower_bound(market.time_ns.begin(), market.time_ns.end(), t.ns) -
          market.time_ns.begin());
    };
    engine::BatchRequest request;
    request.market = &market;
    request.window = {at(p.spec().from), at(p.window_to(b))};
    request.family = &p.family(segment);
    const std::vector<double> params = p.params(range.first_trial, range.rows);
    request.params = params;
    request.execution = &p.execution(segment);
    const engine::BatchResult result = must(engine::run_batch(request));
    ResultBlock block;
    block.block = b;
    block.first_trial = range.first_trial;
    block.rows = range.rows;
    block.metric_count =
        static_cast<std::uint32_t>(engine::metric_decls().size() - o.metrics_dropped);
    block.periods = static_cast<std::uint32_t>(result.periods);
    block.metrics = result.metrics;
    block.metrics.resize(std::size_t{block.metric_count} * range.rows);
    block.returns = result.returns;
    block.exposures = result.exposures;
    block.status.assign(range.rows, TrialStatus::Ok);
    const std::size_t width = p.family(segment).params.size();
    for (std::uint32_t r = 0; r < range.rows; ++r) {
      block.keys.push_back(p.trial_key(b, std::span(params).subspan(r * width, width)));
      if (range.first_trial + r == o.failed_trial) fail_row(block, r, o.failure);
    }
    return block;
  }

  static void fail_row(ResultBlock& block, std::uint32_t r, const std::string& why) {
    block.status[r] = TrialStatus::Failed;
    block.errors.push_back(why);
    for (std::uint32_t m = 0; m < block.metric_count; ++m) {
      block.metrics[std::size_t{m} * block.rows + r] = std::nan("");
    }
    for (std::uint32_t p = 0; p < block.periods; ++p) {
      block.returns[std::size_t{r} * block.periods + p] = std::nanf("");
      block.exposures[std::size_t{r} * block.periods + p] = std::nanf("");
    }
  }

  void commit(const sweeps::Plan& p, const store::SweepMeta& meta, const ResultBlock& block) {
    const sweeps::Segment& segment = p.segment_of_block(block.block);
    const store::BlockCommit one{.sweep_id = meta.id,
                                 .dataset_hash = p.spec().data[segment.dataset].content_hash,
                                 .family = p.spec().strategies[segment.strategy].family,
                                 .user = meta.user,
                                 .block = &block,
                                 .edition = p.edition(segment)};
    must(store_->commit({&one, 1}, meta.created));
  }

  std::filesystem::path path_;
  std::optional<store::DatasetStore> datasets_;
  std::unique_ptr<store::Store> store_;
  bool kept_ = false;
};

}  // namespace winnow::serve
