#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "base/time.hpp"

namespace winnow::store {

/// A history of so many days or more is sealed when its market is first imported at that length ...
inline constexpr std::int64_t kSealHistoryDaysMin = 300;
/// ... over this last part of it, if at least as large a part of it was not here before.
inline constexpr double kSealFrac = 0.6;

/// What an import is to seal.
enum class SealRule : std::uint8_t {
  Nothing,   ///< a new market is left open; a known one keeps its seal
  Usual,     ///< kSealFrac of a new market's history, or of one that so far was but tried out
  Open,      ///< nothing, and that was asked for; refused where there is a seal
  Fraction,  ///< this last part of the dataset's days
  From,      ///< this day and all later ones
};

struct SealRequest {
  SealRule rule = SealRule::Nothing;
  double fraction = 0;
  std::int64_t from_day = 0;  ///< from 1970, UTC
  std::string asked;          ///< as it was said; empty: it was not
  std::string by;             ///< the user
};

/// Reads `none`, a fraction above 0 and below 1 (`0.5`), or a day (`2023-06-01`). Fails:
/// InvalidInput naming the value and what is allowed.
Result<SealRequest> parse_seal(std::string_view text);

/// One decision about a seal, as it stays on record.
struct SealEntry {
  std::optional<std::int64_t> from_day;  ///< this day and all later ones; none: left open
  std::string asked;                     ///< `usual`, or what `--seal` said
  std::string by;
  TimestampNs at;
  bool operator==(const SealEntry&) const = default;
};

/// What is known when an import decides.
struct SealCase {
  std::int64_t first_day = 0, last_day = 0;  ///< of the dataset; the last one is part of it
  std::int64_t days_known = 0;  ///< of those, days that other datasets of the market reach over
  bool decided = false;         ///< something was asked before, or the market is older than seals
  std::optional<std::int64_t> sealed_from_day;  ///< of the market so far
  TimestampNs now;
};

/// The entry that an import makes; none: the market's seal stays as it is. A seal is never lifted
/// or begun later: a day that no number has shown would be shown by importing it again. An earlier
/// beginning is allowed, for that some of those days were seen is on record elsewhere. Fails:
/// Refused, in a sentence that says so.
Result<std::optional<SealEntry>> decide_seal(const SealRequest& request, const SealCase& facts);

/// `2023-06-01` of a day from 1970.
std::string day_text(std::int64_t day);

}  // namespace winnow::store
