// The whole path of a trial, without the engine: a client submits, the coordinator plans and
// leases, a node in a process of its own runs, the coordinator commits with sync, the ranking is
// asked for. NoopTrials says how many trials a second go that way, Points how many points of
// learning curves; BurnTrials what the way costs
// beside trials that burn 1, 10 and 100 ms of processor time each, against the same burning without
// a farm in the same run. Every run reads the store back and compares a hash with what the plan
// says. TopWhileRunning asks a farm that holds a million trials for the best hundred of those that
// pass a filter, again and again, while it runs another sweep.
//
// WINNOW_BENCH_DIR is the folder to write in (default: the working directory). WINNOW_BENCH_SMALL=1
// runs a few blocks of each, as ctest does.
#include <benchmark/benchmark.h>
#include <fcntl.h>
#include <signal.h>
#include <spdlog/spdlog.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include <charconv>
#include <cstdio>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "actors/client.hpp"
#include "actors/coordinator.hpp"
#include "actors/node.hpp"
#include "base/text.hpp"
#include "bench/farm_data.hpp"
#include "bench/farm_runner.hpp"
#include "bench/store_data.hpp"
#include "serve/board_cache.hpp"
#include "serve/parallel.hpp"
#include "serve/query.hpp"
#include "store/dataset_store.hpp"

namespace winnow::actors {
namespace {

constexpr DurationNs kPatience = seconds(30);

// ---- the node's process

constexpr const char* kNodeMode = "--as-node";  // PORT WORKERS TRIAL_COST_NS

std::int64_t number_in(const char* text) {
  std::int64_t value = 0;
  (void)std::from_chars(text, text + std::strlen(text), value);
  return value;
}

/// A node until its standard input ends.
int node_main(char** args) {
  spdlog::set_level(spdlog::level::warn);
  NodeOptions options;
  options.port = static_cast<std::uint16_t>(number_in(args[0]));
  options.workers = static_cast<std::uint32_t>(number_in(args[1]));
  const auto node =
      NodeProcess::start(options, std::make_unique<MadeRunner>(DurationNs{number_in(args[2])}));
  char byte = 0;
  while (::read(STDIN_FILENO, &byte, 1) > 0) {
  }
  return 0;
}

/// Purpose: this program again, as a node. Owner: one measurement. It ends with its owner.
class NodeChild {
 public:
  NodeChild(std::uint16_t port, std::uint32_t workers, DurationNs trial_cost) {
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0) std::abort();
    const std::string arguments[] = {std::to_string(port), std::to_string(workers),
                                     std::to_string(trial_cost.ns)};
    pid_ = ::fork();
    if (pid_ < 0) std::abort();
    if (pid_ == 0) {
      (void)::prctl(PR_SET_PDEATHSIG, SIGKILL);
      (void)::dup2(ends[0], STDIN_FILENO);
      ::execl("/proc/self/exe", "winnow_bench_farm", kNodeMode, arguments[0].c_str(),
              arguments[1].c_str(), arguments[2].c_str(), nullptr);
      ::_exit(127);
    }
    ::close(ends[0]);
    input_ = ends[1];
  }
  ~NodeChild() {
    ::close(input_);
    int status = 0;
    (void)::waitpid(pid_, &status, 0);
  }
  NodeChild(const NodeChild&) = delete;
  NodeChild& operator=(const NodeChild&) = delete;

  double cpu_s() const {
    clockid_t clock{};
    if (::clock_getcpuclockid(pid_, &clock) != 0) return 0;
    return static_cast<double>(cpu_ns(clock)) * 1e-9;
  }

 private:
  pid_t pid_ = -1;
  int input_ = -1;
};

// ---- what is submitted

constexpr std::int64_t kCurveDays = 30;
constexpr double kCurveMetrics = 4;

/// Whether every trial reports a learning curve: four metrics on each of thirty days.
enum class Curves { No, Yes };

/// A day for trials, thirty for learning curves.
Result<sweeps::Catalog> make_catalog(const std::filesystem::path& data_dir) {
  const auto datasets = store::DatasetStore::open(data_dir);
  if (!datasets) return datasets.error();
  auto day = put_market(*datasets, "bench", 288);
  if (!day) return day.error();
  auto month = put_market(*datasets, "bench-month", static_cast<std::size_t>(288 * kCurveDays));
  if (!month) return month.error();
  return catalog_of({*day, *month});
}

std::string spec_yaml(std::uint64_t trials, Curves curves = Curves::No, int seed = 5) {
  const bool with = curves == Curves::Yes;
  const std::string points =
      with ? "points: {metrics: [final_equity, sharpe_ann, drawdown_max_frac, total_return_frac], "
             "every: 1d}\n"
           : "";
  return "sweep: farm-path\n"
         "data: [" +
         std::string(with ? "bench-month" : "bench") + "]\n" + points +
         "window: {}\n"
         "execution: none\n"
         "strategies:\n"
         "  - family: mean_reversion\n"
         "    params:\n"
         "      lookback_bars: {int: [2, 200]}\n"
         "      entry_z: {float: [0.5, 4.0]}\n"
         "      exit_z: {float: [0.0, 0.4]}\n"
         "      stop_bps: {float: [10, 1000]}\n"
         "      take_profit_bps: {float: [10, 1000]}\n"
         "search: {method: random, samples: " +
         std::to_string(trials) + "}\nseed: " + std::to_string(seed) + "\n";
}

// ---- one run of the farm

/// Purpose: a coordinator with its store, a node process and a client, all joined.
class Farm {
 public:
  Status start(std::uint32_t workers, DurationNs trial_cost) {
    auto catalog = make_catalog(dir_.path() / "data");
    if (!catalog) return catalog.error();
    catalog_ = *std::move(catalog);
    auto store = store::Store::open(dir_.path() / "store");
    if (!store) return store.error();
    store_ = std::move(*store);
    CoordinatorContext context;
    context.store = store_.get();
    context.data_dir = dir_.path() / "data";
    context.catalog = [this] { return catalog_; };
    context.query = [this](std::string_view name, std::string_view args,
                           const cluster::Principal& asker,
                           const std::stop_token& stop) -> Result<std::string> {
      const auto answer = serve::query({.store = store_.get(),
                                        .datasets = nullptr,
                                        .verdicts = store_.get(),
                                        .parallel = serve::threads_for(),
                                        .boards = &boards_,
                                        .asker = asker,
                                        .stop = stop},
                                       name, serve::Json::parse(args));
      if (!answer) return answer.error();
      return json_text(*answer);
    };
    auto coordinator = CoordinatorProcess::start({}, context);
    if (!coordinator) return coordinator.error();
    coordinator_ = std::move(*coordinator);
    node_ = std::make_unique<NodeChild>(coordinator_->port(), workers, trial_cost);
    auto client = Client::connect("127.0.0.1", coordinator_->port(), kPatience);
    if (!client) return client.error();
    client_ = std::move(*client);
    const MonoNs give_up = system_clock().mono() + kPatience;
    for (;;) {
      auto nodes = client_->query("nodes", "{}", kPatience);
      if (!nodes) return nodes.error();
      if (*nodes != "[]") return {};
      if (system_clock().mono() > give_up) {
        return Error(ErrorCode::Unavailable, "the node did not join");
      }
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
  }

  struct Taken {
    double wall_s = 0;  ///< from submission to the ranking's answer
    double rank_s = 0;  ///< of that, the ranking
    double cpu_s = 0;   ///< of both processes
    std::string sweep;
    std::string ranking;
  };
  Result<Taken> run(const std::string& yaml) {
    const Submit submit{yaml, "farm_path.yaml", {}, {}};
    const double cpu_before = cpu_s();
    const MonoNs start = system_clock().mono();
    auto submitted = client_->submit(submit, kPatience, [](const actors::Checking&) {});
    if (!submitted) return submitted.error();
    auto last = client_->watch(
        submitted->sweep, submit, [](const Progress&) {}, [] { return false; }, kPatience);
    if (!last) return last.error();
    if (actors::state_of(*last) != store::SweepState::Done || last->retries > 0 ||
        last->blocks_quarantined > 0) {
      return Error(ErrorCode::Internal,
                   "the sweep is " + std::string(store::sweep_state_name(actors::state_of(*last))) +
                       " with " + std::to_string(last->retries) + " retries and " +
                       std::to_string(last->blocks_quarantined) +
                       " quarantined blocks; wanted: done, none and none");
    }
    const MonoNs done = system_clock().mono();
    auto ranking = client_->query("top", R"({"sweep":")" + submitted->sweep + "\"}", kPatience);
    if (!ranking) return ranking.error();
    const MonoNs end = system_clock().mono();
    return Taken{.wall_s = (end - start).seconds(),
                 .rank_s = (end - done).seconds(),
                 .cpu_s = cpu_s() - cpu_before,
                 .sweep = submitted->sweep,
                 .ranking = std::move(*ranking)};
  }

  const store::Store& store() const { return *store_; }
  const sweeps::Catalog& catalog() const { return catalog_; }
  Client& client() { return *client_; }
  /// Another node in place of the one there was.
  void replace_node(std::uint32_t workers, DurationNs trial_cost) {
    node_.reset();
    node_ = std::make_unique<NodeChild>(coordinator_->port(), workers, trial_cost);
  }

 private:
  double cpu_s() const {
    return node_->cpu_s() + static_cast<double>(cpu_ns(CLOCK_PROCESS_CPUTIME_ID)) * 1e-9;
  }

  store::BenchDir dir_;
  sweeps::Catalog catalog_;
  std::unique_ptr<store::Store> store_;
  serve::BoardCache boards_;
  std::unique_ptr<CoordinatorProcess> coordinator_;
  std::unique_ptr<NodeChild> node_;
  std::unique_ptr<Client> client_;  // last: everyone else may still hear of it
};

// ---- is it right

/// Everything committed is what the plan says, nothing is missing, and the ranking's first row is
/// the best of all. Gives the chained hash of all blocks.
Result<std::string> check(const Farm& farm, const Farm::Taken& taken, std::uint64_t trials,
                          Curves curves) {
  const auto wrong = [](const std::string& what) { return Error(ErrorCode::Corrupt, what); };
  auto spec = sweeps::parse_spec(spec_yaml(trials, curves), "farm_path.yaml", farm.catalog());
  if (!spec) return spec.error();
  const auto plan = sweeps::Plan::make(std::move(*spec));
  if (!plan) return plan.error();
  if (plan->id() != taken.sweep || plan->trials() != trials) return wrong("another plan");
  store::HashSum expected;
  store::HashSum found;
  double best = -1e300;
  const auto by = static_cast<std::size_t>(engine::find_metric("sharpe_ann"));
  for (std::uint64_t b = 0; b < plan->blocks(); ++b) {
    const ResultBlock made = made_block(*plan, b);
    for (std::uint32_t row = 0; row < made.rows; ++row) {
      best = std::max(best, made.metrics[by * made.rows + row]);
    }
    expected.add(made);
    const auto block = farm.store().read_block(plan->id(), b, store::Store::kAllParts);
    if (!block) return block.error();
    found.add(*block);
  }
  if (found.value() != expected.value()) return wrong("read back other blocks");
  const auto ledger = farm.store().ledger();
  if (!ledger) return ledger.error();
  if (ledger->size() != 1 || ledger->front().trials != trials ||
      ledger->front().executions != trials) {
    return wrong("the ledger lost count");
  }
  const auto ranking = nlohmann::json::parse(taken.ranking);
  if (ranking["trials_committed"] != trials ||
      ranking["rows"][0]["metrics"]["sharpe_ann"] != best) {
    return wrong("the ranking's first is not the best");
  }
  return found.hex();
}

// ---- what is measured

struct Measured {
  Farm::Taken taken;
  std::string hash;
};
Result<Measured> measure(std::uint64_t trials, std::uint32_t workers, DurationNs trial_cost,
                         Curves curves = Curves::No) {
  Farm farm;
  WINNOW_TRY(farm.start(workers, trial_cost));
  auto taken = farm.run(spec_yaml(trials, curves));
  if (!taken) return taken.error();
  auto hash = check(farm, *taken, trials, curves);
  if (!hash) return hash.error();
  return Measured{std::move(*taken), std::move(*hash)};
}

void BM_NoopTrials(benchmark::State& state) {
  const auto workers = static_cast<std::uint32_t>(state.range(0));
  const std::uint64_t trials = store::bench_small() ? 20'000 : 1'000'000;
  double cpu_s = 0;
  double rank_s = 0;
  for (auto _ : state) {
    const auto done = measure(trials, workers, DurationNs{0});
    if (!done) return state.SkipWithError(done.error().text().c_str());
    state.SetIterationTime(done->taken.wall_s);
    cpu_s += done->taken.cpu_s;
    rank_s += done->taken.rank_s;
    state.SetLabel("hash " + done->hash);
  }
  const double runs = static_cast<double>(state.iterations());
  state.SetItemsProcessed(static_cast<std::int64_t>(trials) * state.iterations());
  state.counters["cpu_us_per_trial"] = cpu_s / runs / static_cast<double>(trials) * 1e6;
  state.counters["rank_ms"] = rank_s / runs * 1e3;
}

// Learning curves, durable: a point is one step of one trial's curve with all its metrics.
void BM_Points(benchmark::State& state) {
  const auto workers = static_cast<std::uint32_t>(state.range(0));
  const std::uint64_t trials = store::bench_small() ? 2'000 : 100'000;
  double wall_s = 0;
  for (auto _ : state) {
    const auto done = measure(trials, workers, DurationNs{0}, Curves::Yes);
    if (!done) return state.SkipWithError(done.error().text().c_str());
    state.SetIterationTime(done->taken.wall_s);
    wall_s += done->taken.wall_s;
    state.SetLabel("hash " + done->hash);
  }
  const double points = static_cast<double>(trials) * static_cast<double>(kCurveDays) *
                        static_cast<double>(state.iterations());
  state.counters["points_per_s"] = points / wall_s;
  state.counters["values_per_s"] = points * kCurveMetrics / wall_s;
}

// range(0) trials stored, range(1) trials a second at most of another sweep meanwhile: each burns
// the two processors' share of that.
void BM_TopWhileRunning(benchmark::State& state) {
  const auto trials = static_cast<std::uint64_t>(state.range(0));
  Farm farm;
  if (const Status up = farm.start(2, DurationNs{0}); !up.ok()) {
    return state.SkipWithError(up.error().text().c_str());
  }
  const auto done = farm.run(spec_yaml(trials));
  if (!done) return state.SkipWithError(done.error().text().c_str());
  farm.replace_node(2, DurationNs{2'000'000'000 / state.range(1)});
  const Submit other{spec_yaml(50'000'000, Curves::No, 6), "farm_path.yaml", {}, {}};
  const auto running = farm.client().submit(other, kPatience, [](const actors::Checking&) {});
  if (!running) return state.SkipWithError(running.error().text().c_str());
  const std::string question = R"({"sweep":")" + done->sweep +
                               R"(","by":"sortino_ann","where":"sharpe_ann > 0","limit":100})";
  std::vector<double> seconds;
  std::string first;
  for (auto _ : state) {
    const MonoNs start = system_clock().mono();
    auto answer = farm.client().query("top", question, kPatience);
    seconds.push_back((system_clock().mono() - start).seconds());
    if (!answer) return state.SkipWithError(answer.error().text().c_str());
    const auto rows = nlohmann::json::parse(*answer)["rows"].dump();
    if (first.empty()) first = rows;
    if (rows != first) return state.SkipWithError("the same question, another answer");
  }
  const auto ended =
      farm.client().control({running->sweep, actors::SweepAction::Cancel, 0, 0}, kPatience);
  if (!ended) return state.SkipWithError(ended.error().text().c_str());
  std::sort(seconds.begin(), seconds.end());
  state.counters["p50_ms"] = seconds[seconds.size() / 2] * 1e3;
  state.counters["p99_ms"] = seconds[seconds.size() * 99 / 100] * 1e3;
}

// The machine's speed changes from second to second, so the farm runs between two runs of its
// yardstick. `cpu_overhead_frac` counts processor time beyond the burning, which does not depend on
// who else is on the machine.
void BM_BurnTrials(benchmark::State& state) {
  constexpr std::uint32_t kWorkers = 2;
  const DurationNs cost = milliseconds(state.range(0));
  const auto trials = static_cast<std::uint64_t>(state.range(1));
  double farm_s = 0;
  double alone_s = 0;
  double cpu_s = 0;
  double rank_s = 0;
  for (auto _ : state) {
    const double before_s = burn_alone_s(trials / 2, cost, kWorkers);
    const auto done = measure(trials, kWorkers, cost);
    if (!done) return state.SkipWithError(done.error().text().c_str());
    alone_s += before_s + burn_alone_s(trials / 2, cost, kWorkers);
    state.SetIterationTime(done->taken.wall_s);
    farm_s += done->taken.wall_s;
    cpu_s += done->taken.cpu_s;
    rank_s += done->taken.rank_s;
    state.SetLabel("hash " + done->hash);
  }
  const double runs = static_cast<double>(state.iterations());
  const double burnt_s = static_cast<double>(trials) * cost.seconds() * runs;
  state.counters["overhead_frac"] = farm_s / alone_s - 1;
  state.counters["over_nominal_frac"] = farm_s * kWorkers / burnt_s - 1;
  state.counters["cpu_overhead_frac"] = cpu_s / burnt_s - 1;
  state.counters["rank_ms"] = rank_s / runs * 1e3;
}

void register_all() {
  const bool small = store::bench_small();
  for (const std::int64_t workers : {1, 2, 4, 16}) {
    benchmark::RegisterBenchmark("BM_NoopTrials", BM_NoopTrials)
        ->Arg(workers)
        ->UseManualTime()
        ->Iterations(small ? 1 : 3)
        ->Unit(benchmark::kMillisecond);
  }
  for (const std::int64_t workers : {1, 2, 4}) {
    benchmark::RegisterBenchmark("BM_Points", BM_Points)
        ->Arg(workers)
        ->UseManualTime()
        ->Iterations(small ? 1 : 3)
        ->Unit(benchmark::kMillisecond);
  }
  for (const std::int64_t trials_per_s : {2'000, 200'000}) {
    benchmark::RegisterBenchmark("BM_TopWhileRunning", BM_TopWhileRunning)
        ->Args({small ? 20'000 : 1'000'000, trials_per_s})
        ->UseRealTime()
        ->Iterations(small ? 5 : 200)
        ->Unit(benchmark::kMillisecond);
  }
  struct Burn {
    std::int64_t cost_ms, trials, trials_small;
  };
  for (const Burn& burn : {Burn{1, 16'384, 256}, Burn{10, 2'048, 64}, Burn{100, 256, 0}}) {
    if (small && burn.trials_small == 0) continue;
    benchmark::RegisterBenchmark("BM_BurnTrials", BM_BurnTrials)
        ->Args({burn.cost_ms, small ? burn.trials_small : burn.trials})
        ->UseManualTime()
        ->Iterations(small ? 1 : 3)
        ->Unit(benchmark::kMillisecond);
  }
}

}  // namespace
}  // namespace winnow::actors

int main(int argc, char** argv) {
  if (argc == 5 && std::string_view(argv[1]) == winnow::actors::kNodeMode) {
    return winnow::actors::node_main(argv + 2);
  }
  spdlog::set_level(spdlog::level::warn);
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 2;
  winnow::actors::register_all();
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
