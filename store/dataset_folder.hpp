#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace winnow::store {

/// 64 lower-case hexadecimal digits.
bool is_content_hash(std::string_view text);

/// Purpose: where things lie below a folder of datasets (dataset_store.hpp has the layout), for
/// what needs no more of them than their files. Thread: any.
class DatasetFolder {
 public:
  explicit DatasetFolder(std::filesystem::path folder) : folder_(std::move(folder)) {}

  const std::filesystem::path& folder() const { return folder_; }
  /// Names that point at a version, in order.
  std::vector<std::string> names() const;
  /// Where the columns of a content hash are, or would be.
  std::filesystem::path columns_file(std::string_view content_hash) const;

 private:
  std::filesystem::path folder_;
};

}  // namespace winnow::store
