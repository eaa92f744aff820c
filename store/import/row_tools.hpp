// What the readers of tables share; not for use outside import/.
#pragma once

#include <array>
#include <string>
#include <string_view>
#include <vector>

#include "store/import/formats.hpp"

namespace winnow::store::rows {

inline constexpr std::string_view kNumberAllowed = "a decimal number is allowed";

Error bad_value(const CsvReader& csv, std::string_view column, std::string_view value,
                std::string_view allowed);

/// Exactly so many fields, but for empty ones behind: a row with more fields than names would be
/// read shifted.
Status need_fields(const CsvReader& csv, std::size_t expected);

/// Indices of open, high, low, close, volume.
using PriceColumns = std::array<std::size_t, 5>;
inline constexpr std::array<std::string_view, 5> kPriceNames{"open", "high", "low", "close",
                                                             "volume"};
Status append_prices(const CsvReader& csv, const PriceColumns& at, BarRows& rows);

std::uint32_t add_file(std::vector<std::string>& files, const std::string& name);
void reserve(BarRows& rows, std::size_t bytes);
bool is_integer(std::string_view field);

/// Turns times of the wall's clock into UTC, in place; `offset_ns` becomes how far the wall is
/// ahead. Of a time that came twice (clocks set back) the order of the rows tells which. Rows whose
/// time never was (clocks set forward) are listed in `skipped`. Without a zone they are UTC.
void resolve_local(std::vector<ParsedTime>& times, const TimeZone* zone, const std::string& table,
                   std::vector<std::size_t>& skipped, std::vector<std::string>& notes);

/// Whether a table's volume may be in base units, by what the venue says it was worth.
enum class VolumeSeems {
  Unknown,
  Base,       ///< value = volume * price
  Contracts,  ///< value = volume * size * price, the same size in nearly every row
  Quote       ///< value * price = volume: the other column counts the base
};
struct VolumeEvidence {
  VolumeSeems seems = VolumeSeems::Unknown;
  double size = 1;
};
/// `value` per row from `first` on; NaN where it is not told.
VolumeEvidence volume_evidence(const BarRows& rows, std::size_t first,
                               const std::vector<double>& value);

/// Open, high, low and close together: what a bar's units were worth, on the whole.
inline double mean_px(const MarketColumns& c, std::size_t i) {
  return (c.open[i] + c.high[i] + c.low[i] + c.close[i]) / 4;
}

/// Rows from `first` on in base units.
void scale_volume(BarRows& rows, std::size_t first, VolumeMeaning meaning);

/// The first line is no header of this layout.
Error not_a_header(const CsvReader& csv, std::string_view expected);
/// From row `first` on another column counts the base: it becomes the volume.
void take_other(BarRows& rows, std::size_t first, const std::vector<double>& other,
                const std::string& note);

}  // namespace winnow::store::rows
