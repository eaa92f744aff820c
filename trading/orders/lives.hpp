#pragma once

#include <array>
#include <limits>
#include <optional>
#include <span>
#include <vector>

#include "trading/orders/event.hpp"

namespace winnow::orders {

inline constexpr TimestampNs kNeverYet{std::numeric_limits<std::int64_t>::min()};
inline constexpr TimestampNs kNeverMore{std::numeric_limits<std::int64_t>::max()};

/// Purpose: what the venue has said of one of its orders, without the trades.
struct Life {
  VenueOrderId id;
  bool successor = false;  ///< took the place of an order that was amended
  TimestampNs working_last = kNeverYet;
  TimestampNs ended_first = kNeverMore;
  std::array<EvidenceId, 5> said{};  ///< by VenueStatus: earliest evidence; 0: never said
  Lots claimed;                      ///< the most lots it was said to have filled

  bool has_said(VenueStatus status) const {
    return said[static_cast<std::size_t>(status)].value() != 0;
  }
  bool has_ended() const { return ended_first != kNeverMore; }
  bool operator==(const Life&) const = default;
};

/// Purpose: the venue's orders under one client id: one, or a chain where an amendment makes a new
/// one. Invariants: a join of what was added, as Trades.
/// Limits: kLivesMax orders; `has_room` says so before one is added.
class Lives {
 public:
  static constexpr std::size_t kLivesMax = 1024;

  /// A trade or an acknowledgement names it.
  void mention(VenueOrderId id);
  void report(const Report& report);
  void succeed(VenueOrderId id);

  bool has_room(VenueOrderId id) const { return lives_.size() < kLivesMax || find(id) != nullptr; }
  const Life* find(VenueOrderId id) const;
  std::span<const Life> all() const { return lives_; }
  bool empty() const { return lives_.empty(); }
  /// How many are there that took no other's place. More than one: the venue has two orders.
  std::size_t originals() const;

  /// The report with the latest venue time; of several the one with the largest figures.
  struct Latest {
    TimestampNs venue_time = kNeverYet;
    std::optional<Lots> total;
    auto operator<=>(const Latest&) const = default;
  };
  const Latest& latest() const { return latest_; }

  bool operator==(const Lives&) const = default;

 private:
  Life& at(VenueOrderId id);

  std::vector<Life> lives_;  // by id
  Latest latest_;
};

}  // namespace winnow::orders
