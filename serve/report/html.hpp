#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace winnow::serve::report {

/// Text made safe inside elements and quoted attributes; control characters become U+FFFD.
std::string escape(std::string_view text);

/// Shortest text that reads back as the same double; empty for NaN.
std::string exact(double v);
/// Fixed decimals with a true minus sign; an en dash for NaN.
std::string fixed(double v, int decimals);
/// For reading, by unit: fractions as percent, counts grouped, others with three decimals.
std::string display(double v, std::string_view unit);
/// 1234567 as `1,234,567`.
std::string grouped(std::uint64_t n);
/// A coordinate: at most two decimals.
std::string coordinate(double v);
/// Probability: four decimals, `< 0.0001` below.
std::string probability(double p);

/// At most about `count` round values that span [low, high]. Requires: low < high, both finite.
std::vector<double> nice_ticks(double low, double high, int count);

}  // namespace winnow::serve::report
