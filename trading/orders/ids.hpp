#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <string_view>

#include "base/id.hpp"
#include "base/result.hpp"

namespace winnow::orders {

/// The venue's number of an order; 0: not said.
using VenueOrderId = Id<struct VenueOrderTag>;
/// The venue's number of a trade. A trade with oneself gives two orders the same one, so a fill is
/// known by order and trade together.
using TradeId = Id<struct TradeTag>;
/// Where in the journal the proof of an event stands: the frame or answer that said so. Never 0
/// where an event needs a proof.
using EvidenceId = Id<struct EvidenceTag>;
/// A question that was asked of the venue; the answer may come twice.
using QueryId = Id<struct QueryTag>;
/// A request about an order (cancel, replace), counted from 1 within the order; 0: none.
using RequestNo = Id<struct RequestTag, std::uint32_t>;
using InstrumentId = Id<struct InstrumentTag, std::uint32_t>;
using AssetId = Id<struct AssetTag, std::uint32_t>;

/// Purpose: the name under which an order goes to the venue, and by which nothing is sent twice.
/// Invariants: 1 to 32 letters and digits of ASCII, which every venue takes, or empty when default
/// made. Never used again, not even when its order is long done: venues forget, and then take it.
class ClientOrderId {
 public:
  static constexpr std::size_t kLengthMax = 32;

  constexpr ClientOrderId() = default;
  /// Fails: InvalidInput naming the text and the character or length that venues refuse.
  static Result<ClientOrderId> parse(std::string_view text);

  std::string_view text() const { return {chars_.data(), length_}; }
  bool empty() const { return length_ == 0; }
  auto operator<=>(const ClientOrderId&) const = default;

 private:
  std::array<char, kLengthMax> chars_{};
  std::uint8_t length_ = 0;
};

}  // namespace winnow::orders
