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
};

inline constexpr std::uint64_t kUnpackedBytesMax = std::uint64_t{8} << 30;

/// Reads a file whole, unpacking gzip (also several members) and ZIP (every member named *.csv or
/// *.txt) as its first bytes say, whatever its name. Requires nothing. Fails: NotFound; Io;
/// InvalidInput for truncated or damaged archives, empty files, binary content and more than
/// `unpacked_bytes_max` bytes of text.
Result<SourceFile> read_source_file(const std::filesystem::path& path,
                                    std::uint64_t unpacked_bytes_max = kUnpackedBytesMax);

}  // namespace winnow::store
