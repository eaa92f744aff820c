// All orders together: one id once, position, exposure, who is waited for.
#include "trading/orders/orders.hpp"

#include <gtest/gtest.h>

#include "base/rng.hpp"
#include "tests/trading/orders/support.hpp"

namespace winnow::orders {
namespace {

using namespace testing;  // NOLINT: the support header of these tests

constexpr InstrumentId kInstrument{1};

/// Purpose: orders whose events are taken, with their effects thrown away.
class Desk {
 public:
  void draft(std::string_view id, Side side, std::int64_t lots,
             InstrumentId instrument = kInstrument) {
    Intent intent = buy(lots, id);
    intent.side = side;
    intent.instrument = instrument;
    ASSERT_TRUE(orders.draft(intent));
  }
  void on(std::string_view id, const Event& event, TimestampNs now = at_ms(0)) {
    const Result<Effects> result = orders.step(id_of(id), event, now);
    ASSERT_TRUE(result.ok()) << result.error().text();
    EXPECT_EQ(orders.audit(), "");
  }
  void work(std::string_view id, VenueOrderId venue) {
    on(id, Persisted{});
    on(id, Accepted{venue, kProof});
  }
  Orders orders{Patience{}};
};

TEST(OrderBook, AnIdIsDraftedOnce) {
  Desk d;
  d.draft("A", Side::Buy, 10);
  EXPECT_EQ(d.orders.draft(buy(10, "A")).error().code(), ErrorCode::Refused);
  EXPECT_EQ(d.orders.draft(buy(3, "A")).error().code(), ErrorCode::Refused);
  EXPECT_EQ(d.orders.size(), 1u);
  d.work("A", kVenue);
  d.on("A", fill(1, 10));
  EXPECT_TRUE(d.orders.retire(id_of("A")));
  EXPECT_EQ(d.orders.draft(buy(10, "A")).error().code(), ErrorCode::Refused) << "long done, even";
  EXPECT_TRUE(d.orders.was_drafted(id_of("A")));
  EXPECT_EQ(d.orders.audit(), "");
}

TEST(OrderBook, PositionAndExposureAreOfAllOrders) {
  Desk d;
  d.draft("A", Side::Buy, 10);
  d.draft("B", Side::Sell, 4);
  d.draft("C", Side::Buy, 7, InstrumentId(2));
  EXPECT_EQ(d.orders.exposure(kInstrument), (Exposure{Lots{0}, Lots{10}, Lots{-4}}));
  d.work("A", kVenue);
  d.on("A", fill(1, 6));
  EXPECT_EQ(d.orders.exposure(kInstrument), (Exposure{Lots{6}, Lots{10}, Lots{2}}));
  d.work("B", kOtherVenue);
  d.on("B", fill(2, 4, kOtherVenue));
  EXPECT_EQ(d.orders.exposure(kInstrument), (Exposure{Lots{2}, Lots{6}, Lots{2}}));
  d.on("A", report(VenueStatus::Canceled, 6));
  EXPECT_EQ(d.orders.exposure(kInstrument), (Exposure{Lots{2}, Lots{2}, Lots{2}}));
  EXPECT_EQ(d.orders.exposure(InstrumentId(2)), (Exposure{Lots{0}, Lots{7}, Lots{0}}));
  EXPECT_EQ(d.orders.exposure(InstrumentId(9)), Exposure{});
}

TEST(OrderBook, RetiredOrdersLeaveTheirPosition) {
  Desk d;
  d.draft("A", Side::Buy, 10);
  d.work("A", kVenue);
  d.on("A", fill(1, 6));
  EXPECT_EQ(d.orders.retire(id_of("A")).error().code(), ErrorCode::Refused) << "it works";
  d.on("A", report(VenueStatus::Canceled, 6));
  ASSERT_TRUE(d.orders.retire(id_of("A")));
  EXPECT_EQ(d.orders.exposure(kInstrument).position, Lots{6});
  EXPECT_EQ(d.orders.audit(), "");
  EXPECT_EQ(d.orders.find(id_of("A")), nullptr);
  const auto late = d.orders.step(id_of("A"), fill(2, 1), at_ms(1));
  EXPECT_EQ(late.error().code(), ErrorCode::NotFound);
  EXPECT_EQ(d.orders.retire(id_of("A")).error().code(), ErrorCode::NotFound);
}

TEST(OrderBook, OneOrderOfTheVenueHasOneOwner) {
  Desk d;
  d.draft("A", Side::Buy, 10);
  d.draft("B", Side::Buy, 10);
  d.work("A", kVenue);
  d.on("B", Persisted{});
  const auto stray = d.orders.step(id_of("B"), fill(1, 5), at_ms(0));
  ASSERT_FALSE(stray.ok());
  EXPECT_EQ(stray.error().code(), ErrorCode::Refused);
  EXPECT_NE(stray.error().text().find("is that of A"), std::string::npos);
  EXPECT_EQ(d.orders.exposure(kInstrument).position, Lots{0});
  ASSERT_NE(d.orders.owner(kInstrument, kVenue), nullptr);
  EXPECT_EQ(*d.orders.owner(kInstrument, kVenue), id_of("A"));
  EXPECT_EQ(d.orders.owner(InstrumentId(2), kVenue), nullptr) << "numbered by instrument";
}

TEST(OrderBook, TicksThoseThatWait) {
  Desk d;
  d.draft("A", Side::Buy, 10);
  d.draft("B", Side::Buy, 10);
  EXPECT_EQ(d.orders.due(), std::nullopt);
  d.on("A", Persisted{}, at_ms(0));
  d.on("B", Persisted{}, at_ms(500));
  EXPECT_EQ(d.orders.due(), at_ms(2000));
  EXPECT_TRUE(d.orders.tick(at_ms(1999)).empty());
  const auto ticked = d.orders.tick(at_ms(2000));
  ASSERT_EQ(ticked.size(), 1u);
  EXPECT_EQ(ticked[0].first, id_of("A"));
  EXPECT_TRUE(std::holds_alternative<Ask>(ticked[0].second[0]));
  EXPECT_EQ(d.orders.due(), at_ms(2500));
  EXPECT_EQ(d.orders.audit(), "");
}

TEST(OrderBook, ForeignOrdersAreToldApart) {
  Desk d;
  const auto foreign = d.orders.step(id_of("X"), fill(1, 5), at_ms(0));
  EXPECT_EQ(foreign.error().code(), ErrorCode::NotFound);
  EXPECT_FALSE(d.orders.was_drafted(id_of("X")));
}

TEST(OrderBook, AddsUpOverManyOrdersWhateverIsSaid) {
  Rng rng(11);
  for (int round = 0; round < 200; ++round) {
    Orders orders{Patience{}};
    Lots booked;
    for (std::uint64_t i = 0; i < 120; ++i) {
      const std::uint64_t n = rng.below(6);
      const std::string id = "A" + std::to_string(n);
      Intent intent = buy(5, id);
      intent.side = n % 2 == 0 ? Side::Buy : Side::Sell;
      if (!orders.was_drafted(intent.id)) {
        ASSERT_TRUE(orders.draft(intent));
      }
      const VenueOrderId venue(1 + rng.below(8));
      const TradeId trade(1 + rng.below(6));
      const std::array<Event, 8> events = {Persisted{},
                                           Fill{venue,
                                                trade,
                                                Lots{static_cast<std::int64_t>(1 + rng.below(4))},
                                                Ticks{1},
                                                {},
                                                kProof},
                                           TradeBusted{venue, trade, kProof},
                                           report(VenueStatus::Canceled, 2, 5, venue),
                                           CancelRequested{},
                                           CancelAccepted{RequestNo(1), kProof},
                                           Rejected{kProof},
                                           OutcomeUnknown{kProof}};
      const auto result = orders.step(intent.id, events[rng.below(8)], at_ms(0));
      if (!result.ok()) continue;
      for (const Effect& e : result.value()) {
        if (const auto* change = std::get_if<PositionChanged>(&e)) booked += change->change;
      }
      ASSERT_EQ(orders.audit(), "");
      ASSERT_EQ(orders.exposure(kInstrument).position, booked);
    }
  }
}

}  // namespace
}  // namespace winnow::orders
