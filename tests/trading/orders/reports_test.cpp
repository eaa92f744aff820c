// Reports of other engines that concern one life of an order: each a test that it cannot be earned
// here. Numbers are of the projects' issues and pull requests; V rows are faults at a venue.
#include <gtest/gtest.h>

#include "tests/trading/orders/support.hpp"

namespace winnow::orders {
namespace {

using namespace testing;  // NOLINT: the support header of these tests

// Partial fills never reached the position; only the last part did when the order was full.
TEST(OrderReports, Hftbacktest316And299PartialFillsReachThePosition) {
  Stepped s;
  std::int64_t position = 0;
  s.working();
  for (const std::uint64_t trade : {1, 2, 3}) position += s.on(fill(trade, 3)).change();
  EXPECT_EQ(position, 9);
  position += s.on(fill(4, 1)).change();
  EXPECT_EQ(position, 10);
  EXPECT_TRUE(s.view().is_settled());
}

// A fill of exactly what was left did not end the order; the next trade filled it again.
TEST(OrderReports, Hftbacktest312And301AnExactFillEndsTheOrder) {
  Stepped s;
  s.working().on(fill(1, 4)).on(fill(2, 6));
  EXPECT_EQ(s.view().venue, VenueSide::Done);
  EXPECT_EQ(s.view().leaves, Lots{0});
}

// Clocks were mixed: an order was filled before it was placed.
TEST(OrderReports, Hftbacktest251AFillBeforeThePlacementIsAlarmed) {
  Stepped s;
  s.on(fill(1, 10));
  EXPECT_TRUE(s.alarms(Anomaly::UnsentButAlive));
}

// A refused cancel could overwrite the order's status, even that it was filled.
TEST(OrderReports, Hftbacktest239ARefusedCancelOverwritesNothing) {
  Stepped filled;
  filled.working().on(CancelRequested{}).on(fill(1, 10)).on(CancelRejected{RequestNo(1), kProof});
  EXPECT_EQ(filled.view().cause, Cause::Filled);
  EXPECT_TRUE(filled.view().is_settled());
  Stepped open;
  open.working().on(CancelRequested{}).on(CancelRejected{RequestNo(1), kProof});
  EXPECT_EQ(open.view().venue, VenueSide::Working);
  EXPECT_EQ(open.view().request, RequestSide::None);
}

// Quotes were canceled and sent anew; what was not yet canceled was not counted, and the inventory
// went beyond its cap.
TEST(OrderReports, Hftbacktest280OrdersBeingCanceledCountInFull) {
  Orders orders{Patience{}};
  ASSERT_TRUE(orders.draft(buy(10, "A")));
  const auto on = [&](const Event& e) { ASSERT_TRUE(orders.step(id_of("A"), e, at_ms(0))); };
  on(Persisted{});
  on(Accepted{kVenue, kProof});
  on(CancelRequested{});
  on(CancelAccepted{RequestNo(1), kProof});
  ASSERT_TRUE(orders.draft(buy(10, "B")));
  EXPECT_EQ(orders.exposure(InstrumentId(1)).long_most, Lots{20});
}

// Commands still under way at the end of a run were lost.
TEST(OrderReports, Nautilus4062WhatIsOnItsWayIsNotOver) {
  Stepped s;
  s.working().on(CancelRequested{}, at_ms(100));
  EXPECT_FALSE(s.view().is_over());
  EXPECT_EQ(s.order().due(), at_ms(2100)) << "somebody has to wait for it";
}

// Orders that were over stayed in the matching core and were filled again, by new trade ids.
TEST(OrderReports, Nautilus4075And3741And3317And1639AFillOfWhatIsFullIsNeverQuiet) {
  Stepped s;
  s.working().on(fill(1, 10)).on(fill(2, 10));
  EXPECT_TRUE(s.alarms(Anomaly::Overfilled));
  EXPECT_EQ(s.view().over, Lots{10});
  EXPECT_EQ(s.change(), 10) << "a wrong position would be worse";
}

// State of one run reached the next.
TEST(OrderReports, Nautilus3992NothingOutlivesItsOrders) {
  const auto run = [] {
    Orders orders{Patience{}};
    EXPECT_TRUE(orders.draft(buy(10)));
    for (const Event& e : {Event(Persisted{}), Event(fill(1, 4)), Event(CancelRequested{})}) {
      EXPECT_TRUE(orders.step(id_of("W1A"), e, at_ms(0)));
    }
    return orders.find(id_of("W1A"))->digest();
  };
  EXPECT_EQ(run(), run());
}

// A fill crossed the cancel, and was dropped or ended the run.
TEST(OrderReports, Nautilus3797And1587And3869FillsThatCrossTheCancelAreBooked) {
  for (const auto& [first, second] :
       {std::pair<Event, Event>{fill(1, 4), report(VenueStatus::Canceled, 4)},
        std::pair<Event, Event>{report(VenueStatus::Canceled, 4), fill(1, 4)}}) {
    Stepped s;
    s.working().on(CancelRequested{}).on(first).on(second);
    EXPECT_EQ(s.lots(), "4/0/6 of 10");
    EXPECT_TRUE(s.view().is_settled());
    EXPECT_TRUE(s.view().anomalies.none());
  }
}

// An exit opened a phantom position on the other side.
TEST(OrderReports, Nautilus4106AnExitOnlyReducesThePosition) {
  Orders orders{Patience{}};
  Intent exit = buy(3, "B");
  exit.side = Side::Sell;
  ASSERT_TRUE(orders.draft(buy(10, "A")));
  ASSERT_TRUE(orders.draft(exit));
  for (const std::string_view id : {"A", "B"}) {
    ASSERT_TRUE(orders.step(id_of(id), Persisted{}, at_ms(0)));
  }
  ASSERT_TRUE(orders.step(id_of("A"), fill(1, 10), at_ms(0)));
  ASSERT_TRUE(orders.step(id_of("B"), fill(2, 3, kOtherVenue), at_ms(0)));
  EXPECT_EQ(orders.exposure(InstrumentId(1)).position, Lots{7});
}

// Venues amend by cancel and new order; the canceled half was taken for the end, and the strategy
// placed another order beside the one that lived.
TEST(OrderReports, Nautilus4288TheReplacedHalfIsNoEnd) {
  Stepped s;
  s.working().replacing(AmendKind::Absolute, 12).on(report(VenueStatus::Canceled, 0));
  EXPECT_FALSE(s.view().is_over());
  EXPECT_EQ(s.effect<Settled>(), nullptr);
  EXPECT_TRUE(s.view().doubts.has(Doubt::Ending));
  EXPECT_EQ(s.view().worst_open, Lots{12});
  s.on(ReplaceAccepted{RequestNo(1), Lots{0}, kOtherVenue, TimestampNs{20}, kProof});
  EXPECT_EQ(s.view().venue, VenueSide::Working);
  s.on(report(VenueStatus::Canceled, 0));
  EXPECT_EQ(s.view().venue, VenueSide::Working) << "told again, later";
  s.on(report(VenueStatus::Canceled, 0, 30, kOtherVenue));
  EXPECT_TRUE(s.view().is_settled());
}

// Fills of the replacement came before the answer to the amendment, and were refused for their
// order id or as overfill.
TEST(OrderReports, Nautilus3972FillsOfTheReplacementMayComeFirst) {
  Stepped s;
  s.working().replacing(AmendKind::Absolute, 12).on(fill(1, 11, kOtherVenue));
  EXPECT_EQ(s.change(), 11);
  EXPECT_TRUE(s.view().anomalies.none());
  s.on(ReplaceAccepted{RequestNo(1), Lots{0}, kOtherVenue, TimestampNs{20}, kProof});
  EXPECT_EQ(s.lots(), "11/1/0 of 12");
  EXPECT_TRUE(s.view().anomalies.none());
}

// A trade was voided before it was told: the order knew, the position did not.
TEST(OrderReports, Nautilus4491AVoidBeforeItsFillHoldsInThePositionToo) {
  Stepped s;
  s.working().on(TradeBusted{kVenue, TradeId(1), kProof}).on(fill(1, 4));
  EXPECT_EQ(s.change(), 0);
  EXPECT_EQ(s.view().filled, Lots{0});
}

// Fills were inferred from a report; then the real ones came, and counted as well.
TEST(OrderReports, Nautilus3861And3493NoFillIsInferred) {
  Stepped s;
  s.working().on(report(VenueStatus::Filled, 10));
  EXPECT_EQ(s.change(), 0);
  EXPECT_TRUE(s.view().doubts.has(Doubt::Trades));
  std::int64_t position = s.on(fill(1, 4)).change();
  position += s.on(fill(2, 6)).change();
  EXPECT_EQ(position, 10);
  EXPECT_TRUE(s.view().is_settled());
}

// A trade id was marked as seen before the trade was applied; the trade was then lost for ever.
TEST(OrderReports, Nautilus4068And4522WhatWasRefusedMayComeAgain) {
  Stepped s;
  s.working();
  Fill broken = fill(1, 4);
  broken.evidence = EvidenceId(0);
  EXPECT_NE(s.refusal(broken), "");
  EXPECT_EQ(s.on(fill(1, 4)).change(), 4);
}

// One trade id on several orders at once: the second one failed.
TEST(OrderReports, Nautilus3450OneTradeIdOnTwoOrdersIsTwoFills) {
  Orders orders{Patience{}};
  for (const std::string_view id : {"A", "B"}) {
    ASSERT_TRUE(orders.draft(buy(10, id)));
    ASSERT_TRUE(orders.step(id_of(id), Persisted{}, at_ms(0)));
  }
  ASSERT_TRUE(orders.step(id_of("A"), fill(1, 4), at_ms(0)));
  ASSERT_TRUE(orders.step(id_of("B"), fill(1, 4, kOtherVenue), at_ms(0)));
  EXPECT_EQ(orders.exposure(InstrumentId(1)).position, Lots{8});
}

// A timeout was taken for a rejection, or the order for lost, and it was sent again.
TEST(OrderReports, Nautilus4215AndHummingbot493AndV02NoAnswerIsNoRejection) {
  Stepped s;
  s.sent().on(OutcomeUnknown{kProof}, at_ms(100));
  EXPECT_EQ(s.view().venue, VenueSide::Sent);
  EXPECT_EQ(s.view().worst_open, Lots{10});
  EXPECT_EQ(s.effect<Send>(), nullptr);
  s.on(Accepted{kVenue, kProof}, at_ms(8100)).on(fill(1, 10), at_ms(8101));
  EXPECT_TRUE(s.view().is_settled());
  EXPECT_TRUE(s.view().anomalies.none());
}

TEST(OrderReports, V03NoAnswerAndNoOrderIsAbsentByProofOnly) {
  Stepped s;
  s.sent().on(OutcomeUnknown{kProof});
  s.on(TimePassed{}, at_ms(3'600'000));
  EXPECT_EQ(s.view().venue, VenueSide::Sent) << "no time makes an end";
  EXPECT_TRUE(s.view().is_frozen());
}

// A cancel of what had just been rejected left it pending for ever.
TEST(OrderReports, Lean1843ACancelOfARejectedOrderIsNotPending) {
  Stepped s;
  s.sent().on(CancelRequested{}).on(Rejected{kProof});
  EXPECT_EQ(s.view().request, RequestSide::None);
  EXPECT_TRUE(s.view().is_settled());
  EXPECT_EQ(s.order().due(), std::nullopt);
}

// Liquidated twice: the same intent made two orders.
TEST(OrderReports, Lean6059TheSameIntentIsNoSecondOrder) {
  Orders orders{Patience{}};
  ASSERT_TRUE(orders.draft(buy(10)));
  EXPECT_FALSE(orders.draft(buy(10)));
  EXPECT_EQ(orders.exposure(InstrumentId(1)).long_most, Lots{10});
}

// An order was sent, then its record could not be written.
TEST(OrderReports, Freqtrade7184And6353NothingIsSentBeforeItIsWritten) {
  Orders orders{Patience{}};
  const Result<Effects> drafted = orders.draft(buy(10));
  ASSERT_TRUE(drafted.ok());
  for (const Effect& e : drafted.value()) EXPECT_FALSE(std::holds_alternative<Send>(e));
  const Result<Effects> written = orders.step(id_of("W1A"), Persisted{}, at_ms(0));
  ASSERT_TRUE(written.ok());
  EXPECT_TRUE(std::holds_alternative<Send>(written.value()[0]));
}

// A fill came by the stream, again by the stream, and again by the query after a reconnection.
TEST(OrderReports, Ccxt18028And18078AndV05OneTradeOverThreeChannelsIsOne) {
  Stepped s;
  Fill thin = fill(1, 4);  // the fast channel knows no fee
  thin.fee = std::nullopt;
  s.working();
  const std::int64_t booked =
      s.on(thin).change() + s.on(fill(1, 4)).change() + s.on(fill(1, 4)).change();
  EXPECT_EQ(booked, 4);
  EXPECT_TRUE(s.view().anomalies.none());
}

// The canceled event knew fewer lots than had filled; the exit was sized by it.
TEST(OrderReports, Freqtrade2383And8374AndV06TradesDecideWhatFilled) {
  Stepped s;
  s.working().on(fill(1, 3)).on(CancelRequested{}).on(report(VenueStatus::Canceled, 3));
  EXPECT_EQ(s.on(fill(2, 2)).change(), 2);
  EXPECT_EQ(s.lots(), "5/0/5 of 10");
}

}  // namespace
}  // namespace winnow::orders
