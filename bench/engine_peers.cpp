// Runs the engine on the peers' own input files, for ratios against their programs (see
// engine_peers_ratio.sh):
//   winnow_bench_engine_peers w1 DATA.csv COMBOS [REPEAT] [ISA]
//   winnow_bench_engine_peers w3 DATA.csv PARAMS.csv [REPEAT] [ISA]
// Prints one JSON line in the peers' layout. Time is CPU time of the whole run_batch: checks,
// indicators, simulation, all metrics.

#include <sys/resource.h>

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <fstream>
#include <iterator>
#include <map>
#include <string>
#include <vector>

#include "base/market.hpp"
#include "engine/engine.hpp"

namespace winnow {
namespace {

using Table = std::map<std::string, std::vector<double>>;

Table read_csv(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in) {
    std::fprintf(stderr, "cannot open %s\n", path.c_str());
    std::exit(2);
  }
  const std::string text((std::istreambuf_iterator<char>(in)), {});
  std::vector<std::string> names(1);
  const char* p = text.data();
  const char* end = p + text.size();
  for (; p < end && *p != '\n'; ++p) {
    if (*p == ',') {
      names.emplace_back();
    } else {
      names.back() += *p;
    }
  }
  std::vector<std::vector<double>> columns(names.size());
  for (++p; p < end; ++p) {
    for (auto& column : columns) {
      double v = 0;
      p = std::from_chars(p, end, v).ptr;
      column.push_back(v);
      if (p < end && *p == ',') ++p;
    }
    while (p < end && *p != '\n') ++p;
  }
  Table table;
  for (std::size_t i = 0; i < names.size(); ++i) table[names[i]] = std::move(columns[i]);
  return table;
}

MarketColumns read_market(const std::string& path) {
  Table table = read_csv(path);
  MarketColumns market;
  for (const double ms : table["timestamp"]) {
    market.time_ns.push_back(static_cast<std::int64_t>(ms) * 1'000'000);
  }
  market.open = table["open"];
  market.high = table["high"];
  market.low = table["low"];
  market.close = table["close"];
  market.volume = table["volume"];
  market.interval_ns = 60'000'000'000;
  return market;
}

// The grids of the peers' common.py.
std::vector<double> w1_params(long combos) {
  std::vector<double> rows;
  const auto grid = [&](int fast_end, int fast_step, int slow_begin, int slow_end, int slow_step) {
    for (int fast = 5; fast < fast_end; fast += fast_step) {
      for (int slow = slow_begin; slow < slow_end; slow += slow_step) {
        rows.insert(rows.end(), {double(fast), double(slow), 0.0});
      }
    }
  };
  if (combos <= 100) {
    grid(105, 10, 110, 610, 50);
  } else if (combos <= 1000) {
    grid(105, 5, 110, 610, 10);
  } else {
    grid(105, 2, 105, 1105, 5);
  }
  return rows;
}

std::vector<double> w3_params(const std::string& path) {
  Table t = read_csv(path);
  std::vector<double> rows;
  for (std::size_t i = 0; i < t["zin"].size(); ++i) {
    rows.insert(rows.end(), {t["lookback"][i], t["zin"][i], t["zout"][i], t["sl"][i] * 10'000,
                             t["tp"][i] * 10'000, t["maxhold"][i]});
  }
  return rows;
}

double cpu_now() {
  timespec t;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
  return static_cast<double>(t.tv_sec) + 1e-9 * static_cast<double>(t.tv_nsec);
}

struct Best {
  double min = 0;
  double median = 0;
  double max = 0;
};
Best summarise(std::vector<double> v) {
  std::sort(v.begin(), v.end());
  const std::size_t n = v.size();
  return {v.front(), n % 2 ? v[n / 2] : 0.5 * (v[n / 2 - 1] + v[n / 2]), v.back()};
}

int run(int argc, char** argv) {
  if (argc < 4) {
    std::fprintf(stderr, "usage: %s w1|w3 DATA.csv COMBOS|PARAMS.csv [REPEAT] [ISA]\n", argv[0]);
    return 2;
  }
  const bool w1 = std::string(argv[1]) == "w1";
  const MarketColumns columns = read_market(argv[2]);
  const MarketView market = columns.view();
  const std::vector<double> params = w1 ? w1_params(std::atol(argv[3])) : w3_params(argv[3]);
  const int repeat = argc > 4 ? std::atoi(argv[4]) : 5;
  engine::Isa isa = engine::best_isa();
  for (const engine::Isa i : {engine::Isa::Scalar, engine::Isa::Avx2, engine::Isa::Avx512}) {
    if (argc > 5 && engine::isa_name(i) == argv[5]) isa = i;
  }
  engine::ExecutionModel execution;
  execution.taker_fee_bps = 10;
  execution.maker_fee_bps = 10;
  execution.half_spread_bps = 5;
  engine::BatchRequest request;
  request.market = &market;
  request.window = {0, market.size()};
  request.family = engine::find_family(w1 ? "sma_cross" : "mean_reversion");
  request.params = params;
  request.execution = &execution;
  request.isa = isa;

  std::vector<double> rates;
  std::vector<double> seconds;
  engine::BatchResult result;
  for (int r = 0; r < repeat; ++r) {
    const double t0 = cpu_now();
    auto run = engine::run_batch(request);
    seconds.push_back(cpu_now() - t0);
    if (!run.ok()) {
      std::fprintf(stderr, "%s\n", run.error().text().c_str());
      return 1;
    }
    result = std::move(*run);
    rates.push_back(static_cast<double>(market.size() * result.variants) / seconds.back() / 1e6);
  }
  const auto sum = [&](const char* name) {
    double s = 0;
    const auto m = static_cast<std::size_t>(engine::find_metric(name));
    for (std::size_t v = 0; v < result.variants; ++v) s += result.metrics[m * result.variants + v];
    return s;
  };
  const Best rate = summarise(rates);
  rusage usage;
  getrusage(RUSAGE_SELF, &usage);
  std::printf(
      "{\"workload\": \"%s_winnow\", \"kernel\": \"%s\", \"bars\": %zu, \"variants\": %zu, "
      "\"mbarvar_per_s\": {\"min\": %.1f, \"median\": %.1f, \"max\": %.1f, \"n\": %d}, \"wall_s\": "
      "%.4f, \"sum_trades\": %.0f, \"mean_return\": %.9f, \"rss_mib\": %.0f}\n",
      argv[1], std::string(engine::isa_name(isa)).c_str(), market.size(), result.variants, rate.min,
      rate.median, rate.max, repeat, summarise(seconds).median, sum("trades"),
      sum("total_return_frac") / static_cast<double>(result.variants),
      static_cast<double>(usage.ru_maxrss) / 1024.0);
  return 0;
}

}  // namespace
}  // namespace winnow

int main(int argc, char** argv) { return winnow::run(argc, argv); }
