#pragma once

// The whole conversation of the farm. One CAF message type carries it: a Frame whose body is a
// Boost.Serialization archive of one of the structs below. CAF itself never sees a floating-point
// number (it corrupts some of them) nor a struct of ours.
//
//   node        -> coordinator   Hello, Credit, Renew, BlockResult, LeaseFailed, LeaseOverran,
//                                TrialBegins, Goodbye, DatasetAsk, ChunkAsk, DatasetState
//   coordinator -> node          Welcome, SweepInfo, LeaseOrder, BlocksCommitted, Refusal,
//                                TrialLeave, DatasetWanted, DatasetOffer, DatasetChunk,
//                                DatasetDenied
//   client      -> coordinator   Present, Submit, Watch, Control, Query
//   coordinator -> client        Checking, Submitted, Progress, Reply (in chunks), Refusal

#include <boost/serialization/string.hpp>
#include <boost/serialization/vector.hpp>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace winnow::actors {

inline constexpr std::uint16_t kProtocolVersion = 3;
/// No frame is larger; bigger things travel in chunks (a message longer than the link's timeout
/// would be sent again for ever).
inline constexpr std::size_t kFrameBytesMax = std::size_t{1} << 20;

/// A worker computes one lease while the next waits, so that it never idles for a round trip.
inline constexpr std::uint32_t kLeasesPerWorker = 2;

/// A node keeps the plans of so many sweeps a session; at the next one both sides forget them all,
/// so that both always know which SweepInfo has to be sent again.
inline constexpr std::size_t kPlansPerSessionMax = 64;

enum class Kind : std::uint16_t {
  Hello = 1,
  Welcome = 2,
  Credit = 3,
  Renew = 4,
  SweepInfo = 5,
  LeaseOrder = 6,
  BlockResult = 7,
  BlocksCommitted = 8,
  LeaseFailed = 9,
  Goodbye = 10,
  Refusal = 11,
  DatasetAsk = 12,
  DatasetOffer = 13,
  ChunkAsk = 14,
  DatasetChunk = 15,
  DatasetDenied = 16,
  LeaseOverran = 17,
  TrialBegins = 18,
  TrialLeave = 19,
  Submit = 20,
  Submitted = 21,
  Watch = 22,
  Progress = 23,
  Control = 24,
  Query = 25,
  Reply = 26,
  DatasetWanted = 27,
  DatasetState = 28,
  Checking = 29,
  Present = 30,
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
  static constexpr Kind kKind = Kind::Hello;
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
  static constexpr Kind kKind = Kind::Welcome;
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
  static constexpr Kind kKind = Kind::Credit;
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
  static constexpr Kind kKind = Kind::Renew;
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
  static constexpr Kind kKind = Kind::SweepInfo;
  std::string sweep;
  std::string spec_json;
  template <class A>
  void serialize(A& a, unsigned) {
    a& sweep& spec_json;
  }
};

struct LeaseOrder {
  static constexpr Kind kKind = Kind::LeaseOrder;
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
  static constexpr Kind kKind = Kind::BlockResult;
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
  static constexpr Kind kKind = Kind::BlocksCommitted;
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
  static constexpr Kind kKind = Kind::LeaseFailed;
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
  static constexpr Kind kKind = Kind::LeaseOverran;
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
  static constexpr Kind kKind = Kind::TrialBegins;
  std::uint64_t lease = 0;
  std::uint64_t trial = 0;
  template <class A>
  void serialize(A& a, unsigned) {
    a& lease& trial;
  }
};

/// `begin` 0: the lease is over, its other trials are not to be run.
struct TrialLeave {
  static constexpr Kind kKind = Kind::TrialLeave;
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
  static constexpr Kind kKind = Kind::Goodbye;
  template <class A>
  void serialize(A&, unsigned) {}
};

/// Blocks wait for this dataset; the node gets none of them before it is there. Answered with
/// DatasetState, and said again when nothing is heard of it.
struct DatasetWanted {
  static constexpr Kind kKind = Kind::DatasetWanted;
  std::string dataset;  ///< content hash
  template <class A>
  void serialize(A& a, unsigned) {
    a& dataset;
  }
};

/// How it is with a dataset at a node: when that changes, while it comes twice a second, and when
/// it is wanted.
struct DatasetState {
  static constexpr Kind kKind = Kind::DatasetState;
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
  static constexpr Kind kKind = Kind::DatasetAsk;
  std::string dataset;  ///< content hash
  template <class A>
  void serialize(A& a, unsigned) {
    a& dataset;
  }
};

/// The fields of store::Shipment. `chunk_hashes` are 16 bytes a chunk.
struct DatasetOffer {
  static constexpr Kind kKind = Kind::DatasetOffer;
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
  static constexpr Kind kKind = Kind::ChunkAsk;
  std::string dataset;
  std::uint32_t chunk = 0;
  template <class A>
  void serialize(A& a, unsigned) {
    a& dataset& chunk;
  }
};

struct DatasetChunk {
  static constexpr Kind kKind = Kind::DatasetChunk;
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
  static constexpr Kind kKind = Kind::DatasetDenied;
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
  static constexpr Kind kKind = Kind::Refusal;
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
  static constexpr Kind kKind = Kind::Present;
  std::string token;    ///< empty: none
  std::string claimed;  ///< the name the user gave as theirs; empty: none. Refused if it is not.
  template <class A>
  void serialize(A& a, unsigned) {
    a& token& claimed;
  }
};

/// Please run this sweep (YAML as the user wrote it; a profile given as a file comes along).
struct Submit {
  static constexpr Kind kKind = Kind::Submit;
  std::string yaml = {};
  std::string file_name = {};  ///< for messages
  std::string user;            ///< empty, or whose name the sender claims; the principal's counts
  std::vector<std::string> profile_names = {};  ///< execution profiles named by path in the spec...
  std::vector<std::string> profile_texts = {};  ///< ...and their text
  std::string open =
      {};  ///< how a specification is opened that does not say it; empty: it explores
  std::uint8_t unseal = 0;  ///< 1: sealed days may be shown, on record (any byte may arrive)
  template <class A>
  void serialize(A& a, unsigned) {
    a& yaml& file_name& user& profile_names& profile_texts& open& unseal;
  }
};

struct Submitted {
  static constexpr Kind kKind = Kind::Submitted;
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
  static constexpr Kind kKind = Kind::Checking;
  std::uint32_t segments = 0;  ///< families on datasets that are looked at
  std::string waits_for;       ///< what has to be there first, if anything
  template <class A>
  void serialize(A& a, unsigned) {
    a& segments& waits_for;
  }
};

/// Send Progress of this sweep until it ends.
struct Watch {
  static constexpr Kind kKind = Kind::Watch;
  std::string sweep;
  template <class A>
  void serialize(A& a, unsigned) {
    a& sweep;
  }
};

struct Progress {
  static constexpr Kind kKind = Kind::Progress;
  std::string sweep;
  std::string state;  ///< running, paused, done, cancelled, budget_spent
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

struct Control {
  static constexpr Kind kKind = Kind::Control;
  std::string sweep;
  std::string action;             ///< pause, resume, cancel, extend, delete
  std::string user;               ///< as Submit's
  std::uint64_t more_trials = 0;  ///< extend: by so many
  std::uint64_t more_cpu_ms = 0;  ///< extend: by so much engine time
  template <class A>
  void serialize(A& a, unsigned) {
    a& sweep& action& user& more_trials& more_cpu_ms;
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
  static constexpr Kind kKind = Kind::Query;
  std::string name;
  std::string args_json;
  template <class A>
  void serialize(A& a, unsigned) {
    a& name& args_json;
  }
};

/// Part `index` of `count` of the answer to the request with the frame's session number.
struct Reply {
  static constexpr Kind kKind = Kind::Reply;
  std::uint32_t index = 0;
  std::uint32_t count = 1;
  std::string text;
  template <class A>
  void serialize(A& a, unsigned) {
    a& index& count& text;
  }
};

}  // namespace winnow::actors
