#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "base/time.hpp"
#include "sweeps/level/days.hpp"

namespace winnow::sweeps::level {

/// How a specification lets its families be judged.
enum class OpenMode : std::uint8_t {
  Explore,  ///< not at all: nothing costs anything, nothing is ever more than PROMISING
  Now,      ///< with the first sweep on days that were shown to nobody; then they are
  Search,   ///< the same, and the program zooms: the best tile is judged, all tiles are paid for
  Confirm,  ///< after exploring, by sealed or later days, in words only until they are revealed
};
/// "explore", "now", "search", "confirm".
std::string_view open_mode_name(OpenMode mode);
/// Those that a specification may say.
std::vector<std::string> open_mode_names();
std::optional<OpenMode> find_open_mode(std::string_view name);

/// A look at a hypothesis: when it is due, and its part of the level.
struct LookDay {
  std::int64_t judged_days = 0;  ///< 0: whatever there are at opening
  double weight = 1;
  bool operator==(const LookDay&) const = default;
};

/// What `open`, `share` and `looks` of a specification say.
struct OpenSpec {
  OpenMode mode = OpenMode::Explore;
  double share = 0;            ///< of what the account has left; 0: the declared pace
  std::vector<LookDay> looks;  ///< empty: one where a year is judged at once, else kLooksOfGrowth
  bool operator==(const OpenSpec&) const = default;
};

/// So many judged days at opening are one look.
inline constexpr std::int64_t kOneLookDays = 365;
/// Looks of a hypothesis whose days are still to come.
std::vector<LookDay> looks_of_growth();
/// The looks of a hypothesis that has so many judged days when it is opened.
std::vector<LookDay> looks_for(const OpenSpec& spec, std::int64_t judged_days);

/// Purpose: everything that opening a hypothesis fixes, before a number of its days is known.
struct Claim {
  std::string id;   ///< of everything that is fixed: an exact repeat has the same
  std::string key;  ///< the same without the end of its days: growing data keep it
  OpenMode mode = OpenMode::Now;
  std::string family;
  std::string data;          ///< the dataset's name
  std::string dataset_hash;  ///< its content
  std::string market;        ///< the identity of its market
  std::string sweep;         ///< the one that opened it
  std::uint32_t segment = 0;
  std::string user;
  TimestampNs opened;
  DayRange window;  ///< as declared: judged days lie inside, and after it when it grows
  std::vector<DayRange> judged;  ///< its days that nobody had seen
  /// Days after the window that had been seen, too: those do not judge it when it grows.
  std::vector<DayRange> seen_later;
  double share = 0;
  std::vector<LookDay> looks;
  std::string fixed;    ///< canonical JSON: space, execution, gates and knobs
  std::string seen_by;  ///< who had seen the other days of the window, in words
};

/// Whether a day may judge it: what was fixed, and what came after its window unseen.
bool judges(const Claim& claim, std::int64_t day);
/// Takes days away that somebody had seen.
void take_days(Claim& claim, std::span<const DayRange> seen);

/// As JSON: [[from, to), ...].
nlohmann::ordered_json day_ranges_json(std::span<const DayRange> ranges);
/// Fails: by exception, as nlohmann does.
std::vector<DayRange> day_ranges_from(const nlohmann::ordered_json& json);

nlohmann::ordered_json claim_json(const Claim& claim);
/// Fails: Corrupt.
Result<Claim> claim_from_json(const nlohmann::ordered_json& json);

/// `2023-01-01 to 2023-06-30` (both included), parts joined with "and"; "no days".
std::string days_text(std::span<const DayRange> ranges);

}  // namespace winnow::sweeps::level
