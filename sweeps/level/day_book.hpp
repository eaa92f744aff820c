#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "sweeps/level/account_book.hpp"
#include "sweeps/level/days.hpp"

namespace winnow::sweeps::level {

// Every day of a market is sealed (only words came from it), shown (a number that depends on it was
// displayed to anyone) or future. What was shown is a document each, before the number is seen:
//   kind `shown`, key CONTENT_HASH/FROM-TO/broad|narrow/WHO
//   kind `seal`,  key CONTENT_HASH/FROM-TO/WHO: days that a sweep's holdout cut off
// Days are numbers from 1970, [FROM, TO); WHO is a sweep's id or what else it was.

inline constexpr std::string_view kShownKind = "shown";
inline constexpr std::string_view kSealKind = "seal";

enum class Breadth : std::uint8_t {
  Broad,   ///< many variants: to whomever it was shown, it may have chosen any later idea
  Narrow,  ///< one hypothesis fixed before: it may have chosen what is like it
};

struct Showing {
  std::string dataset_hash;
  DayRange days;
  Breadth breadth = Breadth::Broad;
  std::string who;
};
std::string showing_key(const Showing& showing);
/// Nothing for a key of another form.
std::optional<Showing> parse_showing(std::string_view key);

/// So many narrow showings of a day are a broad one.
inline constexpr std::size_t kNarrowAreBroad = 5;

/// Purpose: who saw which days of one market. Thread: const, any.
class DayBook {
 public:
  /// Fails: Corrupt, Io.
  static Result<DayBook> read(const Documents& documents, const MarketDays& market);

  /// Days that many variants were shown on, or so many narrow showings that it comes to that.
  const std::vector<DayRange>& shown_broadly() const { return broad_; }
  /// Days that narrow showings of a family's name were of; of no name: of every family.
  std::vector<DayRange> shown_narrowly(std::string_view family) const;
  /// Days that no number came from and that an import or a holdout keeps so.
  std::vector<DayRange> sealed() const;
  const std::vector<Showing>& showings() const { return showings_; }
  /// Who saw some of these days, as "sweep 0123, backtest"; empty: nobody.
  std::string seen_by(DayRange window) const;

 private:
  std::vector<Showing> showings_;
  std::vector<std::string> families_;  ///< of each narrow showing; empty: any
  std::vector<DayRange> broad_;
  std::vector<DayRange> seals_;
};

/// Whether what was shown had been sealed.
enum class SealBroken : std::uint8_t { No, Yes };
/// Puts down that days of a dataset are shown. Fails: Io, Refused.
Status record_showing(Documents& documents, const Showing& showing, const std::string& user,
                      TimestampNs now, std::string_view family, SealBroken broken);
/// Puts down that days are kept from now on. Fails: as above.
Status record_seal(Documents& documents, const Showing& sealed, const std::string& user,
                   TimestampNs now);

/// The days that may judge a claim: its window without what was shown broadly to anybody, narrowly
/// of the same family, and without days by which the same family converged. Sets judged, seen_later
/// and seen_by.
/// Fails: Corrupt, Io.
Status set_judged_days(const Documents& documents, const DayBook& days, Claim& claim);

}  // namespace winnow::sweeps::level
