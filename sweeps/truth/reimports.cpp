#include "sweeps/truth/reimports.hpp"

#include <algorithm>

#include "base/market_identity.hpp"
#include "base/rng.hpp"
#include "base/time.hpp"

namespace winnow::sweeps {
namespace {

/// Bars [first, last) of a market.
MarketColumns bars_of(const MarketColumns& m, std::size_t first, std::size_t last) {
  MarketColumns out;
  out.interval_ns = m.interval_ns;
  const auto cut = [&](const auto& column) {
    return std::vector(column.begin() + static_cast<std::ptrdiff_t>(first),
                       column.begin() + static_cast<std::ptrdiff_t>(last));
  };
  out.time_ns = cut(m.time_ns);
  out.open = cut(m.open);
  out.high = cut(m.high);
  out.low = cut(m.low);
  out.close = cut(m.close);
  out.volume = cut(m.volume);
  return out;
}

MarketColumns without_bar(const MarketColumns& m, std::size_t bar) {
  MarketColumns out = m;
  const auto drop = [&](auto& column) {
    column.erase(column.begin() + static_cast<std::ptrdiff_t>(bar));
  };
  drop(out.time_ns);
  drop(out.open);
  drop(out.high);
  drop(out.low);
  drop(out.close);
  drop(out.volume);
  return out;
}

void move_close(MarketColumns& m, std::size_t bar, double by) {
  m.close[bar] += by;
  m.high[bar] = std::max(m.high[bar], m.close[bar]);
  m.low[bar] = std::min(m.low[bar], m.close[bar]);
}

MarketColumns tick_each(MarketColumns m, double tick_px, std::uint64_t seed) {
  Rng rng(seed, 61);
  for (std::size_t i = 0; i < m.size(); ++i) {
    move_close(m, i, rng.uniform() < 0.5 ? -tick_px : tick_px);
  }
  return m;
}

/// Bars of `length`, which begin at multiples of it and `shift`.
MarketColumns longer_bars(const MarketColumns& m, DurationNs length, DurationNs shift) {
  MarketColumns out;
  out.interval_ns = length.ns;
  for (std::size_t i = 0; i < m.size(); ++i) {
    const std::int64_t start = (m.time_ns[i] - shift.ns) / length.ns * length.ns + shift.ns;
    if (out.time_ns.empty() || out.time_ns.back() != start) {
      out.time_ns.push_back(start);
      out.open.push_back(m.open[i]);
      out.high.push_back(m.high[i]);
      out.low.push_back(m.low[i]);
      out.close.push_back(m.close[i]);
      out.volume.push_back(m.volume[i]);
      continue;
    }
    out.high.back() = std::max(out.high.back(), m.high[i]);
    out.low.back() = std::min(out.low.back(), m.low[i]);
    out.close.back() = m.close[i];
    out.volume.back() += m.volume[i];
  }
  return out;
}

}  // namespace

bool same_market(const MarketColumns& a, const MarketColumns& b, std::string_view name_of_b) {
  const MarketPrint first = print_market(a.view());
  const MarketPrint second = print_market(b.view());
  return compare_markets({first, "ONE"}, {second, name_of_b}).same;
}

std::vector<MarketCopy> market_copies(const MarketColumns& market, double tick_px,
                                      std::uint64_t seed) {
  Rng rng(seed, 60);
  const std::size_t bars = market.size();
  const std::size_t inside = 1 + rng.below(bars - 2);
  MarketColumns ticked = market;
  move_close(ticked, inside, tick_px);
  std::vector<MarketCopy> out;
  out.push_back({"one close a tick up", std::move(ticked)});
  out.push_back({"every close a tick up or down", tick_each(market, tick_px, seed)});
  out.push_back({"an hour less at the beginning", without_bar(market, 0)});
  out.push_back({"an hour less inside", without_bar(market, inside)});
  out.push_back({"an hour less at the end", without_bar(market, bars - 1)});
  out.push_back({"the second half", bars_of(market, bars / 2, bars)});
  out.push_back({"bars of four hours", longer_bars(market, hours(4), {})});
  out.push_back({"days", longer_bars(market, days(1), {})});
  out.push_back({"days cut an hour later", longer_bars(market, days(1), hours(1))});
  return out;
}

void ReimportCounts::add(const ReimportCounts& other) {
  copies += other.copies;
  copies_lost += other.copies_lost;
  strangers += other.strangers;
  strangers_taken += other.strangers_taken;
  deflated_bytes += other.deflated_bytes;
  deflated_market += other.deflated_market;
  deflated_alone += other.deflated_alone;
}

ReimportCounts ask_identity(const MarketColumns& market, const MarketColumns& stranger,
                            double tick_px, std::uint64_t seed) {
  ReimportCounts out;
  for (const MarketCopy& copy : market_copies(market, tick_px, seed)) {
    ++out.copies;
    out.copies_lost += same_market(market, copy.columns, "OTHER") ? 0 : 1;
  }
  const auto ask_stranger = [&](const MarketColumns& other) {
    ++out.strangers;
    out.strangers_taken += same_market(market, other, "ONE") ? 1 : 0;
  };
  ask_stranger(stranger);
  for (const MarketCopy& copy : market_copies(stranger, tick_px, seed)) ask_stranger(copy.columns);
  return out;
}

}  // namespace winnow::sweeps
