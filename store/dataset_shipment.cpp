#include "store/dataset_shipment.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "base/check.hpp"
#include "store/dataset_columns.hpp"
#include "store/dataset_files.hpp"
#include "store/market_book.hpp"
#include "store/market_shelf.hpp"

namespace winnow::store {
namespace {

namespace fs = std::filesystem;

std::uint64_t chunk_count(std::uint64_t bytes) { return (bytes + kChunkBytes - 1) / kChunkBytes; }

std::uint64_t chunk_size(const Shipment& shipment, std::uint32_t index) {
  return std::min<std::uint64_t>(kChunkBytes, shipment.bytes - std::uint64_t{index} * kChunkBytes);
}

Result<std::string> read_at(int fd, std::uint64_t offset, std::uint64_t bytes,
                            const fs::path& file) {
  std::string out(bytes, '\0');
  for (std::size_t used = 0; used < bytes;) {
    const ssize_t n =
        ::pread(fd, out.data() + used, bytes - used, static_cast<off_t>(offset + used));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return io_error("read", file, errno);
    if (n == 0) return Error(ErrorCode::Corrupt, file.string() + " ends early");
    used += static_cast<std::size_t>(n);
  }
  return out;
}

Status write_at(int fd, std::uint64_t offset, std::string_view bytes, const fs::path& file) {
  while (!bytes.empty()) {
    const ssize_t n = ::pwrite(fd, bytes.data(), bytes.size(), static_cast<off_t>(offset));
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return io_error("write", file, n == 0 ? ENOSPC : errno);
    bytes.remove_prefix(static_cast<std::size_t>(n));
    offset += static_cast<std::uint64_t>(n);
  }
  return {};
}

/// All bytes of a column file against the content hash. Fails: NotFound, Corrupt, Io.
Status check_columns(const fs::path& file, const std::string& content_hash) {
  auto columns = MappedColumns::open(file);
  if (!columns) return columns.error();
  if (const Status whole = (*columns)->verify(); !whole) {
    return whole.error().within(file.string());
  }
  if (const Status market = check_market((*columns)->view()); !market) {
    return Error(ErrorCode::Corrupt, file.string() + ": " + market.error().text());
  }
  if (const auto hash = market_content_hash((*columns)->view()); hash != content_hash) {
    return Error(ErrorCode::Corrupt, file.string() + ": the columns hash to " + hash);
  }
  return {};
}

fs::path shipped_path(const DatasetStore& store, std::string_view hash) {
  return store.folder() / "shipped" / hash;
}

}  // namespace

Status check_shipment(const Shipment& shipment) {
  const auto bad = [&](const std::string& what) {
    return Error(ErrorCode::Corrupt,
                 "shipment of dataset '" + shipment.content_hash + "': " + what);
  };
  if (!is_content_hash(shipment.content_hash)) return bad("this is no content hash");
  if (shipment.bytes == 0 || shipment.bytes > kShipmentBytesMax) {
    return bad(std::to_string(shipment.bytes) + " bytes; 1 to " +
               std::to_string(kShipmentBytesMax) + " are allowed");
  }
  if (shipment.chunks.size() != chunk_count(shipment.bytes)) {
    return bad(std::to_string(shipment.chunks.size()) + " chunks are not " +
               std::to_string(shipment.bytes) + " bytes");
  }
  const auto manifest = Manifest::from_json(shipment.manifest_json);
  if (!manifest) return bad(manifest.error().text());
  if (manifest->content_hash != shipment.content_hash) {
    return bad("its manifest is of " + manifest->content_hash);
  }
  return DatasetStore::check_name(manifest->name);
}

// ---- sending

Result<DatasetOrigin> DatasetOrigin::open(const DatasetStore& store, std::string_view hash) {
  if (!is_content_hash(hash)) {
    return Error(ErrorCode::InvalidInput, "'" + std::string(hash) + "' is no content hash");
  }
  auto manifest = store.manifest(hash);
  if (!manifest) return manifest.error();
  DatasetOrigin origin;
  origin.file_ = store.columns_file(hash);
  const Status good = check_columns(origin.file_, manifest->content_hash);
  if (!good) return good.error().within("the copy of dataset " + manifest->name + " here");
  Manifest slim = *manifest;
  slim.raw_files.clear();
  slim.repairs.clear();
  slim.truth_json.clear();
  slim.parent.clear();
  // Nobody saw those days, and nobody is to see them for having the bars elsewhere.
  const auto book = MarketBook::read(store);
  if (!book) return book.error();
  const Market* market = book->of(manifest->content_hash);
  slim.sealed_from_day = market == nullptr ? std::nullopt : market->sealed_from_day;
  Shipment& shipment = origin.shipment_;
  shipment.content_hash = manifest->content_hash;
  shipment.manifest_json = slim.to_json();
  std::error_code error;
  shipment.bytes = fs::file_size(origin.file_, error);
  if (error) return io_error("read", origin.file_, error.value());
  if (shipment.bytes > kShipmentBytesMax) {
    return Error(ErrorCode::Refused, "dataset " + manifest->name + " has " +
                                         std::to_string(shipment.bytes) + " bytes; at most " +
                                         std::to_string(kShipmentBytesMax) + " can be shipped");
  }
  const int fd = ::open(origin.file_.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return io_error("open", origin.file_, errno);
  const std::uint64_t count = chunk_count(shipment.bytes);
  for (std::uint32_t i = 0; i < count; ++i) {
    const auto bytes =
        read_at(fd, std::uint64_t{i} * kChunkBytes, chunk_size(shipment, i), origin.file_);
    if (!bytes) {
      ::close(fd);
      return bytes.error();
    }
    shipment.chunks.push_back(hash128(*bytes));
  }
  ::close(fd);
  return origin;
}

Result<std::string> DatasetOrigin::chunk(std::uint32_t index) const {
  if (index >= shipment_.chunks.size()) {
    return Error(ErrorCode::InvalidInput, "dataset " + shipment_.content_hash + " has " +
                                              std::to_string(shipment_.chunks.size()) +
                                              " chunks, no number " + std::to_string(index));
  }
  const int fd = ::open(file_.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return io_error("open", file_, errno);
  auto bytes = read_at(fd, std::uint64_t{index} * kChunkBytes, chunk_size(shipment_, index), file_);
  ::close(fd);
  if (!bytes) return bytes;
  if (hash128(*bytes) != shipment_.chunks[index]) {
    return Error(ErrorCode::Corrupt, file_.string() + ": chunk " + std::to_string(index) +
                                         " is damaged since the file was opened");
  }
  return bytes;
}

// ---- receiving

PartialDataset::PartialDataset(const DatasetStore& store, Shipment shipment)
    : store_(store),
      shipment_(std::move(shipment)),
      file_(store.folder() / "partial" / (shipment_.content_hash + ".cols")) {}

PartialDataset::PartialDataset(PartialDataset&& other) noexcept
    : store_(std::move(other.store_)),
      shipment_(std::move(other.shipment_)),
      file_(std::move(other.file_)),
      fd_(std::exchange(other.fd_, -1)),
      missing_(std::move(other.missing_)) {}

PartialDataset::~PartialDataset() {
  if (fd_ >= 0) ::close(fd_);
}

Result<PartialDataset> PartialDataset::open(const DatasetStore& store, const Shipment& shipment) {
  WINNOW_TRY(check_shipment(shipment));
  PartialDataset partial(store, shipment);
  for (const char* part : {"partial", "columns", "names", "shipped"}) {
    WINNOW_TRY(make_folder(store.folder() / part));
  }
  WINNOW_TRY(partial.resume());
  return partial;
}

// No list of what is there is kept beside the file: the bytes themselves say it, and cannot lie.
Status PartialDataset::resume() {
  fd_ = ::open(file_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
  if (fd_ < 0) return io_error("open", file_, errno);
  if (::flock(fd_, LOCK_EX | LOCK_NB) != 0) {
    return Error(ErrorCode::Unavailable,
                 "another process is fetching dataset " + shipment_.content_hash);
  }
  if (::ftruncate(fd_, static_cast<off_t>(shipment_.bytes)) != 0) {
    return io_error("grow", file_, errno);
  }
  for (std::uint32_t i = 0; i < shipment_.chunks.size(); ++i) {
    const auto bytes =
        read_at(fd_, std::uint64_t{i} * kChunkBytes, chunk_size(shipment_, i), file_);
    if (!bytes) return bytes.error();
    if (hash128(*bytes) != shipment_.chunks[i]) missing_.push_back(i);
  }
  return {};
}

Status PartialDataset::put(std::uint32_t index, std::string_view bytes) {
  const auto wrong = [&](ErrorCode code, const std::string& what) {
    return Error(code, "dataset " + shipment_.content_hash + ", chunk " + std::to_string(index) +
                           ": " + what);
  };
  if (index >= shipment_.chunks.size()) {
    return wrong(ErrorCode::InvalidInput,
                 "there are only " + std::to_string(shipment_.chunks.size()));
  }
  const auto place = std::lower_bound(missing_.begin(), missing_.end(), index);
  if (place == missing_.end() || *place != index) return {};
  if (bytes.size() != chunk_size(shipment_, index) || hash128(bytes) != shipment_.chunks[index]) {
    return wrong(ErrorCode::Corrupt, "its bytes have another hash than the list of chunks says");
  }
  WINNOW_TRY(write_at(fd_, std::uint64_t{index} * kChunkBytes, bytes, file_));
  missing_.erase(place);
  WINNOW_INVARIANT(missing_.size() < shipment_.chunks.size());
  return {};
}

Result<Manifest> PartialDataset::finish() {
  WINNOW_REQUIRES(complete());
  if (const Status good = check_columns(file_, shipment_.content_hash); !good) {
    ::unlink(file_.c_str());  // nothing of it is worth keeping
    return good.error();
  }
  if (::fsync(fd_) != 0) return io_error("sync", file_, errno);
  const auto manifest = Manifest::from_json(shipment_.manifest_json);
  if (!manifest) return manifest.error();
  return make_visible(*manifest);
}

Status PartialDataset::bring_seal(const Manifest& manifest, FileTransaction& files) const {
  if (!manifest.sealed_from_day) return {};
  auto shelf = MarketShelf::read(store_.files());
  if (!shelf) return shelf.error();
  if (shelf->find(manifest.content_hash) == nullptr) {
    const auto columns = MappedColumns::open(file_);
    if (!columns) return columns.error();
    WINNOW_TRY(shelf->place(MarketRecord::of(manifest), (*columns)->view()));
  }
  const std::vector<SealEntry>& known = shelf->find(manifest.content_hash)->seals;
  const bool sealed = std::any_of(known.begin(), known.end(), [&](const SealEntry& seal) {
    return seal.from_day && *seal.from_day <= *manifest.sealed_from_day;
  });
  if (sealed) return {};
  shelf->add_seal(manifest.content_hash, {.from_day = manifest.sealed_from_day,
                                          .asked = "sealed where it came from",
                                          .by = {},
                                          .at = manifest.created});
  return shelf->write(files);
}

Result<Manifest> PartialDataset::make_visible(const Manifest& manifest) {
  const fs::path& folder = store_.folder();
  const auto lock = WriterLock::acquire(folder / "writer.lock");
  if (!lock) return lock.error();
  WINNOW_TRY(make_folder(folder / "tmp"));
  FileTransaction files(folder / "tmp");
  const fs::path name = folder / "names" / manifest.name;
  const fs::path described = name / (manifest.content_hash + ".json");
  const fs::path mark = shipped_path(store_, manifest.content_hash);
  std::error_code ignored;
  // What was imported here and whose columns were damaged is whole again, and stays no copy.
  const bool original = fs::exists(described, ignored) && !fs::exists(mark, ignored);
  // The mark first: what is then half there can be dropped, which is harmless.
  if (!original) WINNOW_TRY(files.write(mark, ""));
  // As an import does it: a crash may leave a seal without its dataset, never the other way round.
  WINNOW_TRY(bring_seal(manifest, files));
  const fs::path columns = store_.columns_file(manifest.content_hash);
  if (::rename(file_.c_str(), columns.c_str()) != 0) {
    return io_error("rename into place", columns, errno);
  }
  WINNOW_TRY(make_folder(name));
  if (!original) WINNOW_TRY(files.write(described, shipment_.manifest_json));
  // A name that is here already is somebody's; runs find their dataset by hash.
  if (!fs::exists(name / "current", ignored)) {
    WINNOW_TRY(files.write(name / "current", manifest.content_hash + "\n"));
  }
  files.keep();
  return manifest;
}

// ---- what may go again

std::vector<ShippedCopies::Copy> ShippedCopies::list() const {
  std::vector<std::pair<fs::file_time_type, Copy>> found;
  std::error_code error;
  for (fs::directory_iterator it(store_.folder() / "shipped", error), end; !error && it != end;
       it.increment(error)) {
    const std::string hash = it->path().filename().string();
    std::error_code gone;
    const auto used = it->last_write_time(gone);
    const std::uint64_t bytes = fs::file_size(store_.columns_file(hash), gone);
    if (is_content_hash(hash) && !gone) found.push_back({used, {hash, bytes}});
  }
  std::sort(found.begin(), found.end(), [](const auto& a, const auto& b) {
    return std::tie(a.first, a.second.content_hash) < std::tie(b.first, b.second.content_hash);
  });
  std::vector<Copy> out;
  for (auto& [used, copy] : found) out.push_back(std::move(copy));
  return out;
}

void ShippedCopies::touch(std::string_view content_hash) const {
  // Not there: it is no copy. Not possible: it only goes sooner.
  (void)::utimensat(AT_FDCWD, shipped_path(store_, content_hash).c_str(), nullptr, 0);
}

Status ShippedCopies::drop(std::string_view content_hash) const {
  const auto lock = WriterLock::acquire(store_.folder() / "writer.lock");
  if (!lock) return lock.error();
  std::error_code error;
  for (const std::string& name : store_.names()) {
    const fs::path folder = store_.folder() / "names" / name;
    const fs::path manifest = folder / (std::string(content_hash) + ".json");
    if (!fs::exists(manifest, error)) continue;
    const auto current = read_whole_file(folder / "current");
    if (current && current->starts_with(content_hash)) fs::remove(folder / "current", error);
    fs::remove(manifest, error);
    fs::remove(folder, error);  // goes only if it is empty
  }
  fs::remove(store_.columns_file(content_hash), error);
  if (error) return io_error("remove", store_.columns_file(content_hash), error.value());
  fs::remove(shipped_path(store_, content_hash), error);
  return {};
}

}  // namespace winnow::store
