#include "store/log_files.hpp"

#include <boost/crc.hpp>
#include <cstdint>
#include <cstring>
#include <fstream>
#include <string>
#include <string_view>

namespace winnow::store {
namespace {

// A log is blocks of 32 KiB, a block is records [checksum: 4][length: 2][type: 1][payload], none of
// which crosses a block. We never recycle logs, so only the four plain types occur.
constexpr std::size_t kBlockBytes = 32 << 10;
constexpr std::size_t kHeadBytes = 7;
constexpr unsigned char kTypeMax = 4;

// CRC-32C of type and payload.
using Crc32c = boost::crc_optimal<32, 0x1EDC6F41, 0xFFFFFFFF, 0xFFFFFFFF, true, true>;

// As RocksDB stores a checksum: rotated and shifted, so that checksums of checksums are no trap.
std::uint32_t masked(std::uint32_t crc) { return ((crc >> 15) | (crc << 17)) + 0xa282ead8u; }

/// Purpose: one record's head within a block. Thread: any.
struct Record {
  std::uint32_t sum = 0;
  std::size_t length = 0;
  unsigned char type = 0;
  std::string_view rest;  ///< what follows the head, to the block's end

  explicit Record(std::string_view block) : rest(block.substr(kHeadBytes)) {
    std::memcpy(&sum, block.data(), 4);
    std::uint16_t n = 0;
    std::memcpy(&n, block.data() + 4, 2);
    length = n;
    type = static_cast<unsigned char>(block[6]);
  }
  bool fits() const { return length <= rest.size(); }
  bool sound() const {
    if (!fits() || type == 0 || type > kTypeMax) return false;
    Crc32c crc;
    crc.process_byte(type);
    crc.process_bytes(rest.data(), length);
    return masked(crc.checksum()) == sum;
  }
};

// Whether what stands here would be a whole record if only its head said another length: then the
// head is damaged. A record that was not finished has no length at which its checksum is right.
bool whole_at_another_length(const Record& record) {
  Crc32c crc;
  crc.process_byte(record.type);
  for (std::size_t n = 0; n <= record.rest.size(); ++n) {
    const std::string_view after = record.rest.substr(n);
    // By chance a checksum is right once in four thousand million: the next record must be, too.
    if (masked(crc.checksum()) == record.sum &&
        (after.size() < kHeadBytes || Record(after).sound())) {
      return true;
    }
    if (!after.empty()) crc.process_byte(static_cast<unsigned char>(after.front()));
  }
  return false;
}

enum class Depth { Heads, Checksums };

// What is wrong in a block; empty if nothing is. Checksums of whole records are RocksDB's to check,
// unless it wants to be told where they are wrong.
std::string damage_in(std::string_view block, bool last, Depth depth) {
  while (block.size() >= kHeadBytes) {
    const Record record(block);
    if (record.type == 0 && record.length == 0 && record.sum == 0) return {};  // never written
    if (record.type == 0 || record.type > kTypeMax) {
      return "a record of the unknown type " + std::to_string(record.type);
    }
    if (!record.fits()) {
      if (!last) return "a record longer than its block";
      return whole_at_another_length(record) ? "a record with a wrong length" : "";
    }
    if (depth == Depth::Checksums && !record.sound()) return "a record with a wrong checksum";
    block.remove_prefix(kHeadBytes + record.length);
  }
  return {};
}

Status check_log(const std::filesystem::path& path, Depth depth) {
  std::ifstream file(path, std::ios::binary);
  std::string block(kBlockBytes, '\0');
  for (std::uint64_t at = 0; file; at += kBlockBytes) {
    file.read(block.data(), static_cast<std::streamsize>(kBlockBytes));
    const auto got = static_cast<std::size_t>(file.gcount());
    const bool last = got < kBlockBytes || file.peek() == std::ifstream::traits_type::eof();
    const std::string damage = damage_in(std::string_view(block).substr(0, got), last, depth);
    if (damage.empty()) continue;
    return Error(ErrorCode::Corrupt, path.string() + " is damaged: " + damage + " between bytes " +
                                         std::to_string(at) + " and " + std::to_string(at + got));
  }
  return {};
}

Status check_logs(const std::filesystem::path& dir, Depth depth) {
  std::error_code ec;
  for (const auto& entry : std::filesystem::directory_iterator(dir, ec)) {
    const std::string name = entry.path().filename().string();
    const bool manifest = name.rfind("MANIFEST-", 0) == 0;
    if (!manifest && entry.path().extension() != ".log") continue;
    WINNOW_TRY(check_log(entry.path(), depth));
  }
  if (!ec) return {};
  return Error(ErrorCode::Io, "store " + dir.string() + " cannot be read: " + ec.message());
}

// A blob file is a head, records [key bytes: 8][value bytes: 8][expiration: 8][checksum of those:
// 4][checksum of key and value: 4][key][value], and a foot once it is whole.
constexpr std::size_t kBlobHeadBytes = 30;
constexpr std::size_t kBlobFootBytes = 32;
constexpr std::size_t kBlobRecordHeadBytes = 32;

template <class T>
T number_at(const std::string& bytes, std::size_t at) {
  T out = 0;
  std::memcpy(&out, bytes.data() + at, sizeof out);
  return out;
}

std::uint32_t masked_sum(const std::string& bytes, std::size_t length) {
  Crc32c crc;
  crc.process_bytes(bytes.data(), length);
  return masked(crc.checksum());
}

Status check_blob_file(const std::filesystem::path& path) {
  std::error_code ec;
  const std::uint64_t size = std::filesystem::file_size(path, ec);
  std::ifstream file(path, std::ios::binary);
  const auto damaged = [&](const std::string& what, std::uint64_t at) {
    return Error(ErrorCode::Corrupt,
                 path.string() + " is damaged: " + what + " at byte " + std::to_string(at));
  };
  std::string head(kBlobRecordHeadBytes, '\0');
  std::string body;
  file.seekg(kBlobHeadBytes);
  std::uint64_t at = kBlobHeadBytes;
  while (at + kBlobRecordHeadBytes + kBlobFootBytes <= size) {
    file.read(head.data(), kBlobRecordHeadBytes);
    if (masked_sum(head, 24) != number_at<std::uint32_t>(head, 24)) {
      return damaged("the head of a blob", at);
    }
    const auto bytes = number_at<std::uint64_t>(head, 0) + number_at<std::uint64_t>(head, 8);
    if (bytes > size - at - kBlobRecordHeadBytes) return damaged("a blob beyond its end", at);
    body.resize(bytes);
    file.read(body.data(), static_cast<std::streamsize>(bytes));
    if (!file) return Error(ErrorCode::Io, path.string() + " cannot be read");
    if (masked_sum(body, body.size()) != number_at<std::uint32_t>(head, 28)) {
      return damaged("the blob", at);
    }
    at += kBlobRecordHeadBytes + bytes;
  }
  if (at + kBlobFootBytes == size) {
    file.read(head.data(), kBlobFootBytes);
    if (masked_sum(head, 28) != number_at<std::uint32_t>(head, 28)) return damaged("its foot", at);
  }
  return {};
}

}  // namespace

Status check_log_files(const std::filesystem::path& dir) { return check_logs(dir, Depth::Heads); }

Status check_log_records(const std::filesystem::path& dir) {
  return check_logs(dir, Depth::Checksums);
}

Status check_blob_files(const std::filesystem::path& dir) {
  std::error_code ec;
  for (const auto& entry : std::filesystem::directory_iterator(dir, ec)) {
    if (entry.path().extension() == ".blob") WINNOW_TRY(check_blob_file(entry.path()));
  }
  if (!ec) return {};
  return Error(ErrorCode::Io, "store " + dir.string() + " cannot be read: " + ec.message());
}

}  // namespace winnow::store
