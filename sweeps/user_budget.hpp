#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "base/time.hpp"

namespace winnow::sweeps {

/// How many new trials a user may bring to the ledger, on one dataset or on all together. What is
/// charged is what the ledger counts: trials that nobody had evaluated before.
struct TrialLimit {
  std::string dataset_hash;  ///< empty: all datasets together
  std::string data;          ///< its name when the limit was set; empty as above
  std::uint64_t trials = 0;
  std::string set_by;
  TimestampNs set_at;
};

/// The store's kind of document that holds the limits of a user, under the user's name.
inline constexpr std::string_view kUserBudgetKind = "user_budget";
std::string limits_to_json(const std::vector<TrialLimit>& limits);
/// Fails: Corrupt (a budget that cannot be read is not taken for none).
Result<std::vector<TrialLimit>> limits_from_json(std::string_view json, std::string_view user);

/// What a sweep asks of a limit.
struct TrialDemand {
  std::uint64_t spent = 0;     ///< by the ledger
  std::uint64_t reserved = 0;  ///< planned by the user's sweeps that run, and not yet committed
  std::uint64_t asked = 0;     ///< planned by this one, and not yet committed
};
/// Fails: Refused, with all the numbers.
Status check_limit(const TrialLimit& limit, const TrialDemand& demand, std::string_view user);

}  // namespace winnow::sweeps
