#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/market.hpp"
#include "base/result.hpp"
#include "base/time.hpp"
#include "store/data_report.hpp"
#include "store/dataset_manifest.hpp"
#include "store/import/formats.hpp"

namespace winnow::store {

enum class OnFault { Refuse, Repair };

/// What becomes of a last bar that may still have been open when it was recorded.
enum class LastBar {
  Auto,  ///< dropped if it surely is unfinished; if nothing tells, kept on Refuse, dropped on
         ///< Repair
  Keep,
  Drop,
};

struct CleanOptions {
  OnFault on_fault = OnFault::Refuse;
  LastBar last_bar = LastBar::Auto;
  std::optional<DurationNs> interval;  ///< none: the most common spacing
  TimestampNs now;                     ///< bars that open later are clock faults
  bool whole_days = false;  ///< a file that ends at midnight UTC is a published, finished archive
};

/// A high or low that leaves open or close outside by up to this share is widened; beyond, the bar
/// is removed.
inline constexpr double kWidenMaxFrac = 0.01;
/// A time off the grid by up to this share of the interval is moved onto it if that place is free;
/// beyond, the bar is removed.
inline constexpr double kSnapMaxFrac = 0.01;
/// Rows removed or changed beyond this share (and more than a handful): the file is not what it is
/// taken for. Overlap and order do not count.
inline constexpr double kRepairedMaxFrac = 0.25;
inline constexpr std::size_t kRepairsFew = 3;
/// Repairs that are listed one by one; the rest is only counted.
inline constexpr std::size_t kRepairsListed = 10'000;
/// Counts since 1970 that mean times before this one are in another unit than was said.
inline constexpr std::int64_t kCountedFromNs = 631'152'000'000'000'000;  // 1990
/// Bars shorter than this are a mistaken unit, unless the interval was said.
inline constexpr std::int64_t kIntervalLeastNs = 1'000'000'000;

struct CleanBars {
  MarketColumns columns;
  FaultReport faults;
  std::vector<Repair> repairs;
  std::vector<std::string> notes;
};

/// Judges rows and puts them in order: bad values, order of time, duplicates, the unit of times,
/// grid, clock, the last bar, gaps, outliers. Ensures: the columns keep MarketView's invariants.
/// Fails: InvalidInput with all counts and first places if there are faults that refuse and Refuse
/// was asked; if no interval can be found or it contradicts the rows; if nothing is left; if
/// kRepairedMaxFrac is passed; if the bars are of calendar months.
Result<CleanBars> clean_bars(BarRows rows, const CleanOptions& options);

struct CleanFunding {
  std::vector<FundingEvent> events;
  FaultReport faults;
  std::vector<Repair> repairs;
  std::vector<std::string> notes;
};
/// The same for funding payments; only `on_fault` and `now` count. Payments missing from the usual
/// spacing and rates beyond 5% are noted.
Result<CleanFunding> clean_funding(FundingRows rows, const CleanOptions& options);

enum class FaultScope {
  All,
  Refusing,  ///< only kinds that refuse an import
};
/// The faults in one sentence, with the first places of each kind.
std::string describe_faults(const FaultReport& faults, FaultScope scope);

}  // namespace winnow::store
