#include "store/dataset_columns.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <bit>
#include <cerrno>
#include <cmath>
#include <cstddef>
#include <cstring>
#include <ctime>
#include <mutex>
#include <set>

#include "base/check.hpp"
#include "base/hash.hpp"
#include "base/time.hpp"
#include "store/dataset_files.hpp"

namespace winnow::store {
namespace {

static_assert(std::endian::native == std::endian::little, "column files are mapped as they are");
static_assert(sizeof(FundingEvent) == 16 && offsetof(FundingEvent, rate_frac) == 8);

constexpr std::size_t kSections = 7;
constexpr std::size_t kAlignment = 64;
constexpr std::array<std::string_view, kSections> kSectionNames{
    "time_ns", "open", "high", "low", "close", "volume", "funding"};
constexpr char kMagic[8] = {'W', 'N', 'W', 'C', 'O', 'L', 'S', '1'};

struct Section {
  std::uint64_t offset = 0;
  std::uint64_t bytes = 0;
  std::uint64_t hash_high = 0;
  std::uint64_t hash_low = 0;
};

struct Header {
  char magic[8] = {};
  std::int64_t interval_ns = 0;
  std::uint64_t bars = 0;
  std::uint64_t funding_events = 0;
  std::uint64_t file_bytes = 0;
  std::uint64_t reserved = 0;
  Section sections[kSections];
  std::uint64_t hash_high = 0;
  std::uint64_t hash_low = 0;
};
constexpr std::size_t kHeaderBytes = 320;
static_assert(sizeof(Header) <= kHeaderBytes && kHeaderBytes % kAlignment == 0);

template <class T>
std::string_view bytes_of(std::span<const T> column) {
  return {reinterpret_cast<const char*>(column.data()), column.size_bytes()};
}

std::array<std::string_view, kSections> sections_of(const MarketView& market) {
  return {bytes_of(market.time_ns), bytes_of(market.open),  bytes_of(market.high),
          bytes_of(market.low),     bytes_of(market.close), bytes_of(market.volume),
          bytes_of(market.funding)};
}

constexpr std::uint64_t align_up(std::uint64_t n) {
  return (n + kAlignment - 1) / kAlignment * kAlignment;
}

Hash128 header_hash(const Header& header) {
  return hash128({reinterpret_cast<const char*>(&header), offsetof(Header, hash_high)});
}

Error bad_bar(const MarketView& market, std::size_t i, const std::string& what) {
  return Error(ErrorCode::InvalidInput, "bar " + std::to_string(i) + " at " +
                                            format_timestamp(TimestampNs{market.time_ns[i]}) +
                                            ": " + what);
}

std::string bar_text(const MarketView& m, std::size_t i) {
  return "open " + std::to_string(m.open[i]) + ", high " + std::to_string(m.high[i]) + ", low " +
         std::to_string(m.low[i]) + ", close " + std::to_string(m.close[i]) + ", volume " +
         std::to_string(m.volume[i]);
}

}  // namespace

Status check_market(const MarketView& m) {
  const std::size_t n = m.size();
  // Where times can be added and divided without a thought for overflow.
  constexpr std::int64_t kTimeMaxNs = 7'258'118'400'000'000'000;  // 2200
  constexpr std::int64_t kIntervalMaxNs = 320'000'000'000'000'000;
  const auto out_of_range = [](std::int64_t t) { return t < 0 || t > kTimeMaxNs; };
  if (n == 0) return Error(ErrorCode::InvalidInput, "there is no bar; at least one is needed");
  if (m.interval_ns <= 0 || m.interval_ns > kIntervalMaxNs) {
    return Error(ErrorCode::InvalidInput, "the interval is " + std::to_string(m.interval_ns) +
                                              " ns; it must be above 0 and below ten years");
  }
  if (m.time_ns.size() != n || m.open.size() != n || m.high.size() != n || m.low.size() != n ||
      m.volume.size() != n) {
    return Error(ErrorCode::InvalidInput, "the columns differ in length");
  }
  constexpr double kMax = 1e300;
  for (std::size_t i = 0; i < n; ++i) {
    if (out_of_range(m.time_ns[i])) return bad_bar(m, i, "time must lie between 1970 and 2200");
    if (i > 0 && m.time_ns[i] <= m.time_ns[i - 1]) {
      return bad_bar(m, i, "time must be after the previous bar's");
    }
    // Written so that a NaN fails each of them.
    const bool prices = m.low[i] > 0 && m.high[i] < kMax && m.open[i] >= m.low[i] &&
                        m.close[i] >= m.low[i] && m.open[i] <= m.high[i] && m.close[i] <= m.high[i];
    if (!prices || !(m.volume[i] >= 0 && m.volume[i] < kMax)) {
      return bad_bar(m, i,
                     bar_text(m, i) +
                         "; 0 < low <= open, close <= high and volume >= 0, all "
                         "finite, are needed");
    }
  }
  for (std::size_t i = 0; i < m.funding.size(); ++i) {
    if ((i > 0 && m.funding[i].time_ns <= m.funding[i - 1].time_ns) ||
        out_of_range(m.funding[i].time_ns) || !std::isfinite(m.funding[i].rate_frac)) {
      return Error(ErrorCode::InvalidInput,
                   "funding event " + std::to_string(i) + " at " +
                       format_timestamp(TimestampNs{m.funding[i].time_ns}) +
                       ": times must increase between 1970 and 2200, and rates be finite");
    }
  }
  return {};
}

std::string market_content_hash(const MarketView& market) {
  Sha256 hasher;
  hasher.add("winnow-columns-1\n");
  const std::int64_t facts[] = {market.interval_ns, static_cast<std::int64_t>(market.size()),
                                static_cast<std::int64_t>(market.funding.size())};
  hasher.add({reinterpret_cast<const char*>(facts), sizeof facts});
  for (const std::string_view section : sections_of(market)) hasher.add(section);
  return hasher.finish_hex();
}

ColumnFile layout_columns(const MarketView& market) {
  WINNOW_REQUIRES(market.size() > 0 && market.time_ns.size() == market.size());
  WINNOW_REQUIRES(market.open.size() == market.size() && market.high.size() == market.size());
  WINNOW_REQUIRES(market.low.size() == market.size() && market.volume.size() == market.size());
  static constexpr char kZeros[kAlignment] = {};
  Header header;
  std::memcpy(header.magic, kMagic, sizeof kMagic);
  header.interval_ns = market.interval_ns;
  header.bars = market.size();
  header.funding_events = market.funding.size();

  ColumnFile file;
  file.pieces.push_back({});  // the header, once it is complete
  std::uint64_t offset = kHeaderBytes;
  const auto sections = sections_of(market);
  for (std::size_t s = 0; s < kSections; ++s) {
    const Hash128 hash = hash128(sections[s]);
    header.sections[s] = {offset, sections[s].size(), hash.high, hash.low};
    file.pieces.push_back(sections[s]);
    const std::uint64_t end = align_up(offset + sections[s].size());
    file.pieces.push_back({kZeros, end - offset - sections[s].size()});
    offset = end;
  }
  header.file_bytes = offset;
  const Hash128 hash = header_hash(header);
  header.hash_high = hash.high;
  header.hash_low = hash.low;
  file.header.assign(kHeaderBytes, '\0');
  std::memcpy(file.header.data(), &header, sizeof header);
  file.pieces[0] = file.header;
  return file;
}

namespace {

/// Purpose: which files this process has already rehashed and found whole. A file that changed has
/// another time; one that changed just now may not have, and is never believed.
/// Thread: any. Limits: kFilesMax files.
class VerifiedFiles {
 public:
  bool contains(const struct stat& facts) {
    const std::lock_guard lock(mutex_);
    return known_.contains(key(facts));
  }
  void add(const struct stat& facts) {
    timespec now{};
    ::clock_gettime(CLOCK_REALTIME, &now);
    constexpr std::int64_t kSettledSeconds = 2;  // coarser than any file system's clock
    if (now.tv_sec - facts.st_ctim.tv_sec < kSettledSeconds) return;
    const std::lock_guard lock(mutex_);
    if (known_.size() >= kFilesMax) known_.clear();
    known_.insert(key(facts));
  }

 private:
  using Key = std::array<std::uint64_t, 7>;
  static constexpr std::size_t kFilesMax = 4096;
  static Key key(const struct stat& f) {
    return {
        static_cast<std::uint64_t>(f.st_dev),          static_cast<std::uint64_t>(f.st_ino),
        static_cast<std::uint64_t>(f.st_size),         static_cast<std::uint64_t>(f.st_mtim.tv_sec),
        static_cast<std::uint64_t>(f.st_mtim.tv_nsec), static_cast<std::uint64_t>(f.st_ctim.tv_sec),
        static_cast<std::uint64_t>(f.st_ctim.tv_nsec)};
  }

  std::mutex mutex_;
  std::set<Key> known_;
};

VerifiedFiles& verified_files() {
  static VerifiedFiles files;
  return files;
}

}  // namespace

Result<std::shared_ptr<const MappedColumns>> MappedColumns::open(
    const std::filesystem::path& path) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) {
    if (errno == ENOENT) return Error(ErrorCode::NotFound, "there is no file " + path.string());
    return io_error("open", path, errno);
  }
  std::shared_ptr<MappedColumns> mapped(new MappedColumns);
  struct stat facts {};
  if (::fstat(fd, &facts) == 0 && facts.st_size > 0) {
    mapped->size_ = static_cast<std::size_t>(facts.st_size);
    void* at = ::mmap(nullptr, mapped->size_, PROT_READ, MAP_SHARED, fd, 0);
    if (at != MAP_FAILED) mapped->bytes_ = static_cast<const char*>(at);
  }
  const int error_number = errno;
  ::close(fd);
  if (mapped->bytes_ == nullptr && mapped->size_ > 0) return io_error("map", path, error_number);
  WINNOW_TRY(mapped->attach(path.string()));
  if (!verified_files().contains(facts)) {
    Status whole = mapped->verify();
    if (whole.ok()) whole = check_market(mapped->view());
    if (!whole.ok()) {
      return Error(ErrorCode::Corrupt, path.string() + ": " + whole.error().text());
    }
    verified_files().add(facts);
  }
  return std::shared_ptr<const MappedColumns>(std::move(mapped));
}

MappedColumns::~MappedColumns() {
  if (bytes_ != nullptr) ::munmap(const_cast<char*>(bytes_), size_);
}

Status MappedColumns::attach(std::string_view file_name) {
  const auto corrupt = [&](const std::string& what) {
    return Error(ErrorCode::Corrupt, std::string(file_name) + ": " + what);
  };
  if (size_ < kHeaderBytes) return corrupt("the file is shorter than its header");
  Header header;
  std::memcpy(&header, bytes_, sizeof header);
  if (std::memcmp(header.magic, kMagic, sizeof kMagic) != 0) return corrupt("not a column file");
  if (header_hash(header) != Hash128{header.hash_high, header.hash_low}) {
    return corrupt("the header's checksum does not match");
  }
  if (header.file_bytes != size_) {
    return corrupt("the file has " + std::to_string(size_) + " bytes, not " +
                   std::to_string(header.file_bytes));
  }
  for (std::size_t s = 0; s < kSections; ++s) {
    const Section& section = header.sections[s];
    // Divided, not multiplied: no count in a file can overflow.
    const std::uint64_t one = s + 1 < kSections ? sizeof(double) : sizeof(FundingEvent);
    const std::uint64_t count = s + 1 < kSections ? header.bars : header.funding_events;
    if (section.bytes % one != 0 || section.bytes / one != count ||
        section.offset % kAlignment != 0 || section.offset > size_ ||
        section.bytes > size_ - section.offset) {
      return corrupt("column " + std::string(kSectionNames[s]) + " lies outside the file");
    }
  }
  const auto column = [&]<class T>(std::size_t s, T) {
    return std::span<const T>(reinterpret_cast<const T*>(bytes_ + header.sections[s].offset),
                              header.sections[s].bytes / sizeof(T));
  };
  view_ = {column(0, std::int64_t{}), column(1, double{}), column(2, double{}),
           column(3, double{}),       column(4, double{}), column(5, double{}),
           column(6, FundingEvent{}), header.interval_ns};
  return {};
}

Status MappedColumns::verify() const {
  Header header;
  std::memcpy(&header, bytes_, sizeof header);
  std::uint64_t checked = sizeof header;
  const auto zeros_until = [&](std::uint64_t end) {
    for (; checked < end; ++checked) {
      if (bytes_[checked] != 0) return false;
    }
    return true;
  };
  for (std::size_t s = 0; s < kSections; ++s) {
    const Section& section = header.sections[s];
    if (!zeros_until(section.offset)) {
      return Error(ErrorCode::Corrupt,
                   "padding before column " + std::string(kSectionNames[s]) + " is not zero");
    }
    if (hash128({bytes_ + section.offset, section.bytes}) !=
        Hash128{section.hash_high, section.hash_low}) {
      return Error(ErrorCode::Corrupt,
                   "column " + std::string(kSectionNames[s]) + " does not match its checksum");
    }
    checked = section.offset + section.bytes;
  }
  if (!zeros_until(size_)) {
    return Error(ErrorCode::Corrupt, "padding after the last column is not zero");
  }
  return {};
}

}  // namespace winnow::store
