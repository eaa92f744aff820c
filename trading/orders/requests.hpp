#pragma once

#include <optional>
#include <vector>

#include "trading/orders/event.hpp"

namespace winnow::orders {

enum class RequestKind : std::uint8_t { Cancel, Replace };

/// How far a request has come from here.
enum class RequestStage : std::uint8_t {
  Drafted,  ///< an amendment that waits for the disk
  Out,      ///< its bytes may have left
  Lapsed,   ///< its bytes never left
};

/// Purpose: one request about an order, with what the venue said of it. Replies join: the same
/// whatever their order and however often; taken and refused both is an anomaly, and counts as
/// taken.
struct RequestState {
  RequestKind kind = RequestKind::Cancel;
  Amend amend;  ///< of a replace
  RequestStage stage = RequestStage::Out;
  TimestampNs out_at;    ///< local, when its bytes were given to the shell
  bool doubted = false;  ///< no answer in time, or one that says neither
  EvidenceId accepted;   ///< 0: not
  EvidenceId rejected;   ///< 0: not
  Lots filled_then;
  VenueOrderId successor;
  TimestampNs venue_time;
  bool conflict = false;  ///< was taken in two ways

  bool is_taken() const { return accepted.value() != 0; }
  bool is_answered() const { return is_taken() || rejected.value() != 0; }
  /// Whether the venue may still act on it.
  bool is_open() const { return stage == RequestStage::Out && !is_answered(); }
  bool operator==(const RequestState&) const = default;
};

/// Purpose: the requests of one order; number n is the n-th. Limits: kRequestsMax.
using Requests = std::vector<RequestState>;
inline constexpr std::size_t kRequestsMax = 16'384;

/// The last amendment that the venue took, or null.
const RequestState* last_taken(const Requests& requests);

/// The amendment that is on its way: drafted, or out without an answer. At most one is. Or null.
const RequestState* pending_replace(const Requests& requests);

/// A cancellation that has not been refused: until the order is over, it may still come. Or null.
const RequestState* pending_cancel(const Requests& requests);

/// The whole quantity of an order after this amendment. Requires: taken.
Lots total_after(const RequestState& replace);

}  // namespace winnow::orders
