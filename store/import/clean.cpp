#include "store/import/clean.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <numeric>
#include <unordered_map>

#include "base/numbers.hpp"

namespace winnow::store {
namespace {

using Order = std::vector<std::size_t>;

/// The value most of `next()`'s results agree on, and how many do.
template <class Next>
std::pair<std::int64_t, std::size_t> most_common(std::size_t n, Next next) {
  std::unordered_map<std::int64_t, std::size_t> counts;
  std::pair<std::int64_t, std::size_t> best{0, 0};
  for (std::size_t i = 0; i < n; ++i) {
    const std::int64_t value = next(i);
    const std::size_t count = ++counts[value];
    // Ties go to the smaller value, so that the answer does not depend on the order.
    if (count > best.second || (count == best.second && value < best.first)) best = {value, count};
  }
  return best;
}

double upper_median(std::vector<double>& values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

/// Purpose: one pass of judgement over a set of rows; `order_` names the rows still in, in the
/// order they will have. Thread: one.
class BarCleaner {
 public:
  BarCleaner(BarRows rows, const CleanOptions& options)
      : rows_(std::move(rows)), options_(options), order_(rows_.size()) {
    std::iota(order_.begin(), order_.end(), std::size_t{0});
    out_.faults.rows_read = rows_.size();
    out_.notes = rows_.notes;
  }

  Result<CleanBars> run();

 private:
  MarketColumns& columns() { return rows_.columns; }
  std::int64_t time(std::size_t row) const { return rows_.columns.time_ns[row]; }
  std::string values(std::size_t row) const;

  void fault(FaultKind kind, std::size_t row, const std::string& text) {
    out_.faults.add(kind, [&] { return FaultSample{time(row), rows_.where(row), text}; });
  }
  void repaired(std::string action, std::size_t row, std::string text) {
    ++repaired_;
    if (out_.repairs.size() < kRepairsListed) {
      out_.repairs.push_back({std::move(action), time(row), rows_.where(row), std::move(text)});
    }
  }
  void remove_with_fault(FaultKind kind, std::size_t row, const std::string& text) {
    fault(kind, row, text);
    repaired("removed", row, text);
  }

  /// Where the wall's clock stood that the file goes by.
  std::int64_t wall(std::size_t row) const {
    return time(row) + (rows_.wall_ahead_ns.empty() ? 0 : rows_.wall_ahead_ns[row]);
  }

  bool values_hold(std::size_t row);
  bool shape_holds(std::size_t row);
  void check_values();
  void check_order();
  void remove_duplicates();
  Status check_unit() const;
  Status check_calendar() const;
  Status find_interval();
  Status check_shares() const;
  void check_grid();
  void find_partial_bars();
  void check_clock();
  void check_last_bar();
  void find_gaps();
  void find_outliers();
  void gather();

  BarRows rows_;
  const CleanOptions& options_;
  Order order_;
  CleanBars out_;
  std::int64_t interval_ = 0;
  bool wall_grid_ = false;
  std::uint64_t repaired_ = 0;
};

std::string BarCleaner::values(std::size_t i) const {
  const MarketColumns& c = rows_.columns;
  return "open " + shortest_text(c.open[i]) + ", high " + shortest_text(c.high[i]) + ", low " +
         shortest_text(c.low[i]) + ", close " + shortest_text(c.close[i]) + ", volume " +
         shortest_text(c.volume[i]);
}

bool BarCleaner::values_hold(std::size_t i) {
  const MarketColumns& c = rows_.columns;
  constexpr double kMax = 1e300;
  for (const double v : {c.open[i], c.high[i], c.low[i], c.close[i]}) {
    if (v > 0 && v < kMax) continue;
    remove_with_fault(FaultKind::BadPrice, i, "a price must be above 0 and finite; " + values(i));
    return false;
  }
  if (!(c.volume[i] >= 0 && c.volume[i] < kMax)) {
    remove_with_fault(FaultKind::BadVolume, i, "volume must be 0 or more and finite; " + values(i));
    return false;
  }
  return true;
}

bool BarCleaner::shape_holds(std::size_t i) {
  MarketColumns& c = rows_.columns;
  const double top = std::max({c.open[i], c.close[i], c.low[i]});
  const double bottom = std::min({c.open[i], c.close[i], c.high[i]});
  if (c.high[i] >= top && c.low[i] <= bottom) return true;
  const std::string text = "low <= open, close <= high does not hold; " + values(i);
  fault(FaultKind::OhlcViolation, i, text);
  const double outside = std::max(top - c.high[i], c.low[i] - bottom);
  if (outside > kWidenMaxFrac * c.close[i]) {
    repaired("removed", i, text);
    return false;
  }
  repaired("widened", i,
           text + "; now high " + shortest_text(std::max(top, c.high[i])) + ", low " +
               shortest_text(std::min(bottom, c.low[i])));
  c.high[i] = std::max(top, c.high[i]);
  c.low[i] = std::min(bottom, c.low[i]);
  return true;
}

void BarCleaner::check_values() {
  for (const std::size_t i : rows_.skipped_hours) {
    remove_with_fault(FaultKind::SkippedHour, i,
                      "this local time never was: clocks were set forward over it; is the zone "
                      "right?");
  }
  std::erase_if(order_, [&](std::size_t i) {
    return std::binary_search(rows_.skipped_hours.begin(), rows_.skipped_hours.end(), i);
  });
  std::erase_if(order_, [&](std::size_t i) { return !values_hold(i) || !shape_holds(i); });
}

void BarCleaner::check_order() {
  // Whole files in falling order are turned round: many makers write the newest bar first.
  for (auto begin = order_.begin(); begin != order_.end();) {
    const std::uint32_t file = rows_.origin[*begin].file;
    const auto end = std::find_if(begin, order_.end(),
                                  [&](std::size_t i) { return rows_.origin[i].file != file; });
    const auto rises = [&](std::size_t a, std::size_t b) { return time(a) < time(b); };
    if (time(*begin) > time(*(end - 1)) && std::adjacent_find(begin, end, rises) == end) {
      std::reverse(begin, end);
    }
    begin = end;
  }
  bool sorted = true;
  for (std::size_t k = 1; k < order_.size(); ++k) {
    const std::size_t i = order_[k];
    const std::size_t before = order_[k - 1];
    if (time(i) >= time(before)) continue;
    sorted = false;
    if (rows_.origin[i].file != rows_.origin[before].file) continue;  // files are merged
    fault(FaultKind::NonMonotoneTime, i, "comes after " + format_time_ns(time(before)));
  }
  if (sorted) return;
  if (const auto count = out_.faults[FaultKind::NonMonotoneTime].count; count > 0) {
    out_.notes.push_back(std::to_string(count) + " rows come after later ones; all are sorted");
  }
  std::stable_sort(order_.begin(), order_.end(),
                   [&](std::size_t a, std::size_t b) { return time(a) < time(b); });
}

void BarCleaner::remove_duplicates() {
  const MarketColumns& c = rows_.columns;
  const auto same = [&](std::size_t a, std::size_t b) {
    return c.open[a] == c.open[b] && c.high[a] == c.high[b] && c.low[a] == c.low[b] &&
           c.close[a] == c.close[b] && c.volume[a] == c.volume[b];
  };
  std::size_t kept = 0;  // order_[0, kept) is done
  for (const std::size_t i : order_) {
    if (kept == 0 || time(order_[kept - 1]) != time(i)) {
      order_[kept++] = i;
      continue;
    }
    std::size_t& earlier = order_[kept - 1];
    if (same(earlier, i)) {
      // Archives of months and of days hold the same bars: that is no fault of any.
      const std::string text = "is the same bar as " + rows_.where(earlier);
      if (rows_.origin[earlier].file != rows_.origin[i].file) {
        fault(FaultKind::Overlap, i, text);
      } else {
        remove_with_fault(FaultKind::DuplicateIdentical, i, text);
      }
    } else {
      // A bar written twice was open the first time: the later row knows more.
      const std::string text = values(earlier) + ", but " + rows_.where(i) + " says " + values(i);
      remove_with_fault(FaultKind::DuplicateConflicting, earlier, text);
      earlier = i;
    }
  }
  order_.resize(kept);
}

/// Counts since 1970 in another unit than was said lie near 1970 or far ahead.
Status BarCleaner::check_unit() const {
  if (!rows_.counted) return {};
  const std::size_t i = order_.front();
  if (time(i) >= kCountedFromNs) return {};
  std::string meant;
  for (const auto& [scale, unit] : {std::pair<std::int64_t, const char*>{1'000, "1000 times"},
                                    {1'000'000, "a million times"},
                                    {1'000'000'000, "a billion times"}}) {
    if (time(i) > options_.now.ns / scale || time(i) * scale < kCountedFromNs) continue;
    meant = "; in a unit " + std::string(unit) + " as long it would be " +
            format_time_ns(time(i) * scale);
    break;
  }
  return Error(ErrorCode::InvalidInput,
               rows_.where(i) + ": as it is read, the bar is of " + format_time_ns(time(i)) +
                   meant +
                   ": the unit of time is another one; --time COLUMN:UNIT says which (s, ms, us, "
                   "ns)");
}

/// Months, quarters and years have no fixed length, and the engine's bars have one.
Status BarCleaner::check_calendar() const {
  constexpr std::int64_t kDay = 86'400'000'000'000;
  if (order_.size() < 3) return {};
  const auto day_of_month = [&](std::size_t i) {
    const std::chrono::year_month_day ymd{
        std::chrono::sys_days(std::chrono::days(utc_day(TimestampNs{wall(i)})))};
    return ymd.day();
  };
  for (std::size_t k = 1; k < order_.size(); ++k) {
    if (time(order_[k]) - time(order_[k - 1]) < 28 * kDay - kDay / 4) return {};
    if (day_of_month(order_[k]) != day_of_month(order_[0])) return {};
  }
  return Error(ErrorCode::InvalidInput,
               "the bars are of calendar months or longer (" + format_timestamp({time(order_[0])}) +
                   ", " + format_timestamp({time(order_[1])}) + ", " +
                   format_timestamp({time(order_[2])}) +
                   ", ...), which have no fixed length and are not supported; import bars of a "
                   "week (1w), a day or less");
}

Status BarCleaner::find_interval() {
  const std::size_t n = order_.size();
  if (n < 2) {
    if (!options_.interval) {
      return Error(ErrorCode::InvalidInput,
                   "one bar does not tell the interval; give it, for example --interval 5m");
    }
    interval_ = options_.interval->ns;
    return {};
  }
  const auto [spacing, count] =
      most_common(n - 1, [&](std::size_t k) { return time(order_[k + 1]) - time(order_[k]); });
  const double share = static_cast<double>(count) / static_cast<double>(n - 1);
  const bool clear = share >= 0.5;
  const std::string found = "the most common spacing of bars is " +
                            format_duration(DurationNs{spacing}) + " (" + std::to_string(count) +
                            " of " + std::to_string(n - 1) + ")";
  if (!options_.interval) {
    if (!clear) {
      return Error(ErrorCode::InvalidInput, found +
                                                ": too few to be the interval; give it, for "
                                                "example --interval 5m");
    }
    if (spacing < kIntervalLeastNs) {
      return Error(ErrorCode::InvalidInput,
                   found + "; is the unit of time right? --time COLUMN:UNIT says it, --interval " +
                       format_duration(DurationNs{spacing}) + " imports such bars");
    }
    interval_ = spacing;
    return {};
  }
  interval_ = options_.interval->ns;
  if (clear && spacing != interval_) {
    return Error(
        ErrorCode::InvalidInput,
        found + ", not the " + format_duration(*options_.interval) + " that --interval says");
  }
  return {};
}

void BarCleaner::check_grid() {
  const auto best_phase = [&](auto clock) {
    return most_common(order_.size(), [&](std::size_t k) {
      return (clock(order_[k]) % interval_ + interval_) % interval_;
    });
  };
  auto [phase, agreed] = best_phase([&](std::size_t i) { return time(i); });
  // Days of a place that sets its clocks begin at another hour of UTC in summer.
  if (!rows_.wall_ahead_ns.empty() && agreed < order_.size()) {
    const auto local = best_phase([&](std::size_t i) { return wall(i); });
    wall_grid_ = local.second > agreed;
    if (wall_grid_) phase = local.first;
  }
  const auto phase_of = [&](std::size_t i) {
    return ((wall_grid_ ? wall(i) : time(i)) % interval_ + interval_) % interval_;
  };
  if (phase != 0) {
    out_.notes.push_back("bars open " + format_duration(DurationNs{phase}) +
                         " after whole multiples of the interval (" +
                         (wall_grid_ ? "local time" : "UTC") + ")");
  }
  const auto on_grid = [&](std::size_t i) { return phase_of(i) == phase; };
  if (std::all_of(order_.begin(), order_.end(), on_grid)) return;
  std::vector<std::int64_t> taken;
  for (const std::size_t i : order_) {
    if (on_grid(i)) taken.push_back(time(i));
  }
  const auto slack = static_cast<std::int64_t>(kSnapMaxFrac * static_cast<double>(interval_));
  std::int64_t moved_to = -1;
  std::erase_if(order_, [&](std::size_t i) {
    if (on_grid(i)) return false;
    const std::int64_t after = (phase_of(i) - phase + interval_) % interval_;
    const std::int64_t nearest =
        after * 2 < interval_ ? time(i) - after : time(i) - after + interval_;
    const std::string text =
        "is not on the grid of " + format_duration(DurationNs{interval_}) + " bars";
    fault(FaultKind::OffGridTime, i, text);
    if (std::abs(time(i) - nearest) > slack || nearest == moved_to ||
        std::binary_search(taken.begin(), taken.end(), nearest)) {
      repaired("removed", i, text);
      return true;
    }
    repaired("moved", i, text + "; moved to " + format_time_ns(nearest));
    columns().time_ns[i] = moved_to = nearest;
    return false;
  });
}

void BarCleaner::check_clock() {
  while (!order_.empty() && time(order_.back()) > options_.now.ns) {
    remove_with_fault(FaultKind::FutureTime, order_.back(),
                      "opens after the time of import, " + format_timestamp(options_.now));
    order_.pop_back();
  }
}

void BarCleaner::check_last_bar() {
  if (order_.empty()) return;
  const std::size_t i = order_.back();
  const std::int64_t end = time(i) + interval_;
  constexpr std::int64_t kMs = 1'000'000;
  constexpr std::int64_t kDay = 86'400'000'000'000;
  const BarEnd told = rows_.end.empty() ? BarEnd::Unknown : rows_.end[i];
  const bool closed_early =
      told == BarEnd::Early || (!rows_.close_time_ns.empty() && rows_.close_time_ns[i] + kMs < end);
  std::string why;
  bool certain = true;
  if (closed_early) {
    why = "the file says that it was still open";
  } else if (end > options_.now.ns) {
    why = "it ends after the time of import, " + format_timestamp(options_.now);
  } else if (told != BarEnd::Finished && !(options_.whole_days && end % kDay == 0)) {
    why = "nothing in the file says that it was finished";
    certain = false;
  }
  const bool drop =
      options_.last_bar == LastBar::Drop || (options_.last_bar == LastBar::Auto && !why.empty() &&
                                             (certain || options_.on_fault == OnFault::Repair));
  if (!why.empty()) fault(FaultKind::UnfinishedLastBar, i, why);
  if (drop) {
    repaired("removed", i, "last bar: " + (why.empty() ? "as --last-bar drop says" : why));
    order_.pop_back();
  } else if (!why.empty()) {
    out_.notes.push_back("the last bar, of " + format_time_ns(time(i)) + ", may be unfinished (" +
                         why + "); it is kept (--last-bar drop leaves it out)");
  }
}

/// A candle that closed early and was never written again.
void BarCleaner::find_partial_bars() {
  constexpr std::int64_t kMs = 1'000'000;
  for (std::size_t k = 0; k + 1 < order_.size(); ++k) {
    const std::size_t i = order_[k];
    const bool early = !rows_.end.empty() && rows_.end[i] == BarEnd::Early;
    const std::int64_t closed = rows_.close_time_ns.empty() ? 0 : rows_.close_time_ns[i];
    if (!early && (closed == 0 || closed + kMs >= time(i) + interval_)) continue;
    fault(FaultKind::PartialBar, i,
          closed > time(i) ? "closed " + format_duration(DurationNs{closed - time(i)}) +
                                 " after it opened; bars last " +
                                 format_duration(DurationNs{interval_}) + "; kept"
                           : "was still open when it was recorded; kept");
  }
}

void BarCleaner::find_gaps() {
  for (std::size_t k = 1; k < order_.size(); ++k) {
    const auto at = [&](std::size_t i) { return wall_grid_ ? wall(i) : time(i); };
    const std::int64_t apart = at(order_[k]) - at(order_[k - 1]);
    if (apart <= interval_) continue;
    const std::int64_t missing = apart / interval_ - 1;
    out_.faults.bars_missing += static_cast<std::uint64_t>(missing);
    fault(FaultKind::Gap, order_[k],
          std::to_string(missing) + " bars missing after " + format_time_ns(time(order_[k - 1])));
  }
}

void BarCleaner::find_outliers() {
  const MarketColumns& c = rows_.columns;
  const std::size_t n = order_.size();
  if (n < 3) return;
  std::vector<double> move(n, 0.0);  // 0 where the bar before is missing
  for (std::size_t k = 1; k < n; ++k) {
    const std::size_t a = order_[k - 1];
    const std::size_t b = order_[k];
    if (time(b) - time(a) == interval_) move[k] = c.close[b] / c.close[a] - 1;
  }
  const auto spread = [&](std::size_t first, std::size_t last) {
    std::vector<double> sizes;
    sizes.reserve(last - first);
    for (std::size_t k = first; k < last; ++k) sizes.push_back(std::abs(move[k]));
    return 1.4826 * upper_median(sizes);
  };
  const double overall = spread(0, n);
  if (overall <= 0) return;
  for (std::size_t block = 0; block < n; block += kOutlierBlock) {
    const std::size_t end = std::min(n, block + kOutlierBlock);
    const double limit = kOutlierMads * std::max(overall, spread(block, end));
    for (std::size_t k = block; k < end; ++k) {
      const std::size_t i = order_[k];
      const double body_high = std::max(c.open[i], c.close[i]);
      const double body_low = std::min(c.open[i], c.close[i]);
      const double wick = std::max(c.high[i] / body_high, body_low / c.low[i]) - 1;
      // The next close against the one before the move: simple returns do not add up.
      const bool reverts =
          k > 0 && k + 1 < n && move[k + 1] != 0 &&
          std::abs(c.close[order_[k + 1]] / c.close[order_[k - 1]] - 1) <= 0.5 * std::abs(move[k]);
      if (wick > limit) {
        fault(FaultKind::Outlier, i,
              "a wick of " + shortest_text(std::round(wick * 1e6) / 100) +
                  " bps, beyond the limit of " + shortest_text(std::round(limit * 1e6) / 100) +
                  "; kept");
      } else if (std::abs(move[k]) > limit && reverts) {
        fault(FaultKind::Outlier, i,
              "a move of " + shortest_text(std::round(move[k] * 1e6) / 100) +
                  " bps that the next bar takes back, beyond the limit of " +
                  shortest_text(std::round(limit * 1e6) / 100) + "; kept");
      }
    }
  }
}

void BarCleaner::gather() {
  MarketColumns& from = rows_.columns;
  MarketColumns& to = out_.columns;
  to.interval_ns = interval_;
  const bool whole = order_.size() == from.size() && std::is_sorted(order_.begin(), order_.end());
  if (whole) {
    to = std::move(from);
    to.interval_ns = interval_;
    return;
  }
  const auto pick = [&](const auto& source, auto& target) {
    target.reserve(order_.size());
    for (const std::size_t i : order_) target.push_back(source[i]);
  };
  pick(from.time_ns, to.time_ns);
  pick(from.open, to.open);
  pick(from.high, to.high);
  pick(from.low, to.low);
  pick(from.close, to.close);
  pick(from.volume, to.volume);
}

Status BarCleaner::check_shares() const {
  const double rows = static_cast<double>(out_.faults.rows_read);
  if (repaired_ <= kRepairsFew || static_cast<double>(repaired_) <= kRepairedMaxFrac * rows) {
    return {};
  }
  return Error(ErrorCode::InvalidInput,
               describe_faults(out_.faults, FaultScope::All) +
                   "; a repair would remove or change " + std::to_string(repaired_) + " of " +
                   std::to_string(out_.faults.rows_read) + " rows, and at most " +
                   std::to_string(static_cast<int>(kRepairedMaxFrac * 100)) +
                   "% may be: the file is not what it is taken for");
}

Result<CleanBars> BarCleaner::run() {
  if (order_.empty()) return Error(ErrorCode::InvalidInput, "there is no bar below the header");
  check_values();
  check_order();
  if (!order_.empty()) WINNOW_TRY(check_unit());
  remove_duplicates();
  if (!order_.empty()) {
    WINNOW_TRY(check_calendar());
    if (Status status = find_interval(); !status.ok()) {
      if (out_.faults.refusing() == 0) return status.error();
      return status.error().within(describe_faults(out_.faults, FaultScope::Refusing));
    }
    check_grid();
    check_clock();
    check_last_bar();
    find_partial_bars();
    find_gaps();
    find_outliers();
  }
  if (out_.faults.refusing() > 0 && options_.on_fault == OnFault::Refuse) {
    return Error(ErrorCode::InvalidInput,
                 describe_faults(out_.faults, FaultScope::Refusing) +
                     "; nothing was imported. --on-fault repair removes or mends such rows and "
                     "lists each repair");
  }
  if (order_.empty()) {
    return Error(ErrorCode::InvalidInput,
                 "no bar is left of " + std::to_string(out_.faults.rows_read) +
                     " rows: " + describe_faults(out_.faults, FaultScope::All));
  }
  WINNOW_TRY(check_shares());
  if (repaired_ > out_.repairs.size()) {
    out_.notes.push_back(std::to_string(repaired_ - out_.repairs.size()) +
                         " more repairs are not listed one by one");
  }
  gather();
  return std::move(out_);
}

}  // namespace

std::string describe_faults(const FaultReport& faults, FaultScope scope) {
  constexpr std::size_t kShown = 3;
  std::string out;
  for (std::size_t k = 0; k < kFaultKinds; ++k) {
    const auto kind = static_cast<FaultKind>(k);
    const FaultReport::Entry& entry = faults[kind];
    if (entry.count == 0 || (scope == FaultScope::Refusing && !fault_refuses(kind))) continue;
    if (!out.empty()) out += "; ";
    out += std::to_string(entry.count) + " " + std::string(fault_name(kind)) + " (";
    for (std::size_t s = 0; s < std::min(entry.first.size(), kShown); ++s) {
      out += (s > 0 ? "; " : "") + entry.first[s].where + " " +
             format_time_ns(entry.first[s].time_ns) + ": " + entry.first[s].text;
    }
    out += entry.count > kShown ? "; ...)" : ")";
  }
  return out;
}

Result<CleanBars> clean_bars(BarRows rows, const CleanOptions& options) {
  return BarCleaner(std::move(rows), options).run();
}

}  // namespace winnow::store
