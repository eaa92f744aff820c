#include "serve/query.hpp"

#include <algorithm>
#include <array>
#include <cmath>

#include "base/names.hpp"
#include "base/text.hpp"
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
};
// All that records for each ask is cheap: on one thread those come one at a time and in order, so
// that what one of them checked (a budget, a seal) still holds when it writes. Of those that read,
// some put down what their answer shows: looks that are due, scored neighbourhoods, settled days.
// That is once a store, whoever asks and how often, so such answers may be shared. What takes a
// look is heavy: `explain` says the verdicts of a sweep that is done.
constexpr std::array<Question, 22> kQuestions = {{
    {"top", parts::top, Board, Reads, Viewer, "ask"},
    {"converge", parts::converge, Heavy, Reads, Viewer, "ask"},
    {"compare", parts::compare, Board, Reads, Viewer, "ask"},
    {"explain", parts::explain, Heavy, Reads, Viewer, "ask"},
    {"risk", parts::risk, Heavy, Reads, Viewer, "ask"},
    {"bakeoff", parts::bakeoff, Heavy, Reads, Viewer, "ask"},
    {"ledger", parts::ledger, Cheap, Reads, Viewer, "ask"},
    {"budgets", parts::budgets, Cheap, Reads, Viewer, "ask"},
    {"budget_set", parts::budget_set, Cheap, Records, Operator, "set budgets"},
    {"openings", parts::openings, Cheap, Reads, Viewer, "ask"},
    {"opening_show", parts::opening_show, Cheap, Reads, Viewer, "ask"},
    {"days", parts::days_show, Cheap, Reads, Viewer, "ask"},
    {"account", parts::account_show, Cheap, Reads, Viewer, "ask"},
    {"account_declare", parts::account_declare, Cheap, Records, Operator, "declare accounts"},
    {"reveal", parts::reveal, Cheap, Records, Operator, "reveal a hypothesis"},
    {"void", parts::void_promotion, Cheap, Records, Operator, "void a promotion"},
    {"backtest_count", parts::backtest_count, Cheap, Records, Agent, "count a backtest"},
    {"ledger_import", parts::ledger_import, Cheap, Records, Operator, "join ledgers"},
    {"sweep_list", parts::sweep_list, Cheap, Reads, Viewer, "ask"},
    {"sweep_show", parts::sweep_show, Cheap, Reads, Viewer, "ask"},
    {"report", parts::report, Heavy, Reads, Viewer, "ask"},
    {"points", parts::points, Board, Reads, Viewer, "ask"},
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

Json sweep_head(const SweepView& view) {
  Json out;
  out["sweep_id"] = view.meta.id;
  out["sweep_name"] = view.meta.name;
  out["state"] = store::sweep_state_name(view.meta.state);
  out["trials"] = view.meta.trials;
  out["engine_version"] = view.meta.engine_version;
  add_execution(view, out);
  if (!view.warnings.empty()) out["warnings"] = view.warnings;
  return out;
}

// Results of before have no hash of the whole profile.
void add_execution(const SweepView& view, Json& out) {
  const sweeps::ResolvedSpec& spec = view.plan.spec();
  out["execution"] = spec.execution.name;
  out["execution_hash"] = spec.execution_hash.empty() ? Json() : Json(spec.execution_hash);
}

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

Json variant_json(const SweepView& view, std::uint64_t trial) {
  const sweeps::Segment& segment = view.plan.segment_of_trial(trial);
  Json out;
  out["trial"] = trial;
  out["family"] = view.family(segment);
  out["data"] = view.dataset(segment).name;
  out["params"] = params_json(view, trial);
  return out;
}

}  // namespace parts
}  // namespace winnow::serve
