#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/check.hpp"
#include "base/result.hpp"

namespace winnow::sweeps::level {

// The account of alpha: what CONVERGED may cost in a ledger and a calendar year. A hypothesis buys
// a level when it is opened, before a number of its judged days is known; the level never changes.
// A promotion gives the stake back (LOND with predictable stakes, Zhang et al. 2025; the refund of
// alpha-investing, Foster and Stine 2008). While nothing has skill, the chance that anything is
// ever called CONVERGED stays below alpha, whatever the dependence and the order of questions.

/// What an account is set up with.
struct AccountParameters {
  double alpha = 0.05;          ///< of the year, in (0, 1)
  std::uint64_t openings = 20;  ///< n: declared openings a year, at least 4
  double level_max = 0.05;      ///< cap: no hypothesis gets more
  double level_min = 0.0002;    ///< floor: below it the account is spent
  double share_max = 0.5;       ///< of what is left, for one hypothesis
  bool operator==(const AccountParameters&) const = default;
};
/// Fails: InvalidInput.
Status check_account(const AccountParameters& parameters);

enum class HypothesisState : std::uint8_t { Open, Converged, NotPromoted, Void };
/// "OPEN", "CONVERGED", "NOT_PROMOTED", "VOID".
std::string_view state_name(HypothesisState state);

/// What an opening would get.
struct Offer {
  double stake = 0;
  double level = 0;  ///< 0: the account is spent
};

/// How a hypothesis is opened.
struct Opening {
  std::string id;  ///< of the canonical hypothesis: an exact repeat has the same
  std::vector<double> weights = {1.0};  ///< of its looks, sum at most 1
  double share = 0;                     ///< of what is left; 0: the declared pace
  /// Promoted ones that judge much the same days and move alike: they do not raise the level.
  std::vector<std::string> related = {};
};

struct Hypothesis {
  std::string id;
  std::uint64_t index = 0;  ///< from 1, in order of opening
  double stake = 0;
  double level = 0;
  std::vector<double> weights;
  std::vector<std::string> related;
  double left_before = 0;               ///< W
  std::uint64_t promotions_before = 0;  ///< m - 1: unrelated promotions that counted
  std::size_t looks = 0;                ///< taken
  double bound = 0;                     ///< of the last look
  HypothesisState state = HypothesisState::Open;
};

/// Purpose: one account, as the sequence of its events makes it: the same events give the same
/// bits. Thread: one. Owner: whoever replays the ledger.
class Account {
 public:
  /// Requires: check_account(parameters).
  explicit Account(AccountParameters parameters = {}) : parameters_(parameters) {
    WINNOW_REQUIRES(check_account(parameters).ok());
    left_ = parameters_.alpha;
  }

  /// What the next opening would get. Requires: 0 <= share <= share_max.
  Offer available(double share = 0, std::span<const std::string> related = {}) const;

  struct Opened {
    const Hypothesis* hypothesis = nullptr;  ///< until the next opening
    bool repeat = false;                     ///< it was there: nothing is charged
  };
  /// Fails: Refused (the account is spent), InvalidInput (weights, share).
  Result<Opened> open(const Opening& opening);

  /// The next look at a hypothesis, with the p-value of the days judged so far. One that is
  /// decided stays as it is. Fails: NotFound, InvalidInput (no probability).
  Result<HypothesisState> look(std::string_view id, double p);

  /// A promotion that data or code showed to be wrong: its stake is taken again, and it counts no
  /// more. Levels that were given stay. Fails: NotFound, InvalidInput (it is not CONVERGED).
  Status void_promotion(std::string_view id);

  /// Null if there is none.
  const Hypothesis* find(std::string_view id) const;

  const AccountParameters& parameters() const { return parameters_; }
  std::span<const Hypothesis> hypotheses() const { return hypotheses_; }
  double left() const { return left_; }
  std::uint64_t promotions() const;

 private:
  Hypothesis* find_own(std::string_view id);

  AccountParameters parameters_;
  double left_ = 0;
  std::vector<Hypothesis> hypotheses_;
};

}  // namespace winnow::sweeps::level
