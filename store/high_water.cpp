#include "store/high_water.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <cstring>
#include <map>

#include "base/hash.hpp"

namespace winnow::store {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t kHeadMagic = 0x314b52414d574e57;  // "WNWMARK1"
constexpr std::size_t kSweepBytes = 40;

/// What stands at the start of the file.
struct Head {
  std::uint64_t magic = kHeadMagic;
  std::uint64_t sequence = 0;
  std::uint64_t log_number = 0;
  std::uint64_t log_bytes = 0;
  std::uint64_t named = 0;  ///< blocks ever; the last kNamesMax of them follow, in a ring
  std::uint64_t sum = 0;

  std::uint64_t right_sum() const {
    return hash128(std::string_view(reinterpret_cast<const char*>(this), offsetof(Head, sum))).low;
  }
};
static_assert(sizeof(Head) == 48);

struct Name {
  std::uint64_t sequence = 0;
  std::uint64_t block = 0;
  char sweep[kSweepBytes] = {};
};
static_assert(sizeof(Name) == 56);

constexpr std::size_t kFileBytes = sizeof(Head) + HighWater::kNamesMax * sizeof(Name);

off_t place_of(std::uint64_t nth) {
  return static_cast<off_t>(sizeof(Head) + nth % HighWater::kNamesMax * sizeof(Name));
}

bool read_at(int fd, void* into, std::size_t bytes, off_t at) {
  return ::pread(fd, into, bytes, at) == static_cast<ssize_t>(bytes);
}

bool write_at(int fd, const void* from, std::size_t bytes, off_t at) {
  return ::pwrite(fd, from, bytes, at) == static_cast<ssize_t>(bytes);
}

std::optional<Head> read_head(int fd) {
  Head head;
  if (!read_at(fd, &head, sizeof head, 0)) return std::nullopt;
  if (head.magic != kHeadMagic || head.sum != head.right_sum()) return std::nullopt;
  return head;
}

/// As RocksDB names it.
std::string file_name(const LogPlace& log) {
  char name[32];
  std::snprintf(name, sizeof name, "%06llu.log", static_cast<unsigned long long>(log.number));
  return name;
}

LogPlace newest_log(const fs::path& dir) {
  LogPlace newest;
  std::error_code ec;
  for (const auto& entry : fs::directory_iterator(dir, ec)) {
    if (entry.path().extension() != ".log") continue;
    const std::string stem = entry.path().stem().string();
    std::uint64_t number = 0;
    const auto [end, bad] = std::from_chars(stem.data(), stem.data() + stem.size(), number);
    if (bad != std::errc() || end != stem.data() + stem.size() || number < newest.number) continue;
    std::error_code gone;
    newest = {number, entry.file_size(gone)};
    if (gone) newest.bytes = 0;
  }
  return newest;
}

/// `3 to 7, 9`, of an ascending list.
std::string ranges(const std::vector<std::uint64_t>& blocks) {
  constexpr std::size_t kRangesMax = 12;
  std::string out;
  std::size_t said = 0;
  for (std::size_t i = 0; i < blocks.size();) {
    std::size_t last = i;
    while (last + 1 < blocks.size() && blocks[last + 1] == blocks[last] + 1) ++last;
    if (said++ == kRangesMax) return out + " and others";
    out += (out.empty() ? "" : ", ") + std::to_string(blocks[i]);
    if (last > i) out += " to " + std::to_string(blocks[last]);
    i = last + 1;
  }
  return out;
}

/// The acknowledged blocks beyond `sequence`, by sweep; false if there may be others before them.
bool blocks_beyond(const fs::path& dir, std::uint64_t sequence,
                   std::map<std::string, std::vector<std::uint64_t>>& out) {
  const int fd = ::open((dir / HighWater::kFileName).c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return true;
  bool all = true;
  if (const auto head = read_head(fd)) {
    const std::uint64_t count = std::min<std::uint64_t>(head->named, HighWater::kNamesMax);
    all = head->named <= HighWater::kNamesMax;
    for (std::uint64_t nth = head->named - count; nth < head->named; ++nth) {
      Name name;
      if (!read_at(fd, &name, sizeof name, place_of(nth))) break;
      if (name.sequence <= sequence) {
        all = true;
        continue;
      }
      out[std::string(name.sweep, ::strnlen(name.sweep, kSweepBytes))].push_back(name.block);
    }
  }
  ::close(fd);
  for (auto& [sweep, blocks] : out) {
    std::sort(blocks.begin(), blocks.end());
    blocks.erase(std::unique(blocks.begin(), blocks.end()), blocks.end());
  }
  return all;
}

}  // namespace

std::optional<HighWater::Mark> HighWater::read(const fs::path& dir) {
  const int fd = ::open((dir / kFileName).c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return std::nullopt;
  const auto head = read_head(fd);
  ::close(fd);
  if (!head || head->sequence == 0) return std::nullopt;
  return Mark{head->sequence, {head->log_number, head->log_bytes}};
}

bool HighWater::log_is_there(const fs::path& dir, const Mark& mark) {
  const LogPlace newest = newest_log(dir);
  return newest.number == mark.log.number && newest.bytes >= mark.log.bytes;
}

Error HighWater::missing(const fs::path& dir, const Mark& mark, std::uint64_t sequence) {
  std::map<std::string, std::vector<std::uint64_t>> blocks;
  const bool all = blocks_beyond(dir, sequence, blocks);
  std::size_t count = 0;
  std::string named;
  for (const auto& [sweep, numbers] : blocks) {
    count += numbers.size();
    named +=
        (named.empty() ? "" : "; ") + std::string("sweep ") + sweep + ", blocks " + ranges(numbers);
  }
  std::string text = "store " + dir.string() + " ends at change " + std::to_string(sequence) +
                     ", but changes up to " + std::to_string(mark.sequence) +
                     " were acknowledged: its newest log (" + file_name(mark.log) + ", " +
                     std::to_string(mark.log.bytes) + " bytes then) was cut or removed";
  if (count > 0) {
    text += ". Missing are " + std::string(all ? "" : "at least ") + std::to_string(count) +
            " acknowledged blocks: " + named;
  }
  return Error(ErrorCode::Corrupt, text + ". Put the log back or restore a backup; removing " +
                                       (dir / kFileName).string() + " gives them up");
}

std::unique_ptr<HighWater> HighWater::open(const fs::path& dir) {
  const int fd = ::open((dir / kFileName).c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
  if (fd < 0) return nullptr;
  const auto head = read_head(fd);
  struct stat facts {};
  const bool whole =
      head && ::fstat(fd, &facts) == 0 && facts.st_size == static_cast<off_t>(kFileBytes);
  // All of its room at once: later a full disk must not keep it from saying what is true.
  const std::string empty(kFileBytes, '\0');
  if (!whole && !write_at(fd, empty.data(), empty.size(), 0)) {
    ::close(fd);
    std::error_code ignored;
    fs::remove(dir / kFileName, ignored);
    return nullptr;
  }
  return std::unique_ptr<HighWater>(new HighWater(fd, whole ? head->named : 0));
}

HighWater::~HighWater() { ::close(fd_); }

void HighWater::note(const Mark& mark, std::span<const NamedBlock> blocks) {
  if (blocks.size() > kNamesMax) blocks = blocks.last(kNamesMax);
  for (const NamedBlock& block : blocks) {
    Name name;
    name.sequence = mark.sequence;
    name.block = block.block;
    std::memcpy(name.sweep, block.sweep.data(), std::min(block.sweep.size(), kSweepBytes));
    // Best effort: a name less is no reason to refuse a commit that is on disk.
    (void)write_at(fd_, &name, sizeof name, place_of(named_++));
  }
  Head head;
  head.sequence = mark.sequence;
  head.log_number = mark.log.number;
  head.log_bytes = mark.log.bytes;
  head.named = named_;
  head.sum = head.right_sum();
  (void)write_at(fd_, &head, sizeof head, 0);
}

}  // namespace winnow::store
