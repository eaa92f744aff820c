#include "trading/orders/facts.hpp"

#include <algorithm>

#include "base/check.hpp"

namespace winnow::orders {

namespace {

/// Anomalies after which the order cannot be other than it looks.
constexpr AnomalySet kHarmless = Anomaly::TwoEndings;

bool any_taken(const Requests& requests) {
  return std::any_of(requests.begin(), requests.end(),
                     [](const RequestState& r) { return r.is_taken(); });
}

bool is_open(const RequestState* replace) { return replace != nullptr && replace->is_open(); }

/// The order at the venue that may still fill: the last that took another's place, else the first.
VenueOrderId current_order(const Facts& facts) {
  for (auto r = facts.requests.rbegin(); r != facts.requests.rend(); ++r) {
    if (r->is_taken() && r->successor.value() != 0) return r->successor;
  }
  for (const Life& life : facts.lives.all()) {
    if (!life.successor) return life.id;
  }
  return {};
}

/// Lots of one of its orders that the venue is known to have filled.
Lots known_lots(const Facts& facts, VenueOrderId order) {
  const Life* life = facts.lives.find(order);
  const Lots here =
      facts.lives.all().size() == 1 ? facts.trades.gross() : facts.trades.gross_of(order);
  return life == nullptr ? here : larger(life->claimed, here);
}

/// Lots that the venue counts and no trade here explains: at least so many.
Lots missing_lots(const Facts& facts) {
  Lots least;
  for (const Life& life : facts.lives.all()) least += known_lots(facts, life.id);
  // An amendment told what was filled before it; its successor counts from nothing.
  Lots after;
  for (auto r = facts.requests.rbegin(); r != facts.requests.rend(); ++r) {
    if (!r->is_taken()) continue;
    if (r->successor.value() != 0) after += known_lots(facts, r->successor);
    least = larger(least, r->filled_then + after);
  }
  return positive(least - facts.trades.gross());
}

/// The most lots the order has, if an amendment on its way is taken.
Lots total_at_worst(Lots total, const RequestState* replace) {
  if (replace == nullptr) return total;
  switch (replace->amend.kind) {
    case AmendKind::Absolute:
      return larger(total, replace->amend.qty);
    case AmendKind::Leaves:  // what is filled when it is taken is at most the total of now
      return total + replace->amend.qty;
  }
  return total;
}

Cause cause_of(VenueStatus status) {
  switch (status) {
    case VenueStatus::Working:
      return Cause::None;
    case VenueStatus::Filled:
      return Cause::Filled;
    case VenueStatus::Canceled:
      return Cause::Canceled;
    case VenueStatus::Expired:
      return Cause::Expired;
    case VenueStatus::Rejected:
      return Cause::Rejected;
  }
  return Cause::None;
}

struct End {
  Cause cause = Cause::None;
  EvidenceId proof;
};

/// The first in the order of VenueStatus, where a venue said several.
End end_of(const Life& life) {
  for (const VenueStatus s :
       {VenueStatus::Filled, VenueStatus::Canceled, VenueStatus::Expired, VenueStatus::Rejected}) {
    if (life.has_said(s)) return {cause_of(s), life.said[static_cast<std::size_t>(s)]};
  }
  return {};
}

/// How one that the venue never had is over.
End end_without_life(const Facts& facts) {
  if (facts.withdrawn) return {Cause::Withdrawn, {}};
  if (facts.rejected.value() != 0) return {Cause::Rejected, facts.rejected};
  if (facts.not_sent.value() != 0 && !facts.bytes_left) return {Cause::NotSent, facts.not_sent};
  if (facts.absent.value() != 0) return {Cause::Absent, facts.absent};
  return {};
}

EvidenceId last_proof(const Trades& trades) {
  EvidenceId last;
  for (const Trade& t : trades.all()) {
    if (!t.busted) last = std::max(last, t.evidence);
  }
  return last;
}

/// Purpose: the parts of a View, each from those before it.
class Derivation {
 public:
  Derivation(const Intent& intent, const Facts& facts)
      : facts_(facts), replace_(pending_replace(facts.requests)), current_(current_order(facts)) {
    const RequestState* taken = last_taken(facts.requests);
    view_.total = taken != nullptr ? total_after(*taken) : intent.qty;
    taken_at_ = taken != nullptr ? taken->venue_time : kNeverYet;
  }

  View finish(Overdue too_long) {
    view_.filled = facts_.trades.net();
    view_.missing = missing_lots(facts_);
    worst_total_ = total_at_worst(view_.total, replace_);
    settle_venue_side();
    settle_quantities();
    settle_requests();
    view_.anomalies = contradictions() | disagreements();
    if (too_long == Overdue::Yes) view_.anomalies |= Anomaly::UnknownTooLong;
    view_.unsettled = view_.anomalies - kHarmless - facts_.acknowledged;
    settle_worst();
    return view_;
  }

 private:
  /// Every order at the venue that could still fill is over.
  bool has_ended() const {
    const bool two = facts_.lives.originals() > 1;
    const Life* current = facts_.lives.find(current_);
    if (current == nullptr || !current->has_ended()) return false;
    return !two || std::all_of(facts_.lives.all().begin(), facts_.lives.all().end(),
                               [](const Life& l) { return l.successor || l.has_ended(); });
  }

  void settle_venue_side() {
    if (!facts_.alive()) {
      const End end = end_without_life(facts_);
      view_.venue = end.cause != Cause::None ? VenueSide::Done
                    : facts_.released        ? VenueSide::Sent
                                             : VenueSide::None;
      set_end(end);
      return;
    }
    const bool filled = view_.filled >= view_.total;
    const bool looks_over = filled || has_ended();
    view_.venue = looks_over && !is_open(replace_) ? VenueSide::Done : VenueSide::Working;
    if (looks_over && is_open(replace_)) view_.doubts |= Doubt::Ending;
    if (!view_.is_over()) return;
    set_end(filled ? End{Cause::Filled, last_proof(facts_.trades)}
                   : end_of(*facts_.lives.find(current_)));
  }

  void set_end(End end) {
    view_.cause = end.cause;
    view_.proof = end.proof;
  }

  void settle_quantities() {
    const Lots rest = positive(view_.total - view_.filled);
    view_.over = positive(view_.filled - view_.total);
    (view_.is_over() ? view_.canceled : view_.leaves) = rest;
    if (view_.missing > Lots{}) view_.doubts |= Doubt::Trades;
    if (view_.venue == VenueSide::Sent && facts_.send_doubted) view_.doubts |= Doubt::Send;
  }

  void settle_requests() {
    if (view_.is_over()) return;
    const RequestState* cancel = pending_cancel(facts_.requests);
    if (replace_ != nullptr) view_.request = RequestSide::Replace;
    if (cancel != nullptr) view_.request = RequestSide::Cancel;
    const bool doubted =
        (cancel != nullptr && cancel->doubted) || (is_open(replace_) && replace_->doubted);
    if (doubted) view_.doubts |= Doubt::Request;
  }

  /// Two things said that cannot both be.
  AnomalySet contradictions() const {
    AnomalySet found;
    const auto add = [&found](Anomaly anomaly, bool holds) {
      if (holds) found |= anomaly;
    };
    const bool alive = facts_.alive();
    add(Anomaly::TradeConflict, facts_.trades.conflict());
    add(Anomaly::Busted, facts_.trades.any_bust());
    add(Anomaly::RejectedButAlive, alive && facts_.rejected.value() != 0);
    const bool not_sent = facts_.not_sent.value() != 0 && !facts_.bytes_left;
    add(Anomaly::LateEvidence, alive && (facts_.absent.value() != 0 || not_sent));
    add(Anomaly::UnsentButAlive, facts_.early_life);
    add(Anomaly::UnknownRequest, facts_.unknown_request);
    for (const RequestState& r : facts_.requests) {
      // A cancel may have been sent twice, taken once and refused once.
      if (r.kind == RequestKind::Cancel) continue;
      const bool both = r.is_taken() && r.rejected.value() != 0;
      const bool unsent = r.is_answered() && r.stage != RequestStage::Out;
      add(Anomaly::RequestConflict, r.conflict || both || unsent);
    }
    for (const Life& life : facts_.lives.all()) {
      add(Anomaly::AliveAfterEnd, life.has_ended() && life.working_last > life.ended_first);
      std::size_t words = 0;
      for (const VenueStatus s : {VenueStatus::Filled, VenueStatus::Canceled, VenueStatus::Expired,
                                  VenueStatus::Rejected}) {
        words += life.has_said(s) ? 1 : 0;
      }
      add(Anomaly::TwoEndings, words > 1);
    }
    return found;
  }

  /// What the venue says against what was ordered. An amendment on its way may explain it.
  AnomalySet disagreements() const {
    AnomalySet found;
    const bool open = is_open(replace_);
    const Lots allowed = open ? worst_total_ : view_.total;
    if (view_.filled > allowed) found |= Anomaly::Overfilled;
    if (facts_.lives.originals() > (open ? 2u : 1u)) found |= Anomaly::TwoVenueIds;
    // Where orders took each other's place, a report speaks of a part.
    if (open || facts_.lives.all().size() != 1) return found;
    const Life& life = facts_.lives.all().front();
    if (life.successor) return found;
    const Lives::Latest& latest = facts_.lives.latest();
    if (latest.total && latest.venue_time > taken_at_ && *latest.total != view_.total) {
      found |= Anomaly::TotalDiffers;
    }
    if (life.has_said(VenueStatus::Filled) &&
        larger(life.claimed, facts_.trades.gross()) < view_.total) {
      found |= Anomaly::FilledShort;
    }
    return found;
  }

  void settle_worst() {
    const Lots rest = larger(view_.missing, positive(worst_total_ - view_.filled));
    view_.worst_open = view_.is_over() && !view_.is_frozen() ? view_.missing : rest;
  }

  const Facts& facts_;
  const RequestState* replace_;
  VenueOrderId current_;
  TimestampNs taken_at_;
  Lots worst_total_;
  View view_;
};

}  // namespace

bool Facts::alive() const { return !lives.empty() || any_taken(requests); }

View derive(const Intent& intent, const Facts& facts, Overdue too_long) {
  WINNOW_REQUIRES(check_intent(intent).ok());
  return Derivation(intent, facts).finish(too_long);
}

}  // namespace winnow::orders
