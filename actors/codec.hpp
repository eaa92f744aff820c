#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "actors/protocol.hpp"
#include "base/result.hpp"
#include "base/result_block.hpp"

namespace winnow::actors {

/// The message in a frame. Instantiated in codec.cpp for every message of protocol.hpp.
template <class T>
Frame encode(const T& message, std::uint64_t session);

/// The frame's message. Fails: Corrupt for another kind or version, a body that is too long, too
/// short, or announces more than it carries. Never throws, never allocates more than the body's
/// size times a small constant.
template <class T>
Result<T> decode(const Frame& frame);

/// A block as bytes: fixed little-endian header, columns, points if it has any, checksum.
std::string encode_block(const ResultBlock& block);
Result<ResultBlock> decode_block(std::string_view bytes);

}  // namespace winnow::actors
