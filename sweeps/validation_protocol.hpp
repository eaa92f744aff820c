#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "base/time.hpp"
#include "sweeps/stats/validation.hpp"

namespace winnow::sweeps {

// Which days train and which days test. Nothing is fitted again: a trial's returns are kept by
// period (UTC day), so a fold is a choice of periods of trials that are computed already.

enum class ProtocolKind : std::uint8_t { WalkForward, KFold, Cpcv, Nested };
/// "walk_forward", "kfold", "cpcv", "nested".
const char* protocol_name(ProtocolKind kind);

/// Fewer training days carry no Sharpe ratio worth a choice; fewer test days no judgement.
inline constexpr std::size_t kTrainDaysMin = 5;
inline constexpr std::size_t kTestDaysMin = 10;  ///< of all folds together

/// What `validation:` of a specification declares. Lengths are days; those of embargo and purge are
/// rounded up.
struct ValidationProtocol {
  ProtocolKind kind = ProtocolKind::WalkForward;
  std::size_t train = 0, test = 0, step = 0;  ///< WalkForward
  bool anchored = false;                      ///< WalkForward: training starts with the window
  std::size_t folds = 0;                      ///< KFold; groups of Cpcv; outer folds of Nested
  std::size_t test_folds = 0;                 ///< Cpcv: groups that are tested together
  std::size_t inner_folds = 0;                ///< Nested
  std::size_t embargo = 0;
  std::size_t purge = 0;
  std::size_t train_min = kTrainDaysMin;  ///< a fold with fewer days is refused
  std::size_t test_min = kTestDaysMin;    ///< all folds with fewer days are refused
};

/// Reads a specification's canonical `validation` text. Fails: InvalidInput.
Result<ValidationProtocol> declared_validation(std::string_view canonical_json);
/// `walk-forward: 90 days of training, 30 of test, every 30 days, rolling; embargo 1, purge 0`.
std::string protocol_words(const ValidationProtocol& protocol);

/// Splits of a combinatorial protocol: each costs a look at every variant.
inline constexpr std::size_t kSplitsMax = 5000;

/// One choice of training and test periods.
struct Fold {
  stats::Ranges train;
  std::vector<stats::Range> tests;  ///< ascending; Cpcv: one a group
  std::vector<std::size_t> paths;   ///< for each test, the path through all groups it belongs to
  std::size_t purged = 0;           ///< periods of the purge: neither trained nor tested on
  std::size_t embargoed = 0;        ///< the same, of the embargo
};
std::size_t size_of(std::span<const stats::Range> ranges);

struct FoldPlan {
  ValidationProtocol protocol;
  std::size_t periods = 0;
  std::vector<Fold> folds;
  /// Nested: the folds inside each fold's training; else empty.
  std::vector<std::vector<Fold>> inner;
  stats::Ranges tested;  ///< periods that some fold tests, each once
  std::size_t paths = 1;
};

/// The folds over periods on these UTC days (numbers from 1970, ascending).
/// A walk-forward goes by the calendar: `train: 90d` are ninety calendar days, however many of them
/// have bars. Purge and embargo together stand between training and test, and cut as many periods
/// at least. The other protocols cut the periods into parts of equal numbers; the purge drops
/// training on both sides of a test, the embargo further training after it.
/// Fails: InvalidInput, with the numbers, if nothing fits.
Result<FoldPlan> plan_folds(const ValidationProtocol& protocol, std::span<const std::int64_t> days);

/// The same for a window without a missing day: what planning can know.
Result<FoldPlan> plan_folds(const ValidationProtocol& protocol, std::size_t days);

}  // namespace winnow::sweeps
