#pragma once

#include <map>
#include <set>
#include <utility>
#include <vector>

#include "trading/orders/order.hpp"

namespace winnow::orders {

/// What the orders of one instrument have done, and may still do at worst.
struct Exposure {
  Lots position;    ///< of trades that are here
  Lots long_most;   ///< position, if all that may be bought still is and nothing is sold
  Lots short_most;  ///< position, if all that may be sold still is and nothing is bought
  bool operator==(const Exposure&) const = default;
};

/// Purpose: all orders of one account, each under its client order id, once for ever.
/// Thread: one. Owner: the executor, or a gateway.
/// Invariants: position = sum of the trades that stand, retired orders' included; an id that was
/// ever drafted is never drafted again; exposure counts unknown, frozen and drafted orders at their
/// worst. `audit()` counts anew.
class Orders {
 public:
  explicit Orders(const Patience& patience) : patience_(patience) {}

  /// A new order. Gives PersistIntent; nothing may be sent before Persisted. Fails: InvalidInput
  /// (check_intent), Refused if the id was ever drafted.
  Result<Effects> draft(const Intent& intent);

  /// One event of one order. Fails: as orders::step(); Refused for an event that names another
  /// order's order at the venue, whose trades would be booked twice; NotFound for an id that is not
  /// here: foreign, or retired (`was_drafted` tells).
  Result<Effects> step(const ClientOrderId& id, const Event& event, TimestampNs now);

  /// TimePassed for every order for which it matters.
  std::vector<std::pair<ClientOrderId, Effects>> tick(TimestampNs now);
  /// When tick() is to be called at the latest. None: nothing waits.
  std::optional<TimestampNs> due() const;

  const Order* find(const ClientOrderId& id) const;
  /// Whose a venue's order is, retired ones included; null: nobody's here. Venues number orders by
  /// instrument.
  const ClientOrderId* owner(InstrumentId instrument, VenueOrderId order) const;
  bool was_drafted(const ClientOrderId& id) const;
  Exposure exposure(InstrumentId instrument) const;
  std::size_t size() const { return orders_.size(); }

  /// Forgets all of an order but its id and its position. Fails: NotFound; Refused where it is not
  /// settled, for then it counts. Late events of it are then NotFound: keep it as long as they may
  /// come (a day).
  Status retire(const ClientOrderId& id);

  /// The first invariant that does not hold, or empty.
  std::string audit() const;

 private:
  /// Of one instrument.
  struct Book {
    Lots position;
    Lots buys_open;
    Lots sells_open;
    bool operator==(const Book&) const = default;
  };
  static void count(Book& book, const Order& order, int sign);
  Status check_owner(const Order& order, VenueOrderId named) const;
  void note_due(const Order& order, std::optional<TimestampNs> before);

  Patience patience_;
  std::map<ClientOrderId, Order> orders_;
  std::map<InstrumentId, Book> books_;
  std::map<std::pair<InstrumentId, VenueOrderId>, ClientOrderId> owners_;
  std::map<InstrumentId, Lots> retired_positions_;
  std::set<ClientOrderId> retired_;
  std::set<std::pair<TimestampNs, ClientOrderId>> due_;
};

}  // namespace winnow::orders
