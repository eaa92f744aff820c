#pragma once

#include <cstdint>
#include <span>

#include "serve/sweep_view.hpp"

namespace winnow::serve {

/// What a variant earned in each state of its market (sweeps/regimes.hpp): a row for each state
/// that some of its days were in. `returns`: of its periods. Null, with why in `reason`, where the
/// data are not here or have other days.
Json regimes_json(const Sources& sources, const SweepView& view, std::uint64_t trial,
                  std::span<const float> returns, std::string& reason);

}  // namespace winnow::serve
