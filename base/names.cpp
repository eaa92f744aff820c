#include "base/names.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

#include "base/edit_distance.hpp"
#include "base/text.hpp"

namespace winnow {
namespace {

// Longer names are not typing slips, and the distance is quadratic.
constexpr std::size_t kNameLengthMax = 64;

std::string comparable(std::string_view text) {
  std::string out = lower(text);
  std::replace(out.begin(), out.end(), '-', '_');
  return out;
}

// Words that end a name and say its unit, allowed here or not.
constexpr std::array<std::string_view, 33> kUnits{
    "bars", "bar",   "bps",     "pct", "percent", "frac",  "fraction", "sd",      "sigma",
    "z",    "ns",    "us",      "ms",  "s",       "sec",   "secs",     "seconds", "m",
    "min",  "mins",  "minutes", "h",   "hour",    "hours", "d",        "day",     "days",
    "week", "weeks", "px",      "qty", "usd",     "ticks"};

// `lookback_days` is `lookback` with a unit; `take_profit` has none.
std::string_view stem(std::string_view name) {
  const std::size_t cut = name.rfind('_');
  if (cut == std::string_view::npos || cut == 0) return name;
  const std::string_view last = name.substr(cut + 1);
  return std::find(kUnits.begin(), kUnits.end(), last) == kUnits.end() ? name : name.substr(0, cut);
}

}  // namespace

std::string show_number(double v) {
  if (std::isnan(v)) return "nan";
  if (std::isinf(v)) return v > 0 ? "inf" : "-inf";
  std::array<char, 40> buffer{};
  // Plain notation where a person would use it: 1000000, not 1e+06.
  const bool plain = v == 0 || (std::fabs(v) < 1e15 && std::fabs(v) >= 1e-6);
  const auto end = plain ? std::to_chars(buffer.data(), buffer.data() + buffer.size(), v,
                                         std::chars_format::fixed)
                         : std::to_chars(buffer.data(), buffer.data() + buffer.size(), v);
  return std::string(buffer.data(), end.ptr);
}

std::string show_rounded(double v) {
  constexpr int kDigits = 6;
  std::array<char, 40> buffer{};
  const auto end = std::to_chars(buffer.data(), buffer.data() + buffer.size(), v,
                                 std::chars_format::scientific, kDigits - 1);
  double rounded = v;
  std::from_chars(buffer.data(), end.ptr, rounded);
  // A count stays a count, however long.
  return show_number(std::isfinite(v) && v != std::floor(v) ? rounded : v);
}

std::string show_text(std::string_view text) {
  constexpr std::size_t kShown = 60;
  constexpr char kDigits[] = "0123456789abcdef";
  std::string out = "'";
  std::size_t i = 0;
  while (i < text.size() && i < kShown) {
    const std::size_t n = utf8_character(text.substr(i));
    const std::string_view character = text.substr(i, n == 0 ? 1 : n);
    i += character.size();
    // Whatever would not come back as it is from a terminal stands as its bytes.
    if (n > 0 && log_text(character) == character) {
      out += character;
      continue;
    }
    for (const char byte : character) {
      const auto c = static_cast<unsigned char>(byte);
      out += {'\\', 'x', kDigits[c >> 4], kDigits[c & 15]};
    }
  }
  return out + (i < text.size() ? "...'" : "'");
}

std::string join_names(std::span<const std::string> names, std::size_t limit) {
  std::string out;
  for (std::size_t i = 0; i < names.size() && i < limit; ++i) {
    if (i > 0) out += ", ";
    out += names[i];
  }
  if (names.size() > limit) out += " and " + std::to_string(names.size() - limit) + " more";
  return out;
}

Nearest nearest_name(std::string_view wrong, std::span<const std::string> allowed) {
  if (wrong.size() > kNameLengthMax) return {};
  const std::string mine = comparable(wrong);
  for (const std::string& name : allowed) {
    const std::string theirs = comparable(name);
    if (mine != theirs && stem(mine) == stem(theirs)) return {name, true, true};
  }
  Nearest best;
  std::size_t best_distance = ~std::size_t{0};
  for (const std::string& name : allowed) {
    if (name.size() > kNameLengthMax) continue;
    const std::size_t distance = edit_distance(mine, comparable(name));
    if (distance < best_distance) {
      best_distance = distance;
      best.name = name;
    }
  }
  best.near = best_distance <= std::max<std::size_t>(2, mine.size() / 2);
  return best;
}

std::string did_you_mean(std::string_view wrong, std::span<const std::string> allowed) {
  const Nearest nearest = nearest_name(wrong, allowed);
  if (nearest.name.empty()) return "";
  if (!nearest.near) return " (nearest: '" + nearest.name + "')";
  return " (did you mean '" + nearest.name + "'?)";
}

}  // namespace winnow
