#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace winnow {

/// One funding payment: a long of quantity q pays q * price * rate_frac, a short receives it.
struct FundingEvent {
  std::int64_t time_ns = 0;
  double rate_frac = 0;
};

/// Purpose: the columns of one instrument, oldest bar first. Views only; the owner (a mapped
/// dataset or a test's vectors) outlives it. Invariants: all columns have one length; time_ns is
/// the bar's OPEN time in UTC and strictly increases; low <= open, close <= high; prices > 0;
/// volume >= 0 in base units; all finite.
struct MarketView {
  std::span<const std::int64_t> time_ns;
  std::span<const double> open;
  std::span<const double> high;
  std::span<const double> low;
  std::span<const double> close;
  std::span<const double> volume;
  std::span<const FundingEvent> funding;  ///< by time
  std::int64_t interval_ns = 0;           ///< nominal bar length

  std::size_t size() const { return close.size(); }
  /// From bar `first` on; all of the funding.
  MarketView from(std::size_t first) const {
    return {time_ns.subspan(first),
            open.subspan(first),
            high.subspan(first),
            low.subspan(first),
            close.subspan(first),
            volume.subspan(first),
            funding,
            interval_ns};
  }
};

/// Purpose: columns that own their memory, as importers and the market simulator build them.
/// Invariants: those of MarketView, once whoever fills it is done. Thread: one while it is filled.
struct MarketColumns {
  std::vector<std::int64_t> time_ns;
  std::vector<double> open;
  std::vector<double> high;
  std::vector<double> low;
  std::vector<double> close;
  std::vector<double> volume;
  std::vector<FundingEvent> funding;
  std::int64_t interval_ns = 0;

  std::size_t size() const { return close.size(); }
  /// Valid while the columns live and do not grow.
  MarketView view() const {
    return {time_ns, open, high, low, close, volume, funding, interval_ns};
  }
};

}  // namespace winnow
