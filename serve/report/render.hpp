#pragma once

#include <string>

#include "serve/report/input.hpp"

namespace winnow::serve::report {

/// One self-contained HTML page: no request leaves it, all text of users is escaped, it works
/// without scripts, in light and dark, on paper. Size: bounded by families and leaders, not by
/// variants (below 3 MB for any sweep that assemble_report gives). Pure.
std::string render_report(const ReportInput& input);

}  // namespace winnow::serve::report
