#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "sweeps/convergence/convergence.hpp"

namespace winnow::sweeps {

/// Least and largest loss that `convergence.worst_loss_sd` may declare.
inline constexpr double kWorstLossSdMin = 8;
inline constexpr double kWorstLossSdMax = 100;

/// What a specification's canonical `convergence` text declares: plan of looks, worst single loss,
/// hard stops, and how survivors are judged. Empty text: the defaults. Fails: InvalidInput naming
/// what is not allowed.
Result<ConvergenceOptions> declared_convergence(std::string_view canonical_json);
/// What it requires beside the score, see convergence_require.hpp.
std::vector<std::string> declared_requirements(std::string_view canonical_json);
/// Whether it declares `survivors: later_days`.
bool judged_on_later_days(std::string_view canonical_json);

}  // namespace winnow::sweeps
