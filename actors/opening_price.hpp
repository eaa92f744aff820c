#pragma once

#include <cstdint>
#include <string>

namespace winnow::actors {

/// What opening one family on one dataset gets, and for what (sweeps/level/account.hpp).
struct OpeningPrice {
  std::string family, data;
  std::string refusal;           ///< why it buys nothing; empty: it does
  std::string hypothesis;        ///< its id
  bool repeat = false;           ///< it was on record: free, same level, same word
  double level = 0;              ///< how small p has to be
  double stake = 0;              ///< that it takes; of a repeat, that it took then
  double left = 0;               ///< of the account, before it
  std::string account;           ///< its key
  std::int64_t judged_days = 0;  ///< that judge it
};

/// "mean_reversion on sim-btc: judged by 365 days that nobody saw, level 0.0025, for a stake of
/// 0.0025 out of 0.0500 left in account 2026/default".
std::string price_text(const OpeningPrice& price);

}  // namespace winnow::actors
