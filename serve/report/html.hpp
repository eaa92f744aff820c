#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "serve/display.hpp"

namespace winnow::serve::report {

/// Text made safe inside elements and quoted attributes; control characters become U+FFFD.
std::string escape(std::string_view text);

/// A coordinate: at most two decimals.
std::string coordinate(double v);
/// Probability: four decimals, `< 0.0001` below.
std::string probability(double p);

/// At most about `count` round values that span [low, high]. Requires: low < high, both finite.
std::vector<double> nice_ticks(double low, double high, int count);

}  // namespace winnow::serve::report
