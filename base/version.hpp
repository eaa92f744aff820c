#pragma once

#include <string_view>

namespace winnow {

/// The version of this program, as the build description's `project()` says it: `0.1.0`. The one
/// place that everything which shows a version asks.
std::string_view version();

}  // namespace winnow
