#pragma once

#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "sweeps/level/account_state.hpp"

namespace winnow::sweeps::level {

// What is on record of accounts: one document an account, a list of events that is only ever added
// to. An account (account.hpp) is what its events make it; a verdict is what its looks make it.

/// Purpose: where documents are kept; the store, or a test's memory. Thread: any.
class Documents {
 public:
  virtual ~Documents() = default;
  virtual Result<std::optional<std::string>> read(std::string_view kind,
                                                  std::string_view key) const = 0;
  /// Keys of a kind that start so, ascending.
  virtual Result<std::vector<std::string>> keys(std::string_view kind,
                                                std::string_view prefix = {}) const = 0;
  /// Replaces a document by what `change` makes of it, nobody else writing it meanwhile; on disk
  /// when it returns. Fails: as `change` (then nothing is written), Io, Refused (read-only).
  using Change = std::function<Result<std::string>(const std::optional<std::string>&)>;
  virtual Status update(std::string_view kind, std::string_view key, const Change& change) = 0;
};

/// Of accounts, key `YEAR/NAME`; of the sweeps that opened something, key the sweep's id.
inline constexpr std::string_view kAccountKind = "account";
inline constexpr std::string_view kOpenedKind = "opened";
/// The account of everybody who has none of his own.
inline constexpr std::string_view kAccountName = "default";

/// `2026/default`.
std::string account_key(TimestampNs now, std::string_view name = kAccountName);

/// An account as it is on record; a new one if there is none. Fails: Corrupt, Io.
Result<AccountState> read_account_state(const Documents& documents, const std::string& key);

/// What a specification asks to be opened, family by family in the order listed.
struct Opened {
  std::string id;       ///< empty: it could not be judged, `refusal` says why
  bool repeat = false;  ///< it was on record: nothing was charged
  std::string refusal;
};

/// Opens all claims or none, in their order, and notes which sweep opened them. A claim whose key
/// is on record and still OPEN goes on as that; the very same one is a repeat. One with fewer than
/// kJudgedDaysMin judged days buys nothing: there is nothing to judge it by.
/// Fails: Refused (the account is spent), InvalidInput, Corrupt, Io.
Result<std::vector<Opened>> open_claims(Documents& documents, const std::string& account,
                                        std::vector<Claim> claims);

/// What opening one more such hypothesis would get now. Fails: Corrupt, Io.
Result<Offer> offer_for(const AccountState& state, double share,
                        std::span<const std::string> related);

/// The hypotheses that a sweep opened, by segment; a null entry was not judged. Nothing: the sweep
/// opened none. Fails: Corrupt, Io.
struct SweepOpenings {
  std::vector<std::optional<OpenedHypothesis>> by_segment;
  std::vector<std::string> refusals;  ///< by segment; empty: it was opened
  /// Whether only words may come of the sweep.
  bool words_only() const;
};
Result<std::optional<SweepOpenings>> openings_of(const Documents& documents,
                                                 std::string_view sweep);

/// Puts a look down, if one is due at so many judged days and it was not taken; looks that were
/// missed are lost. The hypothesis as it is afterwards. Fails: NotFound, Corrupt, Io, Refused.
Result<OpenedHypothesis> take_look(Documents& documents, const std::string& account,
                                   const std::string& id, const LookRecord& look);

/// Puts down what a hypothesis' results are like and takes those days from what judges it; once,
/// before its first look. The hypothesis as it is afterwards. Fails: as take_look.
Result<OpenedHypothesis> settle_kin(Documents& documents, const std::string& account,
                                    const std::string& id, const std::vector<KinDays>& kin,
                                    TimestampNs now);

/// Shows the numbers of a hypothesis that was judged in words, for good. Fails: NotFound,
/// InvalidInput (they are no secret), Corrupt, Io.
Result<OpenedHypothesis> reveal(Documents& documents, std::string_view id, const std::string& user,
                                TimestampNs now);
/// Takes a promotion back that data or code showed to be wrong. Fails: as reveal, InvalidInput (it
/// is not CONVERGED).
Result<OpenedHypothesis> void_hypothesis(Documents& documents, std::string_view id,
                                         const std::string& reason, const std::string& user,
                                         TimestampNs now);

/// All hypotheses of all accounts, by account and opening. Fails: Corrupt, Io.
Result<std::vector<OpenedHypothesis>> all_hypotheses(const Documents& documents);
/// The one that an id or the start of one (4 characters or more) means. Fails: NotFound,
/// InvalidInput (several).
Result<OpenedHypothesis> find_hypothesis(const Documents& documents, std::string_view id);

/// Sets an account up, before its first opening. The alphas of a year's accounts sum to at most
/// kAlphaYearMax. Fails: Refused, InvalidInput, Corrupt, Io.
inline constexpr double kAlphaYearMax = 0.10;
Status declare_account(Documents& documents, const std::string& key,
                       const AccountParameters& parameters, const std::vector<std::string>& users);
/// The account that a user's openings of that year go to. Fails: Corrupt, Io.
Result<std::string> account_of_user(const Documents& documents, TimestampNs now,
                                    const std::string& user);

}  // namespace winnow::sweeps::level
