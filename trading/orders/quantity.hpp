#pragma once

#include <compare>
#include <cstdint>

namespace winnow::orders {

/// Purpose: an exact quantity, in whole lots of its instrument. What a lot is worth, and how a
/// decimal text becomes lots, is the business of the instrument's rules, not of an order.
struct Lots {
  std::int64_t n = 0;
  auto operator<=>(const Lots&) const = default;
  constexpr Lots operator+(Lots o) const { return {n + o.n}; }
  constexpr Lots operator-(Lots o) const { return {n - o.n}; }
  constexpr Lots operator-() const { return {-n}; }
  constexpr Lots& operator+=(Lots o) { return *this = *this + o; }
  constexpr Lots& operator-=(Lots o) { return *this = *this - o; }
};

/// No event may speak of more: sums over an order's trades stay far from overflow.
inline constexpr Lots kLotsMax{1'000'000'000'000'000};
/// Trades that one order remembers. A venue that reports more is refused, loudly.
inline constexpr std::size_t kTradesMax = 8192;

constexpr Lots larger(Lots a, Lots b) { return a < b ? b : a; }
constexpr Lots smaller(Lots a, Lots b) { return b < a ? b : a; }
/// What is more than nothing.
constexpr Lots positive(Lots a) { return larger(a, Lots{0}); }

/// An exact price in whole ticks; may be negative (there were such markets). Zero where an order
/// has none.
struct Ticks {
  std::int64_t n = 0;
  auto operator<=>(const Ticks&) const = default;
};

enum class Side : std::uint8_t { Buy, Sell };

/// What `lots` of this side do to a position.
constexpr Lots signed_lots(Side side, Lots lots) { return side == Side::Buy ? lots : -lots; }

}  // namespace winnow::orders
