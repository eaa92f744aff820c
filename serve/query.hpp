#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "actors/question.hpp"
#include "serve/sweep_view.hpp"

namespace winnow::serve {

/// Answers a question about results; the command line prints the answer, a coordinator sends it.
/// Questions and their arguments (optional ones in brackets):
///   top          sweep [by, where, limit, rank | cursor, all, table]: ranked variants; those of
///                equal daily returns are one row (`same_results`) unless `all`; `table` gives
///                every row as an array of all metrics and parameters, for exports. From the place
///                `rank` on, or after the page whose answer had it as `next`, which the last page
///                has not
///   converge     sweep [by = family | neighbourhood, limit, hurdle_sharpe_ann]
///   compare      sweep variants: [trial, ...]
///   explain      sweep [variant]
///   risk         sweep [variants, horizon_days, paths, seed, policies]: Monte Carlo, see risk.hpp
///   bakeoff      sweeps: [selector, ...] [families, train_days, test_days, seed]
///   ledger       [by = family | sweep | hypothesis | user, data, family, user, sweep, hypothesis]:
///                trials ever made, and how that number came about
///   budgets      [user]: budgets of users, with what is spent of them
///   budget_set   user, trials | unlimited = true [data, by]: needs sources.verdicts
///   openings     [user]: every hypothesis that was ever opened, with its level, days and looks
///   opening_show hypothesis
///   days         dataset_hash: which days of its market are sealed, which were shown, and by whom
///   account      [user]: what the year's accounts have left, and what the next opening would get
///   account_declare account [year, users, alpha, openings, ...]: needs sources.verdicts
///   reveal       hypothesis, user: shows the numbers of sealed days; needs sources.verdicts
///   void         hypothesis, reason, user: takes a promotion back; needs sources.verdicts
///   backtest_count   key, dataset_hash, family, user, from_day, to_day, what [failed, unseal]:
///                counts a trial
///                that no sweep keeps, before it is shown; needs sources.verdicts
///   ledger_import    head = text of a ledger's head [from, by]: needs sources.verdicts
///   points       sweep [variant, limit]: learning curves, as rows under `columns`
///   sweep_list   [limit]
///   sweep_show   sweep
///   report       sweep [generated_ns]: {"html": the page}
/// A number that does not exist is null. Thread: any; works as long as the sources allow.
/// Fails: NotFound (sweep), InvalidInput (an argument, naming what is allowed), Refused, Corrupt,
/// Io, Cancelled (`sources.stop`; what is on record by then stays).
Result<Json> query(const Sources& sources, std::string_view name, const Json& args);

/// Names of all questions.
std::vector<std::string> query_names();

/// The fields of every answer that is declared as a struct, as Markdown: what docs/ANSWERS.md holds
/// below its own words.
std::string answers_reference();

/// What a question costs, and whether each ask goes on record; nothing: there is no such question.
std::optional<actors::QuestionKind> question_kind(std::string_view name);

}  // namespace winnow::serve
