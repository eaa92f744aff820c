#include "engine/detect.hpp"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <utility>

#include "base/check.hpp"
#include "base/numbers.hpp"
#include "engine/prepare.hpp"

namespace winnow::engine {
namespace {

// Of one variant: cuts through its whole life, which costs most; cuts through stretches long
// enough that most positions end in them; and the bars that those may cost.
constexpr std::size_t kWholeCuts = 1;
constexpr std::size_t kStretchBars = 1'024;
constexpr std::size_t kCutsMax = 2'000;
constexpr std::size_t kWarmUpBars = 20'000;
// Measured: a run takes about 40 ns a bar of its stretch, and half of that a bar of history.
// Thirteen variants of 150,000 bars take at most two seconds so.
constexpr std::size_t kCutBarsABar = 10;
constexpr std::size_t kCutBarsMin = 300'000;
constexpr std::size_t kHistoryShare = 2;

bool at_open(const Fill& fill) {
  return fill.kind == lanes::FillKind::Entry || fill.kind == lanes::FillKind::Signal ||
         fill.kind == lanes::FillKind::Resize;
}

// Fills that are settled by the open of bar `cut`.
std::vector<Fill> settled(std::vector<Fill> fills, std::size_t cut) {
  std::erase_if(fills, [&](const Fill& f) { return f.bar > cut || (f.bar == cut && !at_open(f)); });
  return fills;
}

std::string describe(const Fill* fill) {
  if (fill == nullptr) return "none";
  return shortest_text(fill->qty) + " at " + shortest_text(fill->px) + " in bar " +
         std::to_string(fill->bar);
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

/// The market with one bar that has only opened. Purpose: a copy of which one bar at a time is
/// changed and put back, so that a cut costs nothing that grows with the data.
class CutMarket {
 public:
  explicit CutMarket(const MarketView& market)
      : market_(market),
        high_(market.high.begin(), market.high.end()),
        low_(market.low.begin(), market.low.end()),
        close_(market.close.begin(), market.close.end()),
        volume_(market.volume.begin(), market.volume.end()) {
    for (const double v : market.volume) volume_max_ = std::max(volume_max_, v);
  }

  /// Everything as it is, but that bar `cut` has more volume than any order needs.
  MarketView ample(std::size_t cut) {
    restore();
    cut_ = cut;
    volume_[cut] = ample_volume();
    return view(market_.size());
  }
  /// What is known when bar `cut` opens, and `volume` in it.
  MarketView known(std::size_t cut, double volume) {
    restore();
    cut_ = cut;
    high_[cut] = low_[cut] = close_[cut] = market_.open[cut];
    volume_[cut] = volume;
    return view(cut + 1);
  }
  /// So much that no cap binds, and again much more.
  double ample_volume() const { return volume_max_ * 0x1.0p30 + 0x1.0p60; }
  double more_volume() const { return ample_volume() * 0x1.0p20; }

 private:
  void restore() {
    high_[cut_] = market_.high[cut_];
    low_[cut_] = market_.low[cut_];
    close_[cut_] = market_.close[cut_];
    volume_[cut_] = market_.volume[cut_];
  }
  MarketView view(std::size_t bars) const {
    MarketView v = market_;
    v.time_ns = v.time_ns.first(bars);
    v.open = v.open.first(bars);
    v.high = std::span(high_).first(bars);
    v.low = std::span(low_).first(bars);
    v.close = std::span(close_).first(bars);
    v.volume = std::span(volume_).first(bars);
    // Payments that are due after the last bar opened are not known either.
    const auto due = [&](const FundingEvent& e) { return e.time_ns <= v.time_ns.back(); };
    const auto end = std::partition_point(v.funding.begin(), v.funding.end(), due);
    v.funding = v.funding.first(static_cast<std::size_t>(end - v.funding.begin()));
    return v;
  }

  MarketView market_;
  std::vector<double> high_;
  std::vector<double> low_;
  std::vector<double> close_;
  std::vector<double> volume_;
  double volume_max_ = 0;
  std::size_t cut_ = 0;
};

/// A part of the window with what the strategy does there, begun without a position.
struct Stretch {
  Window window;
  std::size_t dropped = 0;  ///< bars at the start of the data that its runs do not see
  std::vector<Fill> fills;
  std::vector<std::size_t> cuts;
};

std::string at_cut(std::size_t cut, const std::string& found, const char* with) {
  return "look-ahead: with data only up to the open of bar " + std::to_string(cut) + ", " + found +
         with;
}

/// Purpose: one search for look-ahead.
class LookAhead {
 public:
  LookAhead(const MarketView& market, const FillsOf& fills_of, const LookAheadSearch& search)
      : market_(market), cuts_(market), fills_of_(fills_of), search_(search) {}

  Result<Detection> search(Window window) {
    WINNOW_TRY(divide(window));
    choose_cuts();
    thin_out();
    for (const Stretch& stretch : stretches_) {
      for (const std::size_t cut : stretch.cuts) {
        auto found = check(stretch, cut);
        if (!found.ok()) return found.error();
        ++detection_.checks;
        detection_.text = std::move(*found);
        if (!detection_.clean()) return detection_;
      }
    }
    return detection_;
  }

 private:
  Result<std::vector<Fill>> run(const MarketView& market, Window window,
                                std::size_t dropped) const {
    if (search_.stop && search_.stop()) {
      return Error(ErrorCode::Cancelled, "the search for look-ahead was stopped");
    }
    auto fills = fills_of_(market.from(dropped), {window.first - dropped, window.last - dropped});
    if (fills.ok()) {
      for (Fill& f : *fills) f.bar += dropped;
    }
    return fills;
  }

  Status divide(Window window) {
    const std::size_t step = search_.stretch_bars > 0 ? search_.stretch_bars : window.last;
    for (std::size_t first = window.first; first + 2 < window.last; first += step) {
      const Window part{first, std::min(first + step, window.last)};
      if (part.last - part.first < 3) break;
      const std::size_t dropped = first - std::min(first, search_.history_bars);
      auto fills = run(market_, part, dropped);
      if (!fills.ok()) return fills.error();
      stretches_.push_back({part, dropped, std::move(*fills), {}});
    }
    return {};
  }

  // At every fill, or evenly among them, and so many between.
  void choose_cuts() {
    std::size_t fills = 0;
    for (const Stretch& s : stretches_) {
      fills += static_cast<std::size_t>(std::count_if(s.fills.begin(), s.fills.end(), at_open));
    }
    std::size_t seen = 0;
    const auto chosen = [&] {
      const std::size_t i = seen++;
      return fills <= search_.cuts_max ||
             i * search_.cuts_max / fills != (i + 1) * search_.cuts_max / fills;
    };
    for (Stretch& s : stretches_) {
      for (const Fill& f : s.fills) {
        if (at_open(f) && chosen()) s.cuts.push_back(f.bar);
      }
    }
    const std::size_t between = cuts_between();
    for (Stretch& s : stretches_) {
      const std::size_t bars = s.window.last - s.window.first;
      const std::size_t most = std::min(between, bars);
      for (std::size_t i = 1; i <= most; ++i) {
        s.cuts.push_back(s.window.first + i * bars / (most + 1));
      }
      std::erase_if(s.cuts,
                    [&](std::size_t c) { return c <= s.window.first || c + 1 >= s.window.last; });
      std::sort(s.cuts.begin(), s.cuts.end());
      s.cuts.erase(std::unique(s.cuts.begin(), s.cuts.end()), s.cuts.end());
    }
  }

  static std::size_t cost(const Stretch& s, std::size_t cut) {
    constexpr std::size_t kRunsACut = 3;
    return kRunsACut * (cut - s.window.first + (s.window.first - s.dropped) / kHistoryShare);
  }
  std::size_t cost_of_cuts() const {
    std::size_t bars = 0;
    for (const Stretch& s : stretches_) {
      for (const std::size_t c : s.cuts) bars += cost(s, c);
    }
    return bars;
  }

  // What a look ahead kept from being filled shows only where nothing was: what cuts at fills
  // leave of the bars that may be spent goes there.
  std::size_t cuts_between() const {
    const std::size_t stretches = std::max<std::size_t>(stretches_.size(), 1);
    const std::size_t least = (search_.cuts_max / 2 + stretches) / (stretches + 1);
    std::size_t a_cut_each = 0;
    for (const Stretch& s : stretches_) {
      a_cut_each += cost(s, s.window.first + (s.window.last - s.window.first) / 2);
    }
    const std::size_t spent = cost_of_cuts();
    if (search_.bars_max <= spent || a_cut_each == 0) return least;
    return std::max(least, (search_.bars_max - spent) / a_cut_each);
  }

  void thin_out() {
    if (search_.bars_max == 0) return;
    const std::size_t bars = cost_of_cuts();
    if (bars <= search_.bars_max) return;
    const double keep = static_cast<double>(search_.bars_max) / static_cast<double>(bars);
    double owed = 0;
    for (Stretch& s : stretches_) {
      std::erase_if(s.cuts, [&](std::size_t) {
        owed += keep;
        const bool kept = owed >= 1;
        if (kept) owed -= 1;
        return !kept;
      });
    }
  }

  // Empty if nothing is wrong. The runs differ in what they must not look at, one thing at a time.
  Result<std::string> check(const Stretch& stretch, std::size_t cut) {
    const Window to_cut{stretch.window.first, cut + 1};
    auto ample = run(cuts_.ample(cut), to_cut, stretch.dropped);
    if (!ample.ok()) return ample.error();
    auto known = run(cuts_.known(cut, cuts_.ample_volume()), to_cut, stretch.dropped);
    if (!known.ok()) return known.error();
    auto more = run(cuts_.known(cut, cuts_.more_volume()), to_cut, stretch.dropped);
    if (!more.ok()) return more.error();
    const std::vector<Fill> at_cut_known = settled(std::move(*known), cut);
    const std::vector<Fill> at_cut_ample = settled(std::move(*ample), cut);
    if (auto found = difference(at_cut_known, at_cut_ample); !found.empty()) {
      return at_cut(cut, found, " with all data");
    }
    if (auto found = difference(settled(std::move(*more), cut), at_cut_known); !found.empty()) {
      return at_cut(cut, found, " with another volume of that bar, which is only opening");
    }
    return against_real_volume(stretch, at_cut_ample, cut);
  }

  // Before the bar of the cut nothing may differ from the longer window; at its open the volume
  // that really came may have cut what was filled.
  static std::string against_real_volume(const Stretch& stretch, const std::vector<Fill>& ample,
                                         std::size_t cut) {
    const auto before = [&](const Fill& f) { return f.bar < cut; };
    const auto opening = [&](const Fill& f) { return f.bar == cut && at_open(f); };
    std::vector<Fill> was;
    std::vector<Fill> now;
    std::copy_if(stretch.fills.begin(), stretch.fills.end(), std::back_inserter(was), before);
    std::copy_if(ample.begin(), ample.end(), std::back_inserter(now), before);
    if (auto found = difference(now, was); !found.empty()) {
      return at_cut(cut, found, " in a longer window");
    }
    double most_bought = 0;
    double most_sold = 0;
    for (const Fill& f : ample) {
      if (opening(f)) (f.qty > 0 ? most_bought : most_sold) += f.qty;
    }
    for (const Fill& f : stretch.fills) {
      if (!opening(f)) continue;
      const auto uncut = [&](const Fill& a) {
        return opening(a) && a.kind == f.kind && a.qty == f.qty && a.px != f.px;
      };
      if (const auto same = std::find_if(ample.begin(), ample.end(), uncut); same != ample.end()) {
        return at_cut(cut, "fill " + describe(&*same) + " was " + describe(&f),
                      " by the volume of that bar");
      }
      double& left = f.qty > 0 ? most_bought : most_sold;
      // Several fills at one open are taken from their sum, which is rounded.
      constexpr double kRounding = 1e-9;
      if (std::fabs(f.qty) * (1 - kRounding) > std::fabs(left)) {
        return at_cut(
            cut, "no more than " + shortest_text(left) + " is to be filled, but " + describe(&f),
            " was, by the volume of that bar");
      }
      left -= f.qty;
    }
    return {};
  }

  const MarketView& market_;
  CutMarket cuts_;
  const FillsOf& fills_of_;
  const LookAheadSearch& search_;
  std::vector<Stretch> stretches_;
  Detection detection_;
};

}  // namespace

Result<Detection> detect_look_ahead(const MarketView& market, Window window,
                                    const FillsOf& fills_of, const LookAheadSearch& search) {
  return LookAhead(market, fills_of, search).search(window);
}

Result<Detection> detect_warm_up(const MarketView& market, Window window, const FillsOf& fills_of,
                                 std::size_t warmup_bars) {
  WINNOW_REQUIRES(warmup_bars <= window.first);
  auto full = fills_of(market, window);
  if (!full.ok()) return full.error();
  Detection detection;
  const std::size_t most = window.first - warmup_bars;
  // Three starts are enough to move every split of every rolling window.
  for (const std::size_t dropped :
       {most, most / 2 + most % 2, most - std::min<std::size_t>(most, 1)}) {
    auto part = fills_of(market.from(dropped), {window.first - dropped, window.last - dropped});
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
                                std::span<const double> params, const ExecutionModel& execution,
                                const std::function<bool()>& stop) {
  // A profile that lets costs look at the volume of the bar they fill in says so itself, and its
  // sweeps are warned of it; what is asked here is whether the strategy looks ahead.
  ExecutionModel known = execution;
  known.expected_volume = execution.expected_volume || execution.impact_bps > 0;
  const FillsOf fills_of = [&](const MarketView& m, Window w) -> Result<std::vector<Fill>> {
    auto run = run_detailed(m, w, family, params, known);
    if (!run.ok()) return run.error();
    return std::move(run->fills);
  };
  const std::size_t needed = std::max(
      warmup_bars(family, params), liquidity_bars(market, {window.last - 1, window.last}, known));
  const LookAheadSearch whole{.cuts_max = kWholeCuts, .stop = stop};
  const LookAheadSearch in_stretches{
      .stretch_bars = kStretchBars,
      .cuts_max = kCutsMax,
      .history_bars = needed,
      .bars_max = std::max(kCutBarsMin, kCutBarsABar * (window.last - window.first)),
      .stop = stop};
  std::size_t checks = 0;
  for (const LookAheadSearch* search : {&whole, &in_stretches}) {
    auto found = detect_look_ahead(market, window, fills_of, *search);
    if (!found.ok() || !found->clean()) return found;
    checks += found->checks;
  }
  const std::size_t first = std::max(window.first, 2 * needed + 1);
  Detection clean{checks, {}};
  if (first + 2 >= window.last) return clean;
  const Window late{first, std::min(window.last, first + kWarmUpBars)};
  auto warm_up = detect_warm_up(market, late, fills_of, needed);
  if (warm_up.ok()) warm_up->checks += checks;
  return warm_up;
}

}  // namespace winnow::engine
