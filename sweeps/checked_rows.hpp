#pragma once

#include <vector>

#include "base/hash.hpp"
#include "sweeps/plan.hpp"

namespace winnow::sweeps {

/// Rows of parameters by which a segment's strategy is put to the test before it is run: the
/// family's defaults, four corners of the space (all least, all greatest, and by turns) and eight
/// draws from it, as far as the space's rules allow them; no row twice. Row-major, in the family's
/// declaration order; a function of the plan. Never empty.
std::vector<double> rows_to_check(const Plan& plan, const Segment& segment);

/// Names what a check of this segment says something about: family and its code version, dataset,
/// execution model and engine version; not the space, the window or the sweep.
Hash128 check_key(const Plan& plan, const Segment& segment);

}  // namespace winnow::sweeps
