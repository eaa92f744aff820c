#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "store/import/times.hpp"

namespace winnow::store {

/// What a volume counts. Stored volumes are in base units.
enum class VolumeUnit : std::uint8_t {
  Unsaid,  ///< by the layout: base unless the file or the instrument says otherwise
  Base,
  Quote,      ///< divided by the mean of open, high, low and close
  Contracts,  ///< times a contract's size in base units
  None        ///< there is none, or it counts ticks: stored as 0
};
struct VolumeMeaning {
  VolumeUnit unit = VolumeUnit::Unsaid;
  double contract_size = 0;  ///< of Contracts; 0: not told
};
/// `base`, `quote`, `contracts`, `contracts:0.01`, `none`. Fails: InvalidInput.
Result<VolumeMeaning> parse_volume_unit(std::string_view text);

enum class HeaderLine : std::uint8_t { Found, Yes, No };  ///< Found: by what the first lines hold

/// What is special about a maker's files beyond their columns.
enum class MakerHabit : std::uint8_t {
  None,
  TicksForVolume,    ///< a column of tick counts unless one of real volume is there
  VolumeNamesAsset,  ///< `Volume BTC` beside `Volume USDT`
  PairsInQuote,      ///< volume of currency pairs in the quote, of shares in pieces
  SwapsUnsaid,       ///< volume of swaps is as each venue counts it
  InverseInQuote,    ///< volume of inverse contracts in the quote
};

/// Purpose: how one maker writes tables of bars, or one's own column map. Column names are compared
/// without case, blanks and brackets; a number is a position from 1. An empty name is found among
/// the usual ones.
struct Layout {
  std::string name = "ohlcv";
  std::string about{};
  char delimiter = 0;  ///< 0: found
  char decimal = 0;    ///< 0: found
  char thousands = 0;
  char comment = '#';
  std::size_t skip_lines = 0;
  HeaderLine header = HeaderLine::Found;
  /// Of tables without a header, by their width: names of columns in order, `-` for one that is
  /// passed over.
  struct Shape {
    std::size_t width;
    std::string_view columns;
  };
  std::vector<Shape> shapes{};
  std::string time{};
  std::string clock{};  ///< a second column with the time of day
  TimeSpec spec{};
  std::string zone{};  ///< of times that name none; empty: asked for, else UTC with a note
  bool stamped_at_close = false;
  std::array<std::string, 4> prices{};  ///< open, high, low, close
  std::string volume{};
  VolumeMeaning volume_meaning{};
  bool volume_optional = false;
  bool skip_missing = false;  ///< rows without any price are no bars (days without trade)
  MakerHabit habit = MakerHabit::None;
};

/// The layouts that have a name.
std::span<const Layout> named_layouts();
/// Null: no such name.
const Layout* find_layout(std::string_view name);
/// Their names in one line.
std::string layout_names();

}  // namespace winnow::store
