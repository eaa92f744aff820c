#pragma once

#include <gtest/gtest.h>
#include <unistd.h>
#include <zip.h>
#include <zlib.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "base/hash.hpp"
#include "base/market.hpp"
#include "base/rng.hpp"
#include "store/dataset_store.hpp"
#include "store/import/import.hpp"

namespace winnow::store::test {

constexpr std::int64_t kStart = 1'672'531'200'000'000'000;  // 2023-01-01
constexpr std::int64_t kMinute = 60'000'000'000;
constexpr TimestampNs kNow{1'800'000'000'000'000'000};

/// A folder that goes with its owner.
class TempDir {
 public:
  TempDir() {
    std::string pattern = (std::filesystem::temp_directory_path() / "winnow-data-XXXXXX").string();
    path_ = ::mkdtemp(pattern.data());
  }
  ~TempDir() { std::filesystem::remove_all(path_); }
  TempDir(const TempDir&) = delete;
  TempDir& operator=(const TempDir&) = delete;
  std::filesystem::path operator/(const std::string& name) const { return path_ / name; }
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

template <class T>
T must(Result<T> result) {
  if (!result.ok()) {
    ADD_FAILURE() << result.error().text();
    std::abort();
  }
  return std::move(result).value();
}

inline std::string error_of(const Status& status) {
  return status.ok() ? "" : status.error().text();
}
template <class T>
std::string error_of(const Result<T>& result) {
  return result.ok() ? "" : result.error().text();
}

inline void write_file(const std::filesystem::path& path, const std::string& bytes) {
  std::ofstream(path, std::ios::binary) << bytes;
}
inline std::string read_file(const std::filesystem::path& path) {
  std::ostringstream out;
  out << std::ifstream(path, std::ios::binary).rdbuf();
  return out.str();
}

inline std::string gzip(const std::string& text) {
  z_stream z{};
  deflateInit2(&z, 6, Z_DEFLATED, 16 + MAX_WBITS, 8, Z_DEFAULT_STRATEGY);
  std::string out(deflateBound(&z, text.size()) + 64, '\0');
  z.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
  z.avail_in = static_cast<uInt>(text.size());
  z.next_out = reinterpret_cast<Bytef*>(out.data());
  z.avail_out = static_cast<uInt>(out.size());
  deflate(&z, Z_FINISH);
  out.resize(z.total_out);
  deflateEnd(&z);
  return out;
}

/// Writes a ZIP archive with one member each.
inline void write_zip(const std::filesystem::path& path,
                      const std::vector<std::pair<std::string, std::string>>& members) {
  zip_t* archive = zip_open(path.c_str(), ZIP_CREATE | ZIP_TRUNCATE, nullptr);
  for (const auto& [name, text] : members) {
    zip_source_t* source = zip_source_buffer(archive, text.data(), text.size(), 0);
    zip_file_add(archive, name.c_str(), source, 0);
  }
  ASSERT_EQ(zip_close(archive), 0);
}

/// A walk on a grid of cents, one bar a `minutes` minutes.
inline MarketColumns random_columns(std::size_t bars, std::uint64_t seed, int minutes = 5) {
  MarketColumns c;
  c.interval_ns = minutes * kMinute;
  Rng rng(seed);
  double price = 10'000;
  for (std::size_t i = 0; i < bars; ++i) {
    const double open = price;
    price += static_cast<double>(rng.below(401)) - 200;
    price = std::max(price, 500.0);
    c.time_ns.push_back(kStart + static_cast<std::int64_t>(i) * c.interval_ns);
    c.open.push_back(open / 100);
    c.close.push_back(price / 100);
    c.high.push_back((std::max(open, price) + static_cast<double>(rng.below(50))) / 100);
    c.low.push_back((std::min(open, price) - static_cast<double>(rng.below(50))) / 100);
    c.volume.push_back(static_cast<double>(rng.below(1'000'000)) / 1000);
  }
  return c;
}

inline std::string ohlcv_row(const MarketColumns& c, std::size_t i) {
  std::ostringstream out;
  out.precision(17);
  out << c.time_ns[i] / 1'000'000 << ',' << c.open[i] << ',' << c.high[i] << ',' << c.low[i] << ','
      << c.close[i] << ',' << c.volume[i] << '\n';
  return out.str();
}

inline std::string ohlcv_csv(const MarketColumns& c) {
  std::string out = "ts_ms,open,high,low,close,volume\n";
  for (std::size_t i = 0; i < c.size(); ++i) out += ohlcv_row(c, i);
  return out;
}

inline NewDataset meta_of(const std::string& name) {
  NewDataset meta;
  meta.name = name;
  meta.instrument = "BTCUSDT";
  meta.format = "ohlcv";
  meta.created = kNow;
  return meta;
}

/// The format of this name, which there is.
inline const FormatDecl* format_of(std::string_view name) { return must(parse_format(name)); }

inline ImportRequest request_of(std::vector<std::filesystem::path> files, const std::string& name,
                                const FormatDecl* format = format_of("ohlcv")) {
  ImportRequest request;
  request.files = std::move(files);
  request.format = format;
  request.instrument = "BTCUSDT";
  request.name = name;
  request.now = kNow;
  return request;
}

/// Every regular file below a folder with its bytes, but for the writer's lock.
inline std::vector<std::pair<std::string, std::string>> contents(const std::filesystem::path& dir) {
  std::vector<std::pair<std::string, std::string>> out;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(dir)) {
    if (!entry.is_regular_file() || entry.path().filename() == "writer.lock") continue;
    out.emplace_back(entry.path().lexically_relative(dir).string(), read_file(entry.path()));
  }
  std::sort(out.begin(), out.end());
  return out;
}

}  // namespace winnow::store::test
