#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>

namespace winnow::engine {

/// What an indicator is made of.
enum class Field : std::uint8_t { Open, High, Low, Close, Volume };
inline constexpr std::size_t kFields = 5;

/// The kinds of indicators; each is defined in its header, and list.hpp names them all.
enum class ColumnKind : std::uint8_t {
  Sma,
  ZScore,
  Sd,
  Wma,
  Ema,
  Wilder,
  Highest,
  Lowest,
  Atr,
  Rsi,
};

/// An indicator of the market, computed once however many variants look at it.
struct ColumnSpec {
  ColumnKind kind = ColumnKind::Sma;
  Field field = Field::Close;
  std::uint8_t leg = 0;        ///< which instrument of the set
  std::int32_t window = 0;     ///< bars of its timeframe
  std::int32_t timeframe = 1;  ///< bars of the market in one of its own; of the last complete one
  auto operator<=>(const ColumnSpec&) const = default;
};

/// One instrument's bars, as indicators read them. What is pointed to may grow, and move, between
/// two readings.
struct Bars {
  const double* field[kFields] = {};
  const std::int64_t* time_ns = nullptr;  ///< of their opens
  std::int64_t interval_ns = 0;           ///< nominal bar length; 0: bars are counted, not timed
  std::size_t size = 0;
  std::int64_t ordinal_first = 0;  ///< of bar 0: open time / interval
  const double* operator[](Field f) const { return field[static_cast<std::size_t>(f)]; }
};

}  // namespace winnow::engine
