#include "cluster/door/basp_guard.hpp"

#include <algorithm>
#include <string>

namespace winnow::cluster {
namespace {

struct Operation {
  const char* name;
  std::uint32_t payload_min;
  std::uint32_t payload_max;
};

// By CAF's operation byte. Routed messages (3) travel over a third node; a farm has none.
constexpr std::array<Operation, 7> kOperations{{
    {"server handshake", 1, kBaspControlMax},
    {"client handshake", 1, kBaspControlMax},
    {"message", 1, kBaspPayloadMax},
    {nullptr, 0, 0},
    {"monitor", 0, kBaspControlMax},
    {"down", 0, kBaspControlMax},
    {"heartbeat", 0, 0},
}};

std::uint32_t big_endian(std::span<const std::byte, 4> b) {
  std::uint32_t value = 0;
  for (const std::byte x : b) value = value << 8 | std::to_integer<std::uint32_t>(x);
  return value;
}

}  // namespace

Status BaspGuard::check_header() const {
  const auto refuse = [&](const std::string& why) {
    return Error(ErrorCode::InvalidInput, "frame " + std::to_string(headers_) + ": " + why);
  };
  const auto op = std::to_integer<std::size_t>(header_[0]);
  if (op >= kOperations.size() || kOperations[op].name == nullptr) {
    return refuse("operation " + std::to_string(op) + " is none that nodes use");
  }
  const std::size_t greeting = side_ == BaspSide::Serving ? 0 : 1;
  // CAF repeats the client handshake later on; a server handshake only ever opens.
  if (headers_ == 0 ? op != greeting : op == 0) {
    return refuse(std::string("a ") + kOperations[op].name + " has no place here");
  }
  const std::uint32_t size = big_endian(std::span(header_).subspan<4, 4>());
  if (size < kOperations[op].payload_min || size > kOperations[op].payload_max) {
    return refuse("a " + std::string(kOperations[op].name) + " of " + std::to_string(size) +
                  " bytes; allowed are " + std::to_string(kOperations[op].payload_min) + " to " +
                  std::to_string(kOperations[op].payload_max));
  }
  return {};
}

Status BaspGuard::feed(std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    if (payload_left_ > 0) {
      const std::size_t n = std::min<std::size_t>(payload_left_, bytes.size());
      payload_left_ -= static_cast<std::uint32_t>(n);
      bytes = bytes.subspan(n);
    } else {
      const std::size_t n = std::min(kBaspHeaderBytes - header_size_, bytes.size());
      std::copy_n(bytes.begin(), n, header_.begin() + static_cast<std::ptrdiff_t>(header_size_));
      header_size_ += n;
      bytes = bytes.subspan(n);
      if (header_size_ < kBaspHeaderBytes) return {};
      WINNOW_TRY(check_header());
      ++headers_;
      payload_left_ = big_endian(std::span(header_).subspan<4, 4>());
    }
    if (payload_left_ == 0) {
      header_size_ = 0;
      ++frames_;
    }
  }
  return {};
}

}  // namespace winnow::cluster
