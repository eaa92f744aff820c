#include "cli/version.hpp"

#include <nlohmann/json.hpp>
#include <vector>

#include "base/version.hpp"
#include "cli/commit.hpp"
#include "engine/engine.hpp"
#include "engine/source_hash.hpp"

namespace winnow::cli {
namespace {

/// Those that this machine has, the slowest first.
std::vector<std::string> instruction_sets() {
  std::vector<std::string> names;
  for (const auto isa : {engine::Isa::Scalar, engine::Isa::Avx2, engine::Isa::Avx512}) {
    if (engine::isa_supported(isa)) names.emplace_back(engine::isa_name(isa));
  }
  return names;
}

}  // namespace

std::string version_text() {
  constexpr std::size_t kShown = 16;
  std::string out = "winnow " + std::string(version()) + " (commit " + std::string(commit());
  out += ")\nengine " + std::to_string(engine::kEngineVersion) + ", sources ";
  out += engine::source_hash().substr(0, kShown);
  out += "\ninstruction set " + std::string(engine::isa_name(engine::best_isa())) + ", of";
  for (const std::string& name : instruction_sets()) out += " " + name;
  return out;
}

nlohmann::ordered_json version_json() {
  nlohmann::ordered_json out;
  out["version"] = version();
  out["commit"] = commit();
  out["engine_version"] = engine::kEngineVersion;
  out["engine_sources"] = engine::source_hash();
  out["instruction_set"] = engine::isa_name(engine::best_isa());
  out["instruction_sets"] = instruction_sets();
  return out;
}

}  // namespace winnow::cli
