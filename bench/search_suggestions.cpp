// Suggestions a second of each sampler with 40 parameters after n trials, asked one at a time
// (TPE, CMA-ES) or by populations of 50 (NSGA-II), the outcome of each told before the next.
// `check` is a hash of the rows asked: it must be the same on every machine and every run.
#include <benchmark/benchmark.h>

#include <bit>
#include <cmath>
#include <cstdint>

#include "base/rng.hpp"
#include "sweeps/search/search.hpp"

namespace {

using namespace winnow::sweeps::search;
using winnow::sweeps::SearchMethod;

constexpr std::size_t kDimensions = 40;

double loss(const std::vector<double>& x) {
  double sum = 0;
  for (double v : x) sum += (v - 0.3) * (v - 0.3);
  return sum;
}

Outcome outcome_of(const std::vector<double>& x, std::size_t objectives) {
  Outcome out{.losses = {loss(x)}};
  if (objectives == 2) out.losses.push_back(std::abs(x[0] - 0.6) + x[1]);
  return out;
}

Search make(SearchMethod method) {
  std::vector<Dimension> dims;
  for (std::size_t i = 0; i < kDimensions; ++i) {
    dims.push_back({"x" + std::to_string(i), DimensionKind::Float, 0, 1});
  }
  SearchOptions options{.method = method, .seed = 7};
  if (method == SearchMethod::Nsga2) options.objectives = 2;
  return *Search::make(*Space::make(std::move(dims)), options);
}

/// Asks for `rows` rows and tells their outcomes. False if the sampler refuses.
bool turn(Search& search, std::size_t rows, std::uint64_t& check) {
  if (!search.open(rows).ok()) return false;
  const Rows asked = search.rows();
  const std::uint64_t first = search.first_trial();
  for (std::size_t k = 0; k < rows; ++k) {
    check = winnow::mix64(check ^ std::bit_cast<std::uint64_t>(asked[k][0]));
    if (!search.tell(first + k, outcome_of(asked[k], search.options().objectives)).ok()) {
      return false;
    }
  }
  return true;
}

void suggest(benchmark::State& state, SearchMethod method) {
  Search search = make(method);
  const auto trials = static_cast<std::size_t>(state.range(0));
  const std::size_t rows = method == SearchMethod::Nsga2 ? 50 : 1;
  // History of random rows: what was tried does not matter to the cost.
  std::vector<PriorTrial> prior(trials);
  winnow::Rng rng(11);
  for (PriorTrial& t : prior) {
    for (std::size_t i = 0; i < kDimensions; ++i) t.row.push_back(rng.uniform());
    t.outcome = outcome_of(t.row, search.options().objectives);
  }
  if (!search.warm_start(search.space().signature(), prior).ok()) {
    state.SkipWithError("no warm start");
    return;
  }
  std::uint64_t check = 0;
  if (!turn(search, rows, check)) state.SkipWithError("the sampler refuses");
  const auto first = static_cast<double>(check >> 12);
  for (auto _ : state) {
    if (!turn(search, rows, check)) state.SkipWithError("the sampler refuses");
  }
  state.SetItemsProcessed(static_cast<std::int64_t>(rows) * state.iterations());
  state.counters["check"] = first;
  Search again = make(method);
  std::uint64_t repeated = 0;
  if (!again.warm_start(again.space().signature(), prior).ok() || !turn(again, rows, repeated) ||
      static_cast<double>(repeated >> 12) != first) {
    state.SkipWithError("the same search asked for other rows");
  }
}

}  // namespace

BENCHMARK_CAPTURE(suggest, tpe_small, SearchMethod::Tpe)->Arg(200);
BENCHMARK_CAPTURE(suggest, cmaes_small, SearchMethod::Cmaes)->Arg(200);
BENCHMARK_CAPTURE(suggest, nsga2_small, SearchMethod::Nsga2)->Arg(200);
BENCHMARK_CAPTURE(suggest, tpe, SearchMethod::Tpe)->Arg(1'000)->Arg(10'000)->Arg(100'000);
BENCHMARK_CAPTURE(suggest, cmaes, SearchMethod::Cmaes)->Arg(1'000)->Arg(100'000);
BENCHMARK_CAPTURE(suggest, nsga2, SearchMethod::Nsga2)->Arg(1'000)->Arg(100'000);

BENCHMARK_MAIN();
