#pragma once

#include <cstdint>
#include <optional>
#include <variant>

#include "base/result.hpp"
#include "base/time.hpp"
#include "trading/orders/flags.hpp"
#include "trading/orders/ids.hpp"
#include "trading/orders/quantity.hpp"

namespace winnow::orders {

/// Purpose: what is wanted of the venue, as it is put on disk before a byte leaves.
struct Intent {
  ClientOrderId id;
  InstrumentId instrument;
  Side side = Side::Buy;
  Lots qty;
  Ticks limit_px;  ///< 0: at the market
  bool operator==(const Intent&) const = default;
};

/// What the quantity of an amendment counts: venues differ, and the two are the same number only
/// while nothing is filled.
enum class AmendKind : std::uint8_t {
  Absolute,  ///< the order's whole quantity from now on, filled lots included
  Leaves,    ///< what may still fill after it
};

struct Amend {
  AmendKind kind = AmendKind::Absolute;
  Lots qty;
  Ticks limit_px;
  bool operator==(const Amend&) const = default;
};

/// In units of the asset's own smallest part; negative is a rebate.
struct Fee {
  std::int64_t amount = 0;
  AssetId asset;
  auto operator<=>(const Fee&) const = default;
};

/// What a venue calls an order that it knows.
enum class VenueStatus : std::uint8_t { Working, Filled, Canceled, Expired, Rejected };

/// Ways in which what is known of an order does not fit together. None is ever dropped: each is an
/// alarm, and all but `TwoEndings` freeze the order.
enum class Anomaly : std::uint8_t {
  TradeConflict,     ///< one trade told with two quantities, prices or fees; the larger counts
  Overfilled,        ///< more lots than the order ever had
  Busted,            ///< the venue took a trade back
  RejectedButAlive,  ///< refused, yet it rested or traded
  LateEvidence,      ///< concluded absent or not sent, yet the venue knows it
  UnsentButAlive,    ///< the venue knows it, and no byte of it left from here
  TwoVenueIds,       ///< two orders at the venue under one client id
  TwoEndings,        ///< both canceled and expired, say: whichever it was, it is over
  AliveAfterEnd,     ///< working at a later venue time than it ended
  RequestConflict,   ///< one request both taken and refused
  UnknownRequest,    ///< an answer to a request that was never made
  TotalDiffers,      ///< the venue says another quantity than the amendments it took
  FilledShort,       ///< the venue says filled, with fewer lots than the order has
  UnknownTooLong,    ///< a doubt older than `Patience::alarm`; ends with the doubt
};
using AnomalySet = Flags<Anomaly>;

// What happens here. In the order in which it happens: a store and one process say it.

/// The store has synced the intent. The only event from which an order's bytes come.
struct Persisted {};
/// Bytes of it went to the socket.
struct Sent {};
/// Not one byte of it left, for certain (no connection, no budget of requests).
struct NotSent {
  EvidenceId evidence;
};
/// The answer to it says neither yes nor no: timeout, reset, a 5XX, a code of that kind.
struct OutcomeUnknown {
  EvidenceId evidence;
};
/// A new process read it from the journal: what was on its way may have left or not.
struct Restarted {};
/// It was proved that the venue never got it (`trading/` says how); revocable.
struct AbsenceProven {
  EvidenceId evidence;
};
struct CancelRequested {};
struct ReplaceRequested {
  Amend amend;
};
/// The store has synced the amendment. The only event from which an amendment's bytes come.
struct ReplacePersisted {
  RequestNo no;
};
/// As NotSent, OutcomeUnknown, of a request.
struct RequestNotSent {
  RequestNo no;
  EvidenceId evidence;
};
struct RequestUnknown {
  RequestNo no;
  EvidenceId evidence;
};
/// Nothing but the time went on. `Order::due()` says when that matters.
struct TimePassed {};
/// A person looked at these and says that the order is as it now stands.
struct Acknowledged {
  AnomalySet anomalies;
  EvidenceId evidence;
};

// What the venue says. In any order, any number of times, late or never.

/// It has the order.
struct Accepted {
  VenueOrderId order;
  EvidenceId evidence;
};
/// It refuses the order for good; it never worked. (One that worked and was then rejected is a
/// `Report`.)
struct Rejected {
  EvidenceId evidence;
};
struct Fill {
  VenueOrderId order;
  TradeId trade;
  Lots qty;  ///< of this trade alone
  Ticks px;
  std::optional<Fee> fee;  ///< none: this channel does not say
  EvidenceId evidence;
};
/// A trade is taken back, whole. A correction is this and another trade.
struct TradeBusted {
  VenueOrderId order;
  TradeId trade;
  EvidenceId evidence;
};
/// How the order stands, or stood at `venue_time`; never the amount of a trade. Filled and total
/// are of this venue order alone, which on venues that amend by replacing is not the whole order.
struct Report {
  VenueOrderId order;
  VenueStatus status = VenueStatus::Working;
  Lots filled;  ///< cumulative
  std::optional<Lots> total;
  TimestampNs venue_time;  ///< by the venue's clock: when it last changed the order
  EvidenceId evidence;
};
/// Asked for by client id, the venue knows none. It may still come.
struct NotFound {
  QueryId query;
  EvidenceId evidence;
};
/// The request was taken; the order is not over before a `Report` says so.
struct CancelAccepted {
  RequestNo no;
  EvidenceId evidence;
};
/// Says nothing about whether the order works: it may be over, or not there yet.
struct CancelRejected {
  RequestNo no;
  EvidenceId evidence;
};
struct ReplaceAccepted {
  RequestNo no;
  Lots filled_then;        ///< of the whole order, when the venue amended it
  VenueOrderId successor;  ///< the order that took its place, on venues that amend so; else 0
  TimestampNs venue_time;
  EvidenceId evidence;
};
struct ReplaceRejected {
  RequestNo no;
  EvidenceId evidence;
};

using Event = std::variant<Persisted, Sent, NotSent, OutcomeUnknown, Restarted, AbsenceProven,
                           CancelRequested, ReplaceRequested, ReplacePersisted, RequestNotSent,
                           RequestUnknown, TimePassed, Acknowledged, Accepted, Rejected, Fill,
                           TradeBusted, Report, NotFound, CancelAccepted, CancelRejected,
                           ReplaceAccepted, ReplaceRejected>;

/// Whether an intent can be one. Fails: InvalidInput naming the field.
Status check_intent(const Intent& intent);

/// Whether an event says what its kind must: ids, evidence, quantities above 0 and up to kLotsMax.
/// Fails: InvalidInput naming the field. An adapter that meets this has read its frame wrongly.
Status check_event(const Event& event);

}  // namespace winnow::orders
