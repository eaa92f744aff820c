#include <cstdio>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "base/numbers.hpp"
#include "cli/app.hpp"
#include "cli/family_named.hpp"
#include "cli/output.hpp"
#include "engine/family.hpp"

namespace winnow::cli {
namespace {

using Json = nlohmann::ordered_json;

std::string_view type_name(engine::ParamType type) {
  return type == engine::ParamType::Int ? "int" : "float";
}

Json family_json(const engine::FamilyDecl& family) {
  Json params = Json::array();
  for (const engine::ParamDecl& p : family.params) {
    params.push_back({{"name", p.name},
                      {"unit", p.unit},
                      {"type", type_name(p.type)},
                      {"min", p.min},
                      {"max", p.max},
                      {"default", p.default_value},
                      {"step", p.step},
                      {"help", p.help}});
  }
  return {{"family", family.name},
          {"code_version", family.code_version},
          {"summary", family.summary},
          {"params", params}};
}

int list_families(const Context& context) {
  if (context.json) {
    Json all = Json::array();
    for (const engine::FamilyDecl& f : engine::families()) all.push_back(family_json(f));
    print_json(Json{{"strategies", all}});
    return kDone;
  }
  for (const engine::FamilyDecl& f : engine::families()) {
    std::printf("%-16s %zu parameters  %s\n", std::string(f.name).c_str(), f.params.size(),
                std::string(f.summary).c_str());
  }
  return kDone;
}

int show_family(const Context& context, const std::string& name) {
  const auto found = family_named(name);
  if (!found.ok()) return fail(context, found.error());
  const engine::FamilyDecl& family = **found;
  if (context.json) {
    print_json(family_json(family));
    return kDone;
  }
  std::printf("%s: %s\n\n%-16s %-6s %-6s %-22s %-8s %-6s %s\n", std::string(family.name).c_str(),
              std::string(family.summary).c_str(), "parameter", "unit", "type", "range", "default",
              "step", "meaning");
  for (const engine::ParamDecl& p : family.params) {
    const std::string range = "[" + shortest_text(p.min) + ", " + shortest_text(p.max) + "]";
    std::printf("%-16s %-6s %-6s %-22s %-8s %-6s %s\n", std::string(p.name).c_str(),
                std::string(p.unit).c_str(), std::string(type_name(p.type)).c_str(), range.c_str(),
                shortest_text(p.default_value).c_str(), shortest_text(p.step).c_str(),
                std::string(p.help).c_str());
  }
  return kDone;
}

}  // namespace

void add_strategy_commands(Command& app, Context& context) {
  Command* strategy = app.add_subcommand("strategy", "families and their parameters");
  strategy->require_subcommand();
  Command* list = add_command(*strategy, context, "list", "all families");
  list->callback([&context] { context.run = [&context] { return list_families(context); }; });
  Command* show = add_command(*strategy, context, "show", "a family's declared parameters");
  const auto name = std::make_shared<std::string>();
  show->add_option("FAMILY", *name, "strategy family")->required();
  show->callback(
      [&context, name] { context.run = [&context, name] { return show_family(context, *name); }; });
}

}  // namespace winnow::cli
