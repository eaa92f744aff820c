#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace winnow {

/// A number as a person would write it: the shortest text that reads back as the same double.
std::string show_number(double v);

/// The same for reading rather than reading back: what has more than six significant digits, as
/// sampled values do, is rounded to them.
std::string show_rounded(double v);

/// Text from a file made safe to print: quoted, control characters and bytes that are no UTF-8
/// escaped, cut after 60 bytes or the character that they end in.
std::string show_text(std::string_view text);

/// `a, b, c`; after `limit` names `and N more`.
std::string join_names(std::span<const std::string> names, std::size_t limit = 40);

/// The allowed name that the wrong one most likely meant: one with the same stem but another unit
/// (`stop_pct` for `stop_bps`), else the nearest by edit distance.
struct Nearest {
  std::string name;         ///< empty if nothing is allowed or the wrong name is very long
  bool wrong_unit = false;  ///< the same stem with another unit
  bool near = false;        ///< close enough for a slip
};
Nearest nearest_name(std::string_view wrong, std::span<const std::string> allowed);

/// ` (did you mean 'x'?)` or ` (nearest: 'x')`; empty if there is none.
std::string did_you_mean(std::string_view wrong, std::span<const std::string> allowed);

}  // namespace winnow
