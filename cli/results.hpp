#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "cli/app.hpp"

namespace winnow::cli {

/// Answers a question of serve/query.hpp from the store under the home, read-only, or from the
/// coordinator if --connect says where.
Result<nlohmann::ordered_json> answer_query(const Context& context, std::string_view name,
                                            const nlohmann::ordered_json& args);

/// Prints an answer as JSON or, by `render` (answer, columns of the terminal), as text.
int show_answer(const Context& context, const Result<nlohmann::ordered_json>& answer,
                std::string (*render)(const nlohmann::ordered_json&, std::size_t));

/// `winnow sweep list` and `winnow sweep show ID`: print and give the exit status.
int run_sweep_list(const Context& context);
int run_sweep_show(const Context& context, const std::string& sweep);

/// `winnow open SPEC.yaml`: as `sweep run`, the families opened.
void add_open_run(Command& open, Context& context);

/// `winnow ledger budget set|show`, below `winnow ledger`.
void add_ledger_budget(Command& ledger, Context& context);

/// `winnow ledger import HOME_OR_FILE`.
void add_ledger_import(Command& ledger, Context& context);

/// Writes the report of a sweep to `out` (.html). Prints where it is unless quiet.
int run_report(const Context& context, const std::string& sweep, const std::string& out);

/// The `--connect HOST:PORT` option of commands that ask about a farm.
void add_connect_option(Command& command, Context& context);

}  // namespace winnow::cli
