#pragma once

#include <string>
#include <vector>

#include "sweeps/plan.hpp"

namespace winnow::sweeps {

/// What keeps the first generation of each search of a plan from being judged, and which
/// `search.generation` would do; a family that learns is judged by it alone (sweeps/judged.hpp).
/// Only what the parameters say: variants that differ in parameters may still trade alike. Empty:
/// nothing does. Searches of several fidelities and with a warm start are not judged by it.
Result<std::vector<std::string>> first_generation_warnings(const Plan& plan);

}  // namespace winnow::sweeps
