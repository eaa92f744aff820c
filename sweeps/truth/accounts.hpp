#pragma once

#include <cstdint>
#include <string_view>

#include "base/result.hpp"

namespace winnow::sweeps {

// Years of an account: families of known truth are opened one after the other, each acted on at its
// own time, and paid for. Their returns are drawn (50 variants of correlation .6), the score and
// the account are the real ones.

/// What one year of an account came to.
struct AccountYear {
  std::uint64_t opened = 0;
  std::uint64_t real = 0;  ///< of them
  std::uint64_t real_promoted = 0;
  std::uint64_t false_promoted = 0;
  std::uint64_t passed_score = 0;  ///< of those opened: p at most the level, whatever the gates
  /// Of the promoted ones so far, the share that is false, when it was largest in the year.
  double false_share = 0;
  /// One of the promoted ones of that moment was drawn: whether it is false. Its expectation is
  /// that of `false_share`, and so many years are as many independent draws.
  bool drew_false = false;
};

struct AccountTruth {
  std::uint64_t asked = 20;  ///< hypotheses that somebody wants to open
  std::uint64_t real = 0;    ///< of them, at random places
  double sharpe_ann = 0;     ///< of the real ones' families
  std::uint64_t days = 365;  ///< that judge each
  double share = 0;          ///< of the account, for each; 0: the declared pace
  /// Correlation of each family with the one before, on the same days: an agent that climbs on
  /// words. 0: unrelated.
  double correlation = 0;
  /// Correlation of every family with every other, as on shared days. 0: unrelated. Not beside
  /// `correlation`.
  double shared = 0;
};

/// Deterministic. Those that the account has no level for are not opened. Fails: as Account.
Result<AccountYear> run_account_year(const AccountTruth& truth, std::uint64_t seed);

}  // namespace winnow::sweeps
