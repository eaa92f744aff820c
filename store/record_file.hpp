#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "store/ledger_head.hpp"

namespace winnow::store {

// What was opened and what was shown, in a file beside the store's folder, so that an older copy of
// the folder does not make it forget. Lines are only added:
//
//   winnow-record 1 ID                  (of the ledger's birth)
//   XXH3-128 ["KIND","KEY","TEXT"]      (the hash of what follows it)
//
// A document on record only grows, so of two versions the longer one is the later.

/// Documents of these kinds are on record: accounts and what they opened (sweeps/level), days that
/// were shown, days that are kept.
inline constexpr std::array<std::string_view, 4> kRecordKinds{"account", "opened", "shown", "seal"};
constexpr bool is_record_kind(std::string_view kind) {
  return std::find(kRecordKinds.begin(), kRecordKinds.end(), kind) != kRecordKinds.end();
}

struct RecordLine {
  std::string kind, key, text;
};

/// Purpose: what a record file says from some byte on.
struct RecordTail {
  std::string birth_id;           ///< empty: there is no file, or none of this form
  std::vector<RecordLine> lines;  ///< in order; damaged ones are left out
  std::uint64_t end = 0;          ///< byte after the last whole line
  std::uint64_t damaged = 0;      ///< lines that are not what was written
};

/// HOME/store.record for HOME/store.
std::filesystem::path record_file(const std::filesystem::path& store);
/// From its start if it is shorter than `from`. A last line that was cut is not part of it. Fails:
/// Io, InvalidInput (more than 1 GiB).
Result<RecordTail> read_record(const std::filesystem::path& file, std::uint64_t from);

/// Purpose: adds to a record file. Thread: one at a time. Owner: the store's one writer.
class RecordWriter {
 public:
  /// `end`: where whole lines end; what follows is cut off. 0: a new file.
  RecordWriter(std::filesystem::path file, std::string birth_id, std::uint64_t end, HeadSync sync)
      : file_(std::move(file)), birth_id_(std::move(birth_id)), end_(end), sync_(sync) {}

  /// On disk when it returns. Fails: Io; then the file is as it was.
  Status add(const RecordLine& line);
  std::uint64_t end() const { return end_; }

 private:
  std::filesystem::path file_;
  std::string birth_id_;
  std::uint64_t end_;
  HeadSync sync_;
};

}  // namespace winnow::store
