#include <sys/stat.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "actors/client.hpp"
#include "cli/app.hpp"
#include "cli/asker.hpp"
#include "cli/output.hpp"
#include "cluster/authority.hpp"

namespace winnow::cli {
namespace {

using cluster::Authority;
using nlohmann::json;

struct ClusterOptions {
  std::string farm = "winnow";
  std::string door;
  std::string who;
  std::string role = "node";
  std::string out;
  std::uint32_t days_valid = cluster::kInviteDays;
  bool finish = false;
};

/// The document with --json, else the sentence.
int say(const Context& context, const json& document, const std::string& sentence) {
  if (context.json) {
    print_json(document);
  } else if (!context.quiet) {
    std::printf("%s\n", sentence.c_str());
  }
  return kDone;
}

Status check_door(const std::string& door) {
  if (door.empty()) return {};
  const auto endpoint = actors::parse_endpoint(door);
  return endpoint ? Status() : Status(endpoint.error().within("--door"));
}

int run_init(const Context& context, const ClusterOptions& options) {
  if (const Status may = check_asker(context, cluster::Rights::Operator, "make an authority");
      !may) {
    return fail(context, may.error());
  }
  if (const Status ok = check_door(options.door); !ok) return fail(context, ok.error());
  const Status made =
      Authority::init(context.home(), options.farm, options.door, system_clock().now());
  if (!made) return fail(context, made.error());
  const std::string folder = Authority::folder_of(context.home()).string();
  return say(
      context, json{{"farm", options.farm}, {"folder", folder}},
      "the authority of farm '" + options.farm + "' is in " + folder +
          "; its keys must not leave this machine\ninvite a node with: winnow cluster invite "
          "NODE --out FILE");
}

/// Issues and writes an identity file. A file that exists is replaced only by a renewal.
int write_identity(const Context& context, const ClusterOptions& options, Authority& authority) {
  const auto role = cluster::parse_role(options.role);
  if (!role) return fail(context, role.error().within("--role"));
  if (const Status ok = check_door(options.door); !ok) return fail(context, ok.error());
  const auto now = system_clock().now();
  const auto identity = authority.issue({.role = *role,
                                         .name = options.who,
                                         .valid_for = days(options.days_valid),
                                         .door = options.door},
                                        now);
  if (!identity) return fail(context, identity.error());
  const Status written = cluster::write_secret(options.out, cluster::identity_text(*identity));
  if (!written) return fail(context, written.error());
  const auto until = now + days(options.days_valid);
  return say(context,
             json{{"name", identity->name},
                  {"role", options.role},
                  {"serial", identity->serial},
                  {"valid_until", format_timestamp(until)},
                  {"out", options.out}},
             "wrote " + options.out + ": " + options.role + " '" + identity->name +
                 "', valid until " + format_day(utc_day(until)) +
                 "; carry it to that machine by a way you trust, it holds a private key");
}

bool is_valid(const cluster::Issued& one, TimestampNs now) {
  return !one.revoked && one.valid_until > now;
}

Result<bool> has_valid(const Authority& authority, const std::string& name) {
  const auto all = authority.issued();
  if (!all) return all.error();
  const auto now = system_clock().now();
  return std::any_of(all->begin(), all->end(), [&](const cluster::Issued& one) {
    return one.name == name && is_valid(one, now);
  });
}

int run_invite(const Context& context, const ClusterOptions& options) {
  if (const Status may = check_asker(context, cluster::Rights::Operator, "invite"); !may) {
    return fail(context, may.error());
  }
  auto authority = Authority::open(context.home());
  if (!authority) return fail(context, authority.error());
  if (options.role == "coordinator") {
    return fail(context, Error(ErrorCode::InvalidInput,
                               "--role: 'coordinator' cannot be invited; allowed are node, client, "
                               "viewer, agent, researcher, operator"));
  }
  const auto known = has_valid(*authority, options.who);
  if (!known) return fail(context, known.error());
  if (*known) {
    return fail(context,
                Error(ErrorCode::Refused,
                      "'" + options.who + "' has a valid certificate; `winnow cluster rotate " +
                          options.who + " --out FILE` renews it, `winnow cluster revoke " +
                          options.who + "` ends it"));
  }
  std::error_code ec;
  if (std::filesystem::exists(options.out, ec)) {
    return fail(context, Error(ErrorCode::Refused, options.out + " exists and stays as it is"));
  }
  return write_identity(context, options, *authority);
}

int list_identities(const Context& context) {
  const auto authority = Authority::open(context.home());
  if (!authority) return fail(context, authority.error());
  const auto all = authority->issued();
  if (!all) return fail(context, all.error());
  const auto now = system_clock().now();
  json list = json::array();
  if (!context.json) {
    std::printf("%-12s %-24s %-10s %-22s %9s %s\n", "role", "name", "state", "valid_until",
                "authority", "serial");
  }
  for (const cluster::Issued& one : *all) {
    const bool trusted = one.authority >= authority->oldest_trusted();
    const char* const state = one.revoked              ? "revoked"
                              : one.valid_until <= now ? "expired"
                              : !trusted               ? "untrusted"
                              : one.valid_from > now   ? "not yet"
                                                       : "valid";
    const std::string role(cluster::role_name(one.role));
    const std::string until = format_timestamp({one.valid_until.ns});
    list.push_back({{"role", role},
                    {"name", one.name},
                    {"state", state},
                    {"valid_until", until},
                    {"authority", one.authority},
                    {"serial", one.serial}});
    if (context.json) continue;
    std::printf("%-12s %-24s %-10s %-22s %9d %s\n", role.c_str(), one.name.c_str(), state,
                until.c_str(), one.authority, one.serial.c_str());
  }
  if (context.json) print_json(list);
  return kDone;
}

int run_revoke(const Context& context, const ClusterOptions& options) {
  if (const Status may = check_asker(context, cluster::Rights::Operator, "revoke identities");
      !may) {
    return fail(context, may.error());
  }
  auto authority = Authority::open(context.home());
  if (!authority) return fail(context, authority.error());
  const auto serials = authority->revoke(options.who, system_clock().now());
  if (!serials) return fail(context, serials.error());
  return say(context, json{{"revoked", *serials}},
             "revoked " + std::to_string(serials->size()) + " certificates of '" + options.who +
                 "'; a running coordinator cuts their connections within two seconds");
}

int run_rotate(const Context& context, const ClusterOptions& options) {
  if (const Status may = check_asker(context, cluster::Rights::Operator, "change authorities");
      !may) {
    return fail(context, may.error());
  }
  auto authority = Authority::open(context.home());
  if (!authority) return fail(context, authority.error());
  const auto wrong = [&](const char* text) {
    return fail(context, Error(ErrorCode::InvalidInput, text));
  };
  if (options.who.empty()) {
    if (!options.out.empty()) return wrong("--out goes with the name of a node");
    const auto now = system_clock().now();
    const Status done = options.finish ? authority->finish_rotation(now) : authority->rotate(now);
    if (!done) return fail(context, done.error());
    const std::string number = std::to_string(authority->newest());
    return say(
        context,
        json{{"newest", authority->newest()}, {"oldest_trusted", authority->oldest_trusted()}},
        options.finish ? "only authority " + number + " is trusted now"
                       : "authority " + number +
                             " signs from now on and the older one is "
                             "trusted still; renew each node (`winnow cluster rotate NODE --out "
                             "FILE`), then `winnow cluster rotate --finish`");
  }
  if (options.finish) return wrong("--finish ends the rotation of the authority: name no node");
  if (options.out.empty()) return wrong("--out FILE is needed to renew a node");
  const auto known = has_valid(*authority, options.who);
  if (!known) return fail(context, known.error());
  if (!*known) {
    return fail(context,
                Error(ErrorCode::NotFound, "'" + options.who +
                                               "' has no valid certificate to renew; `winnow "
                                               "cluster invite` makes a first one"));
  }
  ClusterOptions renewal = options;
  const auto all = authority->issued();
  for (const cluster::Issued& one : *all) {
    if (one.name == options.who) renewal.role = cluster::role_name(one.role);
  }
  if (renewal.role == "coordinator") return wrong("the coordinator renews its own certificate");
  return write_identity(context, renewal, *authority);
}

using SharedCluster = std::shared_ptr<ClusterOptions>;

Command* add(Command& group, Context& context, const SharedCluster& options, const char* name,
             const char* help, int (*runner)(const Context&, const ClusterOptions&)) {
  Command* command = add_command(group, context, name, help);
  command->callback([&context, options, runner] {
    context.run = [&context, options, runner] { return runner(context, *options); };
  });
  return command;
}

void add_identity_shape(Command& command, ClusterOptions& options) {
  command.add_option("--days", options.days_valid, "how long the certificate is valid")
      ->in_range(1u, static_cast<unsigned>(cluster::kAuthorityDays))
      ->capture_default_str();
  command.add_option("--door", options.door,
                     "HOST:PORT of the coordinator, kept in the file (default: that of init)");
}

}  // namespace

void add_cluster_commands(Command& app, Context& context) {
  Command* group =
      app.add_subcommand("cluster", "the farm's own authority: who may join over the network");
  group->require_subcommand();
  const auto options = std::make_shared<ClusterOptions>();

  Command* init = add(*group, context, options, "init",
                      "make the farm's certificate authority in HOME/cluster", run_init);
  init->add_option("--name", options->farm, "name of the farm")->capture_default_str();
  init->add_option("--door", options->door, "HOST:PORT by which nodes will reach the coordinator");

  Command* invite = add(*group, context, options, "invite",
                        "write the identity of a node or client to one file", run_invite);
  invite->add_option("name", options->who, "its name")->required();
  invite
      ->add_option("--role", options->role,
                   "node, or what it may ask: viewer, agent, researcher (also called client) or "
                   "operator")
      ->capture_default_str();
  invite->add_option("--out", options->out, "file to write; it holds a private key")->required();
  add_identity_shape(*invite, *options);

  Command* list = add_command(*group, context, "list", "every certificate that was made");
  list->callback([&context] { context.run = [&context] { return list_identities(context); }; });

  Command* revoke = add(*group, context, options, "revoke",
                        "end a certificate now, its open connections too", run_revoke);
  revoke->add_option("who", options->who, "name of a node or client, or a serial number")
      ->required();

  Command* rotate =
      add(*group, context, options, "rotate",
          "renew a node's certificate, or without a name the farm's authority", run_rotate);
  rotate->add_option("name", options->who, "node or client to renew");
  rotate->add_option("--out", options->out, "file to write the renewed identity to");
  rotate->add_flag("--finish", options->finish, "stop trusting the older authority");
  add_identity_shape(*rotate, *options);
}

}  // namespace winnow::cli
