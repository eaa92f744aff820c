#include "cli/family_named.hpp"

#include <string>
#include <vector>

#include "base/names.hpp"

namespace winnow::cli {

Result<const engine::FamilyDecl*> family_named(std::string_view name) {
  if (const engine::FamilyDecl* family = engine::find_family(name)) return family;
  std::vector<std::string> names;
  for (const engine::FamilyDecl& f : engine::families()) names.emplace_back(f.name);
  return Error(ErrorCode::NotFound, "no strategy family '" + std::string(name) + "'" +
                                        did_you_mean(name, names) +
                                        "; `winnow strategy list` shows all");
}

}  // namespace winnow::cli
