#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"

namespace winnow::store {

/// A block whose commit is about to be acknowledged.
struct NamedBlock {
  std::string_view sweep;
  std::uint64_t block = 0;
};

/// RocksDB's newest log as it was at some moment.
struct LogPlace {
  std::uint64_t number = 0;
  std::uint64_t bytes = 0;
};

/// Purpose: how far the store was when it last acknowledged something, in a file of its own beside
/// the logs (`dir/ACKNOWLEDGED`). A log that is cut at a record's end, or gone, looks to RocksDB
/// like one that was never written further; this says that it was, and names the last blocks.
/// Owner: the writer's RocksStore. Thread: one at a time.
/// Invariants: written only after what it says is on disk, so that it never promises too much; not
/// synced itself, so that after a power cut it may promise too little.
/// Limits: kNamesMax blocks are named, the latest.
class HighWater {
 public:
  static constexpr std::size_t kNamesMax = 4096;
  static constexpr std::string_view kFileName = "ACKNOWLEDGED";

  struct Mark {
    std::uint64_t sequence = 0;  ///< RocksDB's number of the last change that was acknowledged
    LogPlace log;                ///< as it was then
  };
  /// Nothing if there is none, or one that cannot be read.
  static std::optional<Mark> read(const std::filesystem::path& dir);

  /// Whether the newest log is the one of the mark, at least as long: then nothing is missing.
  static bool log_is_there(const std::filesystem::path& dir, const Mark& mark);

  /// The refusal to open a store that ends at `sequence`, before the mark: what is missing.
  static Error missing(const std::filesystem::path& dir, const Mark& mark, std::uint64_t sequence);

  /// For a writer. Null if there is no room for the file: then nothing is noted.
  static std::unique_ptr<HighWater> open(const std::filesystem::path& dir);
  ~HighWater();
  HighWater(const HighWater&) = delete;
  HighWater& operator=(const HighWater&) = delete;

  /// Everything up to `mark` is on disk, with these blocks.
  void note(const Mark& mark, std::span<const NamedBlock> blocks);

 private:
  explicit HighWater(int fd, std::uint64_t named) : fd_(fd), named_(named) {}
  int fd_;
  std::uint64_t named_;  ///< blocks ever
};

}  // namespace winnow::store
