#include "trading/orders/trades.hpp"

#include <algorithm>
#include <tuple>

#include "base/check.hpp"

namespace winnow::orders {

namespace {

auto content(const Trade& t) { return std::tie(t.qty, t.px); }

bool fees_differ(const Trade& a, const Trade& b) { return a.fee && b.fee && *a.fee != *b.fee; }

}  // namespace

std::vector<Trade>::iterator Trades::place_of(TradeKey key) {
  return std::lower_bound(trades_.begin(), trades_.end(), key,
                          [](const Trade& t, TradeKey k) { return t.key < k; });
}

const Trade* Trades::find(TradeKey key) const {
  const auto it = const_cast<Trades*>(this)->place_of(key);
  return it != trades_.end() && it->key == key ? &*it : nullptr;
}

bool Trades::has_room(TradeKey key) const {
  return trades_.size() + early_busts_.size() < kTradesMax || find(key) != nullptr;
}

Trades::Added Trades::add(const Trade& trade) {
  WINNOW_REQUIRES(has_room(trade.key));
  const auto at = place_of(trade.key);
  if (at != trades_.end() && at->key == trade.key) return join(*at, trade);
  Trade fresh = trade;
  const auto early = std::lower_bound(early_busts_.begin(), early_busts_.end(), trade.key);
  fresh.busted = early != early_busts_.end() && *early == trade.key;
  if (fresh.busted) {
    early_busts_.erase(early);
    any_bust_ = true;
  }
  gross_ += fresh.qty;
  if (!fresh.busted) net_ += fresh.qty;
  WINNOW_INVARIANT(Lots{} <= net_ && net_ <= gross_);
  trades_.insert(at, fresh);
  return Added::New;
}

Trades::Added Trades::join(Trade& known, const Trade& told) {
  known.evidence = std::min(known.evidence, told.evidence);
  const bool differs = content(known) != content(told) || fees_differ(known, told);
  const bool learned = !known.fee && told.fee;
  if (!known.fee) known.fee = told.fee;
  if (!differs) return learned ? Added::FeeLearned : Added::Known;
  conflict_ = true;
  const Lots more = positive(told.qty - known.qty);
  gross_ += more;
  if (!known.busted) net_ += more;
  // Part by part, so that it does not matter which was told first.
  std::tie(known.qty, known.px) = std::max(content(known), content(told));
  if (told.fee) known.fee = std::max(*known.fee, *told.fee);
  return Added::Conflicting;
}

bool Trades::bust(TradeKey key) {
  const auto at = place_of(key);
  if (at == trades_.end() || at->key != key) {
    const auto early = std::lower_bound(early_busts_.begin(), early_busts_.end(), key);
    if (early != early_busts_.end() && *early == key) return false;
    early_busts_.insert(early, key);
    return true;
  }
  if (at->busted) return false;
  at->busted = true;
  any_bust_ = true;
  net_ -= at->qty;
  WINNOW_INVARIANT(Lots{} <= net_ && net_ <= gross_);
  return true;
}

Lots Trades::gross_of(VenueOrderId order) const {
  Lots sum;
  for (const Trade& t : trades_) {
    if (t.key.order == order) sum += t.qty;
  }
  return sum;
}

}  // namespace winnow::orders
