#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sweeps/level/account.hpp"
#include "sweeps/level/claim.hpp"

namespace winnow::sweeps::level {

/// What a look found.
struct LookRecord {
  std::int64_t judged_days = 0;  ///< so many were judged
  double p = 1;                  ///< of the score alone
  bool gates = false;            ///< whether everything else that CONVERGED needs held
  double bound = 0;              ///< the part of the level that p had to stay under
  TimestampNs time;
  std::size_t number = 0;   ///< from 1: which of the looks
  std::int64_t to_day = 0;  ///< UTC day after the last one judged; 0: not on record
};

/// An earlier hypothesis that a family's results are like (kin.hpp), and its days, which were seen.
struct KinDays {
  std::string hypothesis;
  std::vector<DayRange> days;
};

/// Purpose: one opened hypothesis as it stands: what was fixed, what it was given, what its looks
/// found.
struct OpenedHypothesis {
  Claim claim;
  Hypothesis in_account;
  std::vector<LookRecord> looks;
  std::string account;      ///< its key
  std::string revealed_by;  ///< empty: only words came from it
  TimestampNs revealed;
  std::string void_reason;
  /// Earlier ones that it is like; nothing: its results are not there yet, so nobody knows.
  std::optional<std::vector<KinDays>> kin;

  /// Days that judged it by its last look: those of its window, and later ones.
  std::vector<DayRange> judged_so_far() const;
  /// Whether numbers of its days had been seen at a moment: revealed, or said by a promotion.
  bool seen_before(TimestampNs moment) const;
  /// Days that numbers came from: of an opening that explores, all; of one in words, none before
  /// they are revealed.
  bool numbers_shown() const { return claim.mode != OpenMode::Confirm || !revealed_by.empty(); }
  /// Judged days at which the next look is due; 0: none is left.
  std::int64_t next_look_days() const;
};

/// Purpose: an account with all that was ever opened in it. Thread: const, any.
struct AccountState {
  std::string key;
  Account account;
  std::vector<OpenedHypothesis> hypotheses;  ///< in order of opening

  const OpenedHypothesis* find(std::string_view id) const;
};

}  // namespace winnow::sweeps::level
