// Opened hypotheses, the account that they are paid from, and what is shown of sealed days.
#include <memory>

#include "base/text.hpp"
#include "cli/app.hpp"
#include "cli/asker.hpp"
#include "cli/catalog.hpp"
#include "cli/door.hpp"
#include "cli/read_file.hpp"
#include "cli/render_parts.hpp"
#include "cli/results.hpp"
#include "cli/store_writer.hpp"
#include "cli/table.hpp"
#include "serve/opening.hpp"
#include "sweeps/account_spec.hpp"

namespace winnow::cli {
namespace {

using namespace render;

struct OpeningOptions {
  std::string hypothesis, user, reason, file;
};

std::string number_or_dash(const Json& row, const char* key) {
  const auto found = row.find(key);
  return found == row.end() || !found->is_number() ? "-" : short_number(found->get<double>());
}

std::string render_openings(const Json& answer, std::size_t width) {
  TextTable table({{.title = "hypothesis", .align = Align::Left},
                   {.title = "state", .align = Align::Left},
                   {.title = "mode", .align = Align::Left},
                   {.title = "family", .align = Align::Left},
                   {.title = "data", .align = Align::Left},
                   {.title = "days"},
                   {.title = "level"},
                   {.title = "looks"},
                   {.title = "sweep", .align = Align::Left, .optional = true},
                   {.title = "by", .align = Align::Left, .optional = true},
                   {.title = "opened", .align = Align::Left, .optional = true}});
  for (const Json& h : answer["hypotheses"]) {
    table.add_row(
        {text_of(h, "hypothesis"), text_of(h, "state"), text_of(h, "mode"), text_of(h, "family"),
         text_of(h, "data"), count_of(h, "judged_days_at_opening"), number_or_dash(h, "level"),
         std::to_string(h["looks"].size()) + " of " + std::to_string(h["looks_planned"].size()),
         text_of(h, "sweep_id"), text_of(h, "user"), text_of(h, "opened")});
  }
  if (table.rows() == 0) {
    return "nothing was opened yet: every sweep so far explores, and says at most PROMISING. "
           "`open: search` in a specification has its families judged\n";
  }
  return table.render(width);
}

std::string days_of(const Json& h) {
  std::string out;
  for (const Json& range : h["judged"]) {
    out += (out.empty() ? "" : ", ") + range[0].get<std::string>() + " until " +
           range[1].get<std::string>();
  }
  return out;
}

std::string render_opening(const Json& h, std::size_t) {
  std::string out = "hypothesis " + text_of(h, "hypothesis") + ": " + text_of(h, "state") + "\n";
  out += field("what", text_of(h, "family") + " on " + text_of(h, "data") + " (market " +
                           text_of(h, "market") + "), open: " + text_of(h, "mode"));
  out += field("opened", text_of(h, "opened") + " by " + text_of(h, "user") + " with sweep " +
                             text_of(h, "sweep_id") + ", number " + count_of(h, "index") + " of " +
                             text_of(h, "account"));
  out += field("level", number_or_dash(h, "level") + " for a stake of " +
                            number_or_dash(h, "stake") + "; it never changes");
  out += field("judged by", count_of(h, "judged_days_at_opening") + " days: " + days_of(h));
  out += field("other days", "seen by " + text_of(h, "seen_by"));
  if (h["kin"].is_array()) {
    for (const Json& kin : h["kin"]) {
      out += field("earns as",
                   text_of(kin, "hypothesis") + ", seen before it on " + text_of(kin, "days"));
    }
  }
  for (const Json& look : h["looks"]) {
    out += field("look " + count_of(look, "number"),
                 count_of(look, "judged_days") + " days, p " + number_or_dash(look, "p") +
                     " against " + number_or_dash(look, "bound") + ", " + text_of(look, "time"));
  }
  if (h["next_look_days"].is_number()) {
    out += field("next look", "at " + count_of(h, "next_look_days") + " judged days");
  }
  if (h["revealed_by"].is_string()) out += field("revealed by", text_of(h, "revealed_by"));
  if (h["void_reason"].is_string()) out += field("voided", text_of(h, "void_reason"));
  return out;
}

std::string account_text(const Json& account, std::size_t width) {
  std::string out = "account " + text_of(account, "account") + ", alpha " +
                    number_or_dash(account, "alpha") + " a year\n" + text_of(account, "text") +
                    "\n";
  if (!account["hypotheses"].empty()) out += render_openings(account, width);
  return out;
}

std::string render_account(const Json& answer, std::size_t width) {
  if (!answer.contains("accounts")) return account_text(answer, width);
  std::string out;
  for (const Json& account : answer["accounts"]) out += account_text(account, width);
  if (answer["accounts"].size() > 1) {
    out += "all accounts of the year together: alpha " + number_or_dash(answer, "alpha_year") +
           " of at most " + number_or_dash(answer, "alpha_year_max") + "\n";
  }
  return out;
}

/// Before the first sweep there is no store: that is nothing opened, not a failure.
Result<Json> answer_or(const Context& context, std::string_view name, const Json& args,
                       const Json& of_nothing) {
  auto answer = answer_query(context, name, args);
  const bool no_store = !answer.ok() && answer.error().code() == ErrorCode::NotFound;
  if (no_store && context.connect.empty()) return of_nothing;
  return answer;
}

int declare(const Context& context, const std::string& file) {
  const auto text = read_file(file);
  if (!text.ok()) return fail(context, text.error());
  const auto spec = sweeps::parse_account(*text, file);
  if (!spec.ok()) return fail(context, spec.error());
  const Json args{{"account", spec->name},
                  {"year", spec->year},
                  {"users", spec->users},
                  {"alpha", spec->parameters.alpha},
                  {"openings", spec->parameters.openings},
                  {"level_max", spec->parameters.level_max},
                  {"level_min", spec->parameters.level_min},
                  {"share_max", spec->parameters.share_max}};
  return show_answer(context, answer_writing(context, "account_declare", args), render_account);
}

void add_open(Command& app, Context& context) {
  Command* open = add_command(
      app, context, "open",
      "open hypotheses: `open SPEC.yaml` buys a level and runs it, judged in words by sealed days "
      "unless it says otherwise; `open list`, `open show`");
  add_open_run(*open, context);
  auto o = std::make_shared<OpeningOptions>();
  Command* list = add_command(*open, context, "list", "all hypotheses that were ever opened");
  add_connect_option(*list, context);
  list->add_option("--user", o->user, "only this user's");
  list->callback([&context, o] {
    context.run = [&context, o] {
      const Json none{{"hypotheses", Json::array()}};
      return show_answer(context, answer_or(context, "openings", {{"user", o->user}}, none),
                         render_openings);
    };
  });
  Command* show = add_command(*open, context, "show", "one of them: days, level, looks");
  add_connect_option(*show, context);
  show->add_option("hypothesis", o->hypothesis, "its id, or the start of it")->required();
  show->callback([&context, o] {
    context.run = [&context, o] {
      return show_answer(context,
                         answer_query(context, "opening_show", {{"hypothesis", o->hypothesis}}),
                         render_opening);
    };
  });
}

void add_reveal_and_void(Command& app, Context& context) {
  auto o = std::make_shared<OpeningOptions>();
  Command* reveal = add_command(app, context, "reveal",
                                "show the numbers of a hypothesis that was judged in words: on "
                                "record, and its days judge nothing like it again");
  reveal->add_option("hypothesis", o->hypothesis, "its id, or the start of it")->required();
  add_user_option(*reveal, context);
  add_connect_option(*reveal, context);
  reveal->callback([&context, o] {
    context.run = [&context, o] {
      const Json args{{"hypothesis", o->hypothesis}};
      return show_answer(context, answer_writing(context, "reveal", args), render_opening);
    };
  });
  Command* undo = add_command(app, context, "void",
                              "take a promotion back that data or code showed to be wrong");
  undo->add_option("hypothesis", o->hypothesis, "its id, or the start of it")->required();
  undo->add_option("--reason", o->reason, "why it was wrong")->required();
  add_user_option(*undo, context);
  add_connect_option(*undo, context);
  undo->callback([&context, o] {
    context.run = [&context, o] {
      const Json args{{"hypothesis", o->hypothesis}, {"reason", o->reason}};
      return show_answer(context, answer_writing(context, "void", args), render_opening);
    };
  });
}

void add_account(Command& app, Context& context) {
  Command* group = app.add_subcommand(
      "account", "what CONVERGED may cost a year: alpha, openings, what the next one would get");
  group->require_subcommand();
  auto o = std::make_shared<OpeningOptions>();
  Command* show = add_command(*group, context, "show", "what is left, and what was opened");
  add_connect_option(*show, context);
  show->add_option("--user", o->user, "the account that this user's openings go to (default: all)");
  show->callback([&context, o] {
    context.run = [&context, o] {
      const Json none = serve::account_of_nobody(system_clock().now());
      return show_answer(context, answer_or(context, "account", {{"user", o->user}}, none),
                         render_account);
    };
  });
  Command* make = add_command(*group, context, "declare",
                              "set an account up, before its first opening of the year");
  add_connect_option(*make, context);
  make->add_option("file", o->file,
                   "YAML such as {account: agents, users: [scout], alpha: 0.02, openings: 40}")
      ->required();
  make->callback(
      [&context, o] { context.run = [&context, o] { return declare(context, o->file); }; });
}

}  // namespace

void add_opening_commands(Command& app, Context& context) {
  add_open(app, context);
  add_reveal_and_void(app, context);
  add_account(app, context);
}

}  // namespace winnow::cli
