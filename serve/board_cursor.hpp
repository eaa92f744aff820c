#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/hash.hpp"
#include "base/result.hpp"

namespace winnow::serve {

/// Purpose: where a page of a leaderboard ended: the question it belongs to and the last variant
/// shown. Results never change, so the next page begins after that variant wherever it stands now,
/// whatever was committed since: no row comes twice. (Of variants with the same daily returns only
/// the first is a row: one whose better-ranked twin came meanwhile, on a page that is past, has no
/// row any more.)
struct BoardCursor {
  std::string sweep;  ///< id
  std::string by;
  std::string where;
  bool all = false;        ///< a row a variant
  Hash128 committed;       ///< which blocks had results
  std::uint64_t last = 0;  ///< trial of the last row

  /// Opaque: letters and digits only.
  std::string text() const;
  /// Fails: InvalidInput: not a whole cursor of this program.
  static Result<BoardCursor> read(std::string_view text);
};

}  // namespace winnow::serve
