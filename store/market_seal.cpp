#include "store/market_seal.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>

namespace winnow::store {
namespace {

constexpr std::string_view kSealForms =
    "a fraction above 0 and below 1 of the days (0.5), a day from which on all are sealed "
    "(2023-06-01), or none";

std::int64_t last_part(const SealCase& facts, double fraction) {
  const std::int64_t days = facts.last_day - facts.first_day + 1;
  const auto sealed = static_cast<std::int64_t>(std::llround(fraction * static_cast<double>(days)));
  return facts.last_day + 1 - std::max<std::int64_t>(sealed, 1);
}

bool takes_usual(const SealCase& facts) {
  const std::int64_t history = facts.last_day - facts.first_day + 1;
  return !facts.decided && !facts.sealed_from_day && history >= kSealHistoryDaysMin &&
         static_cast<double>(facts.days_known) <= (1 - kSealFrac) * static_cast<double>(history);
}

}  // namespace

std::string day_text(std::int64_t day) { return format_time_ns(day * days(1).ns).substr(0, 10); }

Result<SealRequest> parse_seal(std::string_view text) {
  SealRequest out{.asked = std::string(text), .by = {}};
  if (text == "none") {
    out.rule = SealRule::Open;
    return out;
  }
  const auto refuse = [&](std::string_view why) {
    return Error(ErrorCode::InvalidInput, "'" + out.asked + "' " + std::string(why) +
                                              "; allowed: " + std::string(kSealForms));
  };
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out.fraction);
  if (error == std::errc() && end == text.data() + text.size()) {
    if (!(out.fraction > 0) || !(out.fraction < 1)) return refuse("is no fraction of the days");
    out.rule = SealRule::Fraction;
    return out;
  }
  const auto time = parse_timestamp(text);
  if (!time.ok()) return refuse("is neither a fraction nor a day");
  out.from_day = utc_day(*time);
  if (out.from_day * days(1).ns != time->ns)
    return refuse("is within a day; whole UTC days are sealed");
  out.rule = SealRule::From;
  return out;
}

Result<std::optional<SealEntry>> decide_seal(const SealRequest& request, const SealCase& facts) {
  SealEntry entry{.from_day = {}, .asked = request.asked, .by = request.by, .at = facts.now};
  switch (request.rule) {
    case SealRule::Nothing:
      return std::optional<SealEntry>();
    case SealRule::Usual:
      if (!takes_usual(facts)) return std::optional<SealEntry>();
      entry.asked = "usual";
      entry.from_day = last_part(facts, kSealFrac);
      return std::optional<SealEntry>(std::move(entry));
    case SealRule::Open:
      break;
    case SealRule::Fraction:
      entry.from_day = last_part(facts, request.fraction);
      break;
    case SealRule::From:
      entry.from_day = request.from_day;
      break;
  }
  if (!facts.sealed_from_day) return std::optional<SealEntry>(std::move(entry));
  if (!entry.from_day || *entry.from_day > *facts.sealed_from_day) {
    return Error(
        ErrorCode::Refused,
        "'" + request.asked + "' would " +
            (entry.from_day ? "begin the seal on " + day_text(*entry.from_day)
                            : std::string("leave the data open")) +
            ", but the days of this market from " + day_text(*facts.sealed_from_day) +
            " on are sealed, and importing a market again, in whatever form, cannot open "
            "them: the seal is what keeps days unseen that are to judge. Leave --seal out, "
            "or name an earlier day");
  }
  if (entry.from_day == facts.sealed_from_day) return std::optional<SealEntry>();
  return std::optional<SealEntry>(std::move(entry));
}

}  // namespace winnow::store
