#include "serve/display.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstdio>

namespace winnow::serve {

std::string exact(double v) {
  if (std::isnan(v)) return "";
  if (v == 0) v = 0;
  std::array<char, 32> text{};
  const auto end = std::to_chars(text.data(), text.data() + text.size(), v);
  return std::string(text.data(), end.ptr);
}

std::string fixed(double v, int decimals) {
  if (std::isnan(v)) return "–";
  if (std::isinf(v)) return v > 0 ? "∞" : "−∞";
  std::array<char, 400> text{};
  std::snprintf(text.data(), text.size(), "%.*f", decimals, std::fabs(v));
  std::string out = text.data();
  const std::size_t point = std::min(out.find('.'), out.size());
  for (std::size_t at = point; at > 3; at -= 3) out.insert(at - 3, ",");
  const bool zero = out.find_first_of("123456789") == std::string::npos;
  return v < 0 && !zero ? "−" + out : out;
}

std::string grouped(std::uint64_t n) {
  std::string digits = std::to_string(n);
  for (std::size_t at = digits.size(); at > 3; at -= 3) digits.insert(at - 3, ",");
  return digits;
}

std::string display(double v, std::string_view unit) {
  if (unit == "frac") return std::isfinite(v) ? fixed(v * 100, 1) + " %" : fixed(v, 1);
  if (unit == "count" || unit == "flag" || unit == "days") return fixed(v, 0);
  if (unit == "bps" || unit == "bars") return fixed(v, 1);
  if (unit == "quote") return fixed(v, 2);
  return fixed(v, 2);
}

}  // namespace winnow::serve
