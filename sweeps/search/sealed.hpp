#pragma once

#include <string>
#include <string_view>

#include "base/hash.hpp"
#include "base/result.hpp"

namespace winnow::sweeps {

/// Bytes that tell whether they are whole: a magic word, the XXH3-128 of the body, the body.
inline std::string sealed(std::string_view magic, std::string_view body) {
  const auto sum = hash128(body).bytes();
  std::string out(magic);
  out.append(sum.data(), sum.size()).append(body);
  return out;
}

/// The body of sealed bytes. Fails: Corrupt, the text being a reason without its place; `no_magic`
/// is that of bytes which do not start with `magic`.
inline Result<std::string_view> unsealed(std::string_view magic, std::string_view bytes,
                                         std::string_view no_magic) {
  constexpr std::size_t kSumBytes = 16;
  if (!bytes.starts_with(magic) || bytes.size() < magic.size() + kSumBytes) {
    return Error(ErrorCode::Corrupt, std::string(no_magic));
  }
  const std::string_view body = bytes.substr(magic.size() + kSumBytes);
  if (hash128(body) != Hash128::from_bytes(bytes.data() + magic.size())) {
    return Error(ErrorCode::Corrupt, "its " + std::to_string(body.size()) + " bytes are damaged");
  }
  return body;
}

}  // namespace winnow::sweeps
