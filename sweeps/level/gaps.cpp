#include "sweeps/level/gaps.hpp"

#include <algorithm>
#include <cmath>
#include <optional>

#include "base/check.hpp"
#include "base/formatted.hpp"
#include "base/instrument.hpp"
#include "base/names.hpp"
#include "base/numbers.hpp"
#include "base/text.hpp"
#include "base/time.hpp"
#include "sweeps/yaml/yaml_tree.hpp"

namespace winnow::sweeps::level {
namespace {

using yaml::Cursor;
using yaml::Node;

constexpr double kUpperTail = 0.05;
constexpr double kStopThroughFrac = 1.0 / 3;
constexpr double kYearDays = 365;
constexpr std::size_t kRecordsMax = 1000;
constexpr std::uint64_t kSeenMax = 1000;
constexpr double kRecordYearsMin = 1;
constexpr double kGapFracMin = 0.01;

const std::vector<std::string> kRecordKeys{"record", "instruments", "gap_frac", "seen",
                                           "from",   "to",          "source"};

/// The pair that a name means, whatever expires: its gaps are its pair's.
std::optional<Instrument> pair_of(std::string_view name) {
  auto out = parse_instrument(name);
  if (!out) return out;
  if (out->kind == MarketKind::Future) out->kind = MarketKind::Unsaid;
  out->expiry.clear();
  return out;
}

bool same_pair(std::string_view a, std::string_view b) {
  const auto x = pair_of(a);
  const auto y = pair_of(b);
  if (!x || !y) return plain_name(a) == plain_name(b);
  if (x->base != y->base || x->quote != y->quote) return false;
  return x->kind == y->kind || x->kind == MarketKind::Unsaid || y->kind == MarketKind::Unsaid;
}

const std::string* named_in(const GapRecord& record, std::string_view instrument) {
  const auto at = std::find_if(record.instruments.begin(), record.instruments.end(),
                               [&](const std::string& n) { return same_pair(n, instrument); });
  return at == record.instruments.end() ? nullptr : &*at;
}

double read_gap_frac(const Cursor& at) {
  const std::string what =
      "a fraction of the notional from " + show_number(kGapFracMin) + " to 1, as in 0.3";
  const double v = at.number(what);
  if (v < kGapFracMin || v > 1) at.refuse(show_number(v) + " is not " + what);
  return v;
}

void read_instruments(const Cursor& at, const std::vector<GapRecord>& before, GapRecord& out) {
  constexpr std::string_view kWhat = "a list of instruments, as in [BTC-USDT, BTC-USD]";
  for (const Cursor& entry : at.list(kWhat)) {
    const std::string name = entry.text("an instrument, as in BTC-USDT");
    const auto stands = [&](const GapRecord& r) { return named_in(r, name) != nullptr; };
    if (stands(out) || std::any_of(before.begin(), before.end(), stands)) {
      entry.refuse("the instrument " + show_text(name) + " stands twice");
    }
    out.instruments.push_back(name);
  }
  if (out.instruments.empty()) at.refuse("the list is empty; name at least one instrument");
}

GapRecord read_record(const Cursor& at, const std::vector<GapRecord>& before) {
  at.expect_map("a record such as {record: ..., instruments: [...], gap_frac: 0.3, seen: 1}",
                kRecordKeys);
  GapRecord out;
  out.gap.record = at.at("record", "name what it is a record of").text("a few words");
  read_instruments(at.at("instruments", "list the instruments it speaks for"), before, out);
  out.gap.frac = read_gap_frac(at.at("gap_frac", "say how large the gap is, as in gap_frac: 0.3"));
  out.gap.seen = at.at("seen", "say how many such gaps the record has, 0 if none")
                     .count("how many gaps were seen", 0, kSeenMax);
  const Cursor from = at.at("from", "say when the record begins, as in from: 2015-01-01");
  const Cursor to = at.at("to", "say when the record ends, as in to: 2026-01-01");
  out.gap.years = static_cast<double>(to.time().ns - from.time().ns) /
                  static_cast<double>(days(1).ns) / kYearDays;
  if (out.gap.years < kRecordYearsMin) {
    to.refuse("a record from " + from.shown() + " to " + to.shown() +
              " is shorter than a year; without a record the instrument's own data count");
  }
  out.source = at.at("source", "say where the record comes from").text("a sentence");
  if (out.source.empty()) at.at("source", "").refuse("say where the record comes from");
  return out;
}

std::vector<GapRecord> read_gaps(const Cursor& root) {
  root.expect_map("a map with a list of records", {"records"});
  const Cursor records = root.at("records", "list the records, as in records: []");
  std::vector<GapRecord> out;
  for (const Cursor& entry : records.list("a list of records")) {
    if (out.size() == kRecordsMax) {
      entry.refuse("more than " + std::to_string(kRecordsMax) + " records");
    }
    out.push_back(read_record(entry, out));
  }
  return out;
}

}  // namespace

// P(N <= seen | mean) falls in the mean: the limit is where it is 5%. By halving, which needs no
// quantile function and gives the same bits everywhere.
double poisson_upper_limit(std::uint64_t seen) {
  const auto below = [&](double mean) {
    double term = std::exp(-mean);
    double sum = term;
    for (std::uint64_t k = 1; k <= seen; ++k) {
      term *= mean / static_cast<double>(k);
      sum += term;
    }
    return sum;
  };
  double low = 0;
  double high = 10 + 3 * static_cast<double>(seen);
  for (int i = 0; i < 100; ++i) {
    const double middle = (low + high) / 2;
    (below(middle) > kUpperTail ? low : high) = middle;
  }
  return (low + high) / 2;
}

Gap gap_without_record(double years) {
  WINNOW_REQUIRES(years > 0);
  return {.frac = kGapFracUnrecorded, .seen = 0, .years = years, .record = {}};
}

Result<std::vector<GapRecord>> parse_gaps(std::string_view yaml, std::string_view file_name) {
  const Result<Node> root = yaml::load(yaml, file_name);
  if (!root) return root.error();
  try {
    return read_gaps(Cursor(file_name, *root, ""));
  } catch (const yaml::Refusal& refusal) {
    return refusal.error;
  }
}

const GapRecord* find_gap(std::span<const GapRecord> records, std::string_view instrument) {
  const auto at = std::find_if(records.begin(), records.end(), [&](const GapRecord& r) {
    return named_in(r, instrument) != nullptr;
  });
  return at == records.end() ? nullptr : &*at;
}

Result<Gap> resolve_gap(const GapQuestion& q) {
  WINNOW_REQUIRES(q.years > 0);
  const GapRecord* shipped = find_gap(q.shipped, q.instrument);
  const Gap least = shipped != nullptr ? shipped->gap : gap_without_record(q.years);
  const GapRecord* own = find_gap(q.own, q.instrument);
  if (own == nullptr) return least;
  if (own->gap.frac >= least.frac && own->gap.rate_year() >= least.rate_year()) return own->gap;
  return Error(
      ErrorCode::InvalidInput,
      "the home's gaps.yaml says of " + show_text(q.instrument) + " a gap of " +
          formatted("%.0f%% %.2f times a year", 100 * own->gap.frac, own->gap.rate_year()) +
          ", less than " +
          formatted("%.0f%% %.2f times a year", 100 * least.frac, least.rate_year()) + " of " +
          (least.record.empty() ? "an instrument without a record" : least.record) +
          "; a home may only raise what is charged");
}

double gap_loss(const Gap& gap, const Held& held) {
  WINNOW_REQUIRES(held.notional_max >= 0);
  double of_notional = gap.frac;
  if (held.stop_frac > 0) {
    of_notional = std::min(gap.frac, held.stop_frac + gap.frac * kStopThroughFrac);
  }
  return of_notional * held.notional_max;
}

double GapCost::days_of_profit() const {
  return profit_a_day > 0 ? loss_frac / profit_a_day : kNaN;
}

namespace {

std::string evidence_text(const Gap& gap) {
  if (gap.record.empty()) return formatted("no record but %.1f years of data", gap.years);
  return gap.record +
         formatted(": %llu in %.0f years", static_cast<unsigned long long>(gap.seen), gap.years);
}

}  // namespace

std::string charge_text(const Gap& gap) {
  return formatted("%.0f%% against what is held, charged %.2f times a year (", 100 * gap.frac,
                   gap.rate_year()) +
         evidence_text(gap) + ")";
}

std::string gap_text(const Gap& gap, const GapCost& cost) {
  const double days_lost = cost.days_of_profit();
  std::string out = formatted("one gap of %.0f%%", 100 * gap.frac);
  if (std::fabs(cost.loss_frac - gap.frac) >= 0.005) {
    out += formatted(" (%.1f%% of what a variant has)", 100 * cost.loss_frac);
  }
  out += std::isfinite(days_lost) ? formatted(" costs %.0f days of profit", days_lost)
                                  : std::string(" is never earned back: there is no profit");
  return out + formatted("; charged %.2f a year (", gap.rate_year()) + evidence_text(gap) + ")";
}

}  // namespace winnow::sweeps::level
