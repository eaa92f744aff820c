#include "store/dataset_folder.hpp"

#include <algorithm>
#include <system_error>

namespace winnow::store {

namespace fs = std::filesystem;

bool is_content_hash(std::string_view text) {
  return text.size() == 64 && std::all_of(text.begin(), text.end(), [](char c) {
           return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
         });
}

std::vector<std::string> DatasetFolder::names() const {
  std::vector<std::string> out;
  std::error_code error;
  for (fs::directory_iterator it(folder_ / "names", error), end; !error && it != end;
       it.increment(error)) {
    std::error_code ignored;
    if (fs::exists(it->path() / "current", ignored)) out.push_back(it->path().filename().string());
  }
  std::sort(out.begin(), out.end());
  return out;
}

fs::path DatasetFolder::columns_file(std::string_view content_hash) const {
  return folder_ / "columns" / (std::string(content_hash) + ".cols");
}

}  // namespace winnow::store
