#pragma once

#include <cstdint>
#include <limits>
#include <string>

namespace winnow {

inline constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
inline constexpr double kInf = std::numeric_limits<double>::infinity();

constexpr std::uint64_t round_up(std::uint64_t n, std::uint64_t step) {
  return (n + step - 1) / step * step;
}

/// The shortest text that reads back as the same number.
std::string shortest_text(double v);

}  // namespace winnow
