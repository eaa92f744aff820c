#include "trading/orders/order.hpp"

#include <algorithm>
#include <utility>

#include "base/check.hpp"

namespace winnow::orders {

/// Purpose: the one place that makes permissions to send. See effect.hpp.
class AfterPersisted {
 public:
  static Send order(const Intent& intent) { return Send(intent); }
  static SendReplace replace(RequestNo no, const Amend& amend) { return SendReplace(no, amend); }
};

namespace {

/// What new trades can make worse after a person has looked.
constexpr AnomalySet kOfTrades = AnomalySet(Anomaly::TradeConflict) | Anomaly::Overfilled |
                                 Anomaly::Busted | Anomaly::RejectedButAlive |
                                 Anomaly::LateEvidence | Anomaly::UnsentButAlive;

Error refused(const Intent& intent, std::string_view why) {
  return Error(ErrorCode::Refused,
               "order " + std::string(intent.id.text()) + ": " + std::string(why));
}

/// The earliest proof of a thing that is said again.
void join(EvidenceId& known, EvidenceId told) {
  if (known.value() == 0 || told < known) known = told;
}

/// How much is certain of an order: an event adds to it and takes nothing away.
struct Known {
  bool persisted = false;
  bool released = false;
  bool bytes_left = false;
  bool withdrawn = false;
  bool rejected = false;
  bool absent = false;
  Lots gross;
  std::size_t trades = 0;
  std::size_t requests = 0;
  std::size_t lives = 0;

  bool holds_all_of(const Known& o) const {
    return persisted >= o.persisted && released >= o.released && bytes_left >= o.bytes_left &&
           withdrawn >= o.withdrawn && rejected >= o.rejected && absent >= o.absent &&
           gross >= o.gross && trades >= o.trades && requests >= o.requests && lives >= o.lives;
  }
};

Known known(const Facts& f) {
  return {f.persisted,
          f.released,
          f.bytes_left,
          f.withdrawn,
          f.rejected.value() != 0,
          f.absent.value() != 0,
          f.trades.gross(),
          f.trades.all().size(),
          f.requests.size(),
          f.lives.all().size()};
}

/// Every lot of the total is filled, open or canceled, and none is counted twice.
bool adds_up(const View& view, const Facts& facts) {
  const Lots none{};
  return view.filled == facts.trades.net() && view.filled >= none && view.leaves >= none &&
         view.canceled >= none && view.over >= none && view.missing >= none &&
         view.worst_open >= none && (view.over == none || view.filled > view.total) &&
         view.total + view.over == view.filled + view.leaves + view.canceled;
}

}  // namespace

/// Purpose: one event on its way into one order: adds to the facts, derives, and tells what to do.
/// A handler that refuses has changed nothing.
class Step {
 public:
  Step(Order& order, TimestampNs now)
      : order_(order),
        facts_(order.facts_),
        before_(order.view_),
        known_before_(known(order.facts_)),
        now_(now) {}

  Status operator()(const Persisted&) {
    if (facts_.persisted) return {};
    facts_.persisted = true;
    // Only what nobody knows of may be sent. What somebody knows was sent by another.
    const bool known = facts_.alive() || facts_.rejected.value() != 0;
    if (facts_.withdrawn || facts_.released || known) return {};
    facts_.released = true;
    facts_.out_at = now_;
    effects_.push_back(AfterPersisted::order(order_.intent_));
    return {};
  }

  Status operator()(const Sent&) {
    WINNOW_TRY(wants_release());
    if (facts_.bytes_left) return {};
    facts_.bytes_left = true;
    facts_.out_at = now_;
    if (facts_.not_sent.value() != 0) facts_.send_doubted = true;
    return {};
  }

  Status operator()(const NotSent& e) {
    WINNOW_TRY(wants_release());
    join(facts_.not_sent, e.evidence);
    if (facts_.bytes_left) facts_.send_doubted = true;
    return {};
  }

  Status operator()(const OutcomeUnknown&) {
    WINNOW_TRY(wants_release());
    facts_.send_doubted = true;
    return {};
  }

  Status operator()(const Restarted&) {
    if (facts_.withdrawn) return {};
    if (!facts_.released) facts_.out_at = now_;
    facts_.persisted = facts_.released = facts_.send_doubted = true;
    for (RequestState& r : facts_.requests) {
      if (r.is_answered() || r.stage == RequestStage::Lapsed) continue;
      if (r.stage == RequestStage::Drafted) r.out_at = now_;
      r.stage = RequestStage::Out;
      r.doubted = true;
    }
    return {};
  }

  Status operator()(const AbsenceProven& e) {
    if (!before_.doubts.has(Doubt::Send)) return refuse("absent, though it is known what it is");
    if (facts_.not_found.size() < kNotFoundForAbsence) {
      return refuse("absent, after " + std::to_string(facts_.not_found.size()) +
                    " answers that there is none; at least 3");
    }
    join(facts_.absent, e.evidence);
    return {};
  }

  Status operator()(const CancelRequested&) {
    if (before_.is_over()) return refuse("cancel of what is over");
    if (!facts_.released && !facts_.alive()) {
      facts_.withdrawn = true;
      return {};
    }
    if (RequestState* again = pending(RequestKind::Cancel)) {
      if (!again->doubted) return refuse("a cancel is on its way");
      again->out_at = now_;  // the same request: the venue cancels once however often it is asked
      effects_.push_back(SendCancel{number_of(*again)});
      return {};
    }
    RequestState cancel;
    cancel.out_at = now_;
    WINNOW_TRY(make_request(cancel));
    effects_.push_back(SendCancel{last_number()});
    return {};
  }

  Status operator()(const ReplaceRequested& e) {
    if (before_.venue != VenueSide::Working) return refuse("amending what does not work");
    if (before_.is_frozen()) return refuse("amending while frozen");
    if (!before_.is_known()) return refuse("amending while something of it is unknown");
    if (before_.request != RequestSide::None) return refuse("another request is on its way");
    if (e.amend.kind == AmendKind::Absolute && e.amend.qty <= before_.filled) {
      return refuse("amending to no more than is filled; cancel it");
    }
    RequestState replace;
    replace.kind = RequestKind::Replace;
    replace.amend = e.amend;
    replace.stage = RequestStage::Drafted;
    WINNOW_TRY(make_request(replace));
    effects_.push_back(PersistReplace{last_number(), e.amend});
    return {};
  }

  Status operator()(const ReplacePersisted& e) {
    RequestState* r = find(e.no, RequestKind::Replace);
    if (r == nullptr) return refuse("no such amendment");
    if (r->stage != RequestStage::Drafted) return {};
    const bool wanted = before_.venue == VenueSide::Working && !before_.is_frozen() &&
                        before_.request == RequestSide::Replace && !r->is_answered();
    r->stage = wanted ? RequestStage::Out : RequestStage::Lapsed;
    if (!wanted) return {};
    r->out_at = now_;
    effects_.push_back(AfterPersisted::replace(e.no, r->amend));
    return {};
  }

  Status operator()(const RequestNotSent& e) {
    RequestState* r = find(e.no);
    if (r == nullptr) return refuse("no such request");
    if (r->is_open()) r->stage = RequestStage::Lapsed;
    return {};
  }

  Status operator()(const RequestUnknown& e) {
    RequestState* r = find(e.no);
    if (r == nullptr) return refuse("no such request");
    if (r->stage == RequestStage::Out) r->doubted = true;
    return {};
  }

  Status operator()(const TimePassed&) { return {}; }

  Status operator()(const Acknowledged& e) {
    facts_.acknowledged |= (e.anomalies & before_.anomalies) - Anomaly::UnknownTooLong;
    return {};
  }

  Status operator()(const Accepted& e) { return note(e.order); }

  Status operator()(const Rejected& e) {
    facts_.early_life |= !facts_.released;
    join(facts_.rejected, e.evidence);
    return {};
  }

  Status operator()(const Fill& e) {
    const Trade told{{e.order, e.trade}, e.qty, e.px, e.fee, e.evidence, false};
    if (!facts_.trades.has_room(told.key)) return refuse("more trades than an order may have");
    WINNOW_TRY(note(e.order));
    const Lots before = facts_.trades.net();
    const Trades::Added added = facts_.trades.add(told);
    const Trade& known = *facts_.trades.find(told.key);
    if (added == Trades::Added::FeeLearned) effects_.push_back(FeeLearned{known});
    if (added == Trades::Added::New || added == Trades::Added::Conflicting) look_again(kOfTrades);
    book(known, facts_.trades.net() - before);
    return {};
  }

  Status operator()(const TradeBusted& e) {
    const TradeKey key{e.order, e.trade};
    if (!facts_.trades.has_room(key)) return refuse("more trades than an order may have");
    WINNOW_TRY(note(e.order));
    const Lots before = facts_.trades.net();
    if (facts_.trades.bust(key)) look_again(kOfTrades);
    if (const Trade* known = facts_.trades.find(key)) book(*known, facts_.trades.net() - before);
    return {};
  }

  Status operator()(const Report& e) {
    WINNOW_TRY(note(e.order));
    const Lives::Latest latest = facts_.lives.latest();
    facts_.lives.report(e);
    if (facts_.lives.latest() != latest) look_again(Anomaly::TotalDiffers);
    return {};
  }

  Status operator()(const NotFound& e) {
    std::vector<QueryId>& known = facts_.not_found;
    const auto at = std::lower_bound(known.begin(), known.end(), e.query);
    const bool is_new = at == known.end() || *at != e.query;
    if (is_new && known.size() < kNotFoundMax) known.insert(at, e.query);
    return {};
  }

  Status operator()(const CancelAccepted& e) {
    if (RequestState* r = answered(e.no, RequestKind::Cancel)) join(r->accepted, e.evidence);
    return {};
  }
  Status operator()(const CancelRejected& e) {
    if (RequestState* r = answered(e.no, RequestKind::Cancel)) join(r->rejected, e.evidence);
    return {};
  }
  Status operator()(const ReplaceRejected& e) {
    if (RequestState* r = answered(e.no, RequestKind::Replace)) join(r->rejected, e.evidence);
    return {};
  }

  Status operator()(const ReplaceAccepted& e) {
    const bool follows = e.successor.value() != 0;
    if (follows && !facts_.lives.has_room(e.successor)) return refuse("too many venue orders");
    RequestState* r = answered(e.no, RequestKind::Replace);
    if (r == nullptr) return {};
    r->conflict |=
        r->is_taken() && (r->filled_then != e.filled_then || r->successor != e.successor);
    r->filled_then = larger(r->filled_then, e.filled_then);
    r->successor = std::max(r->successor, e.successor);
    r->venue_time = std::max(r->venue_time, e.venue_time);
    join(r->accepted, e.evidence);
    if (follows) facts_.lives.succeed(e.successor);
    return {};
  }

  /// Derives, and adds what follows from what has changed.
  Effects finish() && {
    derive_view();
    if (doubt_silence()) derive_view();
    watch_doubts();
    tell_anomalies();
    tell_end();
    WINNOW_INVARIANT(adds_up(order_.view_, facts_));
    WINNOW_ENSURES(known(facts_).holds_all_of(known_before_));
    return std::move(effects_);
  }

 private:
  Error refuse(std::string_view why) const { return refused(order_.intent_, why); }

  Status wants_release() const {
    if (facts_.released) return {};
    return refuse("said to be sent, and it was never given out");
  }

  Status note(VenueOrderId id) {
    if (!facts_.lives.has_room(id)) return refuse("too many venue orders");
    facts_.early_life |= !facts_.released;
    if (facts_.lives.find(id) != nullptr) return {};
    look_again(Anomaly::TwoVenueIds);
    facts_.lives.mention(id);
    return {};
  }

  /// What a person acknowledged has become more.
  void look_again(AnomalySet anomalies) {
    order_.alarmed_ -= anomalies & facts_.acknowledged;
    facts_.acknowledged -= anomalies;
  }

  void book(const Trade& trade, Lots change) {
    if (change == Lots{}) return;
    effects_.push_back(PositionChanged{trade, signed_lots(order_.intent_.side, change)});
  }

  RequestState* find(RequestNo no) {
    const std::size_t n = no.value();
    return n > facts_.requests.size() ? nullptr : &facts_.requests[n - 1];
  }
  RequestState* find(RequestNo no, RequestKind kind) {
    RequestState* r = find(no);
    return r != nullptr && r->kind == kind ? r : nullptr;
  }
  RequestState* answered(RequestNo no, RequestKind kind) {
    RequestState* r = find(no, kind);
    if (r == nullptr) facts_.unknown_request = true;
    return r;
  }
  RequestState* pending(RequestKind kind) {
    const RequestState* r = kind == RequestKind::Cancel ? pending_cancel(facts_.requests)
                                                        : pending_replace(facts_.requests);
    return const_cast<RequestState*>(r);
  }
  RequestNo number_of(const RequestState& r) const {
    return RequestNo(static_cast<std::uint32_t>(&r - facts_.requests.data()) + 1);
  }
  RequestNo last_number() const { return number_of(facts_.requests.back()); }
  Status make_request(const RequestState& request) {
    if (facts_.requests.size() >= kRequestsMax) return refuse("too many requests");
    facts_.requests.push_back(request);
    return {};
  }

  /// Whoever has not answered in time has not answered: no timer of anybody's is needed for it.
  /// Whether there is a new doubt.
  bool doubt_silence() {
    if (order_.view_.is_over()) return false;
    const auto late = [&](TimestampNs since) { return now_ - since >= order_.patience_.answer; };
    bool fresh = false;
    if (order_.view_.venue == VenueSide::Sent && late(facts_.out_at)) {
      fresh |= !std::exchange(facts_.send_doubted, true);
    }
    for (const RequestKind kind : {RequestKind::Cancel, RequestKind::Replace}) {
      RequestState* r = pending(kind);
      if (r == nullptr || r->stage != RequestStage::Out || !late(r->out_at)) continue;
      fresh |= !std::exchange(r->doubted, true);
    }
    return fresh;
  }

  void derive_view() {
    order_.view_ = derive(order_.intent_, facts_, order_.overdue_ ? Overdue::Yes : Overdue::No);
  }

  void watch_doubts() {
    const DoubtSet doubts = order_.view_.doubts;
    if (doubts.none()) {
      order_.since_.reset();
      if (!order_.overdue_) return;
      order_.overdue_ = false;
      return derive_view();
    }
    const bool more = (doubts - before_.doubts).any();
    if (!order_.since_) order_.since_ = now_;
    if (more || now_ - order_.asked_at_ >= order_.patience_.answer) {
      order_.asked_at_ = now_;
      effects_.push_back(Ask{doubts});
    }
    if (order_.overdue_ || now_ - *order_.since_ < order_.patience_.alarm) return;
    order_.overdue_ = true;
    derive_view();
  }

  void tell_anomalies() {
    const AnomalySet anomalies = order_.view_.anomalies;
    const AnomalySet fresh = anomalies - order_.alarmed_;
    order_.alarmed_ = anomalies;
    if (fresh.any()) effects_.push_back(Alarm{fresh});
  }

  void tell_end() {
    const View& view = order_.view_;
    const bool same =
        before_.is_settled() && before_.cause == view.cause && before_.filled == view.filled;
    if (!view.is_settled() || same) return;
    effects_.push_back(Settled{view.cause, view.filled, view.proof});
  }

  Order& order_;
  Facts& facts_;
  const View before_;
  const Known known_before_;
  TimestampNs now_;
  Effects effects_;
};

Order::Order(const Intent& intent, const Patience& patience)
    : intent_(intent), patience_(patience), view_(derive(intent, facts_, Overdue::No)) {
  WINNOW_REQUIRES(check_intent(intent).ok());
}

std::optional<TimestampNs> Order::due() const {
  std::optional<TimestampNs> first;
  const auto at = [&first](TimestampNs t) { first = first ? std::min(*first, t) : t; };
  if (view_.doubts.any()) {
    at(asked_at_ + patience_.answer);
    if (!overdue_) at(*since_ + patience_.alarm);
  }
  if (view_.venue == VenueSide::Sent && !facts_.send_doubted) at(facts_.out_at + patience_.answer);
  if (view_.is_over()) return first;
  for (const RequestState* r :
       {pending_cancel(facts_.requests), pending_replace(facts_.requests)}) {
    if (r == nullptr || r->stage != RequestStage::Out || r->doubted) continue;
    at(r->out_at + patience_.answer);
  }
  return first;
}

Result<Effects> step(Order& order, const Event& event, TimestampNs now) {
  WINNOW_REQUIRES(now >= order.facts_.out_at);
  WINNOW_TRY(check_event(event));
  Step one(order, now);
  WINNOW_TRY(std::visit(one, event));
  return std::move(one).finish();
}

}  // namespace winnow::orders
