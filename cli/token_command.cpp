#include <unistd.h>

#include <cstdio>
#include <nlohmann/json.hpp>

#include "base/text.hpp"
#include "cli/app.hpp"
#include "cli/asker.hpp"
#include "cli/door.hpp"
#include "cli/farm.hpp"
#include "cli/output.hpp"
#include "cli/results.hpp"
#include "cli/table.hpp"
#include "cluster/token.hpp"

namespace winnow::cli {
namespace {

using Json = nlohmann::ordered_json;

constexpr DurationNs kWhoAmIPatience = seconds(10);

struct TokenOptions {
  std::string role, name, which, out;
  std::uint32_t valid_days = cluster::kTokenDays;
};

std::string time_or_dash(TimestampNs t) { return t.ns == 0 ? "-" : format_timestamp(t); }

Json token_json(const cluster::Token& token, TimestampNs now) {
  const char* const state = token.revoked.ns != 0 ? "revoked"
                            : token.stands(now)   ? "valid"
                                                  : "expired";
  Json out{{"token_id", token.id},
           {"role", cluster::rights_name(token.rights)},
           {"name", token.name},
           {"state", state},
           {"created", format_timestamp(token.created)},
           {"valid_until", format_timestamp(token.valid_until)}};
  out["last_used"] = token.last_used.ns == 0 ? Json() : Json(format_timestamp(token.last_used));
  return out;
}

int create_token(const Context& context, const TokenOptions& options) {
  const auto rights = cluster::parse_rights(options.role);
  if (!rights) return fail(context, rights.error().within("--role"));
  if (const Status may = check_asker(context, cluster::Rights::Operator, "make tokens"); !may) {
    return fail(context, may.error());
  }
  const TimestampNs now = system_clock().now();
  const auto made =
      cluster::TokenBook(context.home())
          .create({.rights = *rights, .name = options.name, .valid_for = days(options.valid_days)},
                  now);
  if (!made) return fail(context, made.error());
  if (!options.out.empty()) {
    if (const Status kept = cluster::write_secret(options.out, made->text + "\n"); !kept) {
      return fail(context, kept.error().within("--out"));
    }
  }
  if (context.json) {
    Json out = token_json(made->token, now);
    out["token"] = options.out.empty() ? Json(made->text) : Json();
    out["file"] = options.out.empty() ? Json() : Json(options.out);
    print_json(out, -1);
    return kDone;
  }
  if (options.out.empty()) std::printf("%s\n", made->text.c_str());
  if (!context.quiet) {
    std::fprintf(
        stderr,
        "token %s: %s '%s' until %s; %s. It is shown with $WINNOW_TOKEN or --token-file, "
        "and ended by `winnow token revoke %s`\n",
        made->token.id.c_str(), options.role.c_str(), made->token.name.c_str(),
        format_timestamp(made->token.valid_until).c_str(),
        options.out.empty() ? "nobody can show it again" : ("it is in " + options.out).c_str(),
        made->token.id.c_str());
  }
  return kDone;
}

int list_tokens(const Context& context) {
  const auto tokens = cluster::TokenBook(context.home()).list();
  if (!tokens) return fail(context, tokens.error());
  const TimestampNs now = system_clock().now();
  if (context.json) {
    Json out{{"tokens", Json::array()}};
    for (const cluster::Token& token : *tokens) out["tokens"].push_back(token_json(token, now));
    print_json(out, -1);
    return kDone;
  }
  if (tokens->empty()) {
    std::printf("no token was given out; `winnow token create --role ROLE` makes one\n");
    return kDone;
  }
  TextTable table({{.title = "token", .align = Align::Left},
                   {.title = "role", .align = Align::Left},
                   {.title = "name", .align = Align::Left},
                   {.title = "state", .align = Align::Left},
                   {.title = "valid until", .align = Align::Left},
                   {.title = "last used", .align = Align::Left}});
  for (const cluster::Token& token : *tokens) {
    const Json row = token_json(token, now);
    table.add_row({token.id, row["role"].get<std::string>(), token.name,
                   row["state"].get<std::string>(), format_timestamp(token.valid_until),
                   time_or_dash(token.last_used)});
  }
  write_stdout(table.render(terminal_columns(STDOUT_FILENO)));
  return kDone;
}

int revoke_token(const Context& context, const std::string& which) {
  if (const Status may = check_asker(context, cluster::Rights::Operator, "revoke tokens"); !may) {
    return fail(context, may.error());
  }
  const auto ended = cluster::TokenBook(context.home()).revoke(which, system_clock().now());
  if (!ended) return fail(context, ended.error());
  if (context.json) {
    print_json(Json{{"revoked", *ended}}, -1);
  } else if (!context.quiet) {
    for (const std::string& id : *ended) std::printf("revoked %s\n", id.c_str());
  }
  return kDone;
}

/// As the coordinator of --connect, or that of the home, sees it; else as this process does.
Result<std::string> who_am_i(const Context& context) {
  const auto shown = credential(context);
  if (!shown) return shown.error();
  if (!context.connect.empty() || advertised_coordinator(context.home())) {
    auto client = running_coordinator(context);
    if (!client) return client.error();
    return (*client)->present(*shown, kWhoAmIPatience);
  }
  const auto who = asker(context);
  if (!who) return who.error();
  return cluster::principal_json(*who);
}

int run_whoami(const Context& context) {
  const auto text = who_am_i(context);
  if (!text) return fail(context, text.error());
  const Json who = parse_ordered_json(*text);
  if (context.json) {
    print_json(who, -1);
  } else {
    std::printf("%s '%s', role %s\n", who.value("credential", "").c_str(),
                terminal_text(who.value("name", "")).c_str(), who.value("role", "").c_str());
  }
  return kDone;
}

}  // namespace

void add_token_commands(Command& app, Context& context) {
  auto o = std::make_shared<TokenOptions>();
  Command* group = app.add_subcommand(
      "token", "credentials of people and agents: what a coordinator knows them by");
  group->require_subcommand();
  Command* create =
      add_command(*group, context, "create",
                  "make a token, shown once; agents work with one, and people of other accounts");
  create
      ->add_option("--role", o->role,
                   "viewer (asks), agent (also runs sweeps and backtests as itself), researcher "
                   "(also deletes its own, unseals days) or operator (everything)")
      ->required();
  create->add_option("--name", o->name,
                     "whose: what they do is put down, and charged, under it (default: the role "
                     "and the token's id)");
  create->add_option("--days", o->valid_days, "how long it is valid")
      ->in_range(1u, static_cast<std::uint32_t>(cluster::kTokenDaysMax))
      ->capture_default_str();
  create->add_option("--out", o->out,
                     "write it to this file, which only its owner can read, and print nothing");
  create->callback(
      [&context, o] { context.run = [&context, o] { return create_token(context, *o); }; });
  Command* list = add_command(*group, context, "list", "the tokens that were given out");
  list->callback([&context] { context.run = [&context] { return list_tokens(context); }; });
  Command* revoke = add_command(*group, context, "revoke",
                                "end a token; whoever uses it is refused from then on");
  revoke->add_option("ID", o->which, "the token's id, or a name: then all of that name")
      ->required();
  revoke->callback(
      [&context, o] { context.run = [&context, o] { return revoke_token(context, o->which); }; });

  Command* who = add_command(app, context, "whoami",
                             "who a coordinator takes you for, by what credential, in what role");
  add_connect_option(*who, context);
  add_user_option(*who, context);
  who->callback([&context] { context.run = [&context] { return run_whoami(context); }; });
}

}  // namespace winnow::cli
