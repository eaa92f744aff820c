#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "base/market.hpp"

namespace winnow::sweeps {

// The same market imported again: its bytes differ, its days were seen. What was tried on them must
// still be counted, so the copy has to be told from a market of its own by its prices alone
// (base/market_identity.hpp).

/// Another version of a market.
struct MarketCopy {
  std::string_view how;  ///< in words
  MarketColumns columns;
};
/// Of hourly bars of a year or more: one close a tick up, every price a tick up or down, a bar less
/// at the beginning, in the middle and at the end, the second half alone, bars of four hours, of a
/// day, and of a day that is cut an hour later. `tick_px` is that of the prices. Deterministic.
std::vector<MarketCopy> market_copies(const MarketColumns& market, double tick_px,
                                      std::uint64_t seed);

/// The first so many have bars of an hour.
inline constexpr std::size_t kHourlyCopies = 6;

/// Whether base/market_identity.hpp takes them for one market. `a` is called ONE.
bool same_market(const MarketColumns& a, const MarketColumns& b, std::string_view name_of_b);

/// What was asked and answered. Names never help: a copy is given another, a stranger the same.
struct ReimportCounts {
  std::uint64_t copies = 0;
  std::uint64_t copies_lost = 0;      ///< of them, taken for another market
  std::uint64_t strangers = 0;        ///< independent markets, and their copies
  std::uint64_t strangers_taken = 0;  ///< of them, taken for the same market
  /// Sweeps whose best variant has a deflated Sharpe ratio of .95 or more: where it was found, on a
  /// copy with what the market's other versions counted, and on a copy counted by itself.
  std::uint64_t deflated_bytes = 0;
  std::uint64_t deflated_market = 0;
  std::uint64_t deflated_alone = 0;

  void add(const ReimportCounts& other);
};

/// Whether each copy of `market` is taken for it, and whether `stranger` or a copy of it is.
ReimportCounts ask_identity(const MarketColumns& market, const MarketColumns& stranger,
                            double tick_px, std::uint64_t seed);

}  // namespace winnow::sweeps
