// Words and digests of what an order is.
#include <string>

#include "trading/orders/order.hpp"

namespace winnow::orders {

namespace {

template <class E>
std::string joined(Flags<E> set, std::uint32_t count) {
  std::string text;
  for (std::uint32_t i = 0; i < count; ++i) {
    const E one = static_cast<E>(i);
    if (set.has(one)) text += (text.empty() ? "" : ", ") + std::string(name(one));
  }
  return text;
}

std::string lots(Lots n) { return std::to_string(n.n); }

void add_trades(KeyHasher& key, const Trades& trades) {
  for (const Trade& t : trades.all()) {
    key.add(t.key.order.value()).add(t.key.trade.value()).add(t.qty.n).add(t.px.n);
    key.add(t.fee ? t.fee->amount : 0).add(std::uint64_t{t.fee ? t.fee->asset.value() : 0});
    key.add(t.evidence.value()).add(std::uint64_t{t.busted});
  }
  for (const TradeKey& k : trades.early_busts()) key.add(k.order.value()).add(k.trade.value());
  key.add(std::uint64_t{trades.conflict()});
}

void add_lives(KeyHasher& key, const Lives& lives) {
  for (const Life& l : lives.all()) {
    key.add(l.id.value()).add(std::uint64_t{l.successor}).add(l.working_last.ns);
    key.add(l.ended_first.ns).add(l.claimed.n);
    for (const EvidenceId said : l.said) key.add(said.value());
  }
  const Lives::Latest& latest = lives.latest();
  key.add(latest.venue_time.ns).add(latest.total ? latest.total->n : -1);
}

void add_requests(KeyHasher& key, const Requests& requests) {
  for (const RequestState& r : requests) {
    key.add(static_cast<std::uint64_t>(r.kind)).add(static_cast<std::uint64_t>(r.stage));
    key.add(static_cast<std::uint64_t>(r.amend.kind)).add(r.amend.qty.n).add(r.amend.limit_px.n);
    key.add(r.out_at.ns).add(std::uint64_t{r.doubted}).add(std::uint64_t{r.conflict});
    key.add(r.accepted.value()).add(r.rejected.value()).add(r.filled_then.n);
    key.add(r.successor.value()).add(r.venue_time.ns);
  }
}

void add_ours(KeyHasher& key, const Facts& f) {
  std::uint64_t bits = 0;
  for (const bool bit : {f.persisted, f.released, f.bytes_left, f.withdrawn, f.send_doubted,
                         f.early_life, f.unknown_request}) {
    bits = bits * 2 + (bit ? 1 : 0);
  }
  key.add(bits).add(f.out_at.ns).add(f.not_sent.value()).add(f.absent.value());
  key.add(f.rejected.value()).add(std::uint64_t{f.acknowledged.bits()});
  for (const QueryId q : f.not_found) key.add(q.value());
}

}  // namespace

std::string_view name(Anomaly anomaly) {
  switch (anomaly) {
    case Anomaly::TradeConflict:
      return "one trade told in two ways";
    case Anomaly::Overfilled:
      return "filled beyond its quantity";
    case Anomaly::Busted:
      return "a trade was taken back";
    case Anomaly::RejectedButAlive:
      return "rejected, yet it lives";
    case Anomaly::LateEvidence:
      return "thought absent, yet it lives";
    case Anomaly::UnsentButAlive:
      return "never sent from here, yet it lives";
    case Anomaly::TwoVenueIds:
      return "two orders at the venue";
    case Anomaly::TwoEndings:
      return "ended in two ways";
    case Anomaly::AliveAfterEnd:
      return "working after its end";
    case Anomaly::RequestConflict:
      return "one request answered in two ways";
    case Anomaly::UnknownRequest:
      return "an answer to no request";
    case Anomaly::TotalDiffers:
      return "another quantity at the venue";
    case Anomaly::FilledShort:
      return "called filled with lots missing";
    case Anomaly::UnknownTooLong:
      return "unknown for too long";
  }
  return "";
}

std::string_view name(Cause cause) {
  switch (cause) {
    case Cause::None:
      return "not over";
    case Cause::Filled:
      return "filled";
    case Cause::Canceled:
      return "canceled";
    case Cause::Expired:
      return "expired";
    case Cause::Rejected:
      return "rejected";
    case Cause::NotSent:
      return "not sent";
    case Cause::Withdrawn:
      return "withdrawn";
    case Cause::Absent:
      return "absent";
  }
  return "";
}

std::string_view name(VenueSide side) {
  switch (side) {
    case VenueSide::None:
      return "not given out";
    case VenueSide::Sent:
      return "sent";
    case VenueSide::Working:
      return "working";
    case VenueSide::Done:
      return "done";
  }
  return "";
}

std::string_view name(RequestSide side) {
  switch (side) {
    case RequestSide::None:
      return "no request";
    case RequestSide::Cancel:
      return "cancel on its way";
    case RequestSide::Replace:
      return "amendment on its way";
  }
  return "";
}

std::string_view name(Doubt doubt) {
  switch (doubt) {
    case Doubt::Send:
      return "whether the venue has it";
    case Doubt::Trades:
      return "trades not here yet";
    case Doubt::Request:
      return "whether a request arrived";
    case Doubt::Ending:
      return "whether it ended or was replaced";
  }
  return "";
}

std::string names(DoubtSet doubts) { return joined(doubts, 4); }
std::string names(AnomalySet anomalies) { return joined(anomalies, 14); }

Hash128 Order::digest() const {
  KeyHasher key("winnow.order.1");
  key.add(intent_.id.text()).add(std::uint64_t{intent_.instrument.value()});
  key.add(static_cast<std::uint64_t>(intent_.side)).add(intent_.qty.n).add(intent_.limit_px.n);
  key.add(patience_.answer.ns).add(patience_.alarm.ns);
  add_ours(key, facts_);
  add_requests(key, facts_.requests);
  add_lives(key, facts_.lives);
  add_trades(key, facts_.trades);
  key.add(since_ ? since_->ns : 0).add(std::uint64_t{since_.has_value()}).add(asked_at_.ns);
  key.add(std::uint64_t{overdue_}).add(std::uint64_t{alarmed_.bits()});
  return key.finish();
}

std::string Order::explain() const {
  std::string text = std::string(intent_.id.text()) + ": " + lots(view_.filled) + " of " +
                     lots(view_.total) + " lots filled, ";
  if (view_.is_over()) {
    text += lots(view_.canceled) + " never will be; " + std::string(name(view_.cause));
    if (view_.proof.value() != 0) text += " (journal " + std::to_string(view_.proof.value()) + ")";
  } else {
    text += lots(view_.leaves) + " may be; " + std::string(name(view_.venue));
    if (view_.request != RequestSide::None) text += ", " + std::string(name(view_.request));
  }
  if (since_) text += "; unknown since " + format_timestamp(*since_) + ": " + names(view_.doubts);
  if (view_.is_frozen()) text += "; frozen: " + names(view_.unsettled);
  return text;
}

}  // namespace winnow::orders
