#pragma once

#include <utility>
#include <variant>
#include <vector>

#include "trading/orders/facts.hpp"

namespace winnow::orders {

/// Purpose: permission to give an order's bytes to a socket, once. Only AfterPersisted makes one,
/// and only step() of Persisted asks it to; it moves and does not copy, so one cannot become two.
class Send {
 public:
  Send(Send&&) = default;
  Send& operator=(Send&&) = default;
  Send(const Send&) = delete;
  Send& operator=(const Send&) = delete;
  const Intent& intent() const { return intent_; }

 private:
  friend class AfterPersisted;
  explicit Send(const Intent& intent) : intent_(intent) {}
  Intent intent_;
};

/// The same for the bytes of an amendment, which may enlarge an order.
class SendReplace {
 public:
  SendReplace(SendReplace&&) = default;
  SendReplace& operator=(SendReplace&&) = default;
  SendReplace(const SendReplace&) = delete;
  SendReplace& operator=(const SendReplace&) = delete;
  RequestNo no() const { return no_; }
  const Amend& amend() const { return amend_; }

 private:
  friend class AfterPersisted;
  SendReplace(RequestNo no, const Amend& amend) : no_(no), amend_(amend) {}
  RequestNo no_;
  Amend amend_;
};

/// Write it, sync it, and say Persisted.
struct PersistIntent {
  Intent intent;
};
/// Write it, sync it, and say ReplacePersisted.
struct PersistReplace {
  RequestNo no;
  Amend amend;
};
/// A cancellation only ever makes fewer orders: it waits for no disk.
struct SendCancel {
  RequestNo no;
};
/// To be booked with the event in one batch. The sum of `change` over all of them is the position.
struct PositionChanged {
  Trade trade;
  Lots change;  ///< signed, by the order's side; negative of a bought trade that was taken back
};
/// A trade that was booked without its fee.
struct FeeLearned {
  Trade trade;
};
/// Ask the venue: for the order by client id, its trades, its requests' fate. Comes again until the
/// doubt is gone.
struct Ask {
  DoubtSet doubts;
};
/// To a person. Each anomaly once; again when more of its kind arrives after an acknowledgement.
struct Alarm {
  AnomalySet anomalies;
};
/// Over, and nothing of it is in doubt: what a strategy may rely on.
struct Settled {
  Cause cause = Cause::None;
  Lots filled;
  EvidenceId proof;
};

using Effect = std::variant<PersistIntent, Send, PersistReplace, SendReplace, SendCancel,
                            PositionChanged, FeeLearned, Ask, Alarm, Settled>;
using Effects = std::vector<Effect>;

}  // namespace winnow::orders
