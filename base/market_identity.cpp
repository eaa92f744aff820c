#include "base/market_identity.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <span>

#include "base/instrument.hpp"
#include "base/time.hpp"

namespace winnow {
namespace {

constexpr std::int64_t kMinuteNs = 60'000'000'000;
constexpr std::int32_t kHourMinutes = 60;
constexpr std::int32_t kDayMinutes = 1440;
// A weekend and a holiday: a move, or a step, over more than this is of no day.
constexpr std::int32_t kRestDays = 4;
// Most pairs are strangers, which so many of the latest steps show.
constexpr std::size_t kFirstLookSteps = 1024;
constexpr double kFirstLookCorrelation = 0.8;

std::int64_t ceil_div(std::int64_t a, std::int64_t b) {
  return a >= 0 ? (a + b - 1) / b : -(-a / b);
}

/// The last close of each UTC day.
struct DayClose {
  std::int64_t day = 0;
  std::int64_t time_ns = 0;
  double price = 0;
};

std::vector<DayClose> day_closes(const MarketView& m) {
  std::vector<DayClose> out;
  for (std::size_t i = 0; i < m.size(); ++i) {
    const std::int64_t time = m.time_ns[i] + m.interval_ns;
    const std::int64_t day = utc_day_of_ns(time - 1);
    if (out.empty() || out.back().day != day) out.push_back({day, 0, 0});
    out.back().time_ns = time;
    out.back().price = m.close[i];
  }
  return out;
}

std::vector<DayMove> day_moves(const std::vector<DayClose>& closes, std::int64_t interval_ns) {
  std::vector<DayMove> out;
  for (std::size_t i = 1; i < closes.size(); ++i) {
    const DayClose& before = closes[i - 1];
    const DayClose& now = closes[i];
    if (now.day - before.day > kRestDays) continue;
    if (i + 1 == closes.size() && now.time_ns - now.day * days(1).ns + interval_ns <=
                                      before.time_ns - before.day * days(1).ns) {
      continue;
    }
    const double move = (now.price / before.price - 1) * 1e4 / kMoveBps;
    constexpr double kMovesMax = 2e9;
    out.push_back({static_cast<std::int32_t>(now.day),
                   static_cast<std::int32_t>(std::lround(std::min(move, kMovesMax)))});
  }
  return out;
}

std::vector<PrintedClose> step_closes(const MarketView& m) {
  std::vector<PrintedClose> out;
  const std::int64_t hour = hours(1).ns;
  std::int64_t stretch = 0;
  for (std::size_t i = 0; i < m.size(); ++i) {
    const std::int64_t time = m.time_ns[i] + m.interval_ns;
    const PrintedClose close{static_cast<std::int32_t>(ceil_div(time, kMinuteNs)),
                             static_cast<float>(m.close[i])};
    const std::int64_t own = m.interval_ns >= hour ? time : ceil_div(time, hour);
    if (!out.empty() && own == stretch) {
      out.back() = close;
    } else {
      out.push_back(close);
    }
    stretch = own;
  }
  return out;
}

void count_days(const MarketPrint& a, const MarketPrint& b, MarketLikeness& out) {
  auto i = a.days.begin();
  auto j = b.days.begin();
  while (i != a.days.end() && j != b.days.end()) {
    if (i->day < j->day) {
      ++i;
    } else if (j->day < i->day) {
      ++j;
    } else {
      if (i->moves != 0 || j->moves != 0) {
        ++out.days;
        out.days_agreed += i->moves == j->moves ? 1 : 0;
      }
      ++i;
      ++j;
    }
  }
}

/// Sums of pairs (x, y) for Pearson's correlation. Returns are small and centred well enough for
/// plain sums.
struct PairSums {
  std::uint32_t n = 0;
  double x = 0, y = 0, xx = 0, yy = 0, xy = 0;

  void add(double u, double v) {
    ++n;
    x += u;
    y += v;
    xx += u * u;
    yy += v * v;
    xy += u * v;
  }
  std::optional<double> correlation() const {
    if (n < kStepsMin) return std::nullopt;
    const double vx = xx - x * x / n;
    const double vy = yy - y * y / n;
    // A basis point a step: what moves less is rounding, and a pegged market's noise.
    constexpr double kStill = 1e-4 * 1e-4;
    if (!(vx > kStill * n) || !(vy > kStill * n)) return std::nullopt;
    return (xy - x * y / n) / std::sqrt(vx * vy);
  }
};

/// Steps of `coarse` against those of `fine` between the same instants, the latter `lag` minutes
/// later. The price at an instant is the last close before it, no older than a step of `coarse`.
PairSums pair_steps(std::span<const PrintedClose> coarse, std::span<const PrintedClose> fine,
                    std::int32_t step, std::int32_t lag) {
  PairSums sums;
  const std::int32_t longest = std::max(kRestDays * kDayMinutes, step + step / 2);
  std::size_t next = 0;  // the first close of `fine` after the instant
  const PrintedClose* from_coarse = nullptr;
  const PrintedClose* from_fine = nullptr;
  for (const PrintedClose& to : coarse) {
    const std::int32_t instant = to.minute + lag;
    while (next < fine.size() && fine[next].minute <= instant) ++next;
    const bool known = next > 0 && fine[next - 1].minute > instant - step;
    const PrintedClose* to_fine = known ? &fine[next - 1] : nullptr;
    if (from_fine != nullptr && to_fine != nullptr && to.minute - from_coarse->minute <= longest) {
      sums.add(static_cast<double>(to.price) / static_cast<double>(from_coarse->price) - 1,
               static_cast<double>(to_fine->price) / static_cast<double>(from_fine->price) - 1);
    }
    from_coarse = &to;
    from_fine = to_fine;
  }
  return sums;
}

/// The part of `closes` within [from, to] minutes.
std::span<const PrintedClose> within(std::span<const PrintedClose> closes, std::int32_t from,
                                     std::int32_t to) {
  const auto by_time = [](const PrintedClose& c, std::int32_t minute) { return c.minute < minute; };
  const auto first = std::lower_bound(closes.begin(), closes.end(), from, by_time);
  const auto last = std::lower_bound(first, closes.end(), to + 1, by_time);
  return {first, last};
}

/// Fills in steps, correlation and lag.
void correlate(const MarketPrint& a, const MarketPrint& b, MarketLikeness& out) {
  if (a.closes.empty() || b.closes.empty()) return;
  const bool a_is_coarse = a.step_minutes() >= b.step_minutes();
  const MarketPrint& coarse_print = a_is_coarse ? a : b;
  const MarketPrint& fine_print = a_is_coarse ? b : a;
  const std::int32_t step = coarse_print.step_minutes();
  const std::int32_t reach = kLagHoursMax * kHourMinutes + step;
  const std::span<const PrintedClose> fine = fine_print.closes;
  const std::span<const PrintedClose> coarse =
      within(coarse_print.closes, fine.front().minute - reach, fine.back().minute + reach);
  if (coarse.size() <= kStepsMin) return;

  const auto latest = coarse.last(std::min(coarse.size(), kFirstLookSteps + 1));
  const auto latest_fine =
      within(fine, latest.front().minute - reach, latest.back().minute + reach);
  const bool all_seen = latest.size() == coarse.size();
  for (int shift = 0; shift <= 2 * kLagHoursMax; ++shift) {
    // 0, 1, -1, 2, -2, ...: of equal correlations the nearest lag stands.
    const int hours_later = shift % 2 == 1 ? (shift + 1) / 2 : -shift / 2;
    const std::int32_t lag = hours_later * kHourMinutes;
    PairSums sums = pair_steps(latest, latest_fine, step, lag);
    if (!all_seen) {
      const auto glance = sums.correlation();
      if (hours_later != 0 && glance && *glance < kFirstLookCorrelation) continue;
      sums = pair_steps(coarse, fine, step, lag);
    }
    const auto correlation = sums.correlation();
    if (!correlation) {
      if (!out.correlation) out.steps = std::max(out.steps, sums.n);
      continue;
    }
    if (out.correlation && *correlation <= *out.correlation) continue;
    out.correlation = correlation;
    out.steps = sums.n;
    out.lag_hours = a_is_coarse ? hours_later : -hours_later;
  }
}

}  // namespace

std::int32_t MarketPrint::step_minutes() const {
  const std::int64_t minutes = ceil_div(interval_ns, kMinuteNs);
  return static_cast<std::int32_t>(
      std::clamp<std::int64_t>(minutes, kHourMinutes, std::int64_t{400} * kDayMinutes));
}

MarketPrint print_market(const MarketView& market) {
  return {market.interval_ns, day_moves(day_closes(market), market.interval_ns),
          step_closes(market)};
}

std::string_view likeness_name(LikenessBy by) {
  switch (by) {
    case LikenessBy::Days:
      return "days";
    case LikenessBy::Correlation:
      return "correlation";
    case LikenessBy::Name:
      return "name";
    case LikenessBy::Bytes:
      return "bytes";
  }
  return "";
}

std::string likeness_text(const MarketLikeness& likeness) {
  char text[160];
  switch (likeness.by) {
    case LikenessBy::Days:
      std::snprintf(text, sizeof text, "%u of %u common days moved alike (%.1f%%)",
                    likeness.days_agreed, likeness.days, 100 * likeness.agreed_frac());
      return text;
    case LikenessBy::Correlation:
      std::snprintf(
          text, sizeof text, "%u common returns correlate at %.3f%s", likeness.steps,
          likeness.correlation.value_or(0),
          likeness.lag_hours == 0
              ? ""
              : (", " + std::to_string(std::abs(likeness.lag_hours)) + " h apart").c_str());
      return text;
    case LikenessBy::Name:
      return "its instrument's name (" + std::to_string(likeness.days) +
             " common days that moved are too few to compare)";
    case LikenessBy::Bytes:
      return "the very same bars";
  }
  return "";
}

MarketLikeness compare_markets(const NamedPrint& a, const NamedPrint& b) {
  MarketLikeness out;
  count_days(a.print, b.print, out);
  const bool enough_days = out.days >= kMovedDaysMin;
  if (enough_days) {
    out.by = LikenessBy::Days;
    out.same = out.agreed_frac() >= kAgreeFracMin;
    if (out.same) return out;
  }
  correlate(a.print, b.print, out);
  if (out.correlation && *out.correlation > kSiblingCorrelation) {
    out.by = LikenessBy::Correlation;
    out.same = true;
  } else if (!enough_days && out.correlation && *out.correlation < kStrangerCorrelation) {
    out.by = LikenessBy::Correlation;
  } else if (!enough_days) {
    out.by = LikenessBy::Name;
    out.same = same_instrument(a.instrument, b.instrument);
  }
  return out;
}

}  // namespace winnow
