// `open`, `share` and `looks` of a specification, and what sealed days mean for its window.
#include <algorithm>
#include <charconv>

#include "base/names.hpp"
#include "sweeps/level/claim.hpp"
#include "sweeps/level/days.hpp"
#include "sweeps/spec_params.hpp"

namespace winnow::sweeps {
namespace {

using level::DayRange;
using level::OpenMode;
using yaml::Cursor;
using yaml::Node;

constexpr double kShareMax = 0.5;
constexpr std::int64_t kLookDaysMax = 36'500;
constexpr double kWeightSumMax = 1 + 1e-12;

std::optional<std::int64_t> whole_days(std::string_view text) {
  std::int64_t out = 0;
  const auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), out);
  if (ec != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return out;
}

std::vector<level::LookDay> read_looks(const Cursor& at) {
  constexpr const char* kShape =
      "looks by judged days with their parts of the level, as in {90: 0.1, 365: 0.9}, or one";
  if (at.is(Node::Kind::Scalar)) {
    (void)at.choice({"one"});
    return {{0, 1.0}};
  }
  if (!at.is(Node::Kind::Map)) at.refuse(std::string("this must be ") + kShape);
  std::vector<level::LookDay> out;
  double sum = 0;
  for (const auto& [key, place] : at.node().keys) {
    const auto days = whole_days(key);
    if (!days || *days < level::kJudgedDaysMin || *days > kLookDaysMax) {
      at.refuse("a look at " + show_text(key) + " judged days; from " +
                std::to_string(level::kJudgedDaysMin) + " to " + std::to_string(kLookDaysMax) +
                " are allowed");
    }
    const double weight = at.find(key)->number("a part of the level, above 0 and at most 1");
    if (!(weight > 0 && weight <= 1)) {
      at.find(key)->refuse(show_number(weight) + " is not above 0 and at most 1");
    }
    out.push_back({*days, weight});
    sum += weight;
  }
  if (out.empty()) at.refuse("the map is empty; leave it out");
  if (sum > kWeightSumMax) {
    at.refuse("the parts of the level sum to " + show_number(sum) +
              "; at most 1 is there to split");
  }
  std::sort(out.begin(), out.end(),
            [](const auto& a, const auto& b) { return a.judged_days < b.judged_days; });
  return out;
}

DayRange days_of(const ResolvedSpec& spec) {
  return {utc_day(spec.from), utc_day(spec.to - DurationNs{1}) + 1};
}

TimestampNs midnight(std::int64_t day) { return TimestampNs{} + days(day); }

/// The longest of some ranges; ties to the first.
DayRange longest(const std::vector<DayRange>& ranges) {
  return *std::max_element(ranges.begin(), ranges.end(), [](const DayRange& a, const DayRange& b) {
    return a.end - a.start < b.end - b.start;
  });
}

constexpr const char* kWays =
    "`open: confirm` judges an idea by them, in words; `open: search` or `open: now` takes them "
    "for a first look that counts; `--unseal` shows them, on record, and they will never again "
    "judge what was seen";

}  // namespace

level::OpenSpec read_open(const Cursor& root, level::OpenMode otherwise) {
  level::OpenSpec out;
  out.mode = otherwise;
  const auto open = root.find("open");
  if (open) out.mode = *level::find_open_mode(open->choice(level::open_mode_names()));
  if (const auto share = root.find("share")) {
    out.share = share->number("the part of what the account has left, as in 0.25");
    if (!(out.share > 0 && out.share <= kShareMax)) {
      share->refuse(show_number(out.share) + " is not above 0 and at most " +
                    show_number(kShareMax));
    }
  }
  if (const auto looks = root.find("looks")) out.looks = read_looks(*looks);
  // A sweep that explores may say how `winnow open` is to open it; it is no other sweep for that.
  return out.mode == OpenMode::Explore ? level::OpenSpec() : out;
}

SealedDays sealed_days(const Cursor& at, const Catalog& catalog, const ResolvedSpec& spec) {
  SealedDays out;
  for (const DatasetInfo& d : spec.data) {
    if (catalog.market) {
      const auto market = catalog.market(d);
      if (!market) at.refuse(market.error().text());
      const auto from = market->sealed_from;
      if (from) out.by_import.push_back({*from, std::max(*from, utc_day(end_of(d)) + 1)});
    }
    if (!catalog.sealed) continue;
    const auto sealed = catalog.sealed(d);
    if (!sealed) at.refuse(sealed.error().text());
    out.all.insert(out.all.end(), sealed->begin(), sealed->end());
  }
  out.by_import = level::joined(std::move(out.by_import));
  out.all = level::joined(std::move(out.all));
  return out;
}

void place_window(const Cursor& at, const SealedDays& sealed, WindowSaid said, ResolvedSpec& spec) {
  if (spec.from >= spec.to || (said.from && said.to)) return;
  const DayRange whole = days_of(spec);
  if (spec.open.mode == OpenMode::Confirm && !said.from) {
    std::vector<DayRange> kept;
    for (const DayRange& r : sealed.by_import) {
      const DayRange inside{std::max(r.start, whole.start), std::min(r.end, whole.end)};
      if (inside.start < inside.end) kept.push_back(inside);
    }
    if (kept.empty()) {
      at.refuse(
          sealed.all.empty() || !sealed.by_import.empty()
              ? std::string("no day of this data is sealed, so none is left that nobody saw; say "
                            "which days are to judge with `window`, or wait for new ones")
              : "no day of this data was sealed by its import, only as the holdout of a sweep: " +
                    level::days_text(sealed.all) + "; say with `window` that they are to judge");
    }
    const DayRange judged = longest(kept);
    spec.from = std::max(spec.from, midnight(judged.start));
    if (!said.to) spec.to = std::min(spec.to, midnight(judged.end));
    return;
  }
  if (spec.open.mode != OpenMode::Explore) return;
  std::vector<DayRange> open_days = level::fresh_days(whole, sealed.by_import);
  if (open_days.size() == 1 && open_days[0] == whole) return;
  if (said.from) std::erase_if(open_days, [&](const DayRange& r) { return r.start > whole.start; });
  if (said.to) std::erase_if(open_days, [&](const DayRange& r) { return r.end < whole.end; });
  if (open_days.empty()) {
    at.refuse("all days from " + format_day(whole.start) + " to " + format_day(whole.end - 1) +
              " are sealed: nobody saw them, and they are kept to judge ideas by. " + kWays);
  }
  const DayRange part = longest(open_days);
  spec.from = std::max(spec.from, midnight(part.start));
  spec.to = std::min(spec.to, midnight(part.end));
  spec.warnings.push_back(
      "it explores " + format_day(part.start) + " to " + format_day(part.end - 1) +
      "; the other days are sealed, which keeps them fit to judge what is found "
      "here (`open: confirm`)");
}

void check_window(const Cursor& at, const SealedDays& sealed, const ResolvedSpec& spec) {
  if (spec.open.mode != OpenMode::Explore || spec.from >= spec.to) return;
  const DayRange whole = days_of(spec);
  for (const DayRange& r : sealed.all) {
    const DayRange inside{std::max(r.start, whole.start), std::min(r.end, whole.end)};
    if (inside.start >= inside.end) continue;
    at.refuse("the window reaches into sealed days, " + format_day(inside.start) + " to " +
              format_day(inside.end - 1) + ": nobody saw them yet. " +
              (inside.start > whole.start ? "A window with `to: " + format_day(inside.start) +
                                                "` explores the days before; "
                                          : std::string()) +
              kWays);
  }
}

}  // namespace winnow::sweeps
