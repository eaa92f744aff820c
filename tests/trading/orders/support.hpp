#pragma once

// Orders of tests: short names for events, and what a step gave.
#include <gtest/gtest.h>

#include <string>
#include <utility>

#include "trading/orders/orders.hpp"

namespace winnow::orders::testing {

inline ClientOrderId id_of(std::string_view text) { return ClientOrderId::parse(text).value(); }

inline TimestampNs at_ms(std::int64_t ms) { return TimestampNs{ms * 1'000'000}; }

inline constexpr VenueOrderId kVenue{70};
inline constexpr VenueOrderId kOtherVenue{71};
inline constexpr EvidenceId kProof{5};

inline Intent buy(std::int64_t lots, std::string_view id = "W1A") {
  return {id_of(id), InstrumentId(1), Side::Buy, Lots{lots}, Ticks{100}};
}

inline Fill fill(std::uint64_t trade, std::int64_t lots, VenueOrderId order = kVenue) {
  return {order, TradeId(trade), Lots{lots}, Ticks{100}, Fee{3, AssetId(1)}, EvidenceId(trade)};
}

inline Report report(VenueStatus status, std::int64_t filled, std::int64_t venue_time = 10,
                     VenueOrderId order = kVenue) {
  return {order, status, Lots{filled}, std::nullopt, TimestampNs{venue_time}, kProof};
}

/// Purpose: one order, stepped; each step's effects are kept until the next.
class Stepped {
 public:
  explicit Stepped(const Intent& intent = buy(10)) : order_(intent, Patience{}) {}
  Stepped(const Stepped& other) : order_(other.order_) {}
  Stepped& operator=(const Stepped&) = delete;

  /// Requires: the event is taken.
  Stepped& on(const Event& event, TimestampNs now = at_ms(0)) {
    Result<Effects> result = step(order_, event, now);
    EXPECT_TRUE(result.ok()) << (result.ok() ? "" : result.error().text());
    effects_ = result.ok() ? std::move(result).value() : Effects{};
    return *this;
  }

  /// The text of a refusal; empty where the event was taken.
  std::string refusal(const Event& event, TimestampNs now = at_ms(0)) {
    const Facts before = order_.facts();
    const Result<Effects> result = step(order_, event, now);
    if (result.ok()) return {};
    EXPECT_EQ(order_.facts(), before) << "a refusal changes nothing";
    return result.error().text();
  }

  /// Persisted and given out.
  Stepped& sent() { return on(Persisted{}).on(Sent{}); }
  Stepped& working() { return sent().on(Accepted{kVenue, kProof}); }
  Stepped& replacing(AmendKind kind, std::int64_t lots) {
    on(ReplaceRequested{{kind, Lots{lots}, Ticks{100}}});
    return on(ReplacePersisted{RequestNo(last_request())});
  }

  std::uint32_t last_request() const {
    return static_cast<std::uint32_t>(order_.facts().requests.size());
  }

  template <class T>
  const T* effect() const {
    for (const Effect& e : effects_) {
      if (const T* found = std::get_if<T>(&e)) return found;
    }
    return nullptr;
  }
  bool alarms(Anomaly anomaly) const {
    const Alarm* alarm = effect<Alarm>();
    return alarm != nullptr && alarm->anomalies.has(anomaly);
  }
  std::int64_t change() const {
    const PositionChanged* booked = effect<PositionChanged>();
    return booked == nullptr ? 0 : booked->change.n;
  }

  const Order& order() const { return order_; }
  const View& view() const { return order_.view(); }

  /// `filled/leaves/canceled of total`, and over where there is any.
  std::string lots() const {
    const View& v = view();
    const std::string over = v.over == Lots{} ? "" : " over " + std::to_string(v.over.n);
    return std::to_string(v.filled.n) + "/" + std::to_string(v.leaves.n) + "/" +
           std::to_string(v.canceled.n) + " of " + std::to_string(v.total.n) + over;
  }

 private:
  Order order_;
  Effects effects_;
};

}  // namespace winnow::orders::testing
