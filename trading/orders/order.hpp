#pragma once

#include <optional>
#include <string>

#include "base/hash.hpp"
#include "trading/orders/effect.hpp"

namespace winnow::orders {

/// How long what is not known may stay so.
struct Patience {
  DurationNs answer = seconds(2);  ///< then silence is a doubt; a doubt is asked for again as often
  DurationNs alarm = seconds(20);  ///< a doubt this old is alarmed, and freezes the order
};

/// Purpose: one life of an order, from the intent to its end and beyond.
/// Thread: one. Owner: `Orders`, or whoever steps it.
/// Invariants: `view()` is `derive()` of the facts; see README.md for the numbered laws.
class Order {
 public:
  /// Requires: check_intent(intent).
  Order(const Intent& intent, const Patience& patience);

  const Intent& intent() const { return intent_; }
  const Facts& facts() const { return facts_; }
  const View& view() const { return view_; }
  /// Local time since which something of it is not known without interruption. None: all is known.
  std::optional<TimestampNs> unknown_since() const { return since_; }
  /// When TimePassed would change something. None: never.
  std::optional<TimestampNs> due() const;
  /// Names what it is: the same facts, doubts and alarms give the same digest.
  Hash128 digest() const;
  /// One sentence for a person.
  std::string explain() const;

 private:
  friend Result<Effects> step(Order& order, const Event& event, TimestampNs now);
  friend class Step;

  Intent intent_;
  Patience patience_;
  Facts facts_;
  View view_;
  std::optional<TimestampNs> since_;
  TimestampNs asked_at_;
  bool overdue_ = false;  // the doubt was alarmed
  AnomalySet alarmed_;    // and not acknowledged since
};

/// Applies what happened. Pure: the result depends on the arguments alone.
/// Requires: `now` of one order does not go back. Ensures: what came before stays true (Facts).
/// Fails, and then changes nothing: InvalidInput where check_event says so; Refused where a request
/// of ours makes no sense now (amending what is over, frozen or in doubt; canceling twice), where
/// absence is concluded without three answers, or where a limit is met. A venue's event that can be
/// read is refused for a limit only: what does not fit is an anomaly.
Result<Effects> step(Order& order, const Event& event, TimestampNs now);

// Words for logs and people.
std::string_view name(Anomaly anomaly);
std::string_view name(Cause cause);
std::string_view name(VenueSide side);
std::string_view name(RequestSide side);
std::string_view name(Doubt doubt);
/// `trades, request`; empty for none.
std::string names(DoubtSet doubts);
std::string names(AnomalySet anomalies);

}  // namespace winnow::orders
