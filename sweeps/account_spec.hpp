#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "sweeps/level/account.hpp"

namespace winnow::sweeps {

/// What `winnow account declare` reads.
struct AccountSpec {
  std::string name = "default";
  std::uint64_t year = 0;          ///< 0: the year it is declared in
  std::vector<std::string> users;  ///< whose openings go to it
  level::AccountParameters parameters;
};

/// Keys: account, year, users, alpha, openings, level_max, level_min, share_max; what is left out
/// stays at its default (level/account.hpp). Fails: InvalidInput, `file:line:column: ...`.
Result<AccountSpec> parse_account(std::string_view yaml, std::string_view file_name);

}  // namespace winnow::sweeps
