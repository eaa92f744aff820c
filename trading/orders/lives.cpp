#include "trading/orders/lives.hpp"

#include <algorithm>

namespace winnow::orders {

Life& Lives::at(VenueOrderId id) {
  const auto place = std::lower_bound(lives_.begin(), lives_.end(), id,
                                      [](const Life& l, VenueOrderId i) { return l.id < i; });
  if (place != lives_.end() && place->id == id) return *place;
  Life life;
  life.id = id;
  return *lives_.insert(place, life);
}

const Life* Lives::find(VenueOrderId id) const {
  const auto found =
      std::find_if(lives_.begin(), lives_.end(), [id](const Life& l) { return l.id == id; });
  return found == lives_.end() ? nullptr : &*found;
}

void Lives::mention(VenueOrderId id) { at(id); }

void Lives::succeed(VenueOrderId id) { at(id).successor = true; }

void Lives::report(const Report& report) {
  Life& life = at(report.order);
  life.claimed = larger(life.claimed, report.filled);
  EvidenceId& said = life.said[static_cast<std::size_t>(report.status)];
  if (said.value() == 0 || report.evidence < said) said = report.evidence;
  if (report.status == VenueStatus::Working) {
    life.working_last = std::max(life.working_last, report.venue_time);
  } else {
    life.ended_first = std::min(life.ended_first, report.venue_time);
  }
  latest_ = std::max(latest_, Latest{report.venue_time, report.total});
}

std::size_t Lives::originals() const {
  return static_cast<std::size_t>(
      std::count_if(lives_.begin(), lives_.end(), [](const Life& l) { return !l.successor; }));
}

}  // namespace winnow::orders
