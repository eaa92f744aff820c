#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace winnow::serve {

// Numbers in sentences and tables.

/// Shortest text that reads back as the same double; empty for NaN.
std::string exact(double v);
/// Fixed decimals with a true minus sign; an en dash for NaN.
std::string fixed(double v, int decimals);
/// For reading, by unit: fractions as percent, counts grouped, others with three decimals.
std::string display(double v, std::string_view unit);
/// 1234567 as `1,234,567`.
std::string grouped(std::uint64_t n);
}  // namespace winnow::serve
