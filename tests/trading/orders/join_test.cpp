// What the venue says joins: in any order, and however often, it makes the same order, even where
// it contradicts itself.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <map>
#include <vector>

#include "base/rng.hpp"
#include "tests/trading/orders/support.hpp"

namespace winnow::orders {
namespace {

using namespace testing;  // NOLINT: the support header of these tests

std::uint64_t shuffles(std::uint64_t usual) {
  const char* const env = std::getenv("WINNOW_ORDER_SEEDS");
  return env == nullptr ? usual : std::strtoull(env, nullptr, 10);
}

/// Purpose: a venue that may say anything.
class Babble {
 public:
  explicit Babble(std::uint64_t seed) : rng_(seed, 3) {}

  Event event() {
    const EvidenceId proof(1 + below(50));
    const VenueOrderId venue(70 + below(3));
    const RequestNo no(static_cast<std::uint32_t>(1 + below(3)));
    switch (below(11)) {
      case 0:
        return Accepted{venue, proof};
      case 1:
        return Rejected{proof};
      case 2:
      case 3:
        return Fill{venue, TradeId(1 + below(4)), lots(1, 3), Ticks{100 + number(2)}, fee(), proof};
      case 4:
        return TradeBusted{venue, TradeId(1 + below(4)), proof};
      case 5:
      case 6:
        return some_report(venue, proof);
      case 7:
        return NotFound{QueryId(1 + below(3)), proof};
      case 8:
        return below(2) == 0 ? Event(CancelAccepted{no, proof}) : Event(CancelRejected{no, proof});
      case 9:
        return ReplaceAccepted{no, lots(0, 4), VenueOrderId(below(2) * 72), TimestampNs{number(9)},
                               proof};
      default:
        return ReplaceRejected{no, proof};
    }
  }

  std::uint64_t below(std::uint64_t n) { return rng_.below(n); }

  template <class T>
  void shuffle(std::vector<T>& all) {
    for (std::size_t i = all.size(); i > 1; --i) std::swap(all[i - 1], all[below(i)]);
  }

 private:
  std::int64_t number(std::uint64_t n) { return static_cast<std::int64_t>(below(n)); }
  Lots lots(std::int64_t least, std::uint64_t n) { return Lots{least + number(n)}; }
  std::optional<Fee> fee() {
    if (below(3) == 0) return std::nullopt;
    return Fee{number(2), AssetId(1)};
  }
  Report some_report(VenueOrderId venue, EvidenceId proof) {
    Report r{
        venue, static_cast<VenueStatus>(below(5)), lots(0, 7), std::nullopt, TimestampNs{number(9)},
        proof};
    if (below(2) == 0) r.total = lots(4, 4);
    return r;
  }

  Rng rng_;
};

/// An order with an amendment out and a cancel on its way: every answer has something to answer.
Order asked_for_everything() {
  Stepped s(buy(6));
  s.working().replacing(AmendKind::Leaves, 4).on(CancelRequested{});
  return s.order();
}

Order told(Order order, const std::vector<Event>& events) {
  for (const Event& event : events) {
    const Result<Effects> result = step(order, event, at_ms(0));
    EXPECT_TRUE(result.ok()) << (result.ok() ? "" : result.error().text());
  }
  return order;
}

/// Lots that stand by the events alone: of each trade the largest quantity, unless it was busted.
Lots sum_of(const std::vector<Event>& events) {
  std::map<TradeKey, Lots> trades;
  for (const Event& event : events) {
    if (const Fill* f = std::get_if<Fill>(&event)) {
      Lots& qty = trades[{f->order, f->trade}];
      qty = larger(qty, f->qty);
    }
  }
  for (const Event& event : events) {
    if (const TradeBusted* b = std::get_if<TradeBusted>(&event)) trades.erase({b->order, b->trade});
  }
  Lots sum;
  for (const auto& [key, qty] : trades) sum += qty;
  return sum;
}

std::string unequal(const Order& a, const Order& b) {
  if (a.facts() == b.facts() && a.view() == b.view()) return {};
  return a.explain() + " is not " + b.explain();
}

TEST(OrderJoin, AnyOrderAndAnyNumberOfTimesIsTheSameOrder) {
  const Order base = asked_for_everything();
  const std::uint64_t count = shuffles(30'000);
  for (std::uint64_t seed = 1; seed <= count; ++seed) {
    Babble babble(seed);
    std::vector<Event> events(1 + babble.below(10));
    for (Event& event : events) event = babble.event();
    const Order first = told(base, events);
    const View& view = first.view();
    ASSERT_EQ(view.total + view.over, view.filled + view.leaves + view.canceled) << seed;
    ASSERT_EQ(view.filled, sum_of(events)) << "seed " << seed << ": " << first.explain();
    ASSERT_GE(view.worst_open, view.leaves) << seed;
    std::vector<Event> again = events;
    for (const Event& event : events) {
      if (babble.below(2) == 0) again.push_back(event);
    }
    babble.shuffle(again);
    ASSERT_EQ(unequal(first, told(base, again)), "") << "seed " << seed;
    ASSERT_EQ(unequal(first, told(first, again)), "") << "seed " << seed << ", told again";
  }
}

TEST(OrderJoin, AJoinThatKeepsTheLastWordIsFound) {
  // The canary of the test above: the same check over orders that hear only the last report.
  std::uint64_t differing = 0;
  for (std::uint64_t seed = 1; seed <= 200; ++seed) {
    Babble babble(seed);
    std::vector<Event> events(6);
    for (Event& event : events) event = babble.event();
    const auto last_reports = [](std::vector<Event> all) {
      std::vector<Event> kept;
      bool seen = false;
      for (auto e = all.rbegin(); e != all.rend(); ++e) {
        const bool is_report = std::holds_alternative<Report>(*e);
        if (!is_report || !seen) kept.push_back(*e);
        seen |= is_report;
      }
      return kept;
    };
    std::vector<Event> shuffled = events;
    babble.shuffle(shuffled);
    const Order base = asked_for_everything();
    differing +=
        unequal(told(base, last_reports(events)), told(base, last_reports(shuffled))) != "";
  }
  EXPECT_GT(differing, 20u);
}

}  // namespace
}  // namespace winnow::orders
