#pragma once

#include <array>
#include <bit>
#include <compare>
#include <cstdint>
#include <cstring>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "base/result.hpp"

namespace winnow {

constexpr std::uint64_t big_endian(std::uint64_t v) {
  return std::endian::native == std::endian::little ? __builtin_bswap64(v) : v;
}

/// 128 bits that name a thing by its content (XXH3-128). Not for adversaries; see ContentHash.
struct Hash128 {
  std::uint64_t high = 0;
  std::uint64_t low = 0;
  auto operator<=>(const Hash128&) const = default;

  std::string hex() const;
  /// Big-endian, so that byte order is value order.
  std::array<char, 16> bytes() const {
    const std::array<std::uint64_t, 2> words = {big_endian(high), big_endian(low)};
    return std::bit_cast<std::array<char, 16>>(words);
  }
  static Hash128 from_bytes(const char* sixteen);
};
Result<Hash128> parse_hash128(std::string_view hex);

/// XXH3-128 of bytes.
Hash128 hash128(std::string_view bytes);

/// Purpose: a key built from typed parts. Each part carries its type and length, so ("ab","c") and
/// ("a","bc") differ. Thread: one.
class KeyHasher {
 public:
  explicit KeyHasher(std::string_view domain) { add(domain); }
  KeyHasher& add(std::string_view text) {
    put('s');
    put_u64(text.size());
    buffer_.append(text);
    return *this;
  }
  KeyHasher& add(const char* text) { return add(std::string_view(text)); }
  KeyHasher& add(std::uint64_t v) {
    put('u');
    put_u64(v);
    return *this;
  }
  KeyHasher& add(std::int64_t v) {
    put('i');
    put_u64(static_cast<std::uint64_t>(v));
    return *this;
  }
  /// -0.0 counts as 0.0; every NaN counts as one.
  KeyHasher& add(double v) {
    put('d');
    if (v == 0) v = 0;
    put_u64(v != v ? 0x7ff8000000000000ull : std::bit_cast<std::uint64_t>(v));
    return *this;
  }
  KeyHasher& add(const Hash128& h) {
    put('h');
    put_u64(h.high);
    put_u64(h.low);
    return *this;
  }
  Hash128 finish() const { return hash128(buffer_); }

 private:
  void put(char c) { buffer_.push_back(c); }
  void put_u64(std::uint64_t v) {
    char raw[8];
    std::memcpy(raw, &v, 8);
    buffer_.append(raw, 8);
  }
  std::string buffer_;
};

/// The identity of one trial: hash(strategy code version, canonical parameters, dataset content
/// hash and window, execution model, seed, engine version). Law 1.
using TrialKey = Hash128;

/// What the ledger counts: the trial whatever engine version computes it, so that one made again
/// under a newer version is the same trial (law 3). It is the TrialKey that engine version 1 gave.
using LedgerKey = Hash128;

/// What lies between the two: TrialKey = LedgerKey xor Edition, one Edition a segment of a sweep
/// (engine version and execution model). Zero: the two are one, as in version 1.
using Edition = Hash128;

/// Either key from the other.
inline Hash128 with_edition(const Hash128& key, const Edition& edition) {
  return {key.high ^ edition.high, key.low ^ edition.low};
}

/// SHA-256 of bytes, lower-case hex. Names datasets and files.
std::string sha256_hex(std::string_view bytes);

/// Purpose: SHA-256 of a stream. Thread: one.
class Sha256 {
 public:
  Sha256();
  ~Sha256();
  Sha256(const Sha256&) = delete;
  Sha256& operator=(const Sha256&) = delete;
  void add(std::string_view bytes);
  std::string finish_hex();  ///< Requires: called once.

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace winnow

template <>
struct std::hash<winnow::Hash128> {
  std::size_t operator()(const winnow::Hash128& h) const noexcept {
    return static_cast<std::size_t>(h.low);
  }
};
