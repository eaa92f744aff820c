#pragma once

// The whole conversation of the farm. One CAF message type carries it: a Frame whose body is a
// Boost.Serialization archive of one of the structs below. CAF itself never sees a floating-point
// number (it corrupts some of them) nor a struct of ours.
//
// Who says what to whom stands in the lists below. A line there and the struct are all that a
// message is declared by: its number, its codec and the dispatch at both ends are made of them.

#include <boost/serialization/string.hpp>
#include <boost/serialization/vector.hpp>
#include <cstdint>
#include <iterator>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

namespace winnow::actors {

inline constexpr std::uint16_t kProtocolVersion = 4;
/// No frame is larger; bigger things travel in chunks (a message longer than the link's timeout
/// would be sent again for ever).
inline constexpr std::size_t kFrameBytesMax = std::size_t{1} << 20;

/// A worker computes one lease while the next waits, so that it never idles for a round trip.
inline constexpr std::uint32_t kLeasesPerWorker = 2;

/// A node keeps the plans of so many sweeps a session; at the next one both sides forget them all,
/// so that both always know which SweepInfo has to be sent again.
inline constexpr std::size_t kPlansPerSessionMax = 64;

// X(message, its number on the wire). Numbers are never used again. Coordinator, node and courier
// handle each message of the lists they hear, or do not compile; a client waits for the one it
// asked for.

/// Node to coordinator.
#define WINNOW_NODE_SAYS(X) \
  X(Hello, 1)               \
  X(Credit, 3)              \
  X(Renew, 4)               \
  X(BlockResult, 7)         \
  X(LeaseFailed, 9)         \
  X(Goodbye, 10)            \
  X(DatasetAsk, 12)         \
  X(ChunkAsk, 14)           \
  X(LeaseOverran, 17)       \
  X(TrialBegins, 18)        \
  X(DatasetState, 28)

/// Client to coordinator.
#define WINNOW_CLIENT_SAYS(X) \
  X(Submit, 20)               \
  X(Watch, 22)                \
  X(Control, 24)              \
  X(Query, 25)                \
  X(Present, 30)

/// Coordinator to node: of leases, and (to its courier) of datasets.
#define WINNOW_NODE_HEARS(X) \
  X(Welcome, 2)              \
  X(SweepInfo, 5)            \
  X(LeaseOrder, 6)           \
  X(BlocksCommitted, 8)      \
  X(TrialLeave, 19)
#define WINNOW_COURIER_HEARS(X) \
  X(DatasetOffer, 13)           \
  X(DatasetChunk, 15)           \
  X(DatasetDenied, 16)          \
  X(DatasetWanted, 27)

/// Coordinator to client.
#define WINNOW_CLIENT_HEARS(X) \
  X(Submitted, 21)             \
  X(Progress, 23)              \
  X(Reply, 26) /* in parts */  \
  X(Checking, 29)              \
  X(Controlled, 31)

/// Coordinator to either.
#define WINNOW_BOTH_HEAR(X) X(Refusal, 11)

#define WINNOW_EVERY_MESSAGE(X) \
  WINNOW_NODE_SAYS(X)           \
  WINNOW_CLIENT_SAYS(X)         \
  WINNOW_NODE_HEARS(X)          \
  WINNOW_COURIER_HEARS(X)       \
  WINNOW_CLIENT_HEARS(X)        \
  WINNOW_BOTH_HEAR(X)

enum class Kind : std::uint16_t {
#define WINNOW_KIND(name, number) name = number,
  WINNOW_EVERY_MESSAGE(WINNOW_KIND)
#undef WINNOW_KIND
};

/// Purpose: the only thing that crosses a process boundary. `session` is the sender's incarnation
/// (a node's session with one coordinator) or the client's request number.
struct Frame {
  std::uint16_t version = kProtocolVersion;
  std::uint16_t kind = 0;
  std::uint64_t session = 0;
  std::string body;
};

/// Blocks of a lease that a node was given in an earlier session and is still at work on.
struct Held {
  std::uint64_t place = 0;  ///< the node's own number for it
  std::string sweep;
  std::uint64_t first_block = 0;
  std::uint32_t blocks = 0;
  std::vector<std::uint64_t> settled;  ///< of them, those that were acknowledged or refused
  template <class A>
  void serialize(A& a, unsigned) {
    a& place& sweep& first_block& blocks& settled;
  }
};

/// A node says so many Held at most, each settled block counted as one; the rest it finishes
/// without a lease.
inline constexpr std::size_t kHeldMax = 4096;

/// A node introduces itself; the actor handle travels beside the frame.
struct Hello {
  std::uint64_t node = 0;  ///< NodeId
  std::string name;        ///< host:pid, for people
  std::uint32_t workers = 0;
  std::uint32_t engine_version = 0;
  std::string isa;
  std::uint64_t connection = 0;       ///< counts up; an earlier one is history
  std::vector<std::string> datasets;  ///< content hashes of what it holds
  std::uint8_t tells_data = 0;        ///< 1: it fetches datasets and tells of them (DatasetState)
  std::vector<Held> held;             ///< so that nobody else runs it meanwhile
  std::uint64_t former_session = 0;   ///< of an earlier process of this place that crashed...
  std::string last_words;             ///< ...and what it had to say
  std::string engine_sources = {};    ///< engine::source_hash() of its program
  template <class A>
  void serialize(A& a, unsigned) {
    a& node& name& workers& engine_version& isa& connection& datasets& tells_data& held&
        former_session& last_words& engine_sources;
  }
};

/// A lease for what Hello said was held.
struct Adopted {
  std::uint64_t place = 0;
  std::uint64_t lease = 0;
  template <class A>
  void serialize(A& a, unsigned) {
    a& place& lease;
  }
};

/// What was held and is not adopted was given to others or is committed: the node may finish it;
/// the results are compared.
struct Welcome {
  std::int64_t renew_interval_ns = 0;
  std::vector<Adopted> adopted;
  template <class A>
  void serialize(A& a, unsigned) {
    a& renew_interval_ns& adopted;
  }
};

/// How many leases the node can take: its state, not a change of it, so that a statement that is
/// lost is repaired by the next and one that comes twice or late does no harm.
struct Credit {
  std::uint64_t sequence = 0;  ///< rises within a session; Credit and Renew share it
  std::uint32_t free_places = 0;
  std::uint64_t lease_seen = 0;  ///< the highest lease number that came; later ones take a place
  template <class A>
  void serialize(A& a, unsigned) {
    a& sequence& free_places& lease_seen;
  }
};

/// Still alive, still working on these.
struct Renew {
  Credit credit;
  std::vector<std::uint64_t> leases;
  template <class A>
  void serialize(A& a, unsigned v) {
    credit.serialize(a, v);
    a& leases;
  }
};

/// What a node must know of a sweep before its first lease: all of it, by value.
struct SweepInfo {
  std::string sweep;
  std::string spec_json;
  template <class A>
  void serialize(A& a, unsigned) {
    a& sweep& spec_json;
  }
};

struct LeaseOrder {
  std::uint64_t lease = 0;
  std::string sweep;
  std::uint64_t first_block = 0;
  std::uint32_t blocks = 0;
  std::uint32_t attempt = 0;
  std::uint8_t alone = 0;                 ///< 1: one trial at a time
  std::vector<std::uint64_t> condemned;   ///< trials of the one block that are not to be run...
  std::vector<std::string> condemned_by;  ///< ...and why, one each
  std::string rows;  ///< of a search that learns: the parameters, encode_generation()
  template <class A>
  void serialize(A& a, unsigned) {
    a& lease& sweep& first_block& blocks& attempt& alone& condemned& condemned_by& rows;
  }
};

/// One computed block. `block_bytes` is an encoded ResultBlock (encode_block), opaque to the
/// coordinator's actor and decoded by its committer.
struct BlockResult {
  std::uint64_t lease = 0;
  std::string sweep;
  std::uint64_t block = 0;
  std::int64_t work_ns = 0;
  std::string block_bytes;
  /// engine::source_hash() of the program that computed it; a spool may hold another's. Empty: the
  /// one that said Hello.
  std::string computed_by = {};
  template <class A>
  void serialize(A& a, unsigned) {
    a& lease& sweep& block& work_ns& block_bytes& computed_by;
  }
};

/// These are on disk, or are not what the plan says and will be run again; the node may forget
/// both.
struct BlocksCommitted {
  std::string sweep;
  std::vector<std::uint64_t> blocks;
  std::vector<std::uint64_t> refused;
  std::string reason;  ///< of the refusal
  template <class A>
  void serialize(A& a, unsigned) {
    a& sweep& blocks& refused& reason;
  }
};

/// Why a lease comes back.
enum class LeaseEnd : std::uint8_t {
  Failed = 0,    ///< its first open block was tried and could not be run
  NotBegun = 1,  ///< no block of it was tried: the node drains or has no place
  NoPlan = 2,    ///< nor was this: SweepInfo did not arrive
  NoData = 3,    ///< nor was this: what it needs could not be had here
};

struct LeaseFailed {
  std::uint64_t lease = 0;
  std::uint8_t end = 0;  ///< LeaseEnd
  std::string reason;
  template <class A>
  void serialize(A& a, unsigned) {
    a& lease& end& reason;
  }
};

/// A computation of the lease went over its limit of time and did not stop when asked. The node
/// gives the lease back, finishes its other work and starts anew, as nothing else ends a thread.
struct LeaseOverran {
  std::uint64_t lease = 0;
  std::uint64_t first_block = 0;  ///< it ran on these...
  std::uint32_t blocks = 0;
  std::uint64_t first_trial = 0;  ///< ...or, more closely, on these
  std::uint64_t trials = 0;
  std::string evidence;
  template <class A>
  void serialize(A& a, unsigned) {
    a& lease& first_block& blocks& first_trial& trials& evidence;
  }
};

/// A lease that runs alone comes to this trial. The node waits for leave, so that the coordinator
/// knows what it was running if it is never heard of again. Said until it is answered.
struct TrialBegins {
  std::uint64_t lease = 0;
  std::uint64_t trial = 0;
  template <class A>
  void serialize(A& a, unsigned) {
    a& lease& trial;
  }
};

/// `begin` 0: the lease is over, its other trials are not to be run.
struct TrialLeave {
  std::uint64_t lease = 0;
  std::uint64_t trial = 0;
  std::uint8_t begin = 0;
  template <class A>
  void serialize(A& a, unsigned) {
    a& lease& trial& begin;
  }
};

/// The node takes no more leases and leaves; what it held is free at once.
struct Goodbye {
  template <class A>
  void serialize(A&, unsigned) {}
};

/// Blocks wait for this dataset; the node gets none of them before it is there. Answered with
/// DatasetState, and said again when nothing is heard of it.
struct DatasetWanted {
  std::string dataset;  ///< content hash
  template <class A>
  void serialize(A& a, unsigned) {
    a& dataset;
  }
};

/// How it is with a dataset at a node: when that changes, while it comes twice a second, and when
/// it is wanted.
struct DatasetState {
  enum class Is : std::uint8_t { Coming = 0, Here = 1, Failed = 2, Gone = 3 };
  std::string dataset;  ///< content hash
  std::uint8_t is = 0;  ///< Is
  std::uint64_t bytes_here = 0;
  std::uint64_t bytes_total = 0;  ///< 0: not known yet
  std::string reason;             ///< of a failure
  template <class A>
  void serialize(A& a, unsigned) {
    a& dataset& is& bytes_here& bytes_total& reason;
  }
};

/// The node lacks a dataset and asks what it is made of.
struct DatasetAsk {
  std::string dataset;  ///< content hash
  template <class A>
  void serialize(A& a, unsigned) {
    a& dataset;
  }
};

/// The fields of store::Shipment. `chunk_hashes` are 16 bytes a chunk.
struct DatasetOffer {
  std::string dataset;
  std::string manifest_json;
  std::uint64_t bytes = 0;
  std::string chunk_hashes;
  template <class A>
  void serialize(A& a, unsigned) {
    a& dataset& manifest_json& bytes& chunk_hashes;
  }
};

struct ChunkAsk {
  std::string dataset;
  std::uint32_t chunk = 0;
  template <class A>
  void serialize(A& a, unsigned) {
    a& dataset& chunk;
  }
};

struct DatasetChunk {
  std::string dataset;
  std::uint32_t chunk = 0;
  std::string bytes;
  template <class A>
  void serialize(A& a, unsigned) {
    a& dataset& chunk& bytes;
  }
};

/// The coordinator cannot send it; with ErrorCode::Unavailable only not now.
struct DatasetDenied {
  std::string dataset;
  std::uint32_t code = 0;
  std::string text;
  template <class A>
  void serialize(A& a, unsigned) {
    a& dataset& code& text;
  }
};

/// What was asked cannot be done. `code` is an ErrorCode.
struct Refusal {
  std::uint32_t code = 0;
  std::string text;
  template <class A>
  void serialize(A& a, unsigned) {
    a& code& text;
  }
};

/// Who asks from now on over this connection, shown by a token; without one, by the connection's
/// own credential. Answered by a Reply (the principal in JSON), or a Refusal: then nothing has
/// changed.
struct Present {
  std::string token;    ///< empty: none
  std::string claimed;  ///< the name the user gave as theirs; empty: none. Refused if it is not.
  template <class A>
  void serialize(A& a, unsigned) {
    a& token& claimed;
  }
};

/// Please run this sweep (YAML as the user wrote it; a profile given as a file comes along).
struct Submit {
  std::string yaml = {};
  std::string file_name = {};                   ///< for messages
  std::vector<std::string> profile_names = {};  ///< execution profiles named by path in the spec...
  std::vector<std::string> profile_texts = {};  ///< ...and their text
  std::string open =
      {};  ///< how a specification is opened that does not say it; empty: it explores
  std::uint8_t unseal = 0;  ///< 1: sealed days may be shown, on record (any byte may arrive)
  template <class A>
  void serialize(A& a, unsigned) {
    a& yaml& file_name& profile_names& profile_texts& open& unseal;
  }
};

struct Submitted {
  std::string sweep;
  std::uint64_t trials = 0;
  std::uint64_t trials_committed = 0;  ///< already there from an earlier run
  template <class A>
  void serialize(A& a, unsigned) {
    a& sweep& trials& trials_committed;
  }
};

/// The strategies of a submitted sweep are still put to the test; Submitted or Refusal follows.
struct Checking {
  std::uint32_t segments = 0;  ///< families on datasets that are looked at
  std::string waits_for;       ///< what has to be there first, if anything
  template <class A>
  void serialize(A& a, unsigned) {
    a& segments& waits_for;
  }
};

/// Send Progress of this sweep until it ends.
struct Watch {
  std::string sweep;
  template <class A>
  void serialize(A& a, unsigned) {
    a& sweep;
  }
};

struct Progress {
  std::string sweep;
  std::uint8_t state = 0;  ///< store::SweepState
  std::uint64_t trials = 0;
  std::uint64_t trials_committed = 0;
  std::uint64_t blocks = 0;
  std::uint64_t blocks_committed = 0;
  std::uint64_t blocks_quarantined = 0;
  std::uint64_t retries = 0;
  std::uint64_t work_ns = 0;  ///< engine time so far
  std::uint32_t nodes = 0;
  std::uint32_t workers = 0;
  std::string note;  ///< why it waits, if it does
  /// Of that, what somebody has to mend: the same text for as long as it lasts.
  std::string trouble = {};
  template <class A>
  void serialize(A& a, unsigned) {
    a& sweep& state& trials& trials_committed& blocks& blocks_committed& blocks_quarantined&
        retries& work_ns& nodes& workers& note& trouble;
  }
};

/// What can be asked of a sweep that there is.
enum class SweepAction : std::uint8_t { Pause = 0, Resume = 1, Cancel = 2, Extend = 3, Delete = 4 };
inline constexpr std::string_view kSweepActionNames[] = {"pause", "resume", "cancel", "extend",
                                                         "delete"};
/// Empty: no such action.
constexpr std::string_view sweep_action_name(SweepAction action) {
  const auto at = static_cast<std::size_t>(action);
  return at < std::size(kSweepActionNames) ? kSweepActionNames[at] : std::string_view();
}

/// Steers a sweep. Answered by Controlled, or a Refusal.
struct Control {
  std::string sweep;
  SweepAction action = SweepAction::Pause;  ///< any byte may arrive
  std::uint64_t more_trials = 0;            ///< extend: by so many
  std::uint64_t more_cpu_ms = 0;            ///< extend: by so much engine time
  template <class A>
  void serialize(A& a, unsigned) {
    a& sweep& action& more_trials& more_cpu_ms;
  }
};

struct Controlled {
  std::string sweep;  ///< which goes on: the one named, unless extending it made another
  template <class A>
  void serialize(A& a, unsigned) {
    a& sweep;
  }
};

/// The question that changes a user's budget.
inline constexpr std::string_view kBudgetSetQuestion = "budget_set";
/// The question that joins another ledger to the store's.
inline constexpr std::string_view kLedgerImportQuestion = "ledger_import";
/// The question that counts a backtest before it is shown, under the asker's name.
inline constexpr std::string_view kBacktestCountQuestion = "backtest_count";

/// The question that any peer may ask to see whether it reached the coordinator it looks for.
inline constexpr std::string_view kInstanceQuestion = "instance";
/// Takes back an earlier question of the same connection: {"request": its number}. There is no
/// answer. A coordinator that does not know it refuses it, which nobody reads either.
inline constexpr std::string_view kTakeBackQuestion = "take_back";

/// A question to the store by name, arguments and answer in JSON text.
struct Query {
  std::string name;
  std::string args_json;
  template <class A>
  void serialize(A& a, unsigned) {
    a& name& args_json;
  }
};

/// Part `index` of `count` of the answer to the request with the frame's session number.
struct Reply {
  std::uint32_t index = 0;
  std::uint32_t count = 1;
  std::string text;
  template <class A>
  void serialize(A& a, unsigned) {
    a& index& count& text;
  }
};

/// The lists above as types.
template <class... T>
struct Messages {};
template <class, class... T>
struct MessageList {
  using type = Messages<T...>;
};
#define WINNOW_LISTED(name, number) , name
using NodeSays = MessageList<void WINNOW_NODE_SAYS(WINNOW_LISTED)>::type;
using ClientSays = MessageList<void WINNOW_CLIENT_SAYS(WINNOW_LISTED)>::type;
using NodeHears =
    MessageList<void WINNOW_NODE_HEARS(WINNOW_LISTED) WINNOW_BOTH_HEAR(WINNOW_LISTED)>::type;
using CourierHears = MessageList<void WINNOW_COURIER_HEARS(WINNOW_LISTED)>::type;
using ClientHears =
    MessageList<void WINNOW_CLIENT_HEARS(WINNOW_LISTED) WINNOW_BOTH_HEAR(WINNOW_LISTED)>::type;
using EveryMessage = MessageList<void WINNOW_EVERY_MESSAGE(WINNOW_LISTED)>::type;
#undef WINNOW_LISTED

/// A message's number.
template <class T>
struct KindOf;
#define WINNOW_KIND_OF(name, number)          \
  template <>                                 \
  struct KindOf<name> {                       \
    static constexpr Kind value = Kind::name; \
  };
WINNOW_EVERY_MESSAGE(WINNOW_KIND_OF)
#undef WINNOW_KIND_OF

template <class T>
constexpr std::uint16_t kind_of() {
  return static_cast<std::uint16_t>(KindOf<T>::value);
}
/// Whether a frame with this number carries a T.
template <class T>
constexpr bool is(const Frame& frame) {
  return frame.kind == kind_of<T>();
}

/// Whether a message of this kind is in the list.
template <class... T>
constexpr bool contains(Messages<T...>, Kind kind) {
  return ((KindOf<T>::value == kind) || ...);
}

/// Calls `hear(std::type_identity<T>())` for the message of this kind, so that `hear` is compiled
/// for each of the list. Returns whether it is in the list.
template <class... T, class Hear>
bool dispatch(Messages<T...>, Kind kind, Hear&& hear) {
  return ((KindOf<T>::value == kind && (hear(std::type_identity<T>()), true)) || ...);
}

}  // namespace winnow::actors
