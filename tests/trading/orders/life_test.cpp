// One life of an order: what each event makes of it, and what it may not.
#include <gtest/gtest.h>

#include <type_traits>

#include "tests/trading/orders/support.hpp"

namespace winnow::orders {
namespace {

using namespace testing;  // NOLINT: the support header of these tests

static_assert(!std::is_constructible_v<Send, Intent>, "only AfterPersisted makes one");
static_assert(!std::is_default_constructible_v<Send> && !std::is_copy_constructible_v<Send>);
static_assert(!std::is_constructible_v<SendReplace, RequestNo, Amend>);
static_assert(!std::is_copy_constructible_v<SendReplace> && !std::is_copy_constructible_v<Effect>);

TEST(OrderLife, GoesFromIntentToFilled) {
  Stepped s;
  EXPECT_EQ(s.view().venue, VenueSide::None);
  EXPECT_EQ(s.lots(), "0/10/0 of 10");
  s.on(Persisted{});
  ASSERT_NE(s.effect<Send>(), nullptr);
  EXPECT_EQ(s.effect<Send>()->intent(), buy(10));
  EXPECT_EQ(s.view().venue, VenueSide::Sent);
  s.on(Sent{}).on(Accepted{kVenue, kProof});
  EXPECT_EQ(s.view().venue, VenueSide::Working);
  s.on(fill(1, 4));
  EXPECT_EQ(s.change(), 4);
  EXPECT_EQ(s.lots(), "4/6/0 of 10");
  s.on(fill(2, 6));
  EXPECT_EQ(s.view().cause, Cause::Filled);
  EXPECT_EQ(s.lots(), "10/0/0 of 10");
  ASSERT_NE(s.effect<Settled>(), nullptr);
  EXPECT_EQ(s.effect<Settled>()->proof, EvidenceId(2)) << "the trade that made it full";
  EXPECT_TRUE(s.view().is_settled());
  EXPECT_EQ(s.order().due(), std::nullopt);
}

TEST(OrderLife, SellsCountAgainstThePosition) {
  Intent sell = buy(10);
  sell.side = Side::Sell;
  Stepped s(sell);
  s.working().on(fill(1, 4));
  EXPECT_EQ(s.change(), -4);
  s.on(TradeBusted{kVenue, TradeId(1), kProof});
  EXPECT_EQ(s.change(), 4);
}

TEST(OrderLife, NothingIsSentTwice) {
  Stepped s;
  s.on(Persisted{});
  EXPECT_NE(s.effect<Send>(), nullptr);
  s.on(Persisted{});
  EXPECT_EQ(s.effect<Send>(), nullptr);
  s.on(OutcomeUnknown{kProof}).on(Persisted{});
  EXPECT_EQ(s.effect<Send>(), nullptr);
}

TEST(OrderLife, ANewProcessNeverSendsWhatTheOldOneMayHaveSent) {
  Stepped s;
  s.on(Restarted{});
  EXPECT_EQ(s.view().venue, VenueSide::Sent);
  EXPECT_TRUE(s.view().doubts.has(Doubt::Send));
  EXPECT_NE(s.effect<Ask>(), nullptr);
  s.on(Persisted{});
  EXPECT_EQ(s.effect<Send>(), nullptr);
  s.on(fill(1, 10));
  EXPECT_TRUE(s.view().is_settled());
}

TEST(OrderLife, CanceledBeforeItWasWrittenItNeverLeaves) {
  Stepped s;
  s.on(CancelRequested{});
  EXPECT_EQ(s.view().cause, Cause::Withdrawn);
  EXPECT_EQ(s.view().worst_open, Lots{0});
  s.on(Persisted{});
  EXPECT_EQ(s.effect<Send>(), nullptr);
  s.on(Restarted{}).on(Persisted{});
  EXPECT_EQ(s.effect<Send>(), nullptr);
  EXPECT_EQ(s.view().cause, Cause::Withdrawn);
}

TEST(OrderLife, SilenceIsADoubtWithoutAnybodysTimer) {
  Stepped s;
  s.on(Persisted{}, at_ms(1000));
  EXPECT_EQ(s.order().due(), at_ms(3000));
  s.on(TimePassed{}, at_ms(2999));
  EXPECT_TRUE(s.view().is_known());
  s.on(TimePassed{}, at_ms(3000));
  EXPECT_TRUE(s.view().doubts.has(Doubt::Send));
  EXPECT_EQ(s.order().unknown_since(), at_ms(3000));
  EXPECT_NE(s.effect<Ask>(), nullptr);
  EXPECT_EQ(s.view().worst_open, Lots{10}) << "what is unknown counts in full";
  EXPECT_EQ(s.order().due(), at_ms(5000));
  s.on(TimePassed{}, at_ms(5000));
  EXPECT_NE(s.effect<Ask>(), nullptr) << "asked for again";
  s.on(Accepted{kVenue, kProof}, at_ms(5001));
  EXPECT_TRUE(s.view().is_known());
  EXPECT_EQ(s.order().unknown_since(), std::nullopt);
}

TEST(OrderLife, UnknownForTooLongIsAlarmedOnceAndFreezes) {
  Stepped s;
  s.on(Persisted{}).on(OutcomeUnknown{kProof}, at_ms(100));
  s.on(OutcomeUnknown{kProof}, at_ms(20'000));  // a later doubt does not make it younger
  EXPECT_FALSE(s.view().is_frozen());
  s.on(TimePassed{}, at_ms(20'100));
  EXPECT_TRUE(s.alarms(Anomaly::UnknownTooLong));
  EXPECT_TRUE(s.view().is_frozen());
  s.on(TimePassed{}, at_ms(40'000));
  EXPECT_EQ(s.effect<Alarm>(), nullptr);
  EXPECT_NE(s.effect<Ask>(), nullptr) << "it goes on asking";
  s.on(Acknowledged{Anomaly::UnknownTooLong, kProof}, at_ms(40'001));
  EXPECT_TRUE(s.view().is_frozen()) << "nobody can acknowledge what nobody knows";
  s.on(report(VenueStatus::Canceled, 0), at_ms(40'002));
  EXPECT_TRUE(s.view().is_settled());
}

TEST(OrderLife, AbsenceNeedsADoubtAndThreeAnswers) {
  Stepped s;
  s.sent();
  EXPECT_NE(s.refusal(AbsenceProven{kProof}), "") << "nobody doubts it";
  s.on(OutcomeUnknown{kProof});
  for (const std::uint64_t query : {1, 2, 2, 2}) s.on(NotFound{QueryId(query), kProof});
  EXPECT_NE(s.refusal(AbsenceProven{kProof}), "") << "one answer three times is one answer";
  s.on(NotFound{QueryId(3), kProof}).on(AbsenceProven{EvidenceId(9)});
  EXPECT_EQ(s.view().cause, Cause::Absent);
  EXPECT_EQ(s.view().proof, EvidenceId(9));
  EXPECT_EQ(s.view().worst_open, Lots{0});
  EXPECT_TRUE(s.view().is_settled());
}

TEST(OrderLife, AbsenceIsRevoked) {
  Stepped s;
  s.sent().on(OutcomeUnknown{kProof});
  for (const std::uint64_t query : {1, 2, 3}) s.on(NotFound{QueryId(query), kProof});
  s.on(AbsenceProven{kProof}).on(fill(1, 4));
  EXPECT_EQ(s.change(), 4);
  EXPECT_TRUE(s.alarms(Anomaly::LateEvidence));
  EXPECT_EQ(s.view().venue, VenueSide::Working);
  EXPECT_EQ(s.view().worst_open, Lots{6});
  s.on(CancelRequested{});
  EXPECT_NE(s.effect<SendCancel>(), nullptr) << "frozen, it can still be canceled";
}

TEST(OrderLife, NotSentIsBelievedUnlessBytesLeft) {
  Stepped s;
  s.on(Persisted{}).on(NotSent{kProof});
  EXPECT_EQ(s.view().cause, Cause::NotSent);
  Stepped half;
  half.sent().on(NotSent{kProof});
  EXPECT_EQ(half.view().venue, VenueSide::Sent);
  EXPECT_TRUE(half.view().doubts.has(Doubt::Send));
  Stepped never;
  EXPECT_NE(never.refusal(NotSent{kProof}), "");
  EXPECT_NE(never.refusal(Sent{}), "");
}

TEST(OrderLife, ReportsMakeNoTrades) {
  Stepped s;
  s.working().on(report(VenueStatus::Working, 4));
  EXPECT_EQ(s.change(), 0);
  EXPECT_EQ(s.lots(), "0/10/0 of 10");
  EXPECT_EQ(s.view().missing, Lots{4});
  EXPECT_TRUE(s.view().doubts.has(Doubt::Trades));
  s.on(fill(1, 4));
  EXPECT_TRUE(s.view().is_known());
}

TEST(OrderLife, AnAmendmentIsWrittenBeforeItIsSent) {
  Stepped s;
  s.working().on(ReplaceRequested{{AmendKind::Absolute, Lots{15}, Ticks{101}}});
  EXPECT_NE(s.effect<PersistReplace>(), nullptr);
  EXPECT_EQ(s.effect<SendReplace>(), nullptr);
  EXPECT_EQ(s.view().worst_open, Lots{15}) << "counted as soon as it is wanted";
  s.on(ReplacePersisted{RequestNo(1)});
  ASSERT_NE(s.effect<SendReplace>(), nullptr);
  EXPECT_EQ(s.effect<SendReplace>()->amend().qty, Lots{15});
  s.on(ReplacePersisted{RequestNo(1)});
  EXPECT_EQ(s.effect<SendReplace>(), nullptr);
  EXPECT_EQ(s.lots(), "0/10/0 of 10");
  s.on(ReplaceAccepted{RequestNo(1), Lots{0}, {}, TimestampNs{20}, kProof});
  EXPECT_EQ(s.lots(), "0/15/0 of 15");
  EXPECT_EQ(s.view().request, RequestSide::None);
}

TEST(OrderLife, AbsoluteAndLeavesAreTwoThings) {
  Stepped absolute;
  absolute.working().on(fill(1, 4)).replacing(AmendKind::Absolute, 8);
  absolute.on(ReplaceAccepted{RequestNo(1), Lots{4}, {}, TimestampNs{20}, kProof});
  EXPECT_EQ(absolute.lots(), "4/4/0 of 8");
  Stepped leaves;
  leaves.working().on(fill(1, 4)).replacing(AmendKind::Leaves, 8);
  EXPECT_EQ(leaves.view().worst_open, Lots{14}) << "what fills before it is taken adds to it";
  leaves.on(ReplaceAccepted{RequestNo(1), Lots{4}, {}, TimestampNs{20}, kProof});
  EXPECT_EQ(leaves.lots(), "4/8/0 of 12");
}

TEST(OrderLife, RequestsThatMakeNoSenseAreRefused) {
  Stepped s;
  const ReplaceRequested more{{AmendKind::Absolute, Lots{15}, Ticks{101}}};
  EXPECT_NE(s.refusal(more), "") << "it does not work yet";
  s.working().on(fill(1, 4));
  EXPECT_NE(s.refusal(ReplaceRequested{{AmendKind::Absolute, Lots{4}, Ticks{101}}}), "");
  EXPECT_NE(s.refusal(ReplacePersisted{RequestNo(1)}), "") << "no such amendment";
  s.on(more);
  EXPECT_NE(s.refusal(more), "") << "one at a time";
  s.on(CancelRequested{});
  EXPECT_NE(s.refusal(CancelRequested{}), "") << "one is on its way";
  s.on(ReplacePersisted{RequestNo(1)});
  EXPECT_EQ(s.effect<SendReplace>(), nullptr) << "it is being canceled";
  s.on(report(VenueStatus::Canceled, 4));
  EXPECT_EQ(s.lots(), "4/0/6 of 10");
  EXPECT_NE(s.refusal(CancelRequested{}), "") << "it is over";
}

TEST(OrderLife, ACancelWithoutAnswerIsSentAgainAsTheSame) {
  Stepped s;
  s.working().on(CancelRequested{}, at_ms(0));
  EXPECT_EQ(s.effect<SendCancel>()->no, RequestNo(1));
  s.on(TimePassed{}, at_ms(2000));
  EXPECT_TRUE(s.view().doubts.has(Doubt::Request));
  s.on(CancelRequested{}, at_ms(2001));
  EXPECT_EQ(s.effect<SendCancel>()->no, RequestNo(1));
  EXPECT_TRUE(s.view().doubts.has(Doubt::Request)) << "asking again answers nothing";
  s.on(CancelRejected{RequestNo(1), kProof}, at_ms(2002));
  EXPECT_TRUE(s.view().is_known());
  s.on(CancelRequested{}, at_ms(2003));
  EXPECT_EQ(s.effect<SendCancel>()->no, RequestNo(2));
}

TEST(OrderLife, EventsThatCannotBeReadAreRefused) {
  Stepped s;
  s.working();
  EXPECT_NE(s.refusal(Accepted{kVenue, EvidenceId(0)}), "") << "no evidence";
  EXPECT_NE(s.refusal(Accepted{VenueOrderId(0), kProof}), "");
  EXPECT_NE(s.refusal(fill(0, 1)), "");
  EXPECT_NE(s.refusal(fill(1, 0)), "");
  EXPECT_NE(s.refusal(fill(1, -1)), "");
  EXPECT_NE(s.refusal(fill(1, kLotsMax.n + 1)), "");
  EXPECT_NE(s.refusal(report(VenueStatus::Working, -1)), "");
  EXPECT_NE(s.refusal(CancelRejected{RequestNo(0), kProof}), "");
  EXPECT_NE(s.refusal(NotFound{QueryId(0), kProof}), "");
  EXPECT_FALSE(check_intent(buy(0)).ok());
  EXPECT_FALSE(check_intent(Intent{}).ok());
}

TEST(OrderLife, ExplainsItself) {
  Stepped s;
  s.working().on(fill(1, 4)).on(CancelRequested{});
  EXPECT_EQ(s.order().explain(), "W1A: 4 of 10 lots filled, 6 may be; working, cancel on its way");
  s.on(report(VenueStatus::Canceled, 6));
  EXPECT_EQ(s.order().explain(),
            "W1A: 4 of 10 lots filled, 6 never will be; canceled (journal 5); unknown since "
            "1970-01-01T00:00:00Z: trades not here yet");
}

TEST(ClientOrderIds, AreWhatEveryVenueTakes) {
  EXPECT_TRUE(ClientOrderId::parse("W0AZ9"));
  EXPECT_TRUE(ClientOrderId::parse(std::string(32, 'A')));
  EXPECT_FALSE(ClientOrderId::parse(std::string(33, 'A')));
  EXPECT_FALSE(ClientOrderId::parse(""));
  EXPECT_FALSE(ClientOrderId::parse("W-1"));
  EXPECT_FALSE(ClientOrderId::parse("W\xc3\xa9"));
  EXPECT_EQ(id_of("W1").text(), "W1");
  EXPECT_NE(id_of("W1"), id_of("W10"));
}

}  // namespace
}  // namespace winnow::orders
