#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/hash.hpp"
#include "base/result.hpp"
#include "store/dataset_folder.hpp"
#include "store/dataset_store.hpp"

namespace winnow::store {

/// Small against a link's timeout and against what else travels beside it.
inline constexpr std::uint32_t kChunkBytes = std::uint32_t{512} << 10;
/// Of one dataset's column file: what a list of 16-byte hashes in half a frame can name.
inline constexpr std::uint64_t kShipmentBytesMax = std::uint64_t{32768} * kChunkBytes;

class FileTransaction;

/// What a dataset's copy is made of: its manifest with the seal of its market, its column file's
/// size and the XXH3-128 of each chunk of kChunkBytes (the last may be shorter).
struct Shipment {
  std::string content_hash;
  std::string manifest_json;  ///< without raw files, repairs and truth, which stay at the origin
  std::uint64_t bytes = 0;
  std::vector<Hash128> chunks;
};
/// Fails: Corrupt if its parts do not agree with one another or are beyond the limits above.
Status check_shipment(const Shipment& shipment);

/// Purpose: the sending side of a dataset: every byte was checked against the content hash when it
/// was opened, and each chunk again when it is read. Thread: any.
class DatasetOrigin {
 public:
  /// Fails: NotFound, Corrupt (the copy here is damaged), Io, Refused (too large).
  static Result<DatasetOrigin> open(const DatasetStore& store, std::string_view content_hash);

  const Shipment& shipment() const { return shipment_; }
  /// Fails: InvalidInput (no such chunk), Corrupt (not what it was at open()), Io.
  Result<std::string> chunk(std::uint32_t index) const;

 private:
  std::filesystem::path file_;
  Shipment shipment_;
};

/// Purpose: the receiving side: a partial file that takes chunks in any order, survives its
/// process, and becomes a dataset of the store only when every byte is right.
/// Thread: one. Processes: one at a time for one dataset, which a lock sees to.
class PartialDataset {
 public:
  /// Resumes what an earlier process began, believing only chunks whose hashes are right. Fails:
  /// Corrupt (the shipment), Io, Unavailable (another process fetches the same dataset).
  static Result<PartialDataset> open(const DatasetStore& store, const Shipment& shipment);
  PartialDataset(PartialDataset&& other) noexcept;
  PartialDataset& operator=(PartialDataset&&) = delete;
  ~PartialDataset();

  /// Chunks that are not here, ascending.
  const std::vector<std::uint32_t>& missing() const { return missing_; }
  bool complete() const { return missing_.empty(); }
  /// Fails: Corrupt (its hash is not the shipment's), InvalidInput (no such chunk), Io. A chunk
  /// that is here already changes nothing.
  Status put(std::uint32_t index, std::string_view bytes);
  /// Verifies the whole against the content hash and makes it visible. Requires: complete(). Fails:
  /// Corrupt (the partial file is then gone), Io.
  Result<Manifest> finish();

 private:
  PartialDataset(const DatasetStore& store, Shipment shipment);
  Status resume();
  Result<Manifest> make_visible(const Manifest& manifest);
  /// The seal that came with it, if the market here has none that begins as early.
  Status bring_seal(const Manifest& manifest, FileTransaction& files) const;

  DatasetStore store_;
  Shipment shipment_;
  std::filesystem::path file_;
  int fd_ = -1;
  std::vector<std::uint32_t> missing_;
};

/// Purpose: which of a store's datasets came as copies, and when each was last of use: the files
/// HOME/data/shipped/HASH, whose times say it. Only these may be dropped again. Thread: any.
class ShippedCopies {
 public:
  explicit ShippedCopies(const DatasetStore& store) : store_(store) {}

  struct Copy {
    std::string content_hash;
    std::uint64_t bytes = 0;
  };
  /// Least recently used first.
  std::vector<Copy> list() const;
  void touch(std::string_view content_hash) const;
  /// Manifests and columns go; mappings that are open stay valid. Fails: Io.
  Status drop(std::string_view content_hash) const;

 private:
  DatasetStore store_;
};

}  // namespace winnow::store
