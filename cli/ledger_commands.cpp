// Budgets of users: how many trials each may bring to the ledger.
#include <memory>

#include "actors/protocol.hpp"
#include "base/text.hpp"
#include "cli/app.hpp"
#include "cli/catalog.hpp"
#include "cli/door.hpp"
#include "cli/farm.hpp"
#include "cli/results.hpp"
#include "cli/table.hpp"
#include "serve/query.hpp"

namespace winnow::cli {
namespace {

using Json = nlohmann::ordered_json;

struct BudgetOptions {
  std::string user, data;
  std::uint64_t trials = 0;
  CLI::Option* trials_option = nullptr;
  CLI::Option* unlimited_option = nullptr;
};

std::string text_or(const Json& line, const char* key, const char* otherwise) {
  return line[key].is_string() ? line[key].get<std::string>() : otherwise;
}

std::string render_budgets(const Json& answer, std::size_t width) {
  TextTable table({{.title = "user", .align = Align::Left},
                   {.title = "data", .align = Align::Left},
                   {.title = "trials"},
                   {.title = "spent"},
                   {.title = "left"},
                   {.title = "set by", .align = Align::Left},
                   {.title = "set at", .align = Align::Left}});
  for (const Json& line : answer["budgets"]) {
    table.add_row({line["user"].get<std::string>(), text_or(line, "data", "all"),
                   json_text(line["trials"]), json_text(line["spent"]), json_text(line["left"]),
                   text_or(line, "set_by", ""), text_or(line, "set_at", "")});
  }
  if (table.rows() == 0) return "no user has a budget\n";
  return table.render(width);
}

int run_set(const Context& context, const BudgetOptions& options) {
  const bool unlimited = options.unlimited_option->count() > 0;
  if (unlimited == (options.trials_option->count() > 0)) {
    return fail(context, Error(ErrorCode::InvalidInput, "give either --trials N or --unlimited"));
  }
  Json args{{"user", options.user}, {"data", options.data}, {"by", current_user()}};
  if (unlimited) {
    args["unlimited"] = true;
  } else {
    args["trials"] = options.trials;
  }
  return show_answer(context, answer_writing(context, actors::kBudgetSetQuestion, args),
                     render_budgets);
}

}  // namespace

void add_ledger_budget(CLI::App& ledger, Context& context) {
  CLI::App* group =
      ledger.add_subcommand("budget", "how many trials a user may bring to the ledger");
  group->require_subcommand(1);
  auto options = std::make_shared<BudgetOptions>();
  CLI::App* set = add_command(*group, context, "set",
                              "set a user's budget; asked of a coordinator, only from its machine");
  set->add_option("--user", options->user, "whose; behind a door, the name of a certificate")
      ->required();
  options->trials_option =
      set->add_option("--trials", options->trials,
                      "so many trials that nobody evaluated before, those already made included")
          ->check(natural_number(0));
  options->unlimited_option = set->add_flag_callback(
      "--unlimited", [] {}, "take the budget away (with --dataset, that of the dataset)");
  set->add_option("--dataset", options->data,
                  "only for this dataset, its name or the start of its hash (default: all "
                  "datasets together)");
  set->add_option("--connect", context.connect,
                  "the coordinator that holds the store, HOST:PORT (default: the one of the home, "
                  "if one runs)");
  add_identity_option(*set, context);
  set->callback([&context, options] {
    context.run = [&context, options] { return run_set(context, *options); };
  });
  CLI::App* show =
      add_command(*group, context, "show", "the budgets of users, and what is spent of them");
  add_connect_option(*show, context);
  show->add_option("--user", options->user, "only this user's");
  show->callback([&context, options] {
    context.run = [&context, options] {
      const Json args{{"user", options->user}};
      return show_answer(context, answer_query(context, "budgets", args), render_budgets);
    };
  });
}

}  // namespace winnow::cli
