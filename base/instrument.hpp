#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace winnow {

enum class MarketKind : std::uint8_t {
  Unsaid,  ///< a pair whose name does not tell: `BTCUSDT` is spot at one venue, a swap at another
  Spot,
  Perpetual,
  Future,
};

/// Purpose: what a venue's name for a pair means. `BTC/USDT:USDT`, `BTCUSDT.P`, `BTCUSDT-PERP` and
/// `BTC-USDT-SWAP` are one instrument; `BTC-USDT` is the pair without a word of which market.
/// Invariants: all upper case; settle and expiry are empty where they mean nothing.
struct Instrument {
  std::string base;
  std::string quote;
  std::string settle;  ///< what a perpetual or future is paid in
  std::string expiry;  ///< of a future, as the name says it
  MarketKind kind = MarketKind::Unsaid;

  bool operator==(const Instrument&) const = default;
  /// `BTC/USDT`, `BTC/USDT:USDT`, `BTC/USD:BTC-240628`.
  std::string canonical() const;
  /// A perpetual or future paid in what it is about: its contracts are counted in the quote.
  bool inverse() const { return !settle.empty() && settle == base; }
};

/// None: the name is no pair of a base and a known quote (`AAPL`, `SPY`).
std::optional<Instrument> parse_instrument(std::string_view name);

/// The one name of an instrument; what is no pair is its own name in upper case without blanks.
std::string canonical_instrument(std::string_view name);

/// Letters and digits alone, in upper case: `BTC-USDT` is `BTCUSDT`.
std::string plain_name(std::string_view name);

/// Whether two names may mean the same instrument: the same pair, and the same market where both
/// say which. Names that are no pairs are compared without regard to case and punctuation.
bool same_instrument(std::string_view a, std::string_view b);

/// Index of the name that means `wanted`: of several the one that says the same market. None: no
/// name does.
std::optional<std::size_t> find_instrument(std::span<const std::string_view> names,
                                           std::string_view wanted);

}  // namespace winnow
