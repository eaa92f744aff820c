// What it costs to be watched: a coordinator that knows many nodes and sweeps, over a store of many
// trials. `Measure` is the part that its own turn pays, once a second; `Scrape` is a whole GET
// /metrics, on the exporter's thread; `ScrapeBesideCommits` the same while the store is written.
//
// WINNOW_BENCH_DIR and WINNOW_BENCH_SMALL as in store_commit.cpp.
#include <arpa/inet.h>
#include <benchmark/benchmark.h>
#include <spdlog/spdlog.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "actors/codec.hpp"
#include "actors/coordinator_core.hpp"
#include "actors/sweep_book.hpp"
#include "bench/store_data.hpp"
#include "engine/engine.hpp"
#include "engine/source_hash.hpp"
#include "serve/exporter.hpp"
#include "tests/sim/results.hpp"

namespace winnow {
namespace {

using store::bench_small;
constexpr store::BenchShape kShape{.rows = 512, .metrics = 8, .periods = 0};
constexpr std::uint32_t kDatasetsOfANode = 32;
constexpr std::chrono::milliseconds kScrapeEvery{100};  // fifty times as often as scrape.yml

/// Nobody is connected: what the core says is counted, and goes nowhere.
class Nowhere final : public actors::CoordinatorCore::Outside {
 public:
  void send(actors::PeerId, actors::Frame frame) override {
    if (actors::is<actors::Welcome>(frame)) ++welcomed;
    if (actors::is<actors::Submitted>(frame)) ++submitted;
  }
  void commit(actors::CommitOffer) override {}
  void ask(actors::PeerId, std::uint64_t, const actors::Query&,
           const cluster::Principal&) override {}
  std::optional<cluster::Principal> principal_of(actors::PeerId) const override {
    return cluster::Principal{.name = asker, .rights = cluster::Rights::Operator};
  }
  void check(actors::CheckOrder order) override { checks.push_back(std::move(order)); }
  std::string network_of(actors::PeerId peer) const override {
    return std::to_string(peer.value());
  }
  TimestampNs utc_now() const override { return {1}; }

  std::string asker;
  std::uint64_t welcomed = 0;
  std::uint64_t submitted = 0;
  std::vector<actors::CheckOrder> checks;
};

std::string with_seed(std::string spec, std::uint32_t seed) {
  const std::string key = "\nseed: ";
  const auto at = spec.find(key) + key.size();
  return spec.replace(at, spec.find('\n', at) - at, std::to_string(seed));
}

/// A coordinator's state as it is in a large farm, with a real store and a real exporter.
class Farm {
 public:
  Farm(std::uint64_t trials, std::uint32_t nodes, std::uint32_t sweeps) {
    auto opened = store::Store::open(dir_.path());
    if (!opened) return;
    store_ = std::move(*opened);
    actors::add_process_metrics(*book_);
    actors::add_store_metrics(*book_, *store_);
    metrics_ = std::make_unique<actors::CoordinatorMetrics>(*book_);
    ready = fill(trials) && populate(nodes, sweeps);
    auto exporter = serve::Exporter::start("127.0.0.1", 0, book_);
    if (!exporter) ready = false;
    if (ready) exporter_ = std::move(*exporter);
  }

  void measure() { core_->measure(now_); }
  /// The answer to GET /metrics.
  std::string scrape() const {
    const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in at{};
    at.sin_family = AF_INET;
    at.sin_port = htons(exporter_->port());
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    std::string all;
    if (::connect(fd, reinterpret_cast<const sockaddr*>(&at), sizeof at) == 0) {
      const std::string question = "GET /metrics HTTP/1.0\r\n\r\n";
      ::send(fd, question.data(), question.size(), MSG_NOSIGNAL);
      char bytes[65536];
      for (ssize_t n = 0; (n = ::recv(fd, bytes, sizeof bytes, 0)) > 0;) {
        all.append(bytes, static_cast<std::size_t>(n));
      }
    }
    ::close(fd);
    return all;
  }
  store::Store& store() { return *store_; }

  bool ready = false;

 private:
  bool fill(std::uint64_t trials) {
    if (!store_->put_sweep(store::bench_sweep("bench", kShape)).ok()) return false;
    for (std::uint64_t b = 0; b < trials / kShape.rows;) {
      std::vector<ResultBlock> blocks;
      std::vector<store::BlockCommit> group;
      while (blocks.size() < 16) blocks.push_back(store::bench_block(7, b++, kShape));
      for (const ResultBlock& block : blocks) {
        group.push_back({"bench", "dataset", "family", "user", &block});
      }
      if (!store_->commit(group, {1}).ok()) return false;
    }
    store::SweepMeta done = store::bench_sweep("bench", kShape);
    done.state = store::SweepState::Done;  // the coordinator has no dataset of it
    return store_->put_sweep(done).ok();
  }
  bool populate(std::uint32_t nodes, std::uint32_t sweeps) {
    sweep_book_ = std::make_unique<actors::StoreSweepBook>(*store_);
    actors::CoordinatorOptions options;
    options.scheduling.lease_ttl = seconds(1e6);  // nobody renews
    core_ = std::make_unique<actors::CoordinatorCore>(
        options, *sweep_book_, [] { return sim::catalog(); }, outside_, metrics_.get());
    for (std::uint32_t s = 0; s < sweeps; ++s) {
      sim::SweepDecl decl;
      decl.name = "sweep-" + std::to_string(s);
      decl.user = "user-" + std::to_string(s % 100);
      actors::Submit submit;
      submit.yaml = with_seed(sim::spec_text(decl), s + 1);
      submit.file_name = decl.name;
      outside_.asker = decl.user;
      core_->on_frame(actors::PeerId(1'000'000), actors::encode(submit, s), now_);
      for (const auto& order : std::exchange(outside_.checks, {})) {
        core_->checked(sim::passed(order), now_);
      }
    }
    for (std::uint32_t n = 0; n < nodes; ++n) {
      actors::Hello hello;
      hello.node = n + 1;
      hello.name = "host" + std::to_string(n) + ":1";
      hello.workers = 4;
      hello.engine_version = engine::kEngineVersion;
      hello.engine_sources = engine::source_hash();
      hello.isa = "avx2";
      hello.connection = 1;
      for (std::uint32_t d = 0; d < kDatasetsOfANode; ++d) {
        hello.datasets.push_back(Hash128{n, d}.hex());
      }
      core_->on_frame(actors::PeerId(n + 1), actors::encode(hello, n + 1), now_);
      actors::Credit credit;
      credit.sequence = 1;
      credit.free_places = 4;
      core_->on_frame(actors::PeerId(n + 1), actors::encode(credit, n + 1), now_);
    }
    return outside_.welcomed == nodes && outside_.submitted == sweeps && core_->nodes() == nodes;
  }

  store::BenchDir dir_;
  std::shared_ptr<actors::MetricsBook> book_ = std::make_shared<actors::MetricsBook>();
  std::unique_ptr<store::Store> store_;
  std::unique_ptr<actors::CoordinatorMetrics> metrics_;
  std::unique_ptr<actors::StoreSweepBook> sweep_book_;
  Nowhere outside_;
  std::unique_ptr<actors::CoordinatorCore> core_;
  std::unique_ptr<serve::Exporter> exporter_;
  MonoNs now_{1'000'000'000};
};

struct Size {
  std::uint64_t trials = 0;
  std::uint32_t nodes = 0;
  std::uint32_t sweeps = 0;
};
Size size_of(const benchmark::State& state) {
  return {static_cast<std::uint64_t>(state.range(0)), static_cast<std::uint32_t>(state.range(1)),
          static_cast<std::uint32_t>(state.range(2))};
}

std::unique_ptr<Farm> kept_farm;  // main() ends it: its exporter needs what other statics take away

/// The farm of a size; the latest is kept, as making it takes longer than measuring.
Farm& farm_of(const Size& size) {
  static Size made;
  if (!kept_farm || made.trials != size.trials || made.nodes != size.nodes ||
      made.sweeps != size.sweeps) {
    kept_farm.reset();
    kept_farm = std::make_unique<Farm>(size.trials, size.nodes, size.sweeps);
    made = size;
  }
  return *kept_farm;
}

class Latencies {
 public:
  template <class F>
  void time(const F& f) {
    const auto start = std::chrono::steady_clock::now();
    f();
    ms_.push_back(
        std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start)
            .count());
  }
  void report(benchmark::State& state) {
    std::sort(ms_.begin(), ms_.end());
    state.counters["p50_ms"] = ms_[ms_.size() / 2];
    state.counters["p99_ms"] = ms_[ms_.size() * 99 / 100];
  }

 private:
  std::vector<double> ms_;
};

void BM_Measure(benchmark::State& state) {
  Farm& farm = farm_of(size_of(state));
  if (!farm.ready) return state.SkipWithError("the farm cannot be made");
  Latencies latencies;
  for (auto _ : state) latencies.time([&] { farm.measure(); });
  latencies.report(state);
}

/// The answer names what it must, with the right values.
bool is_right(const std::string& text, const Size& size) {
  const auto has = [&](const std::string& line) { return text.find(line) != std::string::npos; };
  return has("\nwinnow_actors_nodes " + std::to_string(size.nodes)) &&
         has("\nwinnow_scheduler_sweeps{state=\"running\"} " + std::to_string(size.sweeps)) &&
         has("\nwinnow_store_sync_duration_seconds_count") &&
         has("\nwinnow_store_files{family=\"keys\",kind=\"table\"}");
}

void BM_Scrape(benchmark::State& state) {
  Farm& farm = farm_of(size_of(state));
  if (!farm.ready) return state.SkipWithError("the farm cannot be made");
  farm.measure();
  Latencies latencies;
  std::string text;
  for (auto _ : state) latencies.time([&] { text = farm.scrape(); });
  if (!is_right(text, size_of(state))) return state.SkipWithError(text.substr(0, 2000).c_str());
  latencies.report(state);
  state.counters["bytes"] = static_cast<double>(text.size());
}

// Commits of one block each, with sync, while another thread scrapes ten times a second or not at
// all.
void BM_CommitBesideScrapes(benchmark::State& state) {
  Farm& farm = farm_of(size_of(state));
  if (!farm.ready) return state.SkipWithError("the farm cannot be made");
  std::atomic<std::uint64_t> scrapes = 0;
  std::jthread scraping;
  if (state.range(3) != 0) {
    scraping = std::jthread([&](const std::stop_token& stop) {
      while (!stop.stop_requested()) {
        benchmark::DoNotOptimize(farm.scrape());
        ++scrapes;
        std::this_thread::sleep_for(kScrapeEvery);
      }
    });
  }
  const std::string id = "beside-" + std::to_string(state.range(3));
  if (!farm.store().put_sweep(store::bench_sweep(id, kShape)).ok()) {
    return state.SkipWithError("no sweep");
  }
  Latencies latencies;
  std::uint64_t b = 0;
  for (auto _ : state) {
    const ResultBlock block = store::bench_block(90 + state.range(3), b++, kShape);
    const store::BlockCommit commit{id, "dataset", "family", "user", &block};
    bool fine = false;
    latencies.time([&] { fine = farm.store().commit({&commit, 1}, {1}).ok(); });
    if (!fine) return state.SkipWithError("a commit failed");
  }
  latencies.report(state);
  state.counters["scrapes"] = static_cast<double>(scrapes);
}

}  // namespace
}  // namespace winnow

int main(int argc, char** argv) {
  using namespace winnow;
  spdlog::set_level(spdlog::level::off);
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 2;
  const bool small = bench_small();
  const std::vector<std::vector<std::int64_t>> sizes =
      small ? std::vector<std::vector<std::int64_t>>{{8'192, 10, 10}}
            : std::vector<std::vector<std::int64_t>>{{8'192, 1, 1}, {1'000'448, 1000, 1000}};
  for (const auto& size : sizes) {
    const auto add = [&](const char* name, void (*function)(benchmark::State&), int more) {
      auto args = size;
      std::vector<std::string> names = {"trials", "nodes", "sweeps"};
      if (more >= 0) {
        args.push_back(more);
        names.emplace_back("scraped");
      }
      benchmark::RegisterBenchmark(name, function)
          ->ArgNames(names)
          ->Args(args)
          ->Iterations(small ? 20 : 500)
          ->UseRealTime()
          ->Unit(benchmark::kMillisecond);
    };
    add("BM_Measure", BM_Measure, -1);
    add("BM_Scrape", BM_Scrape, -1);
    add("BM_CommitBesideScrapes", BM_CommitBesideScrapes, 0);
    add("BM_CommitBesideScrapes", BM_CommitBesideScrapes, 1);
  }
  benchmark::RunSpecifiedBenchmarks();
  kept_farm.reset();
  return 0;
}
