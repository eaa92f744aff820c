#pragma once

#include <vector>

#include "serve/report/input.hpp"
#include "serve/sweep_view.hpp"

namespace winnow::serve::report {

// Answers of serve/risk.hpp and serve/bakeoff.hpp as tables of a report.
WordTable risk_table(const Json& variant);
std::vector<WordTable> bakeoff_tables(const Json& comparisons);

/// Fills `risk` for the plateau centres of the first `families_max` families and, where a dataset
/// has several families, `bakeoffs`. What would need more memory than the rest of a report is left
/// out with a note among the concerns. Fails: as assess_variant and bake_off_scored.
Status add_risk(const Sources& sources, const SweepView& view, const Scoring& scoring,
                std::size_t families_max, ReportInput& out);

}  // namespace winnow::serve::report
