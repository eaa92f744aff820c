#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "sweeps/plan.hpp"

namespace winnow::sweeps {

/// What the store keeps beside a sweep, by its id: a JSON list of what was to be said of its
/// specification when it was planned.
inline constexpr std::string_view kSpecWarningsKind = "spec_warnings";
/// The sweep that was run last (under the key `sweep`): what `last` means, whatever clocks say.
inline constexpr std::string_view kLastRunKind = "last_run";
inline constexpr std::string_view kLastRunKey = "sweep";

/// All that is to be said of a specification and is no error: what reading it found, and what its
/// first generation shows. Fails: as first_generation_warnings.
Result<std::vector<std::string>> spec_warnings(const Plan& plan);

std::string warnings_to_json(const std::vector<std::string>& warnings);
/// What is no such list has none.
std::vector<std::string> warnings_from_json(std::string_view json);

}  // namespace winnow::sweeps
