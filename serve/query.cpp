#include "serve/query.hpp"

#include <algorithm>
#include <array>
#include <cmath>

#include "base/names.hpp"
#include "base/text.hpp"
#include "serve/answer/openings.hpp"
#include "serve/query_parts.hpp"
#include "serve/stopping.hpp"

namespace winnow::serve {
namespace {

using enum actors::QuestionCost;
using enum actors::QuestionEffect;
using enum cluster::Rights;

struct Question {
  std::string_view name;
  Result<Json> (*answer)(const Sources&, const Json&);
  actors::QuestionCost cost;
  actors::QuestionEffect effect;
  cluster::Rights least;  ///< who may ask
  std::string_view what;  ///< for a refusal: they may not `set budgets`
  /// What docs/ANSWERS.md says of its fields; null: its answer is no struct yet.
  std::string (*reference)();
};

template <Described T>
std::string described() {
  return reference_of_fields([](Fields& f) { T{}.fields(f); });
}

// All that records for each ask is cheap: on one thread those come one at a time and in order, so
// that what one of them checked (a budget, a seal) still holds when it writes. Of those that read,
// some put down what their answer shows: looks that are due, scored neighbourhoods, settled days.
// That is once a store, whoever asks and how often, so such answers may be shared. What takes a
// look is heavy: `explain` says the verdicts of a sweep that is done.
constexpr std::array<Question, 22> kQuestions = {{
    {"top", parts::top, Board, Reads, Viewer, "ask", described<answer::Board>},
    {"converge", parts::converge, Heavy, Reads, Viewer, "ask", nullptr},
    {"compare", parts::compare, Board, Reads, Viewer, "ask", nullptr},
    {"explain", parts::explain, Heavy, Reads, Viewer, "ask", nullptr},
    {"risk", parts::risk, Heavy, Reads, Viewer, "ask", nullptr},
    {"bakeoff", parts::bakeoff, Heavy, Reads, Viewer, "ask", nullptr},
    {"ledger", parts::ledger, Cheap, Reads, Viewer, "ask", nullptr},
    {"budgets", parts::budgets, Cheap, Reads, Viewer, "ask", described<answer::Budgets>},
    {"budget_set", parts::budget_set, Cheap, Records, Operator, "set budgets",
     described<answer::Budgets>},
    {"openings", parts::openings, Cheap, Reads, Viewer, "ask", described<answer::Openings>},
    {"opening_show", parts::opening_show, Cheap, Reads, Viewer, "ask",
     described<answer::Hypothesis>},
    {"days", parts::days_show, Cheap, Reads, Viewer, "ask", described<answer::Days>},
    {"account", parts::account_show, Cheap, Reads, Viewer, "ask", described<answer::Accounts>},
    {"account_declare", parts::account_declare, Cheap, Records, Operator, "declare accounts",
     described<answer::Account>},
    {"reveal", parts::reveal, Cheap, Records, Operator, "reveal a hypothesis",
     described<answer::Hypothesis>},
    {"void", parts::void_promotion, Cheap, Records, Operator, "void a promotion",
     described<answer::Hypothesis>},
    {"backtest_count", parts::backtest_count, Cheap, Records, Agent, "count a backtest",
     described<answer::BacktestCounted>},
    {"ledger_import", parts::ledger_import, Cheap, Records, Operator, "join ledgers",
     described<answer::LedgerImported>},
    {"sweep_list", parts::sweep_list, Cheap, Reads, Viewer, "ask", described<answer::SweepList>},
    {"sweep_show", parts::sweep_show, Cheap, Reads, Viewer, "ask", described<answer::SweepShow>},
    {"report", parts::report, Heavy, Reads, Viewer, "ask", nullptr},
    {"points", parts::points, Board, Reads, Viewer, "ask", nullptr},
}};

const Question* find_question(std::string_view name) {
  const auto found = std::find_if(kQuestions.begin(), kQuestions.end(),
                                  [&](const Question& q) { return q.name == name; });
  return found == kQuestions.end() ? nullptr : found;
}

}  // namespace

std::vector<std::string> query_names() {
  std::vector<std::string> names;
  for (const Question& q : kQuestions) names.emplace_back(q.name);
  return names;
}

std::optional<actors::QuestionKind> question_kind(std::string_view name) {
  const Question* question = find_question(name);
  if (question == nullptr) return std::nullopt;
  return actors::QuestionKind{question->cost, question->effect};
}

std::string answers_reference() {
  std::string out;
  for (const Question& q : kQuestions) {
    if (q.reference == nullptr) continue;
    out += "\n## `" + std::string(q.name) + "`\n\n" + q.reference();
  }
  return out;
}

Result<Json> query(const Sources& sources, std::string_view name, const Json& args) {
  if (!args.is_object()) {
    return Error(ErrorCode::InvalidInput, "the arguments of a query must be a JSON object");
  }
  if (const Question* question = find_question(name)) {
    WINNOW_TRY(cluster::check_rights(sources.asker, question->least, question->what));
    // One answer sees one book. Damage in it is told by whatever needs it.
    Sources own = sources;
    if (auto book = market_book(sources); book.ok()) own.markets = *std::move(book);
    own.parallel = stoppable(sources.parallel, sources.stop);
    try {
      return question->answer(own, args);
    } catch (const AnswerStopped&) {
      return Error(ErrorCode::Cancelled, std::string(name) + ": nobody waits for the answer");
    }
  }
  const std::vector<std::string> names = query_names();
  return Error(ErrorCode::InvalidInput, "there is no query " + show_text(name) +
                                            did_you_mean(name, names) +
                                            "; allowed: " + join_names(names));
}

namespace parts {
namespace {

Error wrong(std::string_view name, const Json& value, std::string_view wanted) {
  return Error(ErrorCode::InvalidInput, std::string(name) + " must be " + std::string(wanted) +
                                            ", not " + show_text(json_text(value)));
}

}  // namespace

Result<std::string> text_arg(const Json& args, std::string_view name, std::string_view fallback) {
  const auto found = args.find(std::string(name));
  if (found == args.end() || found->is_null()) return std::string(fallback);
  if (!found->is_string()) return wrong(name, *found, "a text");
  return found->get<std::string>();
}

Result<std::string> sweep_arg(const Json& args) { return text_arg(args, "sweep", "last"); }

Result<double> number_arg(const Json& args, std::string_view name, double fallback) {
  const auto found = args.find(std::string(name));
  if (found == args.end() || found->is_null()) return fallback;
  if (!found->is_number() || !std::isfinite(found->get<double>())) {
    return wrong(name, *found, "a finite number");
  }
  return found->get<double>();
}

Result<std::uint64_t> count_arg(const Json& args, std::string_view name, std::uint64_t fallback) {
  const auto found = args.find(std::string(name));
  if (found == args.end() || found->is_null()) return fallback;
  const bool whole = found->is_number_unsigned() ||
                     (found->is_number_integer() && found->get<std::int64_t>() >= 0);
  if (!whole) return wrong(name, *found, "a whole number from 0 up");
  return found->get<std::uint64_t>();
}

std::string_view status_name(TrialStatus status) {
  return status == TrialStatus::Ok ? "ok" : "failed";
}

// Results of before have no hash of the whole profile.
answer::Execution execution_of(const SweepView& view) {
  const sweeps::ResolvedSpec& spec = view.plan.spec();
  return {spec.execution.name,
          spec.execution_hash.empty() ? std::nullopt : std::optional(spec.execution_hash)};
}

answer::SweepHead head_of(const SweepView& view) {
  return {.id = view.meta.id,
          .name = view.meta.name,
          .state = std::string(store::sweep_state_name(view.meta.state)),
          .trials = view.meta.trials,
          .engine_version = view.meta.engine_version,
          .execution = execution_of(view),
          .warnings = view.warnings};
}

Json sweep_head(const SweepView& view) { return to_json(head_of(view)); }

Json metrics_json(const SweepView& view, std::span<const double> values) {
  Json out = Json::object();
  for (std::size_t m = 0; m < view.meta.metric_names.size() && m < values.size(); ++m) {
    const double v = values[m];
    out[view.meta.metric_names[m]] = std::isfinite(v) ? Json(v) : Json();
  }
  return out;
}

std::string missing_numbers_reason(const Json& metrics) {
  const auto is_missing = [&](const char* name) {
    const auto found = metrics.find(name);
    return found != metrics.end() && found->is_null();
  };
  if (metrics.empty()) return "no result is committed";
  // Volatility has no divisor: only a short window leaves it out.
  if (is_missing("vol_ann")) {
    return "annual figures are not measurable: shorter than " +
           show_number(engine::kAnnualDaysMin) + " days";
  }
  if (is_missing("sharpe_ann")) {
    return "daily returns do not vary: there is no Sharpe ratio, nor what is divided by a spread, "
           "a loss or a trade that there is not";
  }
  const bool missing =
      std::any_of(metrics.begin(), metrics.end(), [](const Json& v) { return v.is_null(); });
  return missing
             ? "a ratio is null where its divisor is nothing: no loss, drawdown or losing trade; "
               "it ranks first, as if it were infinite"
             : "";
}

answer::Variant variant_of(const SweepView& view, std::uint64_t trial) {
  const sweeps::Segment& segment = view.plan.segment_of_trial(trial);
  return {trial, view.family(segment), view.dataset(segment).name, params_json(view, trial)};
}

Json variant_json(const SweepView& view, std::uint64_t trial) {
  return to_json(variant_of(view, trial));
}

}  // namespace parts
}  // namespace winnow::serve
