#include "trading/orders/event.hpp"

#include <string>

namespace winnow::orders {

namespace {

Status wants(std::string_view what, bool holds) {
  if (holds) return {};
  return bad_input("order event: " + std::string(what));
}

bool is_quantity(Lots lots) { return lots > Lots{0} && lots <= kLotsMax; }
bool is_count(Lots lots) { return lots >= Lots{0} && lots <= kLotsMax; }

Status check_qty(Lots qty) {
  return wants("qty is " + std::to_string(qty.n) + " lots; from 1 to 10^15", is_quantity(qty));
}
Status check_filled(Lots qty) {
  return wants("filled is " + std::to_string(qty.n) + " lots; from 0 to 10^15", is_count(qty));
}

/// Purpose: what each kind of event must say beyond its evidence and request number.
struct ContentCheck {
  Status operator()(const ReplaceRequested& e) const { return check_qty(e.amend.qty); }
  Status operator()(const Fill& e) const {
    WINNOW_TRY(wants("a fill names its trade", e.trade.value() != 0));
    return check_qty(e.qty);
  }
  Status operator()(const TradeBusted& e) const {
    return wants("a bust names its trade", e.trade.value() != 0);
  }
  Status operator()(const Report& e) const {
    if (e.total) WINNOW_TRY(check_qty(*e.total));
    return check_filled(e.filled);
  }
  Status operator()(const NotFound& e) const {
    return wants("an answer names its query", e.query.value() != 0);
  }
  Status operator()(const ReplaceAccepted& e) const { return check_filled(e.filled_then); }
  template <class Other>
  Status operator()(const Other&) const {
    return {};
  }
};

}  // namespace

Status check_intent(const Intent& intent) {
  WINNOW_TRY(wants("an intent has a client order id", !intent.id.empty()));
  return check_qty(intent.qty);
}

Status check_event(const Event& event) {
  return std::visit(
      [](const auto& e) -> Status {
        if constexpr (requires { e.evidence; }) {
          WINNOW_TRY(
              wants("no evidence: name the journal entry it came from", e.evidence.value() != 0));
        }
        if constexpr (requires { e.order; }) {
          WINNOW_TRY(wants("no venue order id", e.order.value() != 0));
        }
        if constexpr (requires { e.no; }) {
          WINNOW_TRY(wants("no request number", e.no.value() != 0));
        }
        return ContentCheck{}(e);
      },
      event);
}

}  // namespace winnow::orders
