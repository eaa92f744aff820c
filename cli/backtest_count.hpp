#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "base/hash.hpp"
#include "base/result.hpp"
#include "base/result_block.hpp"
#include "base/time.hpp"
#include "cli/app.hpp"

namespace winnow::cli {

/// A trial that `winnow backtest` made and has not shown.
struct BacktestMade {
  LedgerKey key;
  std::string dataset_hash;
  std::string family;
  TimestampNs from;  ///< of the data it traded
  TimestampNs to;    ///< exclusive
  TrialStatus status = TrialStatus::Ok;
  bool unseal = false;  ///< sealed days may be shown, on record
};

/// Law 3: counts it, in the ledger of the coordinator or the home; `{new, ledger_trials}`. Fails:
/// Refused (a budget; sealed days; a ledger that cannot be written): then nothing may be shown.
Result<nlohmann::ordered_json> count_backtest(const Context& context, const BacktestMade& made);

}  // namespace winnow::cli
