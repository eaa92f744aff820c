#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "sweeps/convergence/convergence.hpp"
#include "sweeps/validation.hpp"

namespace winnow::sweeps {

// `convergence.require`: what must hold of a family beside its score, in the language of `--where`,
// as in [degradation_frac < 0.3, oos_sharpe_ann > 1].

inline constexpr std::size_t kRequirementsMax = 64;

/// What a requirement may name: numbers of the score, and those of the declared protocol (none
/// without one).
std::vector<std::string> requirement_names(std::string_view validation_json);

/// Fails: InvalidInput, with the nearest name where one is unknown.
Status check_requirement(std::string_view text, std::span<const std::string> names);

/// Sentences, one for each requirement that does not hold, with the values it read. A number that
/// does not exist fails every requirement that names it. `validation`: null without a protocol, or
/// where `reason` says why nothing could be computed.
std::vector<std::string> failed_requirements(std::span<const std::string> require,
                                             std::string_view validation_json,
                                             const Convergence& score,
                                             const FamilyValidation* validation,
                                             std::string_view reason);

/// A family that fails a requirement has not converged: the verdict is Insufficient at best, and
/// the sentences are among its reasons.
void apply_requirements(std::span<const std::string> failed, Convergence& score);

}  // namespace winnow::sweeps
