#include "base/hash.hpp"

#include <openssl/evp.h>
#include <xxhash.h>

#include <cassert>
#include <charconv>

#include "base/check.hpp"

namespace winnow {
namespace {

std::string to_hex(const unsigned char* bytes, std::size_t n) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string out;
  out.reserve(2 * n);
  for (std::size_t i = 0; i < n; ++i) {
    out.push_back(kDigits[bytes[i] >> 4]);
    out.push_back(kDigits[bytes[i] & 15]);
  }
  return out;
}

}  // namespace

Hash128 Hash128::from_bytes(const char* sixteen) {
  std::array<std::uint64_t, 2> words{};
  std::memcpy(words.data(), sixteen, sizeof words);
  return {big_endian(words[0]), big_endian(words[1])};
}

std::string Hash128::hex() const {
  const auto raw = bytes();
  return to_hex(reinterpret_cast<const unsigned char*>(raw.data()), raw.size());
}

Result<Hash128> parse_hash128(std::string_view hex) {
  Hash128 h;
  if (hex.size() == 32) {
    const char* p = hex.data();
    const auto a = std::from_chars(p, p + 16, h.high, 16);
    const auto b = std::from_chars(p + 16, p + 32, h.low, 16);
    if (a.ec == std::errc{} && b.ec == std::errc{} && a.ptr == p + 16 && b.ptr == p + 32) return h;
  }
  return Error(ErrorCode::InvalidInput,
               "'" + std::string(hex) + "' is not a 128-bit hash; 32 hexadecimal digits are");
}

Hash128 hash128(std::string_view bytes) {
  const XXH128_hash_t h = XXH3_128bits(bytes.data(), bytes.size());
  return {h.high64, h.low64};
}

struct Sha256::Impl {
  EVP_MD_CTX* context = EVP_MD_CTX_new();
  bool finished = false;
};

Sha256::Sha256() : impl_(std::make_unique<Impl>()) {
  EVP_DigestInit_ex(impl_->context, EVP_sha256(), nullptr);
}
Sha256::~Sha256() { EVP_MD_CTX_free(impl_->context); }
void Sha256::add(std::string_view bytes) {
  EVP_DigestUpdate(impl_->context, bytes.data(), bytes.size());
}
std::string Sha256::finish_hex() {
  WINNOW_REQUIRES(!impl_->finished);
  impl_->finished = true;
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned size = 0;
  EVP_DigestFinal_ex(impl_->context, digest, &size);
  return to_hex(digest, size);
}

std::string sha256_hex(std::string_view bytes) {
  Sha256 hasher;
  hasher.add(bytes);
  return hasher.finish_hex();
}

}  // namespace winnow
