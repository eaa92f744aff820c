#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace winnow {

/// One funding payment: a long of quantity q pays q * price * rate_frac, a short receives it.
struct FundingEvent {
  std::int64_t time_ns = 0;
  double rate_frac = 0;
};

/// Purpose: the columns of one instrument, oldest bar first. Views only; the owner (a mapped dataset
/// or a test's vectors) outlives it.
/// Invariants: all columns have one length; time_ns is the bar's OPEN time in UTC and strictly
/// increases; low <= open, close <= high; prices > 0; volume >= 0 in base units; all finite.
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
};

}  // namespace winnow
