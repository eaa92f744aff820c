#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "base/result.hpp"

namespace winnow::cluster {

/// Which end of a BASP connection speaks.
enum class BaspSide { Joining, Serving };

/// A header of CAF's wire protocol: operation, two bytes of padding, flags, payload length,
/// operation data and two actor ids, integers most significant byte first.
inline constexpr std::size_t kBaspHeaderBytes = 32;
/// Our frames are at most 1 MiB; CAF adds names and addresses.
inline constexpr std::uint32_t kBaspPayloadMax = (1u << 20) + (64u << 10);
/// Of everything that is not a message: handshakes, monitors, ends of actors.
inline constexpr std::uint32_t kBaspControlMax = 64u << 10;

/// Purpose: reads one direction of a BASP stream and says whether CAF may see it. CAF itself takes
/// any length (and its memory), and dies of a handshake without payload.
/// Thread: one at a time. Limits: 32 bytes of memory, whatever the stream.
class BaspGuard {
 public:
  explicit BaspGuard(BaspSide side) : side_(side) {}

  /// The next bytes of the stream, in any pieces. Fails: InvalidInput, naming the header's place,
  /// value and limit; nothing of the stream may be forwarded from then on.
  Status feed(std::span<const std::byte> bytes);

  std::uint64_t frames() const { return frames_; }  ///< that were complete
  bool between_frames() const { return header_size_ == 0 && payload_left_ == 0; }

 private:
  Status check_header() const;

  BaspSide side_;
  std::array<std::byte, kBaspHeaderBytes> header_{};
  std::size_t header_size_ = 0;
  std::uint32_t payload_left_ = 0;
  std::uint64_t headers_ = 0;
  std::uint64_t frames_ = 0;
};

}  // namespace winnow::cluster
