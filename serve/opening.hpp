#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "actors/store_documents.hpp"
#include "serve/answer/openings.hpp"
#include "serve/scores.hpp"
#include "serve/sweep_view.hpp"

namespace winnow::serve {

// What an opened hypothesis is judged by, and the one word that every answer says of a family.

/// Periods [first, last) of a family's results.
struct PeriodRange {
  std::size_t first = 0, last = 0;
};

/// Purpose: which of a family's periods judge it.
struct Judging {
  std::vector<PeriodRange> periods;  ///< ascending
  std::vector<std::int64_t> days;    ///< UTC day of each judged period, from 1970
  bool all = true;                   ///< every period judges
  std::size_t look = 0;              ///< the one that is due, from 1; 0: none
};

/// An exploring family (`opened` null) is judged by all its periods; an opened one by the days that
/// were fixed at its opening and those that came after its window.
Judging judging_of(const Sources& sources, const SweepView& view, const sweeps::Segment& segment,
                   std::uint32_t periods, const sweeps::level::OpenedHypothesis* opened);

/// The judged periods of a panel, copied. Requires: not judging.all.
FamilyPanel judged_panel(const FamilyPanel& panel, const Judging& judging);
std::vector<double> judged_values(std::span<const double> values, const Judging& judging);

/// Accounts and days as the store has them.
actors::StoreDocuments documents_of(const Sources& sources);

/// The market behind a dataset: its identity, its datasets, the seal of its import. Fails: Corrupt,
/// Io.
Result<sweeps::level::MarketDays> market_days(const Sources& sources,
                                              std::string_view content_hash);

/// What is said of a score by itself: PROMISING, NOT_CONVERGED or INSUFFICIENT. It explores, so it
/// never says more.
std::string exploring_word(const sweeps::Convergence& score);
/// CONVERGED, NOT_PROMOTED, OPEN, INSUFFICIENT, or what exploring says.
std::string verdict_word(const FamilyScore& family);

/// One sentence about the family for a person who has read no page.
std::string verdict_sentence(const SweepView& view, const FamilyScore& family);

/// What would make the verdict another, in a sentence.
std::string what_would_change(const FamilyScore& family);

/// What was opened, with its level, days and looks; null for an exploring family.
Json opened_json(const FamilyScore& family);

/// The answer to `account` of a home that has no store yet.
Json account_of_nobody(TimestampNs now);

/// What answers say of a hypothesis, without what was fixed and whether its numbers are shown.
answer::Hypothesis hypothesis_of(const sweeps::level::OpenedHypothesis& h);

}  // namespace winnow::serve
