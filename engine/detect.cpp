#include "engine/detect.hpp"

#include <algorithm>
#include <charconv>

#include "engine/prepare.hpp"

namespace winnow::engine {
namespace {

constexpr std::size_t kCutsMax = 24;

bool at_open(const Fill& fill) {
  return fill.kind == lanes::FillKind::Entry || fill.kind == lanes::FillKind::Signal;
}

// Fills that are settled by the open of bar `cut`.
std::vector<Fill> settled(std::vector<Fill> fills, std::size_t cut) {
  std::erase_if(fills, [&](const Fill& f) { return f.bar > cut || (f.bar == cut && !at_open(f)); });
  return fills;
}

std::string describe(const Fill* fill) {
  if (fill == nullptr) return "none";
  const auto number = [](double v) {
    char text[32];
    return std::string(text, std::to_chars(text, text + sizeof text, v).ptr);
  };
  return number(fill->qty) + " at " + number(fill->px) + " in bar " + std::to_string(fill->bar);
}

// Empty if equal.
std::string difference(const std::vector<Fill>& a, const std::vector<Fill>& b) {
  const std::size_t n = std::max(a.size(), b.size());
  for (std::size_t i = 0; i < n; ++i) {
    const Fill* x = i < a.size() ? &a[i] : nullptr;
    const Fill* y = i < b.size() ? &b[i] : nullptr;
    if (x != nullptr && y != nullptr && *x == *y) continue;
    return "fill " + std::to_string(i) + " is " + describe(x) + ", but was " + describe(y);
  }
  return {};
}

/// The market as it is known when bar `cut` opens.
class KnownMarket {
 public:
  KnownMarket(const MarketView& market, std::size_t cut) {
    const auto copy = [&](std::span<const double> from) {
      return std::vector<double>(from.begin(), from.begin() + static_cast<std::ptrdiff_t>(cut) + 1);
    };
    columns_.time_ns.assign(market.time_ns.begin(),
                            market.time_ns.begin() + static_cast<std::ptrdiff_t>(cut) + 1);
    columns_.open = copy(market.open);
    columns_.high = copy(market.high);
    columns_.low = copy(market.low);
    columns_.close = copy(market.close);
    columns_.volume = copy(market.volume);
    columns_.funding.assign(market.funding.begin(), market.funding.end());
    columns_.interval_ns = market.interval_ns;
    const double open = columns_.open[cut];
    columns_.high[cut] = columns_.low[cut] = columns_.close[cut] = open;
  }
  MarketView view() const { return columns_.view(); }

 private:
  MarketColumns columns_;
};

std::vector<std::size_t> choose_cuts(const std::vector<Fill>& fills, Window window,
                                     std::size_t cuts_max) {
  std::vector<std::size_t> at_fills;
  for (const Fill& f : fills) {
    if (at_open(f)) at_fills.push_back(f.bar);
  }
  std::vector<std::size_t> cuts;
  const std::size_t half = (cuts_max + 1) / 2;
  for (std::size_t i = 0; i < half && !at_fills.empty(); ++i) {
    cuts.push_back(at_fills[i * at_fills.size() / half]);
  }
  const std::size_t bars = window.last - window.first;
  for (std::size_t i = 1; i <= half; ++i) cuts.push_back(window.first + i * bars / (half + 1));
  std::sort(cuts.begin(), cuts.end());
  cuts.erase(std::unique(cuts.begin(), cuts.end()), cuts.end());
  return cuts;
}

MarketView without_history(const MarketView& market, std::size_t bars) {
  MarketView view = market;
  view.time_ns = view.time_ns.subspan(bars);
  view.open = view.open.subspan(bars);
  view.high = view.high.subspan(bars);
  view.low = view.low.subspan(bars);
  view.close = view.close.subspan(bars);
  view.volume = view.volume.subspan(bars);
  return view;
}

}  // namespace

Result<Detection> detect_look_ahead(const MarketView& market, Window window,
                                    const FillsOf& fills_of, std::size_t cuts_max) {
  auto full = fills_of(market, window);
  if (!full.ok()) return full.error();
  Detection detection;
  for (const std::size_t cut : choose_cuts(*full, window, cuts_max)) {
    if (cut + 1 >= window.last) continue;
    const KnownMarket known(market, cut);
    auto part = fills_of(known.view(), {window.first, cut + 1});
    if (!part.ok()) return part.error();
    ++detection.checks;
    const std::string found = difference(settled(*part, cut), settled(*full, cut));
    if (found.empty()) continue;
    detection.text = "look-ahead: with data only up to the open of bar " + std::to_string(cut) +
                     ", " + found + " with all data";
    return detection;
  }
  return detection;
}

Result<Detection> detect_warm_up(const MarketView& market, Window window, const FillsOf& fills_of,
                                 std::size_t warmup_bars) {
  auto full = fills_of(market, window);
  if (!full.ok()) return full.error();
  Detection detection;
  const std::size_t most = window.first - warmup_bars;
  // Three starts are enough to move every split of every rolling window.
  for (const std::size_t dropped :
       {most, most / 2 + most % 2, most - std::min<std::size_t>(most, 1)}) {
    auto part =
        fills_of(without_history(market, dropped), {window.first - dropped, window.last - dropped});
    if (!part.ok()) return part.error();
    for (Fill& f : *part) f.bar += dropped;
    ++detection.checks;
    const std::string found = difference(*part, *full);
    if (found.empty()) continue;
    detection.text = "warm-up: with " + std::to_string(window.first - dropped) +
                     " bars of history " + found + " with " + std::to_string(window.first);
    return detection;
  }
  return detection;
}

std::size_t warmup_bars(const FamilyDecl& family, std::span<const double> params) {
  return family_runtime(family).warmup_bars(params.data());
}

Result<Detection> detect_faults(const MarketView& market, Window window, const FamilyDecl& family,
                                std::span<const double> params, const ExecutionModel& execution) {
  const FillsOf fills_of = [&](const MarketView& m, Window w) -> Result<std::vector<Fill>> {
    auto run = run_detailed(m, w, family, params, execution);
    if (!run.ok()) return run.error();
    return std::move(run->fills);
  };
  auto look_ahead = detect_look_ahead(market, window, fills_of, kCutsMax);
  if (!look_ahead.ok() || !look_ahead->clean()) return look_ahead;
  const std::size_t needed =
      std::max(warmup_bars(family, params), liquidity_bars(market, window, execution));
  if (needed > window.first) return look_ahead;
  auto warm_up = detect_warm_up(market, window, fills_of, needed);
  if (warm_up.ok()) warm_up->checks += look_ahead->checks;
  return warm_up;
}

}  // namespace winnow::engine
