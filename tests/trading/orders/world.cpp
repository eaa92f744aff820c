#include "tests/trading/orders/world.hpp"

#include <algorithm>
#include <memory>

namespace winnow::orders::testing {

Report TrueOrder::report_of(const Part& part, EvidenceId evidence) const {
  Report report{part.id,
                part.ended.value_or(VenueStatus::Working),
                part.filled,
                std::nullopt,
                TimestampNs{part.changed},
                evidence};
  if (parts.size() == 1) report.total = total;
  return report;
}

World::World(std::uint64_t seed, Canary canary)
    : rng_(seed, 7), canary_(canary), id_(ClientOrderId::parse("W1").value()), orders_(Patience{}) {
  intent_ = {id_, InstrumentId(1), chance(50) ? Side::Buy : Side::Sell, some_lots(6), Ticks{100}};
  successors_ = chance(40);
  if (chance(50)) intent_.qty += Lots{6};
  truth_.total = intent_.qty;
}

std::string World::run() {
  follow(orders_.draft(intent_).value(), false);
  check();
  if (chance(50)) begin_working();  // else its beginning is as troubled as the rest
  const std::uint64_t steps = 10 + rng_.below(30);
  for (std::uint64_t i = 0; i < steps && failure_.empty(); ++i) {
    now_ = now_ + milliseconds(static_cast<std::int64_t>(rng_.below(chance(10) ? 9000 : 600)));
    act();
    if (canary_ != Canary::NeverTicked && orders_.due() && *orders_.due() <= now_) tick();
    check();
  }
  if (failure_.empty()) settle();
  return failure_;
}

void World::begin_working() {
  give(Persisted{});
  if (!wire_.empty()) arrive(0);
  for (const Event& event : std::vector<Event>(air_)) give_venue(event);
}

void World::act() {
  switch (rng_.below(12)) {
    case 0:
    case 10:
    case 11:
      return want_something();
    case 1:
      return chance(60) ? lose_a_command() : void();
    case 2:
      if (chance(10)) restart();
      return;
    case 3:
    case 4:
      if (!wire_.empty()) arrive(rng_.below(wire_.size()));
      return;
    case 5:
      if (truth_.works()) trade();
      return;
    case 6:
      if (truth_.works() && chance(30)) end(VenueStatus::Expired);
      if (truth_.exists() && chance(5)) bust();
      return;
    default:
      return deliver();
  }
}

void World::want_something() {
  if (chance(30)) return give(Persisted{});  // the store says it again
  if (chance(25)) return give(CancelRequested{});
  const AmendKind kind = chance(50) ? AmendKind::Absolute : AmendKind::Leaves;
  give(ReplaceRequested{{kind, some_lots(9), Ticks{101}}});
}

/// Bytes that never arrive; the shell may know it, may not, or may only suspect it.
void World::lose_a_command() {
  if (wire_.empty()) return;
  const std::size_t which = rng_.below(wire_.size());
  const Command lost = wire_[which];
  const bool is_lost = chance(50);
  if (is_lost) wire_.erase(wire_.begin() + static_cast<std::ptrdiff_t>(which));
  if (lost.kind == Command::Kind::Order) {
    if (is_lost && chance(30)) return give(NotSent{proof()});
    if (chance(60)) give(OutcomeUnknown{proof()});
    return;
  }
  if (is_lost && chance(30)) return give(RequestNotSent{lost.no, proof()});
  if (chance(60)) give(RequestUnknown{lost.no, proof()});
}

void World::restart() {
  ++tally_.restarts;
  if (canary_ != Canary::SentAgainByReplay) return give(Restarted{});
  other_ = std::make_unique<Orders>(Patience{});
  follow(other_->draft(intent_).value(), false);
  follow(other_->step(id_, Persisted{}, now_).value(), true);
}

Result<Effects> World::hear(const Event& event) {
  journal_.emplace_back(event, now_);
  return orders_.step(id_, event, now_);
}

bool World::is_replayed() const {
  Order again(intent_, Patience{});
  for (const auto& [event, now] : journal_) (void)orders::step(again, event, now);
  return again.digest() == orders_.find(id_)->digest();
}

/// An event of ours. Refusals of what makes no sense just then are the machine's right.
void World::give(const Event& event) {
  ++tally_.events;
  Result<Effects> result = hear(event);
  if (!result.ok()) {
    if (result.error().code() != ErrorCode::Refused) fail(result.error().text());
    return;
  }
  follow(result.value(), std::holds_alternative<Persisted>(event));
  const bool unknown = std::holds_alternative<OutcomeUnknown>(event);
  if (unknown && canary_ == Canary::TimeoutIsRejection) give(Rejected{proof()});
  if (unknown && canary_ == Canary::SentAgainWhenUnknown) {
    other_ = std::make_unique<Orders>(Patience{});
    follow(other_->draft(intent_).value(), false);
    follow(other_->step(id_, Persisted{}, now_).value(), true);
  }
}

/// An event of the venue's: never refused.
void World::give_venue(Event event) {
  ++tally_.events;
  if (const Fill* fill = std::get_if<Fill>(&event)) {
    told_[{fill->order, fill->trade}] = fill->qty;
  } else if (const TradeBusted* busted = std::get_if<TradeBusted>(&event)) {
    told_busts_.insert({busted->order, busted->trade});
  }
  if (!spoil(event)) return;
  Result<Effects> result = hear(event);
  if (!result.ok()) return fail("refused the venue: " + result.error().text());
  follow(result.value(), false);
}

/// Breaks what the canary breaks. Whether the event still goes on.
bool World::spoil(Event& event) {
  const View& view = orders_.find(id_)->view();
  if (Fill* fill = std::get_if<Fill>(&event)) {
    if (canary_ == Canary::TradesDoubled) fill->trade = TradeId(++echo_);
    return !(canary_ == Canary::FillsDroppedAfterEnd && view.is_over());
  }
  if (std::holds_alternative<TradeBusted>(event)) return canary_ != Canary::BustsDropped;
  if (const CancelAccepted* taken = std::get_if<CancelAccepted>(&event)) {
    if (canary_ == Canary::CancelTakenIsEnd && !orders_.find(id_)->facts().lives.empty()) {
      event = Report{orders_.find(id_)->facts().lives.all().back().id,
                     VenueStatus::Canceled,
                     view.filled,
                     std::nullopt,
                     TimestampNs{venue_clock_},
                     taken->evidence};
    }
    return true;
  }
  if (std::holds_alternative<ReplaceAccepted>(event)) {
    return canary_ != Canary::AmendmentForgotten;
  }
  Report* report = std::get_if<Report>(&event);
  if (report == nullptr) return true;
  if (canary_ == Canary::TradesInferred && report->filled > view.filled) {
    (void)orders_.step(id_,
                       Fill{report->order, TradeId(++echo_), report->filled - view.filled,
                            Ticks{100}, std::nullopt, report->evidence},
                       now_);
  }
  if (canary_ == Canary::ReplacedIsCanceled && report->status == VenueStatus::Canceled &&
      truth_.parts.size() > 1) {
    report->order = truth_.parts.back().id;
  }
  return true;
}

void World::follow(const Effects& effects, bool from_persisted) {
  for (const Effect& effect : effects) carry_out(effect, from_persisted);
}

void World::carry_out(const Effect& effect, bool from_persisted) {
  if (std::holds_alternative<PersistIntent>(effect)) {
    if (chance(80)) give(Persisted{});
  } else if (std::holds_alternative<Send>(effect)) {
    ++sends_;
    ++tally_.sends;
    if (!from_persisted) fail("sent by something else than Persisted");
    wire_.push_back({Command::Kind::Order, {}, {}});
    if (chance(70)) give(Sent{});
  } else if (const PersistReplace* write = std::get_if<PersistReplace>(&effect)) {
    if (chance(80)) give(ReplacePersisted{write->no});
  } else if (const SendReplace* replace = std::get_if<SendReplace>(&effect)) {
    Amend amend = replace->amend();
    if (canary_ == Canary::AmendKindsMixed) {
      amend.kind = amend.kind == AmendKind::Leaves ? AmendKind::Absolute : AmendKind::Leaves;
    }
    wire_.push_back({Command::Kind::Replace, replace->no(), amend});
  } else if (const SendCancel* cancel = std::get_if<SendCancel>(&effect)) {
    wire_.push_back({Command::Kind::Cancel, cancel->no, {}});
  } else if (const PositionChanged* booked = std::get_if<PositionChanged>(&effect)) {
    booked_ += booked->change;
    ++tally_.trades;
  } else if (const Alarm* alarm = std::get_if<Alarm>(&effect)) {
    alarmed_ |= alarm->anomalies.has(Anomaly::UnknownTooLong);
    ++tally_.alarms;
  } else if (const Ask* ask = std::get_if<Ask>(&effect)) {
    ++tally_.doubts;
    if (canary_ == Canary::AbsentTooEarly && ask->doubts.has(Doubt::Send)) {
      for (int i = 0; i < 3; ++i) give(NotFound{QueryId(next_query_++), proof()});
      give(AbsenceProven{proof()});
    }
  }
}

// The venue.

void World::arrive(std::size_t which) {
  const Command command = wire_[which];
  wire_.erase(wire_.begin() + static_cast<std::ptrdiff_t>(which));
  ++venue_clock_;
  switch (command.kind) {
    case Command::Kind::Order:
      return arrive_order();
    case Command::Kind::Cancel:
      return arrive_cancel(command.no);
    case Command::Kind::Replace:
      return arrive_replace(command);
  }
}

void World::arrive_order() {
  if (++truth_.arrivals > 1) return fail("the venue got one intent twice");
  if (chance(10)) {
    truth_.rejected = true;
    return say(Rejected{proof()});
  }
  truth_.parts.push_back({VenueOrderId(next_order_++), Lots{}, venue_clock_, std::nullopt});
  say(Accepted{truth_.parts.back().id, proof()});
  say_report();
  if (chance(30)) trade();
}

void World::arrive_cancel(RequestNo no) {
  if (!truth_.works()) {
    fates_.try_emplace(no.value(), Fate::Refused);
    return say(CancelRejected{no, proof()});
  }
  fates_[no.value()] = Fate::Taken;
  say(CancelAccepted{no, proof()});
  end(VenueStatus::Canceled);
}

void World::arrive_replace(const Command& command) {
  const Lots total = command.amend.kind == AmendKind::Absolute ? command.amend.qty
                                                               : truth_.filled + command.amend.qty;
  if (!truth_.works() || total <= truth_.filled) {
    fates_[command.no.value()] = Fate::Refused;
    return say(ReplaceRejected{command.no, proof()});
  }
  fates_[command.no.value()] = Fate::Taken;
  amend(command, total);
}

void World::amend(const Command& command, Lots total) {
  ++tally_.amended;
  truth_.total = total;
  ReplaceAccepted taken{command.no, truth_.filled, {}, TimestampNs{venue_clock_}, proof()};
  truth_.parts.back().changed = venue_clock_;
  if (successors_) {
    truth_.parts.back().ended = VenueStatus::Canceled;
    say_report();
    truth_.parts.push_back({VenueOrderId(next_order_++), Lots{}, venue_clock_, std::nullopt});
    taken.successor = truth_.parts.back().id;
  }
  amendments_[command.no.value()] = taken;
  say(taken);
  say_report();
}

void World::trade() {
  ++venue_clock_;
  TrueOrder::Part& part = truth_.parts.back();
  const Lots qty = smaller(some_lots(4), truth_.leaves());
  truth_.filled += qty;
  part.filled += qty;
  part.changed = venue_clock_;
  Fill fill{part.id, TradeId(next_trade_++), qty, Ticks{100 + venue_clock_}, std::nullopt, proof()};
  if (chance(50)) say(fill);  // one channel says it without the fee, another with
  fill.fee = Fee{qty.n, AssetId(2)};
  truth_.trades.push_back(fill);
  say(fill);
  if (truth_.leaves() == Lots{}) {
    end(VenueStatus::Filled);
  } else {
    say_report();
  }
}

void World::bust() {
  if (truth_.trades.empty() || !truth_.busts.empty()) return;
  const Fill& fill = truth_.trades[rng_.below(truth_.trades.size())];
  ++tally_.busted;
  truth_.busted += fill.qty;
  truth_.busts.push_back({fill.order, fill.trade, proof()});
  say(truth_.busts.back());
}

void World::end(VenueStatus status) {
  ++venue_clock_;
  truth_.parts.back().ended = status;
  truth_.parts.back().changed = venue_clock_;
  say_report();
}

void World::say_report() {
  if (chance(80)) say(truth_.report_of(truth_.parts.back(), proof()));
}

// The wire.

void World::deliver() {
  if (!heard_.empty() && chance(15)) return give_venue(heard_[rng_.below(heard_.size())]);
  if (air_.empty()) return;
  const std::size_t which = rng_.below(air_.size());
  const Event event = air_[which];
  if (!chance(10)) air_.erase(air_.begin() + static_cast<std::ptrdiff_t>(which));
  if (chance(10)) return;  // lost, unless it stays in the air
  heard_.push_back(event);
  give_venue(event);
}

void World::tick() {
  journal_.emplace_back(TimePassed{}, now_);
  for (const auto& [id, effects] : orders_.tick(now_)) follow(effects, false);
}

// Those who ask, once faults have stopped.

void World::answer(DoubtSet doubts) {
  if (canary_ == Canary::QuestionsDropped) return;
  if (doubts.has(Doubt::Send)) answer_send();
  if (doubts.has(Doubt::Trades)) {
    for (const Fill& fill : truth_.trades) give_venue(fill);
  }
  if (doubts.has(Doubt::Request) || doubts.has(Doubt::Ending)) answer_requests();
}

void World::answer_send() {
  if (truth_.rejected) return give_venue(Rejected{proof()});
  if (truth_.exists()) return reconcile();
  give_venue(NotFound{QueryId(next_query_++), proof()});
  if (orders_.find(id_)->facts().not_found.size() < kNotFoundForAbsence) return;
  ++tally_.absent;
  give(AbsenceProven{proof()});
}

void World::answer_requests() {
  const Requests requests = orders_.find(id_)->facts().requests;
  for (std::uint32_t n = 1; n <= requests.size(); ++n) {
    const RequestState& r = requests[n - 1];
    const auto fate = fates_.find(n);
    const bool taken = fate != fates_.end() && fate->second == Fate::Taken;
    if (r.stage != RequestStage::Out || (r.is_answered() && !taken)) continue;
    if (r.kind == RequestKind::Cancel) {
      taken ? reconcile() : give_venue(CancelRejected{RequestNo(n), proof()});
    } else if (taken) {
      give_venue(amendments_.at(n));
    } else {
      give_venue(ReplaceRejected{RequestNo(n), proof()});
    }
  }
}

/// What a reconciler reads every few seconds: how each order at the venue stands, and busts.
void World::reconcile() {
  for (const TrueOrder::Part& part : truth_.parts) give_venue(truth_.report_of(part, proof()));
  for (const TradeBusted& busted : truth_.busts) give_venue(busted);
}

void World::settle() {
  while (!wire_.empty() && failure_.empty()) {
    chance(70) ? arrive(rng_.below(wire_.size())) : wire_.pop_back();
  }
  if (chance(50)) give(CancelRequested{});
  for (int round = 0; round < 16 && failure_.empty(); ++round) {
    while (!wire_.empty() && failure_.empty()) arrive(0);
    while (!air_.empty() && failure_.empty() && chance(90)) deliver();
    reconcile();
    now_ = now_ + seconds(2);
    if (canary_ != Canary::NeverTicked) tick();
    const DoubtSet doubts = orders_.find(id_)->view().doubts;
    if (doubts.any()) answer(doubts);
    if (chance(30)) now_ = now_ + seconds(30);
    check();
  }
  if (failure_.empty()) check_end();
}

// Checks.

void World::fail(const std::string& what) {
  if (failure_.empty()) failure_ = what + " | " + orders_.find(id_)->explain();
}

void World::check() {
  const Order& order = *orders_.find(id_);
  const View& view = order.view();
  if (const std::string wrong = orders_.audit(); !wrong.empty()) return fail(wrong);
  for (const Lots lots : {view.leaves, view.canceled, view.over, view.missing, view.worst_open}) {
    if (lots < Lots{}) return fail("fewer lots than none");
  }
  Lots told;
  for (const auto& [key, qty] : told_) told += told_busts_.contains(key) ? Lots{} : qty;
  const Lots position = orders_.exposure(intent_.instrument).position;
  if (position != signed_lots(intent_.side, told)) return fail("position is not the sum of fills");
  if (booked_ != position) return fail("what was booked is not the position");
  if (sends_ > 1) return fail("sent twice");
  if (truth_.filled + truth_.leaves() - truth_.busted > view.filled + view.worst_open) {
    return fail("more may be held than the exposure says");
  }
  const AnomalySet expected =
      AnomalySet(Anomaly::UnknownTooLong) | (told_busts_.empty() ? AnomalySet() : Anomaly::Busted);
  if ((view.anomalies - expected).any()) return fail("a false alarm: " + names(view.anomalies));
  if (view.anomalies.has(Anomaly::UnknownTooLong) && !alarmed_) return fail("nobody was alarmed");
  const bool late = order.unknown_since() && now_ - *order.unknown_since() >= seconds(30);
  const bool ticked = canary_ != Canary::NeverTicked;
  if (ticked && late && orders_.due() && *orders_.due() > now_ && !alarmed_) fail("no alarm");
}

void World::check_end() {
  const View& view = orders_.find(id_)->view();
  if (!view.is_known()) return fail("never resolved");
  if (view.filled != truth_.filled - truth_.busted) return fail("filled is not what filled");
  const bool busted = truth_.busted > Lots{};
  if (truth_.exists() && view.total != truth_.total) return fail("another total");
  if (!truth_.exists()) {
    const bool is_over = view.is_over() || view.venue == VenueSide::None;
    return is_over ? void() : fail("thought alive");
  }
  if (!busted && view.is_over() == truth_.works()) return fail("over here or there alone");
  if (view.is_over() && !view.is_frozen() && view.worst_open != Lots{}) fail("over, yet open");
}

}  // namespace winnow::orders::testing
