#pragma once

#include "sweeps/verify/case.hpp"

namespace winnow::sweeps::verify {

/// Compares every number, text and truth value of `expected` with `computed`; allowed is
/// abs + rel * |expected|. `tolerance` is {"rel", "abs"}, {"exact": true}, or names the fields it
/// is for ({"stat": {"rel": ..}}, {"pvalue_abs": ..}, {"bonferroni": ..}): an entry applies where
/// all words of its name occur in the path of a field, the longest name first. Fields without an
/// entry get the top level's, else the widest of the entries. Fills every field of the report but
/// the name.
void compare(const Json& expected, const Json& computed, const Json& tolerance, CaseReport& report);

}  // namespace winnow::sweeps::verify
