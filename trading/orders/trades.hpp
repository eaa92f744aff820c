#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <vector>

#include "trading/orders/event.hpp"

namespace winnow::orders {

/// What names a trade within an account.
struct TradeKey {
  VenueOrderId order;
  TradeId trade;
  auto operator<=>(const TradeKey&) const = default;
};

struct Trade {
  TradeKey key;
  Lots qty;
  Ticks px;
  std::optional<Fee> fee;
  EvidenceId evidence;  ///< the earliest
  bool busted = false;
  bool operator==(const Trade&) const = default;
};

/// Purpose: the trades of one order, each once.
/// Invariants: the state is a join of what was added: the same whatever the order and however often
/// (a fee that is known beats one that is not; of two contents of one trade the larger stays, and
/// `conflict()` holds for ever; a bust counts even before its trade).
/// Limits: kTradesMax trades.
class Trades {
 public:
  enum class Added : std::uint8_t { New, Known, FeeLearned, Conflicting };

  /// Requires: has_room() or known.
  Added add(const Trade& trade);
  /// Whether it was not busted before. A bust of a trade not seen waits for it.
  bool bust(TradeKey key);

  bool has_room(TradeKey key) const;
  const Trade* find(TradeKey key) const;
  std::span<const Trade> all() const { return trades_; }
  /// Lots of all trades, those taken back included: what a venue's cumulative counts once had.
  Lots gross() const { return gross_; }
  Lots gross_of(VenueOrderId order) const;
  /// Lots of the trades that stand.
  Lots net() const { return net_; }
  bool conflict() const { return conflict_; }
  bool any_bust() const { return any_bust_ || !early_busts_.empty(); }
  /// Busts that wait for their trade.
  std::span<const TradeKey> early_busts() const { return early_busts_; }

  bool operator==(const Trades&) const = default;

 private:
  std::vector<Trade>::iterator place_of(TradeKey key);
  Added join(Trade& known, const Trade& told);

  std::vector<Trade> trades_;          // by key
  std::vector<TradeKey> early_busts_;  // by key
  Lots gross_;
  Lots net_;
  bool conflict_ = false;
  bool any_bust_ = false;
};

}  // namespace winnow::orders
