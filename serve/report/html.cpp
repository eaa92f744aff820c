#include "serve/report/html.hpp"

#include <array>
#include <charconv>
#include <cmath>
#include <cstdio>

#include "base/check.hpp"

namespace winnow::serve::report {

std::string escape(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (const char c : text) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      case '\'':
        out += "&#39;";
        break;
      case '\n':
        out += '\n';
        break;
      default:
        if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) {
          out += "\xef\xbf\xbd";
        } else {
          out += c;
        }
    }
  }
  return out;
}

std::string exact(double v) {
  if (std::isnan(v)) return "";
  if (v == 0) v = 0;
  std::array<char, 32> text{};
  const auto end = std::to_chars(text.data(), text.data() + text.size(), v);
  return std::string(text.data(), end.ptr);
}

std::string grouped(std::uint64_t n) {
  std::string digits = std::to_string(n);
  for (std::size_t at = digits.size(); at > 3; at -= 3) digits.insert(at - 3, ",");
  return digits;
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

std::string display(double v, std::string_view unit) {
  if (unit == "frac") return std::isfinite(v) ? fixed(v * 100, 1) + " %" : fixed(v, 1);
  if (unit == "count" || unit == "flag" || unit == "days") return fixed(v, 0);
  if (unit == "bps" || unit == "bars") return fixed(v, 1);
  if (unit == "quote") return fixed(v, 2);
  return fixed(v, 2);
}

std::string coordinate(double v) {
  std::array<char, 32> text{};
  const auto end =
      std::to_chars(text.data(), text.data() + text.size(), v, std::chars_format::fixed, 2);
  std::string out(text.data(), end.ptr);
  while (out.back() == '0') out.pop_back();
  if (out.back() == '.') out.pop_back();
  return out == "-0" ? "0" : out;
}

std::string probability(double p) { return p < 0.0001 ? "&lt; 0.0001" : fixed(p, 4); }

std::vector<double> nice_ticks(double low, double high, int count) {
  WINNOW_REQUIRES(std::isfinite(low) && std::isfinite(high) && low < high);
  const double raw = (high - low) / count;
  const double power = std::pow(10, std::floor(std::log10(raw)));
  const double scaled = raw / power;
  const double step = (scaled <= 1 ? 1 : scaled <= 2 ? 2 : scaled <= 5 ? 5 : 10) * power;
  std::vector<double> ticks;
  constexpr int kTicksMax = 100;
  const double first = std::ceil(low / step - 1e-9);
  for (int i = 0; i < kTicksMax; ++i) {
    const double tick = (first + i) * step;
    if (tick > high + step * 1e-9) break;
    ticks.push_back(tick == 0 ? 0 : tick);
  }
  return ticks;
}

}  // namespace winnow::serve::report
