#include "engine/family.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <string>

#include "base/numbers.hpp"
#include "engine/families/list.hpp"

namespace winnow::engine {
namespace {

const std::array<FamilyDecl, kFamilyCount> kFamilies = table_of<FamilyDecl>(
    Families<lanes::Lane1>(), []<class Strategy>() { return Strategy::kDecl; });

}  // namespace

std::span<const FamilyDecl> families() { return kFamilies; }

const FamilyDecl* find_family(std::string_view name) {
  const auto* found = std::find_if(kFamilies.begin(), kFamilies.end(),
                                   [&](const FamilyDecl& f) { return f.name == name; });
  return found == kFamilies.end() ? nullptr : found;
}

Status check_params(const FamilyDecl& family, std::span<const double> values) {
  const std::string where = std::string(family.name) + ": ";
  if (values.size() != family.params.size()) {
    return Error(ErrorCode::InvalidInput, where + "takes " + std::to_string(family.params.size()) +
                                              " parameters, got " + std::to_string(values.size()));
  }
  for (std::size_t i = 0; i < values.size(); ++i) {
    const ParamDecl& p = family.params[i];
    const double v = values[i];
    const std::string name = where + std::string(p.name) + "=" + shortest_text(v);
    if (!(v >= p.min && v <= p.max)) {
      return Error(ErrorCode::InvalidInput, name + " is outside its range [" +
                                                shortest_text(p.min) + ", " + shortest_text(p.max) +
                                                "] " + std::string(p.unit));
    }
    if (p.type == ParamType::Int && v != std::floor(v)) {
      return Error(ErrorCode::InvalidInput, name + " must be a whole number");
    }
  }
  return family.check == nullptr ? Status{} : family.check(values);
}

Status check_rows(const FamilyDecl& family, std::span<const double> rows) {
  const std::size_t width = family.params.size();
  if (rows.empty() || rows.size() % width != 0) {
    return Error(ErrorCode::InvalidInput, "batch of " + std::to_string(rows.size()) +
                                              " values is not a whole number of rows of " +
                                              std::to_string(width));
  }
  for (std::size_t v = 0; v * width < rows.size(); ++v) {
    if (auto status = check_params(family, rows.subspan(v * width, width)); !status.ok()) {
      return status.error().within("parameter row " + std::to_string(v));
    }
  }
  return {};
}

}  // namespace winnow::engine
