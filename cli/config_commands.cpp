#include <cstdio>
#include <memory>
#include <nlohmann/json.hpp>

#include "cli/app.hpp"
#include "cli/asker.hpp"
#include "cli/catalog.hpp"
#include "cli/output.hpp"
#include "cli/table.hpp"
#include "sweeps/config_kind.hpp"
#include "sweeps/execution_profile.hpp"
#include "sweeps/plan.hpp"
#include "sweeps/spec_warnings.hpp"

namespace winnow::cli {
namespace {

using nlohmann::json;

json openings_json(const std::vector<actors::OpeningPrice>& prices) {
  json out = json::array();
  for (const actors::OpeningPrice& p : prices) {
    json row{{"family", p.family}, {"data", p.data}, {"text", actors::price_text(p)}};
    const bool bought = p.refusal.empty();
    row["refusal"] = bought ? json() : json(p.refusal);
    row["hypothesis"] = bought ? json(p.hypothesis) : json();
    row["repeat"] = p.repeat;
    row["judged_days"] = bought ? json(p.judged_days) : json();
    row["level"] = bought ? json(p.level) : json();
    row["stake"] = bought ? json(p.stake) : json();
    row["left"] = bought ? json(p.left) : json();
    row["account"] = bought ? json(p.account) : json();
    out.push_back(std::move(row));
  }
  return out;
}

json gaps_json(const sweeps::Plan& plan) {
  json out = json::array();
  for (const sweeps::DatasetInfo& data : plan.spec().data) {
    const sweeps::level::Gap gap = data.gap_or_unrecorded();
    out.push_back({{"data", data.name},
                   {"gap_frac", gap.frac},
                   {"gap_rate_year", gap.rate_year()},
                   {"record", gap.record.empty() ? json() : json(gap.record)},
                   {"text", sweeps::level::charge_text(gap)}});
  }
  return out;
}

json check_sweep(const std::string& yaml, const std::string& file, const Context& context) {
  auto submit = make_submission(file, yaml);
  if (!submit) return {{"ok", false}, {"error", submit.error().text()}};
  const auto who = asker(context);
  if (!who) return {{"ok", false}, {"error", who.error().text()}};
  const auto plan = check_submission(*submit, who->name, context.home());
  if (!plan) return {{"ok", false}, {"error", plan.error().text()}};
  const auto warnings = sweeps::spec_warnings(*plan);
  if (!warnings) return {{"ok", false}, {"error", file + ": " + warnings.error().text()}};
  const auto prices = price_submission(*plan, who->name, context.home());
  if (!prices) return {{"ok", false}, {"error", file + ": " + prices.error().text()}};
  return {{"ok", true},
          {"sweep_id", plan->id()},
          {"trials", plan->trials()},
          {"segments", plan->segments().size()},
          {"families", plan->spec().strategies.size()},
          {"datasets", plan->spec().data.size()},
          {"openings", openings_json(*prices)},
          {"gaps", gaps_json(*plan)},
          {"warnings", *warnings}};
}

json check_file(const std::string& file, const Context& context) {
  const auto yaml = read_file(file);
  if (!yaml) return {{"ok", false}, {"error", yaml.error().text()}};
  const auto kind = sweeps::config_kind(*yaml, file);
  if (!kind) return {{"ok", false}, {"error", kind.error().text()}};
  if (*kind == sweeps::ConfigKind::Sweep) {
    json out = check_sweep(*yaml, file, context);
    out["kind"] = "sweep";
    return out;
  }
  const auto profile = sweeps::parse_profile(*yaml, file);
  const Status own_name = profile ? check_own_name(*profile) : Status(profile.error());
  if (!own_name.ok()) {
    const Error why = profile ? own_name.error().within(file) : own_name.error();
    return {{"kind", "execution"}, {"ok", false}, {"error", why.text()}};
  }
  return {{"kind", "execution"},
          {"ok", true},
          {"name", profile->costs.name},
          {"execution_hash", sweeps::profile_hash(*profile)}};
}

std::string counted(const json& n, const char* one, const char* several) {
  const auto count = n.get<std::uint64_t>();
  return group_digits(count) + " " + (count == 1 ? one : several);
}

void print_line(const json& result) {
  const std::string file = result.at("file");
  if (!result.at("ok")) {
    std::fprintf(stderr, "error: %s\n", result.at("error").get<std::string>().c_str());
  } else if (result.at("kind") == "execution") {
    std::printf("%s: ok, execution profile %s (%s)\n", file.c_str(),
                result.at("name").get<std::string>().c_str(),
                result.at("execution_hash").get<std::string>().c_str());
  } else {
    std::printf("%s: ok, sweep %s, %s of %s on %s\n", file.c_str(),
                result.at("sweep_id").get<std::string>().c_str(),
                counted(result.at("trials"), "trial", "trials").c_str(),
                counted(result.at("families"), "family", "families").c_str(),
                counted(result.at("datasets"), "dataset", "datasets").c_str());
    for (const json& opening : result.at("openings")) {
      std::printf("  opening: %s\n", terminal_text(opening.at("text").get<std::string>()).c_str());
    }
    for (const json& gap : result.at("gaps")) {
      std::printf("  gaps of %s: %s\n", terminal_text(gap.at("data").get<std::string>()).c_str(),
                  terminal_text(gap.at("text").get<std::string>()).c_str());
    }
    for (const json& warning : result.at("warnings")) {
      std::fprintf(stderr, "warning: %s: %s\n", file.c_str(), warning.get<std::string>().c_str());
    }
  }
}

int check(const Context& context, const std::vector<std::string>& files) {
  json results = json::array();
  bool all_ok = true;
  for (const std::string& file : files) {
    json result = check_file(file, context);
    result["file"] = file;
    all_ok = all_ok && result.at("ok").get<bool>();
    if (!context.json) print_line(result);
    results.push_back(std::move(result));
  }
  if (context.json) {
    const json out = {{"ok", all_ok}, {"files", std::move(results)}};
    print_json(out);
  }
  return all_ok ? kDone : kBadInput;
}

}  // namespace

void add_config_commands(Command& app, Context& context) {
  Command* config = app.add_subcommand("config", "check configuration files");
  config->require_subcommand();
  Command* command = add_command(*config, context, "check",
                                 "check sweep specifications and execution profiles; each file's "
                                 "first fault is printed as file:line:column: what and why");
  const auto files = std::make_shared<std::vector<std::string>>();
  command->add_option("FILE", *files, "files to check")->required();
  command->callback(
      [&context, files] { context.run = [&context, files] { return check(context, *files); }; });
}

}  // namespace winnow::cli
