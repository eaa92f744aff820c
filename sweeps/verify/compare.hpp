#pragma once

#include "sweeps/verify/case.hpp"

namespace winnow::sweeps::verify {

/// Compares every number, text and truth value of `expected` with `computed`; allowed is
/// abs + rel * |expected|. `tolerance` is {"rel", "abs"}, {"exact": true}, or names the fields it
/// is for ({"stat": {"rel": ..}}, {"pvalue_abs": ..}, {"bonferroni": ..}, {"breaks": "exact"}): an
/// entry applies where all words of its name occur in the path of a field, the longest name first.
/// Fields without an entry get the top level's, else the default of a case without a tolerance; in
/// a simulated kind the widest of the entries. Fails, and says so: an entry that names no field of
/// `expected`, a width that is no number from 0 to kWidthMax, or that is as wide as the number it
/// is for. Fills every field of the report but the name.
void compare(const Json& expected, const Json& computed, const Json& tolerance, CaseReport& report,
             Nature nature = Nature::Exact);

/// A wider tolerance, absolute or relative, would let nearly anything pass.
inline constexpr double kWidthMax = 0.1;

}  // namespace winnow::sweeps::verify
