// What variants may lose, and which family is better: `winnow risk`, `winnow bakeoff`.
#include <cstdio>
#include <filesystem>
#include <memory>
#include <tuple>

#include "base/time.hpp"
#include "cli/app.hpp"
#include "cli/catalog.hpp"
#include "cli/farm.hpp"
#include "cli/results.hpp"
#include "cli/risk_commands.hpp"
#include "cli/risk_render.hpp"
#include "cli/sweep_progress.hpp"

namespace winnow::cli {
namespace {

using Json = nlohmann::ordered_json;

/// Whole days of `90d`, `2w`.
Result<std::uint64_t> whole_days(const std::string& option, const std::string& text) {
  const auto duration = parse_duration(text);
  if (!duration.ok()) return duration.error().within(option);
  const std::int64_t day_ns = days(1).ns;
  if (duration->ns <= 0 || duration->ns % day_ns != 0) {
    return Error(ErrorCode::InvalidInput,
                 option + " " + text + " must be a whole number of days, such as 90d");
  }
  return static_cast<std::uint64_t>(duration->ns / day_ns);
}

struct RiskCommand {
  std::string sweep = "last";
  std::vector<std::uint64_t> variants;
  std::string horizon = "365d";
  std::uint64_t paths = 10'000;
  std::uint64_t seed = 1;
  std::vector<std::string> policies;
};

int run_risk(const Context& context, const RiskCommand& o) {
  const auto horizon = whole_days("--horizon", o.horizon);
  if (!horizon.ok()) return fail(context, horizon.error());
  Json args{{"sweep", o.sweep}, {"horizon_days", *horizon}, {"paths", o.paths}, {"seed", o.seed}};
  if (!o.variants.empty()) args["variants"] = o.variants;
  if (!o.policies.empty()) args["policies"] = o.policies;
  return show_answer(context, answer_query(context, "risk", args), render_risk);
}

void add_risk(Command& app, Context& context) {
  Command* command = add_command(app, context, "risk",
                                 "what variants may lose: drawdown, ruin, tails, and what "
                                 "stops and kill switches do");
  add_connect_option(*command, context);
  auto o = std::make_shared<RiskCommand>();
  command->add_option("ID", o->sweep, "sweep: id, its first characters, name, or last");
  command
      ->add_option("V", o->variants,
                   "variant numbers (default: the plateau centre of each family, and policies "
                   "over all variants)")
      ->check(natural_number(0));
  command->add_option("--horizon", o->horizon, "length of a path in days (default 365d)");
  command->add_option("--paths", o->paths, "paths drawn (default 10000)")->check(natural_number(1));
  command->add_option("--seed", o->seed, "of all draws (default 1)")->check(natural_number(0));
  command
      ->add_option("--policy", o->policies,
                   "none, or rules joined by +: day_stop=0.03 (flat until the next day), "
                   "month_stop=F (until the next month), month_kill=F, drawdown_kill=F (for good); "
                   "F: loss as a fraction; may be repeated (default: six common ones)")
      ->take_all()
      ->one_word_each();
  command->callback(
      [&context, o] { context.run = [&context, o] { return run_risk(context, *o); }; });
}

struct BakeoffCommand {
  std::vector<std::string> sweeps;
  std::vector<std::string> families;
  std::string train;
  std::string test;
  std::uint64_t seed = 1;
  std::string spec;
};

/// Runs the sweep of a specification, or goes on with it. Gives its id.
Result<std::string> run_spec(const Context& context, const std::string& spec) {
  auto submit = make_submission(spec);
  if (!submit.ok()) return submit.error();
  auto session = FarmSession::open(context, {}, *submit);
  if (!session.ok()) return session.error();
  SweepProgress progress(context, std::filesystem::path(spec).stem().string());
  auto summary = (*session)->run(*submit, Wait::UntilDone,
                                 [&](const actors::Progress& p) { progress.update(p); });
  progress.finish();
  if (!summary.ok()) return summary.error();
  return summary->submitted.sweep;
}

int run_bakeoff(const Context& context, const BakeoffCommand& o) {
  Json args{{"families", o.families}, {"seed", o.seed}};
  args["sweeps"] = o.sweeps;
  for (const auto& [option, key, text] :
       {std::tuple{"--train", "train_days", o.train}, std::tuple{"--test", "test_days", o.test}}) {
    if (text.empty()) continue;
    const auto value = whole_days(option, text);
    if (!value.ok()) return fail(context, value.error());
    args[key] = *value;
  }
  if (!o.spec.empty()) {
    const auto id = run_spec(context, o.spec);
    if (!id.ok()) return fail(context, id.error());
    args["sweeps"].push_back(*id);
  }
  return show_answer(context, answer_query(context, "bakeoff", args), render_bakeoff);
}

void add_bakeoff(Command& app, Context& context) {
  Command* command = add_command(app, context, "bakeoff",
                                 "families against one another on the same data and costs");
  add_connect_option(*command, context);
  auto o = std::make_shared<BakeoffCommand>();
  command->add_option("ID", o->sweeps,
                      "sweeps whose families are compared: ids, names, or last (default); they "
                      "must have the same data, window and execution");
  command->add_option("--families", o->families, "only these, separated by commas")
      ->delimiter(',')
      ->one_word_each();
  command->add_option("--train", o->train,
                      "days a variant is chosen on (default 90d, less on short data)");
  command->add_option("--test", o->test, "days it is then held (default 30d)");
  command->add_option("--seed", o->seed, "of the bootstrap (default 1)")->check(natural_number(0));
  command->add_option("--spec", o->spec,
                      "run this specification first, or go on with it, and compare its families");
  command->callback(
      [&context, o] { context.run = [&context, o] { return run_bakeoff(context, *o); }; });
}

}  // namespace

void add_risk_commands(Command& app, Context& context) {
  add_risk(app, context);
  add_bakeoff(app, context);
}

}  // namespace winnow::cli
