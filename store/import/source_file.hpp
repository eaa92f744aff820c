#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"

namespace winnow::store {

/// One table as text, unpacked.
struct SourceText {
  std::string name;  ///< file name, or `archive.zip/member.csv`: where error messages point
  std::string text;
};

/// One file as it lies on disk, and the tables in it.
struct SourceFile {
  std::string name;  ///< without its folder
  std::string bytes;
  std::vector<SourceText> tables;
  bool checksum_matched = false;  ///< there was a checksum beside it, and it is right
};

/// Of one file's text: thirty million bars.
inline constexpr std::uint64_t kUnpackedBytesMax = std::uint64_t{2} << 30;
/// What packs better than this is no table of bars, once it is larger than kUnpackedBytesFree.
inline constexpr std::uint64_t kUnpackedRatioMax = 200;
inline constexpr std::uint64_t kUnpackedBytesFree = std::uint64_t{64} << 20;
inline constexpr std::size_t kArchiveMembersMax = 10'000;

/// Reads a file or pipe whole, unpacking gzip (also several members) and ZIP (every member named
/// *.csv or *.txt) as its first bytes say, whatever its name. A file `NAME.CHECKSUM` beside it, as
/// archives of venues have it, is compared. Fails: NotFound; Io; InvalidInput for devices,
/// truncated or damaged archives, a wrong checksum, empty files, binary content, and what is beyond
/// the limits above.
Result<SourceFile> read_source_file(const std::filesystem::path& path,
                                    std::uint64_t unpacked_bytes_max = kUnpackedBytesMax);

}  // namespace winnow::store
