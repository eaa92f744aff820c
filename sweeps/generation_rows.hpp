#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"

namespace winnow::sweeps {

/// Consecutive trials of one segment that a search has chosen. Values travel to nodes as they are,
/// so that nobody but the coordinator runs the search.
struct GenerationRows {
  std::uint32_t segment = 0;
  std::uint64_t first_row = 0;      ///< in the segment
  std::uint32_t width = 0;          ///< parameters of the family
  std::vector<double> values;       ///< [row][parameter]
  std::vector<std::uint8_t> rungs;  ///< one a row; the same within a block
  std::string checkpoint;           ///< of the search, this generation open; may be empty

  std::uint64_t rows() const { return rungs.size(); }
  /// Rows [first, first + count) of the segment, without the checkpoint. Requires: they are here.
  GenerationRows slice(std::uint64_t first, std::uint64_t count) const;
};

/// Bytes with a version and a checksum: a Boost.Serialization archive.
std::string encode_generation(const GenerationRows& rows);
/// Fails: Corrupt, if the bytes are damaged or of a later version.
Result<GenerationRows> decode_generation(std::string_view bytes);

}  // namespace winnow::sweeps
