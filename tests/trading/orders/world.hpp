#pragma once

// An order between a venue that tells the truth and a wire that reorders, doubles, loses and delays
// it. What is true is known here, so that every view can be held against it.
#include <array>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/rng.hpp"
#include "trading/orders/orders.hpp"

namespace winnow::orders::testing {

/// A part broken on purpose; the world must notice.
enum class Canary : std::uint8_t {
  None,
  TradesDoubled,         ///< a trade that comes again is taken for another
  TradesInferred,        ///< a trade is made up from a report's cumulative quantity
  BustsDropped,          ///< trades taken back are kept
  FillsDroppedAfterEnd,  ///< what comes after the end is thrown away
  SentAgainWhenUnknown,  ///< a new order for the same intent when the answer was neither yes nor no
  SentAgainByReplay,     ///< a new process replays its journal without saying so
  TimeoutIsRejection,
  CancelTakenIsEnd,
  AmendKindsMixed,     ///< leaves taken for the whole quantity
  ReplacedIsCanceled,  ///< the end of the replaced order is taken for the end of the order
  AbsentTooEarly,      ///< three quick answers while the order is still on the wire
  AmendmentForgotten,  ///< the venue's yes to an amendment is dropped
  QuestionsDropped,    ///< nobody asks what is unknown
  NeverTicked,         ///< nobody says that time passes
  Last,
};

/// What one seed showed, beside whether all held.
struct Tally {
  std::uint64_t events = 0;
  std::uint64_t sends = 0;
  std::uint64_t trades = 0;
  std::uint64_t doubts = 0;
  std::uint64_t alarms = 0;
  std::uint64_t absent = 0;
  std::uint64_t amended = 0;
  std::uint64_t busted = 0;
  std::uint64_t restarts = 0;

  Tally& operator+=(const Tally& o) {
    events += o.events, sends += o.sends, trades += o.trades, doubts += o.doubts;
    alarms += o.alarms, absent += o.absent, amended += o.amended, busted += o.busted;
    restarts += o.restarts;
    return *this;
  }
};

/// Purpose: the venue's side of one order, exact and never wrong.
struct TrueOrder {
  struct Part {  // one order at the venue; several where amendments make new ones
    VenueOrderId id;
    Lots filled;
    std::int64_t changed = 0;  // venue time
    std::optional<VenueStatus> ended;
  };
  std::uint32_t arrivals = 0;  // of the order itself: more than one is a disaster
  bool rejected = false;
  Lots total;
  Lots filled;  // lots that traded, busted ones too
  Lots busted;
  std::vector<Part> parts;
  std::vector<Fill> trades;
  std::vector<TradeBusted> busts;

  bool exists() const { return !parts.empty(); }
  bool works() const { return exists() && !parts.back().ended; }
  Lots leaves() const { return works() ? positive(total - filled) : Lots{}; }
  Report report_of(const Part& part, EvidenceId evidence) const;
};

/// Purpose: one seed: intent, faults, and the end of faults. Thread: one.
class World {
 public:
  World(std::uint64_t seed, Canary canary);
  /// The first thing that is not as it must be, or empty.
  std::string run();
  const Tally& tally() const { return tally_; }
  /// Whether a new process that reads the journal knows what this one knew.
  bool is_replayed() const;

 private:
  struct Command {  // bytes on their way to the venue
    enum class Kind : std::uint8_t { Order, Cancel, Replace } kind;
    RequestNo no;
    Amend amend;
  };
  /// What became of a request at the venue.
  enum class Fate : std::uint8_t { NeverCame, Taken, Refused };

  // Chance.
  bool chance(std::uint64_t percent) { return rng_.below(100) < percent; }
  Lots some_lots(std::int64_t most) {
    return Lots{1 + static_cast<std::int64_t>(rng_.below(static_cast<std::uint64_t>(most)))};
  }
  EvidenceId proof() { return EvidenceId(++evidence_); }

  // Here.
  Result<Effects> hear(const Event& event);
  void begin_working();
  void act();
  void want_something();
  void lose_a_command();
  void restart();
  void give(const Event& event);
  void give_venue(Event event);
  bool spoil(Event& event);
  void follow(const Effects& effects, bool from_persisted);
  void carry_out(const Effect& effect, bool from_persisted);
  void tick();
  void answer(DoubtSet doubts);
  void answer_send();
  void answer_requests();

  // The venue.
  void arrive(std::size_t which);
  void arrive_order();
  void arrive_cancel(RequestNo no);
  void arrive_replace(const Command& command);
  void amend(const Command& command, Lots total);
  void trade();
  void bust();
  void end(VenueStatus status);
  void say(Event event) { air_.push_back(std::move(event)); }
  void say_report();

  // The wire.
  void deliver();

  // Checks.
  void fail(const std::string& what);
  void check();
  void check_end();
  void settle();
  void reconcile();

  Rng rng_;
  Canary canary_;
  ClientOrderId id_;
  Intent intent_;
  bool successors_;  // this venue amends by a new order
  Orders orders_;
  std::unique_ptr<Orders> other_;  // of the canaries that send again
  TimestampNs now_{};
  std::uint64_t evidence_ = 0;
  std::uint64_t next_order_ = 100;
  std::uint64_t next_trade_ = 1;
  std::uint64_t next_query_ = 1;
  std::int64_t venue_clock_ = 1;
  TrueOrder truth_;
  std::vector<Command> wire_;
  std::vector<Event> air_;
  std::vector<Event> heard_;  // for echoes
  std::vector<std::pair<Event, TimestampNs>> journal_;
  std::map<std::uint32_t, Fate> fates_;
  std::map<std::uint32_t, ReplaceAccepted> amendments_;
  std::uint32_t sends_ = 0;
  Lots booked_;
  std::map<TradeKey, Lots> told_;  // trades that were given to the order
  std::set<TradeKey> told_busts_;
  bool alarmed_ = false;
  std::uint64_t echo_ = 1'000'000;
  Tally tally_;
  std::string failure_;
};

}  // namespace winnow::orders::testing
