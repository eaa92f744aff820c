#pragma once

#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "sweeps/level/account_book.hpp"

namespace winnow::sweeps::level {

/// Documents of a test.
class DocumentsInMemory final : public Documents {
 public:
  Result<std::optional<std::string>> read(std::string_view kind,
                                          std::string_view key) const override {
    const auto found = texts_.find({std::string(kind), std::string(key)});
    if (found == texts_.end()) return std::optional<std::string>();
    return std::optional(found->second);
  }
  Result<std::vector<std::string>> keys(std::string_view kind,
                                        std::string_view prefix) const override {
    std::vector<std::string> out;
    for (const auto& [place, text] : texts_) {
      if (place.first == kind && place.second.starts_with(prefix)) out.push_back(place.second);
    }
    return out;
  }
  Status update(std::string_view kind, std::string_view key, const Change& change) override {
    if (full) return Error(ErrorCode::Io, "no room");
    const auto there = read(kind, key);
    const auto made = change(*there);
    if (!made) return made.error();
    texts_[{std::string(kind), std::string(key)}] = *made;
    return {};
  }

  bool full = false;

 private:
  std::map<std::pair<std::string, std::string>, std::string> texts_;
};

}  // namespace winnow::sweeps::level
