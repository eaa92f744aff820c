// What crosses on the wire, comes late, comes twice, or contradicts.
#include <gtest/gtest.h>

#include "tests/trading/orders/support.hpp"

namespace winnow::orders {
namespace {

using namespace testing;  // NOLINT: the support header of these tests

ReplaceAccepted taken(std::uint32_t no, std::int64_t filled_then, VenueOrderId successor = {}) {
  return {RequestNo(no), Lots{filled_then}, successor, TimestampNs{20}, kProof};
}

TEST(OrderRaces, FillBeforeTheAcknowledgement) {
  Stepped s;
  s.sent().on(fill(1, 10));
  EXPECT_TRUE(s.view().is_settled());
  s.on(Accepted{kVenue, kProof});
  EXPECT_EQ(s.view().cause, Cause::Filled) << "a late acknowledgement opens nothing again";
  EXPECT_TRUE(s.view().is_settled());
}

TEST(OrderRaces, OneTradeTwiceIsOneTrade) {
  Stepped s;
  s.working().on(fill(1, 4)).on(fill(1, 4));
  EXPECT_EQ(s.change(), 0);
  EXPECT_EQ(s.lots(), "4/6/0 of 10");
  EXPECT_TRUE(s.view().anomalies.none());
}

TEST(OrderRaces, AFeeMayComeLater) {
  Stepped s;
  Fill early = fill(1, 4);
  early.fee = std::nullopt;
  s.working().on(early).on(fill(1, 4));
  EXPECT_NE(s.effect<FeeLearned>(), nullptr);
  EXPECT_EQ(s.change(), 0);
  s.on(early);
  EXPECT_EQ(s.effect<FeeLearned>(), nullptr);
  EXPECT_TRUE(s.view().anomalies.none());
}

TEST(OrderRaces, OneTradeInTwoWaysCountsAsTheLargerAndAlarms) {
  for (const auto& [first, second] : {std::pair{4, 5}, std::pair{5, 4}}) {
    Stepped s;
    s.working().on(fill(1, first)).on(fill(1, second));
    EXPECT_TRUE(s.alarms(Anomaly::TradeConflict));
    EXPECT_EQ(s.lots(), "5/5/0 of 10");
  }
}

TEST(OrderRaces, OverfillIsBookedAndAlarmed) {
  Stepped s;
  s.working().on(fill(1, 10)).on(fill(2, 3));
  EXPECT_EQ(s.change(), 3);
  EXPECT_EQ(s.lots(), "13/0/0 of 10 over 3");
  EXPECT_TRUE(s.alarms(Anomaly::Overfilled));
  s.on(Acknowledged{Anomaly::Overfilled, kProof});
  EXPECT_FALSE(s.view().is_frozen());
  s.on(fill(3, 1));
  EXPECT_TRUE(s.alarms(Anomaly::Overfilled)) << "more of it than was acknowledged";
  EXPECT_TRUE(s.view().is_frozen());
}

TEST(OrderRaces, FillAfterTheCancelRaisesWhatIsFilled) {
  Stepped s;
  s.working().on(CancelRequested{}).on(report(VenueStatus::Canceled, 0));
  EXPECT_EQ(s.lots(), "0/0/10 of 10");
  s.on(fill(1, 4));
  EXPECT_EQ(s.lots(), "4/0/6 of 10");
  EXPECT_EQ(s.view().cause, Cause::Canceled);
  EXPECT_TRUE(s.view().anomalies.none());
  ASSERT_NE(s.effect<Settled>(), nullptr) << "told again: it is another end";
  s.on(fill(2, 6));
  EXPECT_EQ(s.view().cause, Cause::Filled);
}

TEST(OrderRaces, CanceledWithFewerLotsThanItHadIsCorrectedByTrades) {  // V06
  Stepped s;
  s.working().on(fill(1, 4)).on(fill(2, 2)).on(report(VenueStatus::Canceled, 4));
  EXPECT_EQ(s.lots(), "6/0/4 of 10");
  EXPECT_TRUE(s.view().is_settled());
}

TEST(OrderRaces, CanceledWithMoreLotsThanTradesWaitsForThem) {
  Stepped s;
  s.working().on(fill(1, 4)).on(report(VenueStatus::Canceled, 6));
  EXPECT_EQ(s.view().venue, VenueSide::Done);
  EXPECT_FALSE(s.view().is_settled());
  EXPECT_EQ(s.view().worst_open, Lots{2});
  EXPECT_EQ(s.effect<Settled>(), nullptr);
  s.on(fill(2, 2));
  EXPECT_TRUE(s.view().is_settled());
  EXPECT_NE(s.effect<Settled>(), nullptr);
}

TEST(OrderRaces, FillAfterARejectionIsBookedAndAlarmed) {
  Stepped s;
  s.sent().on(Rejected{kProof});
  EXPECT_EQ(s.view().cause, Cause::Rejected);
  EXPECT_EQ(s.lots(), "0/0/10 of 10");
  s.on(fill(1, 4));
  EXPECT_EQ(s.change(), 4);
  EXPECT_TRUE(s.alarms(Anomaly::RejectedButAlive));
  EXPECT_EQ(s.view().worst_open, Lots{6}) << "it may rest there";
  s.on(report(VenueStatus::Canceled, 4)).on(Acknowledged{Anomaly::RejectedButAlive, kProof});
  EXPECT_TRUE(s.view().is_settled());
}

TEST(OrderRaces, RejectedWhenItsTriggerCameIsNoContradiction) {
  Stepped s;
  s.working().on(report(VenueStatus::Rejected, 0));
  EXPECT_EQ(s.view().cause, Cause::Rejected);
  EXPECT_TRUE(s.view().is_settled());
}

TEST(OrderRaces, ABustTakesBackAndAlarms) {
  Stepped s;
  s.working().on(fill(1, 4)).on(fill(2, 6));
  s.on(TradeBusted{kVenue, TradeId(1), kProof});
  EXPECT_EQ(s.change(), -4);
  EXPECT_TRUE(s.alarms(Anomaly::Busted));
  EXPECT_EQ(s.view().worst_open, Lots{4}) << "it may rest again";
  s.on(TradeBusted{kVenue, TradeId(1), kProof}).on(fill(1, 4));
  EXPECT_EQ(s.change(), 0);
  EXPECT_EQ(s.view().filled, Lots{6});
}

TEST(OrderRaces, ABustBeforeItsTradeIsRemembered) {
  Stepped s;
  s.working().on(TradeBusted{kVenue, TradeId(1), kProof});
  EXPECT_EQ(s.change(), 0);
  s.on(fill(1, 4));
  EXPECT_EQ(s.change(), 0);
  EXPECT_EQ(s.view().filled, Lots{0});
  s.on(report(VenueStatus::Working, 4));
  EXPECT_EQ(s.view().missing, Lots{0}) << "the venue counted it once";
}

TEST(OrderRaces, CancelAcknowledgedAfterTheFill) {
  Stepped s;
  s.working().on(CancelRequested{}).on(fill(1, 10));
  EXPECT_TRUE(s.view().is_settled());
  EXPECT_EQ(s.view().request, RequestSide::None);
  s.on(CancelAccepted{RequestNo(1), kProof}).on(report(VenueStatus::Canceled, 10));
  EXPECT_EQ(s.view().cause, Cause::Filled);
  EXPECT_EQ(s.lots(), "10/0/0 of 10");
  EXPECT_TRUE(s.view().is_settled());
}

TEST(OrderRaces, ACancelThatWasTakenEndsNothing) {
  Stepped s;
  s.working().on(CancelRequested{}).on(CancelAccepted{RequestNo(1), kProof});
  EXPECT_EQ(s.view().venue, VenueSide::Working);
  EXPECT_EQ(s.view().request, RequestSide::Cancel);
  s.on(TimePassed{}, at_ms(2000));
  EXPECT_TRUE(s.view().doubts.has(Doubt::Request)) << "taken long ago, and not over";
}

TEST(OrderRaces, AnOldReportTakesNothingBack) {
  Stepped s;
  s.working().on(fill(1, 6)).on(report(VenueStatus::Working, 6, 10));
  s.on(report(VenueStatus::Working, 2, 5));
  EXPECT_EQ(s.lots(), "6/4/0 of 10");
  s.on(report(VenueStatus::Canceled, 6, 12)).on(report(VenueStatus::Working, 6, 11));
  EXPECT_EQ(s.view().cause, Cause::Canceled);
  EXPECT_TRUE(s.view().anomalies.none());
  s.on(report(VenueStatus::Working, 6, 13));
  EXPECT_TRUE(s.alarms(Anomaly::AliveAfterEnd));
}

TEST(OrderRaces, FillsCrossAnAmendment) {
  Stepped s;
  s.working().replacing(AmendKind::Absolute, 15).on(fill(1, 10));
  EXPECT_EQ(s.view().venue, VenueSide::Working) << "full, unless the amendment came first";
  EXPECT_TRUE(s.view().doubts.has(Doubt::Ending));
  EXPECT_EQ(s.view().worst_open, Lots{5});
  Stepped late = s;
  s.on(taken(1, 4));
  EXPECT_EQ(s.lots(), "10/5/0 of 15");
  EXPECT_TRUE(s.view().is_known());
  late.on(ReplaceRejected{RequestNo(1), kProof});
  EXPECT_EQ(late.view().cause, Cause::Filled);
  EXPECT_TRUE(late.view().is_settled());
}

TEST(OrderRaces, FillsOfTheAmendedQuantityBeforeItsAcknowledgement) {
  Stepped s;
  s.working().replacing(AmendKind::Absolute, 15).on(fill(1, 13));
  EXPECT_TRUE(s.view().anomalies.none());
  EXPECT_EQ(s.lots(), "13/0/0 of 10 over 3");
  Stepped refused = s;
  s.on(taken(1, 0));
  EXPECT_EQ(s.lots(), "13/2/0 of 15");
  refused.on(ReplaceRejected{RequestNo(1), kProof});
  EXPECT_TRUE(refused.alarms(Anomaly::Overfilled));
}

TEST(OrderRaces, AnAmendmentTellsOfTradesThatAreNotHere) {
  Stepped s;
  s.working().replacing(AmendKind::Leaves, 5).on(taken(1, 4));
  EXPECT_EQ(s.lots(), "0/9/0 of 9");
  EXPECT_EQ(s.view().missing, Lots{4});
  EXPECT_TRUE(s.view().doubts.has(Doubt::Trades));
  s.on(fill(1, 4));
  EXPECT_EQ(s.lots(), "4/5/0 of 9");
}

TEST(OrderRaces, TradesMayBeMissingOnBothSidesOfAnAmendment) {
  Stepped s;
  s.working().replacing(AmendKind::Leaves, 5).on(taken(1, 2, kOtherVenue));
  s.on(report(VenueStatus::Expired, 3, 30, kOtherVenue));
  EXPECT_EQ(s.view().cause, Cause::Expired);
  EXPECT_EQ(s.view().missing, Lots{5}) << "two before it, three after";
  EXPECT_EQ(s.view().worst_open, Lots{5});
  s.on(fill(1, 3, kOtherVenue));
  EXPECT_EQ(s.view().missing, Lots{2});
  s.on(fill(2, 2));
  EXPECT_TRUE(s.view().is_settled());
}

TEST(OrderRaces, OneRequestAnsweredInTwoWays) {
  Stepped s;
  s.working().replacing(AmendKind::Absolute, 15).on(taken(1, 0));
  s.on(ReplaceRejected{RequestNo(1), kProof});
  EXPECT_TRUE(s.alarms(Anomaly::RequestConflict));
  EXPECT_EQ(s.view().total, Lots{15});
  Stepped never;
  never.working().on(CancelRejected{RequestNo(3), kProof});
  EXPECT_TRUE(never.alarms(Anomaly::UnknownRequest));
}

TEST(OrderRaces, AnAmendmentThatNeverLeftAndWasTaken) {
  Stepped s;
  s.working().replacing(AmendKind::Absolute, 15).on(RequestNotSent{RequestNo(1), kProof});
  EXPECT_EQ(s.view().request, RequestSide::None);
  EXPECT_EQ(s.view().worst_open, Lots{10});
  s.on(taken(1, 0));
  EXPECT_TRUE(s.alarms(Anomaly::RequestConflict));
  EXPECT_EQ(s.view().worst_open, Lots{15});
}

TEST(OrderRaces, TwoOrdersUnderOneClientId) {
  Stepped s;
  s.working().on(Accepted{kOtherVenue, kProof});
  EXPECT_TRUE(s.alarms(Anomaly::TwoVenueIds));
  s.on(report(VenueStatus::Canceled, 0));
  EXPECT_EQ(s.view().venue, VenueSide::Working) << "the other one is still there";
  s.on(report(VenueStatus::Canceled, 0, 10, kOtherVenue));
  EXPECT_EQ(s.view().venue, VenueSide::Done);
  s.on(Acknowledged{Anomaly::TwoVenueIds, kProof});
  EXPECT_TRUE(s.view().is_settled());
}

TEST(OrderRaces, AnOrderOfWhichNoByteLeftFromHere) {
  Stepped s;
  s.on(fill(1, 4));
  EXPECT_TRUE(s.alarms(Anomaly::UnsentButAlive));
  EXPECT_EQ(s.change(), 4);
  s.on(Persisted{});
  EXPECT_EQ(s.effect<Send>(), nullptr) << "somebody else has sent it";
}

TEST(OrderRaces, TheVenueHasAnotherQuantity) {
  Stepped s;
  Report other = report(VenueStatus::Working, 0);
  other.total = Lots{8};
  s.working().on(other);
  EXPECT_TRUE(s.alarms(Anomaly::TotalDiffers));
  Stepped amended;
  amended.working().replacing(AmendKind::Absolute, 8).on(other).on(taken(1, 0));
  EXPECT_TRUE(amended.view().anomalies.none());
  other.total = Lots{10};  // older than the amendment, by the venue's clock
  amended.on(other);
  EXPECT_TRUE(amended.view().anomalies.none());
  other.venue_time = TimestampNs{30};
  amended.on(other);
  EXPECT_TRUE(amended.alarms(Anomaly::TotalDiffers));
}

TEST(OrderRaces, CalledFilledWithLotsMissing) {
  Stepped s;
  s.working().on(fill(1, 4)).on(report(VenueStatus::Filled, 4));
  EXPECT_TRUE(s.alarms(Anomaly::FilledShort));
  Stepped late;
  late.working().on(report(VenueStatus::Filled, 10));
  EXPECT_TRUE(late.view().anomalies.none());
  EXPECT_EQ(late.view().missing, Lots{10});
  late.on(fill(1, 10));
  EXPECT_TRUE(late.view().is_settled());
}

TEST(OrderRaces, CanceledAndExpiredIsOver) {
  Stepped s;
  s.working().on(report(VenueStatus::Expired, 0)).on(report(VenueStatus::Canceled, 0));
  EXPECT_TRUE(s.alarms(Anomaly::TwoEndings));
  EXPECT_TRUE(s.view().is_settled()) << "told, and nothing to wait for";
}

}  // namespace
}  // namespace winnow::orders
