#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "serve/scores.hpp"
#include "sweeps/family_evidence.hpp"

namespace winnow::serve {

// The ledger's account (law 3): how much was ever tried, and what that makes of a result. Nobody
// types these numbers in.

/// Purpose: one line of the account: what one sweep of one user did with a family on a dataset.
struct AccountEntry {
  store::LedgerEntry entry;
  std::string sweep_name;  ///< empty: the store does not know the sweep
  std::string state;       ///< of the sweep; empty as above
  std::string data;        ///< the dataset's name in that sweep; empty as above
  std::string market;      ///< id of the dataset's market; its content hash if none is known
  /// First 12 digits of SHA-256 over family, parameter space, market, window and execution: what
  /// was claimed, whoever tried it and however often. Empty as above.
  std::string hypothesis;
  /// Mean correlation of the family's variants; absent: never measured.
  std::optional<double> mean_correlation;

  /// r + (1 - r) N; without a correlation N itself, which is never too small.
  /// An entry that brought nothing new (a sweep made again) adds nothing.
  double effective_trials() const {
    if (entry.trials == 0) return 0;
    const auto n = static_cast<double>(entry.trials);
    return mean_correlation ? sweeps::effective_trials(n, *mean_correlation) : n;
  }
};
/// All entries, in the ledger's order. Correlations are those on record, so that every answer has
/// the same effective N at the same time. Fails: Corrupt, Io.
Result<std::vector<AccountEntry>> read_account(const Sources& sources);
/// Whether the family's mean correlation could go on record and has not: the store is open for
/// reading only.
bool awaits_record(const SweepView& view, const FamilyScore& family,
                   const std::vector<AccountEntry>& account);

/// How many trials a result on a market is the best of.
struct TrialCount {
  std::uint64_t raw = 0;  ///< distinct trial keys
  double effective = 0;   ///< sum over entries; trials of two entries count as independent
  std::uint64_t entries = 0, measured = 0;  ///< measured: with a mean correlation on record
  /// What `effective` is made of, in words.
  std::string basis() const;
};
/// Of the market that a dataset is of. Fails: Corrupt, Io.
Result<TrialCount> count_trials(const Sources& sources, const std::vector<AccountEntry>& account,
                                std::string_view dataset_hash);

/// What the ledger knows, and the families of `view`; a sweep made again under a newer engine
/// version is no other hypothesis.
Result<HypothesisCount> count_hypotheses(const Sources& sources, const SweepView* view);
/// Writes down, before anybody sees the scores, that so many neighbourhoods of the sweep are
/// scored. Never lowers a count. Fails: Refused (a store that is open for reading only), Io.
Status record_neighbourhoods(const Sources& sources, const SweepView& view, std::uint64_t tiles);

/// The evidence of one family of a sweep, from its document or from its returns; kept once the
/// family is complete. Fails: as read_panel.
Result<sweeps::FamilyEvidence> read_evidence(const Sources& sources, const SweepView& view,
                                             const FamilyScore& family);

/// The evidence of all families, in their order. Ask for it before the account: what goes on record
/// here counts for every family of the answer. Fails: as read_panel.
Result<std::vector<sweeps::FamilyEvidence>> read_all_evidence(
    const Sources& sources, const SweepView& view, const std::vector<FamilyScore>& families);

/// What a family's variants are deflated by, from the stored metrics (luck.hpp).
struct FamilyLuck {
  double ratio_variance = 0;
  bool gates_hold = false;  ///< the family's score passes, recency, losses and skill included
  std::optional<sweeps::stats::TrackRecord> best, centre;
};
/// Fails: Corrupt, Io.
Result<FamilyLuck> family_luck(const Sources& sources, const SweepView& view,
                               const FamilyScore& family);

/// Evidence against the account, by name; a number that does not exist is null.
Json evidence_json(const sweeps::FamilyEvidence& evidence, const FamilyLuck& luck,
                   const TrialCount& trials, const HypothesisCount& hypotheses,
                   double periods_per_year);
/// A record against N trials and against as many as are independent, by name.
Json deflation_json(const sweeps::stats::TrackRecord& record, const TrialCount& trials,
                    double ratio_variance, double periods_per_year);

}  // namespace winnow::serve
