#include "store/data_report.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <tuple>

namespace winnow::store {
namespace {

double median_of(std::vector<double> values) {
  if (values.empty()) return 0;
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

std::string number(double v) {
  char text[32];
  std::snprintf(text, sizeof text, "%.6g", v);
  return text;
}

/// Purpose: one look at the bars of a dataset. Thread: one.
class Reporter {
 public:
  Reporter(const MarketView& market, const FaultReport& faults) : m_(market), faults_(faults) {}

  DataReport run() {
    out_.bars = m_.size();
    if (m_.size() == 0) return std::move(out_);
    measure_coverage();
    find_runs();
    find_mixture();
    if (out_.counts[static_cast<std::size_t>(OddityKind::Mixed)] == 0) find_steps();
    find_volume_breaks();
    note_partial();
    keep_longest();
    return std::move(out_);
  }

 private:
  void add(OddityKind kind, std::size_t first, std::size_t last, std::string text) {
    const std::uint64_t bars = last - first + 1;
    ++out_.counts[static_cast<std::size_t>(kind)];
    out_.bars_of[static_cast<std::size_t>(kind)] += bars;
    out_.oddities.push_back({kind, {m_.time_ns[first]}, {m_.time_ns[last]}, bars, std::move(text)});
  }
  void measure_coverage();
  void find_runs();
  template <class Quiet>
  void find_run(OddityKind kind, const char* what, Quiet quiet);
  void find_mixture();
  void find_steps();
  void find_volume_breaks();
  void note_partial();
  void keep_longest();
  double move(std::size_t k) const { return std::log(m_.close[k] / m_.close[k - 1]); }

  const MarketView& m_;
  const FaultReport& faults_;
  DataReport out_;
};

void Reporter::measure_coverage() {
  const std::int64_t span = m_.time_ns.back() - m_.time_ns.front();
  out_.bars_possible = std::max<std::uint64_t>(
      out_.bars, static_cast<std::uint64_t>((span + m_.interval_ns / 2) / m_.interval_ns) + 1);
  for (const Gap& gap : store::find_gaps(m_)) {
    ++out_.gaps;
    if (gap.bars > out_.longest_gap.bars) out_.longest_gap = gap;
  }
  std::int64_t day = -1;
  std::uint64_t weekend = 0;
  for (const std::int64_t t : m_.time_ns) {
    const std::int64_t d = utc_day({t});
    if (d == day) continue;
    day = d;
    ++out_.days_with_bars;
    weekend += (d + 3) % 7 >= 5 ? 1 : 0;  // 1970-01-01 was a Thursday
  }
  const std::int64_t first = utc_day({m_.time_ns.front()});
  const std::int64_t last = utc_day({m_.time_ns.back()});
  out_.days = static_cast<std::uint64_t>(last - first + 1);
  std::uint64_t business = 0;
  for (std::int64_t d = first; d <= last; ++d) business += (d + 3) % 7 < 5 ? 1 : 0;
  // Markets that close at weekends may still have a bar late on a Sunday.
  out_.calendar = "some_days";
  if (out_.days_with_bars * 20 >= out_.days * 19) out_.calendar = "every_day";
  if (weekend * 10 <= out_.days_with_bars && out_.days > 7 &&
      out_.days_with_bars * 10 >= business * 8) {
    out_.calendar = "business_days";
  }
}

template <class Quiet>
void Reporter::find_run(OddityKind kind, const char* what, Quiet quiet) {
  std::size_t begin = 0;
  for (std::size_t i = 0; i <= m_.size(); ++i) {
    if (i < m_.size() && quiet(i)) continue;
    if (i - begin >= kQuietRunBars) {
      add(kind, begin, i - 1, std::to_string(i - begin) + " bars in a row " + what);
    }
    begin = i + 1;
  }
}

void Reporter::find_runs() {
  find_run(OddityKind::NoVolume, "without volume",
           [&](std::size_t i) { return m_.volume[i] == 0; });
  find_run(OddityKind::Flat, "at one price", [&](std::size_t i) {
    return m_.high[i] == m_.low[i] &&
           (i == 0 || m_.close[i] == m_.close[i - 1] || m_.high[i - 1] != m_.low[i - 1]);
  });
}

/// Two series in one: each bar jumps away and the next one back.
void Reporter::find_mixture() {
  constexpr double kJump = 0.2;
  std::size_t jumps = 0;
  std::size_t first = 0;
  std::size_t last = 0;
  for (std::size_t k = 1; k + 1 < m_.size(); ++k) {
    const double there = move(k);
    if (std::abs(there) < kJump || std::abs(there + move(k + 1)) > 0.5 * std::abs(there)) continue;
    if (jumps++ == 0) first = k;
    last = k;
  }
  constexpr std::size_t kJumpsLeast = 3;
  if (jumps < kJumpsLeast ||
      static_cast<double>(jumps) < kMixedFrac * static_cast<double>(m_.size())) {
    return;
  }
  add(OddityKind::Mixed, first, last,
      std::to_string(jumps) +
          " bars jump away from the price before them and the next one back: "
          "are two instruments mixed?");
}

void Reporter::find_steps() {
  const std::size_t n = m_.size();
  constexpr std::size_t kAround = 20;
  if (n < 8) return;
  std::vector<double> sizes;
  for (std::size_t k = 1; k < n; ++k) sizes.push_back(std::abs(move(k)));
  const double limit = std::max(kLevelStepFrac, kOutlierMads * 1.4826 * median_of(sizes));
  for (std::size_t k = 1; k < n; ++k) {
    const double step = std::log(m_.open[k] / m_.close[k - 1]);
    const bool at_open = std::abs(step) > std::abs(move(k));
    const double size = at_open ? step : move(k);
    if (std::abs(size) < limit) continue;
    const std::size_t before = k > kAround ? k - kAround : 0;
    const std::size_t after = std::min(n, k + kAround);
    const double from = median_of({m_.close.begin() + static_cast<std::ptrdiff_t>(before),
                                   m_.close.begin() + static_cast<std::ptrdiff_t>(k)});
    const double to = median_of({m_.close.begin() + static_cast<std::ptrdiff_t>(k),
                                 m_.close.begin() + static_cast<std::ptrdiff_t>(after)});
    const double stays = std::log(to / from);
    if (stays * size <= 0 || std::abs(stays) < 0.6 * std::abs(size)) continue;
    std::string text = "from " + number(m_.close[k - 1]) + " to " +
                       number(at_open ? m_.open[k] : m_.close[k]) + ", times " +
                       number(std::exp(size)) + ", and stays";
    if (m_.time_ns[k] - m_.time_ns[k - 1] > m_.interval_ns) text += " (over a gap)";
    add(OddityKind::LevelStep, k, k, std::move(text));
  }
}

void Reporter::find_volume_breaks() {
  constexpr std::size_t kBlocksLeast = 4;
  const std::size_t size = std::clamp<std::size_t>(m_.size() / 20, 12, 500);
  std::vector<double> medians;
  for (std::size_t begin = 0; begin + size <= m_.size(); begin += size) {
    std::vector<double> traded;
    for (std::size_t i = begin; i < begin + size; ++i) {
      if (m_.volume[i] > 0) traded.push_back(m_.volume[i]);
    }
    medians.push_back(traded.size() * 2 >= size ? median_of(traded) : 0);
  }
  if (medians.size() < kBlocksLeast) return;
  for (std::size_t b = 1; b < medians.size(); ++b) {
    // A break lies inside a block or between two: the one after it has settled.
    const std::size_t settled = std::min(b + 1, medians.size() - 1);
    if (!(medians[b - 1] > 0 && medians[b] > 0 && medians[settled] > 0)) continue;
    const double ratio = medians[settled] / medians[b - 1];
    const double here = medians[b] / medians[b - 1];
    const bool large = ratio >= kVolumeBreakFactor || ratio <= 1 / kVolumeBreakFactor;
    if (!large || std::abs(std::log(here)) < 0.5 * std::abs(std::log(ratio))) continue;
    add(OddityKind::VolumeBreak, b * size, b * size,
        "the usual volume of a bar goes from " + number(medians[b - 1]) + " to " +
            number(medians[settled]) + " about here and stays: did its unit change?");
    b = settled;
  }
}

void Reporter::note_partial() {
  const FaultReport::Entry& entry = faults_[FaultKind::PartialBar];
  if (entry.count == 0) return;
  const auto kind = static_cast<std::size_t>(OddityKind::Partial);
  out_.counts[kind] = out_.bars_of[kind] = entry.count;
  for (const FaultSample& s : entry.first) {
    out_.oddities.push_back({OddityKind::Partial, {s.time_ns}, {s.time_ns}, 1, s.text});
  }
}

void Reporter::keep_longest() {
  std::stable_sort(out_.oddities.begin(), out_.oddities.end(),
                   [](const Oddity& a, const Oddity& b) {
                     return std::tuple(a.kind, b.bars) < std::tuple(b.kind, a.bars);
                   });
  std::size_t of_kind = 0;
  OddityKind kind = OddityKind::NoVolume;
  std::erase_if(out_.oddities, [&](const Oddity& o) {
    if (o.kind != kind) of_kind = 0;
    kind = o.kind;
    return of_kind++ >= DataReport::kOdditiesListed;
  });
}

}  // namespace

std::string_view oddity_name(OddityKind kind) {
  constexpr std::string_view kNames[kOddityKinds] = {
      "no_volume", "flat", "level_step", "volume_break", "mixed_symbols", "partial_bar"};
  return kNames[static_cast<std::size_t>(kind)];
}

std::vector<Gap> find_gaps(const MarketView& m) {
  std::vector<Gap> out;
  for (std::size_t i = 1; i < m.size(); ++i) {
    const std::int64_t apart = m.time_ns[i] - m.time_ns[i - 1];
    const std::int64_t missing = (apart + m.interval_ns / 2) / m.interval_ns - 1;
    if (missing <= 0) continue;
    out.push_back(
        {{m.time_ns[i - 1] + m.interval_ns}, {m.time_ns[i]}, static_cast<std::uint64_t>(missing)});
  }
  return out;
}

DataReport report_data(const MarketView& market, const FaultReport& faults) {
  return Reporter(market, faults).run();
}

}  // namespace winnow::store
