// Every sequence of events up to a depth: nowhere is an order stuck.
// WINNOW_ORDER_WALK=8 walks the whole alphabet that deep; ./test walks its halves that deep.
#include <gtest/gtest.h>

#include <cstdlib>
#include <functional>
#include <iostream>
#include <map>
#include <set>
#include <utility>
#include <vector>

#include "tests/trading/orders/support.hpp"

namespace winnow::orders {
namespace {

using namespace testing;  // NOLINT: the support header of these tests

constexpr Lots kLots{2};
constexpr RequestNo kFirst{1};

/// Purpose: an order and the time it is at.
struct Node {
  Order order{buy(kLots.n), Patience{}};
  TimestampNs now;
};

/// Steps; an event that is refused changes nothing. Tests of the walk drop some kinds.
using Stepper = std::function<Result<Effects>(Order&, const Event&, TimestampNs)>;

Result<Effects> honest(Order& order, const Event& event, TimestampNs now) {
  return step(order, event, now);
}

std::vector<Event> sending() {
  return {Persisted{},
          Sent{},
          NotSent{kProof},
          OutcomeUnknown{kProof},
          Restarted{},
          NotFound{QueryId(1), kProof},
          NotFound{QueryId(2), kProof},
          NotFound{QueryId(3), kProof},
          AbsenceProven{kProof},
          CancelRequested{},
          TimePassed{},
          Accepted{kVenue, kProof},
          Rejected{kProof},
          fill(1, 1),
          report(VenueStatus::Canceled, 1)};
}

std::vector<Event> asking() {
  return {CancelRequested{},
          ReplaceRequested{{AmendKind::Leaves, Lots{3}, Ticks{100}}},
          ReplacePersisted{kFirst},
          RequestNotSent{kFirst, kProof},
          RequestUnknown{kFirst, kProof},
          TimePassed{},
          fill(1, 2),
          TradeBusted{kVenue, TradeId(1), kProof},
          report(VenueStatus::Working, 1),
          report(VenueStatus::Canceled, 1, 12),
          CancelAccepted{kFirst, kProof},
          CancelRejected{kFirst, kProof},
          ReplaceAccepted{kFirst, Lots{1}, kOtherVenue, TimestampNs{11}, kProof},
          ReplaceRejected{kFirst, kProof},
          fill(2, 1, kOtherVenue)};
}

/// Time that goes on is enough to end or to alarm: an order that is sent and unknown waits for
/// something, and in the end a person knows.
std::string silence(Node node, const Stepper& stepper) {
  for (int i = 0; i < 40; ++i) {
    const View& view = node.order.view();
    if (view.anomalies.has(Anomaly::UnknownTooLong)) return {};
    const auto due = node.order.due();
    const bool waits = view.venue == VenueSide::Sent || view.doubts.any() ||
                       (!view.is_over() && view.request == RequestSide::Cancel);
    if (!due) return waits ? "waits for nothing: " : "";
    (void)stepper(node.order, TimePassed{}, *due);
  }
  return "is never alarmed: ";
}

/// Answers as some venue would that is asked for everything.
std::string answers(Node node, const Stepper& stepper) {
  const auto on = [&](const Event& event) { (void)stepper(node.order, event, node.now); };
  if (!node.order.facts().released) on(CancelRequested{});
  if (node.order.view().venue == VenueSide::Sent) {
    on(OutcomeUnknown{kProof});
    for (const std::uint64_t query : {11, 12, 13}) on(NotFound{QueryId(query), kProof});
    on(AbsenceProven{kProof});
  }
  on(ReplacePersisted{kFirst});
  if (const RequestState* open = pending_replace(node.order.facts().requests)) {
    const auto no = &open[0] - node.order.facts().requests.data() + 1;
    on(ReplaceRejected{RequestNo(static_cast<std::uint32_t>(no)), kProof});
  }
  if (node.order.facts().alive()) {
    if (node.order.facts().lives.empty()) on(Accepted{kVenue, kProof});
    const Lives lives = node.order.facts().lives;
    for (const Life& l : lives.all()) on(report(VenueStatus::Canceled, l.claimed.n, 99, l.id));
    std::uint64_t trade = 50;
    for (const Life& l : lives.all()) {
      const Lots missing = l.claimed - node.order.facts().trades.gross_of(l.id);
      if (missing > Lots{0}) on(fill(++trade, missing.n, l.id));
    }
    const Lots missing = node.order.view().missing;  // of the order that an amendment replaced
    if (missing > Lots{0}) on(fill(++trade, missing.n, kVenue));
  }
  on(Acknowledged{node.order.view().anomalies, kProof});
  return node.order.view().is_settled() ? "" : "is never settled: ";
}

std::string stuck(const Node& node, const Stepper& stepper) {
  const View& v = node.order.view();
  if (v.total + v.over != v.filled + v.leaves + v.canceled) return "does not add up: ";
  if (v.worst_open < v.leaves) return "may fill more than is counted: ";
  if (v.is_over() && v.cause == Cause::None) return "is over for no cause: ";
  const bool unproved = v.is_over() && v.cause != Cause::Withdrawn && v.proof.value() == 0;
  if (unproved) return "is over without proof: ";
  const std::string quiet = silence(node, stepper);
  return quiet.empty() ? answers(node, stepper) : quiet;
}

/// Purpose: breadth first over all states that `alphabet` reaches from `start`.
class Walk {
 public:
  explicit Walk(std::vector<Event> events, Stepper step = honest)
      : alphabet(std::move(events)), stepper(std::move(step)) {}

  std::vector<Event> alphabet;
  Stepper stepper;
  std::size_t states = 0;
  std::string failure;

  void run(const Node& start, int depth) {
    Seen seen = {{start.order.digest(), start.now}};
    std::vector<Node> layer = {start};
    for (int d = 0; d <= depth && failure.empty(); ++d) {
      std::vector<Node> next;
      for (const Node& node : layer) {
        ++states;
        if (const std::string why = stuck(node, stepper); !why.empty()) {
          failure = why + node.order.explain();
          return;
        }
        if (d < depth) expand(node, seen, next);
      }
      layer = std::move(next);
    }
  }

 private:
  using Seen = std::set<std::pair<Hash128, TimestampNs>>;

  void expand(const Node& node, Seen& seen, std::vector<Node>& next) const {
    for (const Event& event : alphabet) {
      Node after = node;
      const bool waits = std::holds_alternative<TimePassed>(event);
      if (waits) after.now = after.now + seconds(3);
      if (!stepper(after.order, event, after.now).ok()) continue;
      const bool fresh = seen.emplace(after.order.digest(), after.now).second;
      if (fresh) next.push_back(std::move(after));
    }
  }
};

Node working() {
  Node node;
  node.order = Stepped(buy(kLots.n)).working().order();
  return node;
}

TEST(OrderWalk, NothingIsStuckWhileItIsSent) {
  Walk walk(sending());
  walk.run(Node{}, 8);
  EXPECT_EQ(walk.failure, "");
  EXPECT_GT(walk.states, 5'000u);
  std::cout << walk.states << " states\n";
}

TEST(OrderWalk, NothingIsStuckWhileItIsAskedFor) {
  Walk walk(asking());
  walk.run(working(), 8);
  EXPECT_EQ(walk.failure, "");
  EXPECT_GT(walk.states, 5'000u);
  std::cout << walk.states << " states\n";
}

TEST(OrderWalk, NothingIsStuckWhateverHappens) {
  Walk walk(sending());
  for (const Event& event : asking()) walk.alphabet.push_back(event);
  const char* const env = std::getenv("WINNOW_ORDER_WALK");
  walk.run(Node{}, env == nullptr ? 5 : std::atoi(env));
  EXPECT_EQ(walk.failure, "");
  std::cout << walk.states << " states\n";
}

/// A machine that does not hear events of one kind.
template <class Deaf>
Result<Effects> without(Order& order, const Event& event, TimestampNs now) {
  if (std::holds_alternative<Deaf>(event)) return Effects{};
  return step(order, event, now);
}

TEST(OrderWalk, FindsWhatIsStuck) {
  const std::map<std::string, Stepper> canaries = {{"deaf to time", without<TimePassed>},
                                                   {"deaf to absence", without<AbsenceProven>},
                                                   {"deaf to reports", without<Report>},
                                                   {"deaf to refusals", without<ReplaceRejected>},
                                                   {"deaf to people", without<Acknowledged>}};
  for (const auto& [name, stepper] : canaries) {
    Walk walk(sending(), stepper);
    for (const Event& event : asking()) walk.alphabet.push_back(event);
    walk.run(Node{}, 5);
    EXPECT_NE(walk.failure, "") << name;
    std::cout << name << ": " << walk.failure << "\n";
  }
}

}  // namespace
}  // namespace winnow::orders
