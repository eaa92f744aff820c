#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "serve/answer/board.hpp"
#include "serve/answer/budgets.hpp"
#include "serve/sweep_view.hpp"

namespace winnow::serve::parts {

// The questions of serve/query.hpp, one function each.
Result<Json> top(const Sources& sources, const Json& args);
Result<Json> converge(const Sources& sources, const Json& args);
Result<Json> compare(const Sources& sources, const Json& args);
Result<Json> explain(const Sources& sources, const Json& args);
Result<Json> risk(const Sources& sources, const Json& args);
Result<Json> bakeoff(const Sources& sources, const Json& args);
Result<Json> ledger(const Sources& sources, const Json& args);
Result<Json> budgets(const Sources& sources, const Json& args);
Result<Json> budget_set(const Sources& sources, const Json& args);
Result<Json> openings(const Sources& sources, const Json& args);
Result<Json> opening_show(const Sources& sources, const Json& args);
Result<Json> days_show(const Sources& sources, const Json& args);
Result<Json> account_show(const Sources& sources, const Json& args);
Result<Json> account_declare(const Sources& sources, const Json& args);
Result<Json> reveal(const Sources& sources, const Json& args);
Result<Json> void_promotion(const Sources& sources, const Json& args);
Result<Json> backtest_count(const Sources& sources, const Json& args);
Result<Json> ledger_import(const Sources& sources, const Json& args);
Result<Json> sweep_list(const Sources& sources, const Json& args);
Result<Json> sweep_show(const Sources& sources, const Json& args);
Result<Json> report(const Sources& sources, const Json& args);
Result<Json> points(const Sources& sources, const Json& args);

/// The budgets of a user, each with what is spent of it. Fails: Corrupt, Io.
Result<std::vector<answer::Budget>> budgets_of(const Sources& sources, const std::string& user);

/// What was ever joined to the ledger, oldest first. Fails: Corrupt, Io.
Result<Json> ledger_joins(const Sources& sources);

/// Learning curves of consecutive trials as rows [trial, step, until, metric...]; trials that are
/// not committed have none. Requires: the sweep keeps curves.
Result<Json> points_of(const Sources& sources, const SweepView& view, std::uint64_t first_trial,
                       std::uint64_t trials);

// Arguments by name. Fails: InvalidInput naming the argument and what it must be.
Result<std::string> text_arg(const Json& args, std::string_view name, std::string_view fallback);
Result<std::string> sweep_arg(const Json& args);
Result<double> number_arg(const Json& args, std::string_view name, double fallback);
Result<std::uint64_t> count_arg(const Json& args, std::string_view name, std::uint64_t fallback);

/// Name and hash of the execution profile that a sweep trades by.
answer::Execution execution_of(const SweepView& view);
/// What every answer about a sweep begins with.
answer::SweepHead head_of(const SweepView& view);
/// The same as JSON, for answers that are not made of a struct yet.
Json sweep_head(const SweepView& view);
/// Values under their metrics' names.
Json metrics_json(const SweepView& view, std::span<const double> values);
/// Why numbers are missing in such a row, in one sentence; empty: none is.
std::string missing_numbers_reason(const Json& metrics);
/// What every answer says of one variant; and the same as JSON.
answer::Variant variant_of(const SweepView& view, std::uint64_t trial);
Json variant_json(const SweepView& view, std::uint64_t trial);
std::string_view status_name(TrialStatus status);

}  // namespace winnow::serve::parts
