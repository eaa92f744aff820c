// Leaderboards of a stored sweep, as a process that answers for long gives them: the first page
// after a start (First), a page by another metric (ByAnother), and pages anywhere in a board that
// was asked for (Page by rank, Next by cursor). Pages by the Sharpe ratio are compared with the
// plan's own numbers in order; those by another metric have to descend in it and to fulfil their
// condition. A million variants of 30 metrics and a year of days.
//
// WINNOW_BENCH_DIR and WINNOW_BENCH_SMALL as in store_commit.cpp.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <chrono>
#include <limits>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "base/rng.hpp"
#include "bench/farm_data.hpp"
#include "bench/farm_runner.hpp"
#include "bench/store_data.hpp"
#include "serve/board_cache.hpp"
#include "serve/parallel.hpp"
#include "serve/query.hpp"
#include "store/store.hpp"

namespace winnow::actors {
namespace {

constexpr std::size_t kBars = 288 * 365;  // of five minutes

std::uint64_t trials() { return std::getenv("WINNOW_BENCH_SMALL") != nullptr ? 4'000 : 1'000'000; }

/// Purpose: a home with one stored sweep of made-up results, and the trials by its Sharpe ratios.
/// Thread: one.
class Home {
 public:
  static Result<std::unique_ptr<Home>> make() {
    auto out = std::make_unique<Home>();
    auto datasets = store::DatasetStore::open(out->dir_.path() / "data");
    if (!datasets) return datasets.error();
    out->datasets_.emplace(*std::move(datasets));
    const auto market = put_market(*out->datasets_, "bench", kBars);
    if (!market) return market.error();
    auto spec = sweeps::parse_spec(
        "sweep: board\ndata: [bench]\nexecution: none\nstrategies:\n  - family: mean_reversion\n"
        "    params:\n      lookback_bars: {int: [2, 200]}\n      entry_z: {float: [0.5, 4.0]}\n"
        "      exit_z: {float: [0.0, 0.4]}\n      stop_bps: {float: [10, 1000]}\n"
        "search: {method: random, samples: " +
            std::to_string(trials()) + "}\nseed: 5\n",
        "board.yaml", catalog_of({*market}));
    if (!spec) return spec.error();
    const auto plan = sweeps::Plan::make(*std::move(spec));
    if (!plan) return plan.error();
    WINNOW_TRY(out->commit(*plan));
    return out;
  }

  serve::Sources sources(serve::BoardCache* boards) const {
    serve::Sources out;
    out.store = store_.get();
    out.datasets = &*datasets_;
    out.boards = boards;
    out.parallel = serve::threads_for();
    out.asker = {.name = "bench", .rights = cluster::Rights::Viewer};
    return out;
  }
  /// Best first.
  const std::vector<std::pair<double, std::uint64_t>>& ranked() const { return ranked_; }

 private:
  Status commit(const sweeps::Plan& plan) {
    auto opened = store::Store::open(dir_.path() / "store");
    if (!opened) return opened.error();
    store_ = *std::move(opened);
    store::SweepMeta meta;
    meta.id = plan.id();
    meta.name = "board";
    meta.spec_json = plan.spec().to_json();
    meta.user = "bench";
    meta.created = {1};
    meta.finished = {2};
    meta.trials = plan.trials();
    meta.blocks = plan.blocks();
    meta.engine_version = engine::kEngineVersion;
    meta.state = store::SweepState::Done;
    for (const auto& d : engine::metric_decls()) meta.metric_names.emplace_back(d.name);
    WINNOW_TRY(store_->put_sweep(meta));
    const auto sharpe = static_cast<std::size_t>(engine::find_metric("sharpe_ann"));
    for (std::uint64_t b = 0; b < plan.blocks();) {
      std::vector<ResultBlock> blocks;
      for (; blocks.size() < 16 && b < plan.blocks(); ++b) {
        blocks.push_back(made_block(plan, b));
        const ResultBlock& block = blocks.back();
        for (std::uint32_t row = 0; row < block.rows; ++row) {
          ranked_.emplace_back(-block.metrics[sharpe * block.rows + row], block.first_trial + row);
        }
      }
      std::vector<store::BlockCommit> group;
      for (const ResultBlock& block : blocks) {
        group.push_back(
            {meta.id, plan.spec().data[0].content_hash, "mean_reversion", "bench", &block});
      }
      const auto done = store_->commit(group, {3});
      if (!done) return done.error();
    }
    std::sort(ranked_.begin(), ranked_.end());
    return {};
  }

  store::BenchDir dir_;
  std::optional<store::DatasetStore> datasets_;
  std::unique_ptr<store::Store> store_;
  std::vector<std::pair<double, std::uint64_t>> ranked_;
};

Home* home() {
  static const auto made = Home::make();
  if (!made) std::fprintf(stderr, "%s\n", made.error().text().c_str());
  return made ? made->get() : nullptr;
}

/// Asks for a page and checks that it begins at place `begin` of the Sharpe ratios; null: it does
/// not.
serve::Json page(benchmark::State& state, serve::BoardCache& boards, serve::Json args,
                 std::size_t begin) {
  const auto limit = static_cast<std::uint64_t>(state.range(0));
  args["limit"] = limit;
  const auto answer = serve::query(home()->sources(&boards), "top", args);
  if (!answer) {
    state.SkipWithError(answer.error().text().c_str());
    return {};
  }
  const auto& rows = (*answer)["rows"];
  for (std::size_t i = 0; i < rows.size(); ++i) {
    if (rows[i]["trial"] == home()->ranked()[begin + i].second) continue;
    state.SkipWithError("another order than that of the ratios");
    return {};
  }
  if (rows.size() != std::min<std::size_t>(limit, home()->ranked().size() - begin)) {
    state.SkipWithError("another number of rows");
    return {};
  }
  return *answer;
}

/// Times of single answers.
class Times {
 public:
  template <class Ask>
  auto of(const Ask& ask) {
    const auto start = std::chrono::steady_clock::now();
    auto out = ask();
    ms_.push_back(
        std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start)
            .count());
    return out;
  }
  void report(benchmark::State& state) {
    if (ms_.empty()) return;
    std::sort(ms_.begin(), ms_.end());
    state.counters["p50_ms"] = ms_[ms_.size() / 2];
    state.counters["p99_ms"] = ms_[ms_.size() * 99 / 100];
  }

 private:
  std::vector<double> ms_;
};

void First(benchmark::State& state) {
  if (home() == nullptr) return state.SkipWithError("no home");
  Times times;
  for (auto _ : state) {
    serve::BoardCache boards;
    times.of([&] { return page(state, boards, serve::Json::object(), 0); });
  }
  times.report(state);
}

void ByAnother(benchmark::State& state) {
  if (home() == nullptr) return state.SkipWithError("no home");
  serve::BoardCache boards;
  page(state, boards, serve::Json::object(), 0);
  const std::vector<std::string> by = {"calmar", "profit_factor", "sortino_ann", "dsr", "psr"};
  std::size_t next = 0;
  Times times;
  for (auto _ : state) {
    const std::string& metric = by[next % by.size()];
    const auto above = static_cast<double>(++next);
    const serve::Json args{
        {"limit", state.range(0)}, {"by", metric}, {"where", "stop_bps > " + std::to_string(next)}};
    const auto answer =
        times.of([&] { return serve::query(home()->sources(&boards), "top", args); });
    if (!answer) return state.SkipWithError(answer.error().text().c_str());
    const auto& rows = (*answer)["rows"];
    double before = std::numeric_limits<double>::infinity();
    for (const auto& row : rows) {
      const double value = row["metrics"][metric];
      const double stop_bps = row["params"]["stop_bps"];
      if (value > before) return state.SkipWithError("another order than that of the metric");
      if (!(stop_bps > above)) return state.SkipWithError("a row that the condition leaves out");
      before = value;
    }
    if (rows.size() != static_cast<std::size_t>(state.range(0))) {
      return state.SkipWithError("another number of rows");
    }
  }
  times.report(state);
}

void Page(benchmark::State& state) {
  if (home() == nullptr) return state.SkipWithError("no home");
  serve::BoardCache boards;
  page(state, boards, serve::Json::object(), 0);
  Rng rng(9);
  Times times;
  for (auto _ : state) {
    const std::uint64_t begin = rng.below(trials());
    times.of([&] { return page(state, boards, {{"rank", begin + 1}}, begin); });
  }
  times.report(state);
}

void Next(benchmark::State& state) {
  if (home() == nullptr) return state.SkipWithError("no home");
  serve::BoardCache boards;
  std::size_t begin = trials() / 2;
  serve::Json last = page(state, boards, {{"rank", begin + 1}}, begin);
  Times times;
  for (auto _ : state) {
    begin += static_cast<std::size_t>(state.range(0));
    if (!last.contains("next")) break;
    last = times.of([&] { return page(state, boards, {{"cursor", last["next"]}}, begin); });
  }
  times.report(state);
}

// Of 20 rows, as the command line shows, and of 50, as an agent may ask for.
BENCHMARK(First)->Arg(20)->Unit(benchmark::kMillisecond)->Iterations(3);
BENCHMARK(ByAnother)->Arg(20)->Unit(benchmark::kMillisecond)->Iterations(10);
BENCHMARK(Page)->Arg(20)->Arg(50)->Unit(benchmark::kMillisecond)->Iterations(300);
BENCHMARK(Next)->Arg(20)->Arg(50)->Unit(benchmark::kMillisecond)->Iterations(30);

}  // namespace
}  // namespace winnow::actors

BENCHMARK_MAIN();
