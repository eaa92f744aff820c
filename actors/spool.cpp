#include "actors/spool.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cstring>
#include <set>
#include <system_error>

#include "actors/codec.hpp"
#include "base/hash.hpp"
#include "store/dataset_files.hpp"

namespace winnow::actors {
namespace {

namespace fs = std::filesystem;
using store::io_error;

// A file is "WNWSPL01" and records: magic, body length, XXH3-128 of the body, body. A body is the
// wire's BlockResult. All numbers are little-endian.
constexpr std::string_view kFileMagic = "WNWSPL01";
constexpr std::uint32_t kRecordMagic = 0x4b4c4257;  // "WBLK"
constexpr std::size_t kHeadBytes = 24;
constexpr std::string_view kExtension = ".spool";

std::string record_of(const BlockResult& result) {
  const Frame frame = encode(result, 0);
  const auto length = static_cast<std::uint32_t>(frame.body.size());
  const Hash128 hash = hash128(frame.body);
  std::string out(kHeadBytes, '\0');
  std::memcpy(out.data(), &kRecordMagic, 4);
  std::memcpy(out.data() + 4, &length, 4);
  std::memcpy(out.data() + 8, &hash.high, 8);
  std::memcpy(out.data() + 16, &hash.low, 8);
  return out + frame.body;
}

Result<BlockResult> result_of(std::string body) {
  Frame frame;
  frame.kind = kind_of<BlockResult>();
  frame.body = std::move(body);
  return decode<BlockResult>(frame);
}

enum class Verdict { Good, Torn, Damaged, End };
struct Parsed {
  Verdict verdict = Verdict::End;
  std::string_view body;
  const char* what = "";
};

bool all_zero(std::string_view bytes) {
  return std::all_of(bytes.begin(), bytes.end(), [](char c) { return c == 0; });
}

/// The record at the start of `rest`, which reaches to the end of its file. Torn is what a write
/// that was cut off leaves: too few bytes, or zeros where a file system had grown the file but not
/// written it yet.
Parsed parse(std::string_view rest) {
  if (rest.empty()) return {};
  if (all_zero(rest)) return {Verdict::Torn, {}, "zeros to the end"};
  if (rest.size() < kHeadBytes) return {Verdict::Torn, {}, "a record's head is cut off"};
  std::uint32_t magic = 0, length = 0;
  Hash128 hash;
  std::memcpy(&magic, rest.data(), 4);
  std::memcpy(&length, rest.data() + 4, 4);
  std::memcpy(&hash.high, rest.data() + 8, 8);
  std::memcpy(&hash.low, rest.data() + 16, 8);
  if (magic != kRecordMagic) return {Verdict::Damaged, {}, "no record begins here"};
  if (length > kFrameBytesMax) return {Verdict::Damaged, {}, "a record longer than any frame"};
  if (length > rest.size() - kHeadBytes) return {Verdict::Torn, {}, "a record is cut off"};
  const std::string_view body = rest.substr(kHeadBytes, length);
  if (hash128(body) == hash) return {Verdict::Good, body, ""};
  // The last record's pages may have reached the disk only in part.
  const bool last = kHeadBytes + length == rest.size();
  return {last ? Verdict::Torn : Verdict::Damaged, {}, "a record's checksum differs"};
}

/// -1 if another process holds it, or its last holder took the slot away at this moment.
Result<int> try_lock(const fs::path& slot) {
  const fs::path file = slot / "lock";
  const int fd = ::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
  if (fd < 0) return io_error("open lock", file, errno);
  const int why = ::flock(fd, LOCK_EX | LOCK_NB) == 0 ? 0 : errno;
  struct stat held {
  }, there{};
  const bool same = why == 0 && ::fstat(fd, &held) == 0 && ::stat(file.c_str(), &there) == 0 &&
                    held.st_ino == there.st_ino;
  if (same) return fd;
  ::close(fd);
  if (why == 0 || why == EWOULDBLOCK) return -1;
  return io_error("lock", file, why);
}

/// Numbers of the segment files in a slot, ascending.
std::vector<std::uint64_t> segment_numbers(const fs::path& slot) {
  std::set<std::uint64_t> found;
  std::error_code error;
  for (fs::directory_iterator it(slot, error), end; !error && it != end; it.increment(error)) {
    if (it->path().extension() != kExtension) continue;
    const std::string stem = it->path().stem().string();
    std::uint64_t number = 0;
    const auto [rest, bad] = std::from_chars(stem.data(), stem.data() + stem.size(), number);
    if (bad == std::errc() && rest == stem.data() + stem.size() && number > 0) found.insert(number);
  }
  return {found.begin(), found.end()};
}

}  // namespace

Result<std::unique_ptr<Spool>> Spool::open(const fs::path& folder, const SpoolOptions& options) {
  WINNOW_TRY(store::make_folder(folder));
  std::unique_ptr<Spool> spool;
  for (std::size_t i = 0; i < kSlotsMax; ++i) {
    const fs::path slot = folder / std::to_string(i);
    std::error_code ignored;
    if (spool != nullptr && !fs::exists(slot, ignored)) continue;
    WINNOW_TRY(store::make_folder(slot));
    auto lock = try_lock(slot);
    if (!lock) return lock.error();
    if (*lock < 0) continue;  // a live node's
    if (spool == nullptr) {
      spool.reset(new Spool(slot, *lock, options));
      const auto numbers = segment_numbers(slot);
      for (const std::uint64_t number : numbers) spool->segments_[number];
      continue;
    }
    Status adopted = spool->adopt_slot(slot);
    ::close(*lock);
    if (!adopted) return adopted.error();
  }
  if (spool == nullptr) {
    return Error(ErrorCode::Unavailable, folder.string() + ": all " + std::to_string(kSlotsMax) +
                                             " places are taken by live nodes");
  }
  WINNOW_TRY(spool->load());
  return spool;
}

Spool::~Spool() {
  if (active_fd_ >= 0) ::close(active_fd_);
  std::error_code ignored;
  if (records_.empty()) {
    for (const auto& [number, segment] : segments_) fs::remove(path_of(number), ignored);
    // Whoever opened the lock meanwhile sees that it is gone (try_lock) and takes another slot.
    if (segment_numbers(folder_).empty() && refused_.empty()) {
      fs::remove(folder_ / "lock", ignored);
      fs::remove(folder_, ignored);
      fs::remove(folder_.parent_path(), ignored);
    }
  }
  ::close(lock_);
}

fs::path Spool::path_of(std::uint64_t segment) const {
  return folder_ / (std::to_string(segment) + std::string(kExtension));
}

Status Spool::adopt_slot(const fs::path& slot) {
  for (const std::uint64_t number : segment_numbers(slot)) {
    const std::uint64_t here = next_number();
    const fs::path from = slot / (std::to_string(number) + std::string(kExtension));
    if (::rename(from.c_str(), path_of(here).c_str()) != 0) {
      return io_error("adopt", from, errno);
    }
    segments_[here];
  }
  return {};
}

Status Spool::load() {
  std::vector<std::uint64_t> numbers;
  for (const auto& [number, segment] : segments_) numbers.push_back(number);
  for (const std::uint64_t number : numbers) WINNOW_TRY(load_segment(number));
  return {};
}

Status Spool::load_segment(std::uint64_t number) {
  const fs::path file = path_of(number);
  const auto bytes = store::read_whole_file(file);
  if (!bytes) return bytes.error();
  const std::string_view all = *bytes;
  std::vector<std::pair<Key, Place>> found;
  Parsed at;
  std::uint64_t offset = kFileMagic.size();
  if (!all.starts_with(kFileMagic)) {
    const bool begun = all.size() < kFileMagic.size() || all_zero(all);
    at = {begun ? Verdict::Torn : Verdict::Damaged, {}, "this is no spool file"};
    offset = 0;
  } else {
    for (at = parse(all.substr(offset)); at.verdict == Verdict::Good;
         at = parse(all.substr(offset))) {
      const auto result = result_of(std::string(at.body));
      if (!result) {
        at = {Verdict::Damaged, {}, "a record is no block"};
        break;
      }
      found.push_back({{result->sweep, result->block},
                       {number, offset, static_cast<std::uint32_t>(at.body.size())}});
      offset += kHeadBytes + at.body.size();
    }
  }
  if (at.verdict == Verdict::Damaged) {
    refused_.push_back(file.string() + " at byte " + std::to_string(offset) + ": " + at.what +
                       "; what follows is set aside as *.refused");
    // Copied, so that evidence stays; the good part below lives on under its own name.
    store::FileTransaction copy(folder_);
    WINNOW_TRY(copy.write(file.string() + ".refused", all));
    copy.keep();
  }
  if (at.verdict != Verdict::End && ::truncate(file.c_str(), static_cast<off_t>(offset)) != 0) {
    return io_error("cut", file, errno);
  }
  Segment& segment = segments_[number];
  segment.bytes = offset;
  bytes_ += offset;
  for (auto& [key, place] : found) {
    if (records_.try_emplace(key, place).second) ++segment.live;
  }
  if (segment.live > 0) return {};
  bytes_ -= segment.bytes;
  segments_.erase(number);
  std::error_code ignored;
  fs::remove(file, ignored);
  return {};
}

Status Spool::begin_segment() {
  if (active_fd_ >= 0) {
    // What sync() will not reach any more.
    const int synced = ::fdatasync(active_fd_);
    ::close(std::exchange(active_fd_, -1));
    if (synced != 0) return io_error("sync", path_of(active_), errno);
  }
  const std::uint64_t number = next_number();
  const fs::path file = path_of(number);
  active_fd_ = ::open(file.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  if (active_fd_ < 0) return io_error("create", file, errno);
  active_ = number;
  segments_[number];
  return append(std::string(kFileMagic));
}

Status Spool::append(const std::string& record) {
  Segment& segment = segments_[active_];
  std::string_view left = record;
  while (!left.empty()) {
    const ssize_t n = ::write(active_fd_, left.data(), left.size());
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) {
      const int why = n == 0 ? ENOSPC : errno;
      // Back to the last whole record, or the next one would follow a torn one.
      if (::ftruncate(active_fd_, static_cast<off_t>(segment.bytes)) != 0 ||
          ::lseek(active_fd_, 0, SEEK_END) < 0) {
        ::close(std::exchange(active_fd_, -1));
      }
      return io_error("write", path_of(active_), why);
    }
    left.remove_prefix(static_cast<std::size_t>(n));
  }
  segment.bytes += record.size();
  bytes_ += record.size();
  return {};
}

Status Spool::put(const BlockResult& result) {
  const Key key{result.sweep, result.block};
  if (records_.contains(key)) return {};
  const std::string record = record_of(result);
  if (bytes_ + record.size() > options_.bytes_max) {
    return Error(ErrorCode::Refused, folder_.string() + " holds " + std::to_string(bytes_) +
                                         " bytes; at most " + std::to_string(options_.bytes_max) +
                                         " are allowed");
  }
  if (active_fd_ < 0 || segments_[active_].bytes >= options_.segment_bytes) {
    WINNOW_TRY(begin_segment());
  }
  const std::uint64_t offset = segments_[active_].bytes;
  WINNOW_TRY(append(record));
  records_[key] = {active_, offset, static_cast<std::uint32_t>(record.size() - kHeadBytes)};
  ++segments_[active_].live;
  return {};
}

Status Spool::sync() {
  if (active_fd_ >= 0 && ::fdatasync(active_fd_) != 0) {
    return io_error("sync", path_of(active_), errno);
  }
  return {};
}

void Spool::forget(const Key& key) {
  const auto found = records_.find(key);
  if (found == records_.end()) return;
  const std::uint64_t number = found->second.segment;
  records_.erase(found);
  Segment& segment = segments_[number];
  if (--segment.live > 0) return;
  if (number == active_ && active_fd_ >= 0) ::close(std::exchange(active_fd_, -1));
  bytes_ -= segment.bytes;
  segments_.erase(number);
  std::error_code ignored;  // an undeleted file is sent again and found equal
  fs::remove(path_of(number), ignored);
}

Result<BlockResult> Spool::read(const Key& key) const {
  const auto found = records_.find(key);
  if (found == records_.end()) {
    return Error(ErrorCode::NotFound, "block " + std::to_string(key.second) + " of sweep " +
                                          key.first + " is not in " + folder_.string());
  }
  const fs::path file = path_of(found->second.segment);
  const int fd = ::open(file.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return io_error("open", file, errno);
  std::string record(kHeadBytes + found->second.bytes, '\0');
  const ssize_t n =
      ::pread(fd, record.data(), record.size(), static_cast<off_t>(found->second.offset));
  const int why = errno;
  ::close(fd);
  if (n < 0) return io_error("read", file, why);
  const Parsed parsed = parse(std::string_view(record).substr(0, static_cast<std::size_t>(n)));
  const auto bad = [&](const std::string& what) {
    return Error(ErrorCode::Corrupt,
                 file.string() + " at byte " + std::to_string(found->second.offset) + ": " + what);
  };
  if (parsed.verdict != Verdict::Good) return bad(parsed.what);
  auto result = result_of(std::string(parsed.body));
  if (!result) return bad(result.error().text());
  return result;
}

std::vector<Spool::Key> Spool::keys() const {
  std::vector<Key> out;
  out.reserve(records_.size());
  for (const auto& [key, place] : records_) out.push_back(key);
  return out;
}

}  // namespace winnow::actors
