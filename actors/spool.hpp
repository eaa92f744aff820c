#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "actors/protocol.hpp"
#include "base/result.hpp"

namespace winnow::actors {

struct SpoolOptions {
  std::uint64_t bytes_max = std::uint64_t{4} << 30;       ///< of all segments together
  std::uint64_t segment_bytes = std::uint64_t{16} << 20;  ///< a new file is begun from here on
};

/// Purpose: computed blocks that no coordinator has acknowledged, on disk. A folder of numbered
/// segment files to which checksummed records are appended; a file goes when the last of its
/// blocks is forgotten. Forgetting writes nothing: a block that is sent again after a crash is
/// found equal.
/// Owner: SpoolKeeper. Thread: one. Processes: a lock gives a folder to one spool at a time; the
/// next one in the same folder adopts what its predecessor left.
/// Invariants: what put() wrote survives the end of the process at once, and the end of the machine
/// after sync().
class Spool {
 public:
  using Key = std::pair<std::string, std::uint64_t>;  ///< sweep and block

  /// Takes the first free slot (0, 1, ...) below `folder` and moves into it what dead spools left
  /// in others. A torn end of a file is cut off. A file that is damaged elsewhere is renamed to
  /// *.refused and told in refused(); its records before the damage are kept. Fails: Io,
  /// Unavailable (kSlotsMax spools live here).
  static Result<std::unique_ptr<Spool>> open(const std::filesystem::path& folder,
                                             const SpoolOptions& options = {});
  ~Spool();  ///< an empty spool leaves no folder
  Spool(const Spool&) = delete;
  Spool& operator=(const Spool&) = delete;

  /// A key that is there already is kept as it is. Fails: Refused (bytes_max), Io (disk full); then
  /// the spool is as it was.
  Status put(const BlockResult& result);
  /// Fails: Io.
  Status sync();
  void forget(const Key& key);
  /// Fails: NotFound, Corrupt (file and offset), Io.
  Result<BlockResult> read(const Key& key) const;

  /// All keys, ascending.
  std::vector<Key> keys() const;
  bool holds(const Key& key) const { return records_.contains(key); }
  std::size_t blocks() const { return records_.size(); }
  std::uint64_t bytes() const { return bytes_; }
  const std::filesystem::path& folder() const { return folder_; }
  /// One line a file that was damaged: file, offset, what is wrong.
  const std::vector<std::string>& refused() const { return refused_; }

  static constexpr std::size_t kSlotsMax = 256;

 private:
  struct Place {
    std::uint64_t segment = 0;
    std::uint64_t offset = 0;
    std::uint32_t bytes = 0;  ///< of the body
  };
  struct Segment {
    std::uint64_t bytes = 0;
    std::size_t live = 0;
  };
  Spool(std::filesystem::path folder, int lock, const SpoolOptions& options)
      : options_(options), folder_(std::move(folder)), lock_(lock) {}

  std::filesystem::path path_of(std::uint64_t segment) const;
  std::uint64_t next_number() const {
    return segments_.empty() ? 1 : segments_.rbegin()->first + 1;
  }
  Status adopt_slot(const std::filesystem::path& slot);
  Status load();
  Status load_segment(std::uint64_t number);
  Status begin_segment();
  Status append(const std::string& record);

  SpoolOptions options_;
  std::filesystem::path folder_;
  int lock_ = -1;
  int active_fd_ = -1;
  std::uint64_t active_ = 0;  // number of the segment that is written; 0: none
  std::uint64_t bytes_ = 0;
  std::map<std::uint64_t, Segment> segments_;
  std::map<Key, Place> records_;
  std::vector<std::string> refused_;
};

}  // namespace winnow::actors
