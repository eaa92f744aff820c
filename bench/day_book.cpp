// Which of 10,000 earlier sweeps saw the days of a new one: all of them on its own market, and
// spread over a hundred. Goal: under 10 ms.

#include <benchmark/benchmark.h>

#include <memory>

#include "actors/store_documents.hpp"
#include "base/hash.hpp"
#include "store_data.hpp"
#include "sweeps/level/day_book.hpp"

namespace winnow::sweeps::level {
namespace {

constexpr std::int64_t kFirstDay = 18'000;

std::string market_hash(std::uint64_t market) { return sha256_hex(std::to_string(market)); }

void BM_SeenDays(benchmark::State& state) {
  const std::uint64_t sweeps = store::bench_small() ? 200 : 10'000;
  const auto markets = static_cast<std::uint64_t>(state.range(0));
  const store::BenchDir dir;
  auto store = store::Store::open(dir.path(), {.sync = false});
  if (!store.ok()) return state.SkipWithError(store.error().text().c_str());
  actors::StoreDocuments documents(**store);
  for (std::uint64_t s = 0; s < sweeps; ++s) {
    const auto first = kFirstDay + static_cast<std::int64_t>(s % 700);
    const Showing shown{market_hash(s % markets),
                        {first, first + 365},
                        Breadth::Broad,
                        "sweep " + market_hash(s).substr(0, 16)};
    const Status put = record_showing(documents, shown, "ann", TimestampNs{}, "", SealBroken::No);
    if (!put.ok()) return state.SkipWithError(put.error().text().c_str());
  }
  const MarketDays market{
      .id = market_hash(0), .hashes = {market_hash(0)}, .sealed_from = std::nullopt};
  std::size_t seen = 0;
  for (auto _ : state) {
    const auto days = DayBook::read(documents, market);
    if (!days.ok()) return state.SkipWithError(days.error().text().c_str());
    seen = days->showings().size();
    benchmark::DoNotOptimize(days->seen_by({kFirstDay, kFirstDay + 365}));
  }
  if (seen != sweeps / markets) state.SkipWithError("ERROR OCCURRED: not all showings were found");
  state.counters["showings"] = static_cast<double>(seen);
}
BENCHMARK(BM_SeenDays)->Arg(1)->Arg(100)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace winnow::sweeps::level

BENCHMARK_MAIN();
