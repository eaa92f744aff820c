#pragma once

#include <vector>

#include "trading/orders/lives.hpp"
#include "trading/orders/requests.hpp"
#include "trading/orders/trades.hpp"

namespace winnow::orders {

/// Purpose: all that is known of one order. It only grows: an event adds, nothing takes away, and
/// what an order is follows from it (`derive`). So the order in which the venue's events arrive,
/// and how often, does not matter.
struct Facts {
  // Ours.
  bool persisted = false;
  bool released = false;  ///< its bytes were given to the shell, or may have been before a restart
  bool bytes_left = false;    ///< for certain
  bool withdrawn = false;     ///< canceled before it was released; it never will be
  bool send_doubted = false;  ///< no answer in time, or one that says neither
  bool early_life = false;    ///< the venue knew it before it was released
  bool unknown_request = false;
  TimestampNs out_at;  ///< local, of the release, then of the first bytes
  EvidenceId not_sent;
  EvidenceId absent;
  AnomalySet acknowledged;
  Requests requests;
  // The venue's.
  EvidenceId rejected;
  std::vector<QueryId> not_found;  ///< sorted; at most kNotFoundMax are remembered
  Lives lives;
  Trades trades;

  /// Whether the venue knows it, or knew it.
  bool alive() const;
  bool operator==(const Facts&) const = default;
};

inline constexpr std::size_t kNotFoundMax = 64;
/// Answers of "there is none" without which no order is concluded absent (LIVE: at least three).
inline constexpr std::size_t kNotFoundForAbsence = 3;

/// Where the order is at the venue.
enum class VenueSide : std::uint8_t {
  None,     ///< no byte of it left
  Sent,     ///< bytes may have left; no proof that the venue has it
  Working,  ///< the venue has it, and it may fill
  Done,     ///< nothing more can fill; `cause` says why
};
enum class Cause : std::uint8_t {
  None,  ///< not done
  Filled,
  Canceled,
  Expired,
  Rejected,
  NotSent,
  Withdrawn,
  Absent,
};
/// What of ours is on its way to it.
enum class RequestSide : std::uint8_t { None, Cancel, Replace };

/// What is not known; each is asked for (`Ask`) until it is, and in time alarmed.
enum class Doubt : std::uint8_t {
  Send,     ///< whether the venue has it
  Trades,   ///< the venue counts more lots than there are trades here
  Request,  ///< whether a request arrived
  Ending,   ///< over, or replaced by the amendment that is out
};
using DoubtSet = Flags<Doubt>;

/// Purpose: what an order is, derived from the facts.
/// Invariants: total + over = filled + leaves + canceled; all are at least 0; filled is the sum of
/// the trades that stand; leaves is 0 where Done, canceled is 0 elsewhere; over is above 0 only
/// with an anomaly or while an amendment is out.
struct View {
  Lots total;  ///< as last amended
  Lots filled;
  Lots leaves;  ///< what may still fill, as far as is known
  Lots canceled;
  Lots over;        ///< filled beyond the total
  Lots missing;     ///< filled at the venue, trades not here yet
  Lots worst_open;  ///< the most that may still be added to `filled`, whatever is unknown
  VenueSide venue = VenueSide::None;
  Cause cause = Cause::None;
  RequestSide request = RequestSide::None;
  DoubtSet doubts;
  AnomalySet anomalies;
  AnomalySet unsettled;  ///< of them, those that freeze and that nobody has acknowledged
  EvidenceId proof;      ///< of the cause; none for Withdrawn, where nothing was to be proved

  bool is_over() const { return venue == VenueSide::Done; }
  bool is_known() const { return doubts.none(); }
  /// No entries of its instrument, no amendments; exits and cancellations go on.
  bool is_frozen() const { return unsettled.any(); }
  /// Over, with every trade here and nothing that contradicts.
  bool is_settled() const { return is_over() && is_known() && !is_frozen(); }
  bool operator==(const View&) const = default;
};

/// Requires: a checked intent. `too_long`: a doubt is older than patience allows.
enum class Overdue : std::uint8_t { No, Yes };
View derive(const Intent& intent, const Facts& facts, Overdue too_long);

}  // namespace winnow::orders
