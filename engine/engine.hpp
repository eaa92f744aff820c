#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string_view>
#include <vector>

#include "base/market.hpp"
#include "base/result.hpp"
#include "engine/execution.hpp"
#include "engine/family.hpp"

namespace winnow::engine {

/// Raised whenever any stored result could change; part of TrialKey. Results of another version
/// stay readable and enter nothing of this one's; what the ledger counts does not depend on it.
inline constexpr std::uint32_t kEngineVersion = 2;

/// The instruction sets the lane kernels are built for. Every one gives the same bits; Scalar is
/// the definition.
enum class Isa { Scalar, Avx2, Avx512 };
std::string_view isa_name(Isa isa);
bool isa_supported(Isa isa);
Isa best_isa();

/// One column of a result row.
struct MetricDecl {
  std::string_view name;  ///< `sharpe_ann`, `drawdown_max_frac`; units as in the style guide
  std::string_view unit;
  std::string_view help;
  bool higher_is_better = true;
  bool annual = false;  ///< NaN over less than kAnnualDaysMin of calendar time
};
/// Definitions: docs/METRICS.md (daily UTC periods, a year by the data's own calendar).
std::span<const MetricDecl> metric_decls();
/// -1 if there is none of that name.
int find_metric(std::string_view name);
/// Whether daily equity alone gives the metric, so that it is defined after any of the days.
bool metric_from_equity(int metric);

/// Bars [first, last) of a market on which trades happen. Bars before `first` only warm indicators
/// up.
struct Window {
  std::size_t first = 0;
  std::size_t last = 0;
};

/// Period boundaries of a window: UTC days of bar open times. `start_ns[p]` is midnight of period
/// p; days without a bar have no period.
std::vector<std::int64_t> period_starts(const MarketView& market, Window window);

/// Many variants of one family on one window.
struct BatchRequest {
  const MarketView* market = nullptr;
  Window window;
  const FamilyDecl* family = nullptr;
  std::span<const double> params;  ///< row-major [variant][parameter], declaration order
  const ExecutionModel* execution = nullptr;
  Isa isa = Isa::Scalar;
  /// Learning curves: these metrics (indices; see metric_from_equity) after so many periods each.
  std::span<const std::uint32_t> point_metrics;
  std::span<const std::uint32_t> point_periods;  ///< one a step; 0 gives NaN
  /// Asked between tiles of bars; when it says yes, the batch ends with Cancelled. Empty: never.
  std::function<bool()> stop;
};

/// Rows in the order of the request, whatever order the engine ran them in.
struct BatchResult {
  std::size_t variants = 0;
  std::size_t periods = 0;
  std::vector<double> metrics;  ///< [metric][variant], see metric_decls()
  std::vector<float> returns;   ///< [variant][period], simple net return of the period
  /// [variant][period]: mean signed notional over equity, weighted by the bars it was held.
  std::vector<float> exposures;
  std::vector<double> points;  ///< [point metric][step][variant]
};

/// Bytes that run_batch takes at most for so many variants of the request's family and window, its
/// result included: what counts against a limit of memory. Of `params` only what decides about
/// indicators is read. Fails: InvalidInput, as run_batch.
Result<std::uint64_t> batch_bytes(const BatchRequest& request);

/// Runs the batch. Memory: result, plus indicator tiles (below 64 MiB), plus 8 bytes a variant and
/// period. Fails: InvalidInput (a bad parameter row names its index, empty window, bad execution
/// model), Cancelled (`stop` said so). Pure: no thread, file or clock.
Result<BatchResult> run_batch(const BatchRequest& request);

enum class Side : std::int8_t { Short = -1, Long = 1 };

struct Trade {
  std::int64_t entry_time_ns = 0;  ///< open time of the bar it filled in
  std::int64_t exit_time_ns = 0;
  Side side = Side::Long;
  double qty = 0;  ///< > 0
  double entry_px = 0;
  double exit_px = 0;
  double fees = 0;     ///< both sides, quote currency
  double funding = 0;  ///< paid (negative: received)
  double pnl = 0;      ///< net of fees and funding
};

/// One variant in full, by the scalar instance.
struct Backtest {
  std::vector<double> metrics;   ///< see metric_decls()
  std::vector<float> returns;    ///< per period
  std::vector<float> exposures;  ///< as BatchResult::exposures
  std::vector<std::int64_t> period_start_ns;
  std::vector<Trade> trades;   ///< closed ones; a position open at the end has no exit
  std::vector<double> equity;  ///< at the close of each bar of the window
  double open_qty = 0;         ///< signed quantity held after the last bar
};
Result<Backtest> run_backtest(const MarketView& market, Window window, const FamilyDecl& family,
                              std::span<const double> params, const ExecutionModel& execution);

}  // namespace winnow::engine
