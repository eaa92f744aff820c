#include "trading/orders/orders.hpp"

#include <string>

#include "base/check.hpp"

namespace winnow::orders {

namespace {

std::string said(const ClientOrderId& id) { return "order " + std::string(id.text()); }

/// The venue's order that an event speaks of; 0: none.
VenueOrderId named_by(const Event& event) {
  return std::visit(
      [](const auto& e) {
        if constexpr (requires { e.order; }) return e.order;
        if constexpr (requires { e.successor; }) return e.successor;
        return VenueOrderId{};
      },
      event);
}

}  // namespace

void Orders::count(Book& book, const Order& order, int sign) {
  const View& view = order.view();
  const Side side = order.intent().side;
  const auto add = [sign](Lots& to, Lots lots) { to += sign > 0 ? lots : -lots; };
  add(book.position, signed_lots(side, view.filled));
  add(side == Side::Buy ? book.buys_open : book.sells_open, view.worst_open);
}

void Orders::note_due(const Order& order, std::optional<TimestampNs> before) {
  const std::optional<TimestampNs> after = order.due();
  if (before == after) return;
  WINNOW_INVARIANT(!before || due_.contains({*before, order.intent().id}));
  if (before) due_.erase({*before, order.intent().id});
  if (after) due_.emplace(*after, order.intent().id);
}

Result<Effects> Orders::draft(const Intent& intent) {
  WINNOW_TRY(check_intent(intent));
  if (was_drafted(intent.id)) {
    return Error(ErrorCode::Refused, said(intent.id) + " was drafted before; an id is used once");
  }
  const Order& order = orders_.try_emplace(intent.id, intent, patience_).first->second;
  count(books_[intent.instrument], order, 1);
  Effects effects;
  effects.push_back(PersistIntent{intent});
  return effects;
}

Result<Effects> Orders::step(const ClientOrderId& id, const Event& event, TimestampNs now) {
  const auto found = orders_.find(id);
  if (found == orders_.end()) {
    return Error(ErrorCode::NotFound,
                 said(id) + (was_drafted(id) ? " is retired" : " was not drafted here"));
  }
  Order& order = found->second;
  const VenueOrderId named = named_by(event);
  WINNOW_TRY(check_owner(order, named));
  const std::optional<TimestampNs> due_before = order.due();
  Book& book = books_[order.intent().instrument];
  count(book, order, -1);
  Result<Effects> effects = orders::step(order, event, now);
  count(book, order, 1);
  WINNOW_INVARIANT(book.buys_open >= Lots{} && book.sells_open >= Lots{});
  note_due(order, due_before);
  if (effects.ok() && named.value() != 0)
    owners_.emplace(std::pair{order.intent().instrument, named}, id);
  return effects;
}

Status Orders::check_owner(const Order& order, VenueOrderId named) const {
  const ClientOrderId* known = owner(order.intent().instrument, named);
  if (known == nullptr || *known == order.intent().id) return {};
  return Error(ErrorCode::Refused, said(order.intent().id) + ": order " +
                                       std::to_string(named.value()) + " of the venue is that of " +
                                       std::string(known->text()));
}

const ClientOrderId* Orders::owner(InstrumentId instrument, VenueOrderId order) const {
  const auto found = owners_.find({instrument, order});
  return found == owners_.end() ? nullptr : &found->second;
}

std::vector<std::pair<ClientOrderId, Effects>> Orders::tick(TimestampNs now) {
  std::vector<ClientOrderId> ripe;
  for (const auto& [time, id] : due_) {
    if (time > now) break;
    ripe.push_back(id);
  }
  std::vector<std::pair<ClientOrderId, Effects>> all;
  for (const ClientOrderId& id : ripe) {
    Result<Effects> effects = step(id, TimePassed{}, now);
    if (effects.ok() && !effects->empty()) all.emplace_back(id, std::move(effects).value());
  }
  return all;
}

std::optional<TimestampNs> Orders::due() const {
  if (due_.empty()) return std::nullopt;
  return due_.begin()->first;
}

const Order* Orders::find(const ClientOrderId& id) const {
  const auto found = orders_.find(id);
  return found == orders_.end() ? nullptr : &found->second;
}

bool Orders::was_drafted(const ClientOrderId& id) const {
  return orders_.contains(id) || retired_.contains(id);
}

Exposure Orders::exposure(InstrumentId instrument) const {
  const auto found = books_.find(instrument);
  if (found == books_.end()) return {};
  const Book& book = found->second;
  return {book.position, book.position + book.buys_open, book.position - book.sells_open};
}

Status Orders::retire(const ClientOrderId& id) {
  const auto found = orders_.find(id);
  if (found == orders_.end()) return Error(ErrorCode::NotFound, said(id) + " is not here");
  const Order& order = found->second;
  if (!order.view().is_settled()) {
    return Error(ErrorCode::Refused, said(id) + " is not settled: " + order.explain());
  }
  const Intent& intent = order.intent();
  retired_positions_[intent.instrument] += signed_lots(intent.side, order.view().filled);
  if (const auto due = order.due()) due_.erase({*due, id});
  WINNOW_INVARIANT(!retired_.contains(id));
  retired_.insert(id);
  orders_.erase(found);
  return {};
}

std::string Orders::audit() const {
  std::map<InstrumentId, Book> fresh;
  for (const auto& [instrument, lots] : retired_positions_) fresh[instrument].position += lots;
  std::size_t waiting = 0;
  for (const auto& [id, order] : orders_) {
    count(fresh[order.intent().instrument], order, 1);
    const View& view = order.view();
    if (view.total + view.over != view.filled + view.leaves + view.canceled) {
      return "quantities do not add up: " + order.explain();
    }
    if (retired_.contains(id)) return said(id) + " is both here and retired";
    if (const auto due = order.due()) {
      ++waiting;
      if (!due_.contains({*due, id})) return said(id) + " is not waited for";
    }
  }
  if (waiting != due_.size()) return "an order is waited for that waits for nothing";
  for (const auto& [instrument, book] : books_) {
    if (fresh[instrument] != book) {
      return "instrument " + std::to_string(instrument.value()) + ": counted anew it differs";
    }
  }
  return {};
}

}  // namespace winnow::orders
