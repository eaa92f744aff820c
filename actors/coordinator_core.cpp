#include "actors/coordinator_core.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <utility>

#include "actors/runner.hpp"
#include "engine/source_hash.hpp"

namespace winnow::actors {
namespace {

constexpr std::int64_t kRenewsPerTtl = 5;
constexpr std::size_t kNodesMax = 4096;
constexpr std::int64_t kSilentTtls = 20;
constexpr std::uint64_t kTicksPerCensus = 50;
constexpr std::uint64_t kTicksPerWord = 5;  // to whoever waits for the detectors
constexpr std::uint32_t kWorkersMax = 4096;
constexpr std::size_t kSessionsRememberedMax = 4 * kNodesMax;
constexpr std::size_t kNodeNameMax = 320;  // a host name, a colon, a process id
constexpr std::size_t kNodeDatasetsMax = 4096;
constexpr std::size_t kHashTextMax = 128;
constexpr std::size_t kReasonMax = 2048;
constexpr DurationNs kBlockWorkMax = days(7);
constexpr std::size_t kSaidMax = 64;

/// Text of a peer's that goes into logs and answers: printable ASCII without quotes or backslashes.
bool is_plain(std::string_view text, std::size_t most) {
  return !text.empty() && text.size() <= most && std::all_of(text.begin(), text.end(), [](char c) {
    return c >= ' ' && c <= '~' && c != '"' && c != '\\';
  });
}

/// The same of a reason, which is for people: what does not fit is cut off or replaced.
std::string plain_reason(std::string text) {
  if (text.size() > kReasonMax) text.resize(kReasonMax);
  std::replace_if(
      text.begin(), text.end(), [](unsigned char c) { return c < ' ' || c > '~'; }, '?');
  return text;
}

}  // namespace

CoordinatorCore::CoordinatorCore(const CoordinatorOptions& options, SweepBook& book,
                                 std::function<sweeps::Catalog()> catalog, Outside& outside,
                                 CoordinatorMetrics* metrics)
    : options_(options),
      outside_(outside),
      scheduler_(options.scheduling),
      registry_(book, std::move(catalog)),
      metrics_(metrics),
      granted_(kGrantsRemembered) {}

Status CoordinatorCore::start(MonoNs now) {
  if (!options_.resume_all) return {};
  auto unfinished = registry_.load_unfinished();
  if (!unfinished) return unfinished.error();
  for (ActiveSweep* sweep : *unfinished) {
    WINNOW_TRY(scheduler_.add_sweep(SweepRegistry::work_of(*sweep)));
    if (sweep->meta.state == store::SweepState::Paused) scheduler_.pause(sweep->meta.id, now);
    scheduler_.await_holders(sweep->meta.id, now + kRejoinGrace);
  }
  act(now);
  return {};
}

template <class T>
void CoordinatorCore::hear(const Frame& frame, const From& from) {
  // What asks for a dataset is read where datasets are.
  if constexpr (std::is_same_v<T, DatasetAsk> || std::is_same_v<T, ChunkAsk>) {
    outside_.ship(from.peer, frame);
  } else {
    const auto message = decode<T>(frame);
    if (message) return on(*message, from);
    refuse(from, message.error());
  }
}

// A wish that rights_of() knows is met in its asker's name; the others are for any peer, or look at
// the asker themselves.
template <class T>
void CoordinatorCore::hear_wish(const Frame& frame, const From& from) {
  if constexpr (requires(const T& m) { rights_of(m); }) {
    const auto message = decode<T>(frame);
    if (!message) return refuse(from, message.error());
    const auto who = asker(from);
    if (!who) return refuse(from, who.error());
    const NeededRights needed = rights_of(*message);
    const Status may = cluster::check_rights(*who, needed.least, needed.what);
    return may ? on(*message, from, *who) : refuse(from, may.error());
  } else {
    hear<T>(frame, from);
  }
}

void CoordinatorCore::on_frame(PeerId peer, const Frame& frame, MonoNs now, PeerRole role) {
  const From from{peer, frame.session, now, role};
  const auto kind = static_cast<Kind>(frame.kind);
  const bool of_node = contains(NodeSays{}, kind);
  if (!of_node && !contains(ClientSays{}, kind)) {
    return refuse(
        from, Error(ErrorCode::InvalidInput, "no message of kind " + std::to_string(frame.kind) +
                                                 " is for a coordinator of this version"));
  }
  if (!may_send(role, kind)) {
    return refuse(
        from, Error(ErrorCode::Refused,
                    std::string("this identity is that of a ") + std::string(peer_role_name(role)) +
                        (of_node ? ", which may submit, watch, steer and ask, but not "
                                   "join as a node or deliver results"
                                 : ", which may join and deliver results, but not submit, "
                                   "watch, steer or ask") +
                        "; `winnow cluster invite --role` makes the other kind"));
  }
  if (!of_node) {
    dispatch(ClientSays{}, kind,
             [&]<class T>(std::type_identity<T>) { hear_wish<T>(frame, from); });
    return;
  }
  // But for the first they count only in a node's current session.
  if (const auto node = nodes_.find(frame.session);
      !is<Hello>(frame) && (node == nodes_.end() || node->second.peer != peer)) {
    // A node that believes in a session that is over must introduce itself again.
    if (is<Renew>(frame)) {
      refuse(from, Error(ErrorCode::NotFound, "the coordinator does not know this session"));
    }
    return;
  }
  dispatch(NodeSays{}, kind, [&]<class T>(std::type_identity<T>) { hear<T>(frame, from); });
}

void CoordinatorCore::peer_gone(PeerId peer, MonoNs now) {
  std::vector<std::uint64_t> gone;
  for (const auto& [session, node] : nodes_) {
    if (node.peer == peer) gone.push_back(session);
  }
  for (const std::uint64_t session : gone) {
    nodes_.at(session).broken = now;
    scheduler_.set_credit(NodeId(session), 0, LeaseId(0));
  }
  for (auto& [sweep, watchers] : watchers_) {
    std::erase_if(watchers, [&](const Watcher& w) { return w.peer == peer; });
  }
  forget_asker(peer);
  presented_.erase(peer);
}

void CoordinatorCore::give_up_broken_nodes(MonoNs now) {
  std::vector<std::uint64_t> gone;
  for (const auto& [session, node] : nodes_) {
    if (node.broken && now - *node.broken >= kReconnectGrace) gone.push_back(session);
  }
  for (const std::uint64_t session : gone) node_gone(session, LeaveReason::Broken, now);
}

// Connections may end without a word.
void CoordinatorCore::forget_silent_nodes(MonoNs now) {
  const DurationNs patience = options_.scheduling.lease_ttl * kSilentTtls;
  for (const NodeId node : scheduler_.silent_nodes(now, patience)) {
    node_gone(node.value(), LeaveReason::Silent, now);
  }
}

// A farm that runs for months must not grow with what it has done, nor look through it at each
// tick. Whoever asks for a sweep that was forgotten finds it in the store, as after a restart.
void CoordinatorCore::forget_finished_sweeps() {
  if (registry_.all().size() <= kFinishedKept) return;
  std::set<std::string_view> in_commit;
  for (const auto& [block, bytes] : in_commit_) in_commit.insert(std::get<1>(block));
  for (const std::string& id : registry_.rested(kFinishedKept)) {
    const auto watchers = watchers_.find(id);
    const bool watched = watchers != watchers_.end() && !watchers->second.empty();
    if (watched || in_commit.contains(id) || unrecorded_.contains(id)) continue;
    scheduler_.remove(id);
    watchers_.erase(id);
    counted_.erase(id);
    registry_.forget(id);
  }
}

void CoordinatorCore::tick(MonoNs now) {
  if (++ticks_ % kTicksPerCensus == 0) forget_silent_nodes(now);
  if (ticks_ % kTicksPerWord == 0) {
    forget_finished_sweeps();
    end_revoked();
  }
  give_up_broken_nodes(now);
  // What a full disk held up goes on.
  for (const auto& [id, sweep] : registry_.all()) {
    if (!sweep.searches.empty() && scheduler_.knows(id)) advance_search(*registry_.find(id));
  }
  act(now);
  for (const auto& [id, state] : std::map(unrecorded_)) record_end(id, now);
  for (const auto& [sweep, watchers] : watchers_) publish(sweep, now);
  if (ticks_ % kTicksPerWord == 0) tell_checks();
}

void CoordinatorCore::refuse(const From& to, const Error& error) {
  if (metrics_ != nullptr) metrics_->requests_refused.add();
  send(to.peer, Refusal{static_cast<std::uint32_t>(error.code()), error.text()}, to.session);
}

// ---- nodes

// Why a node that says this cannot join any farm of this build; empty: it can.
std::string CoordinatorCore::why_not(const Hello& m) {
  if (m.engine_version != engine::kEngineVersion) {
    return "engine version " + std::to_string(m.engine_version) +
           " cannot join a farm of version " + std::to_string(engine::kEngineVersion);
  }
  if (m.engine_sources != engine::source_hash()) {
    const bool told = !m.engine_sources.empty() && is_plain(m.engine_sources, kHashTextMax);
    return "this node's program was built of other engine sources (" +
           (told ? m.engine_sources : std::string("it does not say which")) +
           ") than this farm's (" + std::string(engine::source_hash()) +
           "), so its results might differ; install the same build on both";
  }
  if (!is_plain(m.name, kNodeNameMax) || !is_plain(m.isa, kHashTextMax)) {
    return "a node's name and instruction set are 1 to " + std::to_string(kNodeNameMax) +
           " printable characters";
  }
  if (m.datasets.size() > kNodeDatasetsMax ||
      !std::all_of(m.datasets.begin(), m.datasets.end(),
                   [](const std::string& hash) { return is_plain(hash, kHashTextMax); })) {
    return "a node tells of at most " + std::to_string(kNodeDatasetsMax) +
           " datasets by their hashes";
  }
  return "";
}

void CoordinatorCore::on(const Hello& m, const From& from) {
  const auto no = [&](const std::string& why) { refuse(from, Error(ErrorCode::Refused, why)); };
  if (const std::string why = why_not(m); !why.empty()) return no(why);
  const auto welcome = [&] {
    send(from.peer,
         Welcome{options_.scheduling.lease_ttl.ns / kRenewsPerTtl, nodes_.at(from.session).adopted},
         from.session);
  };
  if (const auto known = nodes_.find(from.session); known != nodes_.end()) {
    if (known->second.peer == from.peer && known->second.node == m.node) welcome();
    return;  // it said so before
  }
  if (m.former_session != 0 && !m.last_words.empty()) {
    const std::string words = plain_reason(m.last_words);
    spdlog::warn("node {}: the one before it said: {}", m.name, words);
    // It is gone, though its connection may not have told yet.
    if (const auto former = nodes_.find(m.former_session);
        former != nodes_.end() && former->second.node != m.node) {
      node_gone(m.former_session, LeaveReason::Broken, from.now);
    }
    scheduler_.last_words(NodeId(m.former_session), words);
  }
  const std::string network = outside_.network_of(from.peer);
  for (const auto& [other, node] : nodes_) {
    // CAF derives its node ids from addresses and process ids; two containers can share one, and
    // messages would reach the wrong node.
    if (node.network == network && node.node != m.node && !node.broken) {
      return no("node " + node.name + " has the same network identity as " + m.name);
    }
  }
  if (nodes_.size() >= kNodesMax || m.workers == 0 || m.workers > kWorkersMax) {
    return no("at most " + std::to_string(kNodesMax) + " nodes of 1 to " +
              std::to_string(kWorkersMax) + " workers can join");
  }
  if (const auto earlier = latest_.find(m.node); earlier != latest_.end()) {
    if (m.connection < earlier->second.connection) return;  // late, and overtaken by the next
    if (const auto node = nodes_.find(earlier->second.session); node != nodes_.end()) {
      forget_node(node, LeaveReason::Replaced);
    }
    scheduler_.node_returned(NodeId(earlier->second.session));
  }
  if (latest_.size() >= kSessionsRememberedMax) latest_.clear();
  latest_[m.node] = {from.session, m.connection};
  spdlog::info("node {} joined with {} workers ({})", m.name, m.workers, m.isa);
  if (metrics_ != nullptr) metrics_->nodes_joined.add();
  NodePeer& node = nodes_[from.session] =
      NodePeer{from.peer, m.node, m.name, network, {}, 0, {}, {}, {}};
  scheduler_.node_joined(NodeId(from.session),
                         {.name = m.name,
                          .workers = m.workers,
                          .leases_max = m.workers * kLeasesPerWorker,
                          .datasets = {m.datasets.begin(), m.datasets.end()},
                          .tells_data = m.tells_data != 0},
                         from.now);
  adopt(node, m, from);
  welcome();
  act(from.now);
}

void CoordinatorCore::adopt(NodePeer& node, const Hello& m, const From& from) {
  for (const Held& held : m.held) {
    const auto lease = scheduler_.adopt(
        NodeId(from.session), {held.sweep, held.first_block, held.blocks, held.settled}, from.now);
    if (lease) node.adopted.push_back({held.place, lease->value()});
  }
  if (m.held.empty()) return;
  spdlog::info("node {}: {} of its {} running leases are adopted", m.name, node.adopted.size(),
               m.held.size());
  if (metrics_ != nullptr) metrics_->leases_adopted.add(node.adopted.size());
}

void CoordinatorCore::state_places(const Credit& m, const From& from) {
  NodePeer& node = nodes_.at(from.session);
  if (m.sequence <= node.credit_sequence) return;  // an older statement, overtaken
  node.credit_sequence = m.sequence;
  scheduler_.set_credit(NodeId(from.session), m.free_places, LeaseId(m.lease_seen));
}

void CoordinatorCore::on(const Credit& m, const From& from) {
  state_places(m, from);
  act(from.now);
}

void CoordinatorCore::on(const Renew& m, const From& from) {
  std::vector<LeaseId> held;
  for (const std::uint64_t id : m.leases) held.emplace_back(id);
  scheduler_.renew(NodeId(from.session), held, from.now);
  state_places(m.credit, from);
  act(from.now);
}

void CoordinatorCore::on(const BlockResult& m, const From& from) {
  // Whatever the store knows takes its late results, though nobody runs it any more.
  const auto found = registry_.find_or_load(m.sweep);
  if (!found && found.error().code() == ErrorCode::Io) return;  // the node says it again
  const auto refuse_result = [&](const std::string& why) {
    spdlog::error("node {}: result block {} of sweep {} is refused: {}",
                  nodes_.at(from.session).name, m.block, m.sweep, why);
    send(from.peer, BlocksCommitted{m.sweep, {}, {m.block}, why}, from.session);
  };
  if (!found) return refuse_result(found.error().text());
  const ActiveSweep* sweep = *found;
  if (m.block >= sweep->plan->blocks()) return refuse_result("its plan has no such block");
  if (!sweep->plan->known(m.block)) return refuse_result("its parameters are not chosen yet");
  if (!m.computed_by.empty() && m.computed_by != engine::source_hash()) {
    return refuse_result("it was computed by a program of other engine sources");
  }
  const std::size_t bytes = m.block_bytes.size();
  if (bytes_in_commit_ + bytes > kCommitBytesMax) {  // its node will send it again
    if (metrics_ != nullptr) metrics_->results_put_off.add();
    return;
  }
  count_result(m.lease, from.now);
  // A cost that no block has would spoil the sizes of everybody's leases.
  const DurationNs work{std::clamp<std::int64_t>(m.work_ns, 0, kBlockWorkMax.ns)};
  scheduler_.block_received(NodeId(from.session), LeaseId(m.lease), m.sweep, m.block, work,
                            from.now);
  const std::uint64_t node = nodes_.at(from.session).node;
  const InCommit key(node, m.sweep, m.block);
  if (!in_commit_.try_emplace(key, bytes).second) return;  // it is answered once
  bytes_in_commit_ += bytes;
  CommitOffer offer;
  offer.plan = sweep->plan;
  offer.user = sweep->meta.user;
  offer.block_bytes = m.block_bytes;
  offer.block_index = m.block;
  offer.sender = node;
  offer.lease = m.lease;
  outside_.commit(std::move(offer));
}

void CoordinatorCore::on(const LeaseFailed& m, const From& from) {
  NodePeer& node = nodes_.at(from.session);
  const std::string reason = plain_reason(m.reason);
  log_once(node, reason);
  if (metrics_ != nullptr) metrics_->leases_refused.add();
  const auto end = static_cast<LeaseEnd>(m.end);
  if (end == LeaseEnd::NoPlan) node.knows.clear();  // what it has not heard is said again
  if (end == LeaseEnd::NoData) {
    scheduler_.lease_lacks_data(NodeId(from.session), LeaseId(m.lease), reason, from.now);
    return act(from.now);
  }
  scheduler_.lease_failed(
      NodeId(from.session), LeaseId(m.lease),
      end == LeaseEnd::Failed ? scheduler::Blame::Block : scheduler::Blame::Nobody, reason,
      from.now);
  act(from.now);
}

void CoordinatorCore::on(const LeaseOverran& m, const From& from) {
  spdlog::warn("node {}: {}", nodes_.at(from.session).name, m.evidence);
  if (metrics_ != nullptr) metrics_->leases_overran.add();
  scheduler::Scheduler::Overrun what{{m.first_block, m.first_block + m.blocks}, {}, m.evidence};
  if (m.trials == 1) what.trial = m.first_trial;
  scheduler_.lease_overran(NodeId(from.session), LeaseId(m.lease), what, from.now);
  act(from.now);
}

void CoordinatorCore::on(const TrialBegins& m, const From& from) {
  const bool held = scheduler_.trial_begins(NodeId(from.session), LeaseId(m.lease), m.trial);
  send(from.peer, TrialLeave{m.lease, m.trial, static_cast<std::uint8_t>(held ? 1 : 0)},
       from.session);
}

void CoordinatorCore::on(const DatasetState& m, const From& from) {
  if (!is_plain(m.dataset, kHashTextMax)) return;
  using Is = scheduler::DataState::Is;
  scheduler::DataState state{Is::Coming, m.bytes_here, m.bytes_total, plain_reason(m.reason)};
  switch (static_cast<DatasetState::Is>(m.is)) {
    case DatasetState::Is::Coming:
      break;
    case DatasetState::Is::Here:
      state.is = Is::Here;
      break;
    case DatasetState::Is::Failed:
      log_once(nodes_.at(from.session), "cannot get dataset " + m.dataset + ": " + state.reason);
      state.is = Is::Failed;
      break;
    case DatasetState::Is::Gone:
      state.is = Is::Gone;
      break;
    default:
      return;
  }
  scheduler_.data_state(NodeId(from.session), m.dataset, state, from.now);
  if (state.is != Is::Coming) act(from.now);
}

// What is tried again and again is said once: the log lies on a disk that may be what is short.
void CoordinatorCore::log_once(NodePeer& node, const std::string& text) {
  if (node.said.size() >= kSaidMax) node.said.clear();
  if (node.said.insert(text).second) spdlog::warn("node {}: {}", node.name, text);
}

void CoordinatorCore::on(const Goodbye&, const From& from) {
  node_gone(from.session, LeaveReason::Goodbye, from.now);
}

std::string_view CoordinatorCore::text_of(LeaveReason why) {
  switch (why) {
    case LeaveReason::Goodbye:
      return "it said goodbye";
    case LeaveReason::Broken:
      return "its connection broke";
    case LeaveReason::Silent:
      return "it was silent";
    case LeaveReason::Replaced:
      return "it came back with a new connection";
  }
  return "";
}

void CoordinatorCore::node_gone(std::uint64_t session, LeaveReason why, MonoNs now) {
  const auto node = nodes_.find(session);
  if (node == nodes_.end()) return;
  forget_node(node, why);
  scheduler_.node_left(NodeId(session), text_of(why), now);
  act(now);
}

void CoordinatorCore::forget_node(std::map<std::uint64_t, NodePeer>::iterator node,
                                  LeaveReason why) {
  spdlog::info("node {} left: {}", node->second.name, text_of(why));
  count_left(why);
  nodes_.erase(node);
}

// ---- results

void CoordinatorCore::committed(const std::vector<CommitResult>& results, MonoNs now) {
  std::map<std::pair<std::uint64_t, std::string>, BlocksCommitted> answers;
  std::set<std::string> learned;
  if (!std::exchange(store_trouble_, "").empty()) spdlog::info("the store takes commits again");
  for (const CommitResult& result : results) {
    if (const auto sent = in_commit_.find({result.sender, result.sweep, result.block});
        sent != in_commit_.end()) {
      bytes_in_commit_ -= sent->second;
      in_commit_.erase(sent);
    }
    BlocksCommitted& answer = answers[{result.sender, result.sweep}];
    if (!result.status) {
      spdlog::error("{}", result.status.error().text());
      answer.refused.push_back(result.block);
      answer.reason = result.status.error().text();
      scheduler_.block_refused(result.sweep, result.block, result.status.error().text());
      continue;
    }
    if (result.kind == store::CommitKind::Mismatch) {
      spdlog::critical("sweep {} block {}: two executions of the same trials differ", result.sweep,
                       result.block);
    }
    answer.blocks.push_back(result.block);
    scheduler_.block_committed(result.sweep, result.block);
    if (ActiveSweep* sweep = registry_.find(result.sweep)) {
      registry_.count_committed(*sweep, result.block);
      if (!sweep->searches.empty()) learned.insert(result.sweep);
    }
  }
  for (const std::string& sweep : learned) advance_search(*registry_.find(sweep));
  for (auto& [key, answer] : answers) {
    answer.sweep = key.second;
    // To the connection that its node has now.
    const auto latest = latest_.find(key.first);
    if (latest == latest_.end()) continue;
    if (const auto node = nodes_.find(latest->second.session); node != nodes_.end()) {
      send(node->second.peer, answer, node->first);
    }
  }
  act(now);
}

void CoordinatorCore::store_refuses(const std::string& text) {
  // Said once, not at every try: the log may lie on the disk that is full, and texts name files.
  if (!store_trouble_.empty()) return;
  spdlog::error("the store refuses commits: {}", text);
  store_trouble_ = text;
}

// ---- decisions

void CoordinatorCore::act(MonoNs now) {
  for (const scheduler::Decision& decision : scheduler_.step(now)) {
    std::visit([&](const auto& what) { carry_out(what, now); }, decision);
  }
}

void CoordinatorCore::carry_out(const scheduler::FetchData& fetch, MonoNs) {
  const auto node = nodes_.find(fetch.node.value());
  if (node == nodes_.end()) return;
  send(node->second.peer, DatasetWanted{fetch.dataset}, node->first);
}

void CoordinatorCore::carry_out(const scheduler::Grant& grant, MonoNs now) {
  count_grant(grant.lease, now);
  const auto found = nodes_.find(grant.node.value());
  const ActiveSweep* sweep = registry_.find(grant.lease.sweep);
  if (found == nodes_.end() || sweep == nullptr) return;
  NodePeer& node = found->second;
  // A search that was extended is another plan of the same name.
  const std::string plan_name = grant.lease.sweep + "/" + std::to_string(sweep->plan->trials());
  if (!node.knows.contains(plan_name)) {
    if (node.knows.size() >= kPlansPerSessionMax) node.knows.clear();
    node.knows.insert(plan_name);
    send(node.peer, SweepInfo{grant.lease.sweep, sweep->meta.spec_json}, found->first);
  }
  const auto alone = static_cast<std::uint8_t>(grant.lease.alone ? 1 : 0);
  LeaseOrder order{grant.lease.id.value(),
                   grant.lease.sweep,
                   grant.lease.first_block,
                   grant.lease.blocks,
                   grant.lease.attempt,
                   alone,
                   {},
                   {},
                   {}};
  for (const auto& [trial, evidence] : grant.lease.condemned) {
    order.condemned.push_back(trial);
    order.condemned_by.push_back(evidence);
  }
  if (sweep->plan->spec().learns()) {
    order.rows = sweeps::encode_generation(
        sweeps::rows_of_blocks(*sweep->plan, grant.lease.first_block, grant.lease.blocks));
  }
  send(node.peer, order, found->first);
}

// The next generation, if one is due: on disk first, then for lease.
void CoordinatorCore::advance_search(ActiveSweep& sweep) {
  const auto released = registry_.advance(sweep);
  if (!released) return store_refuses(released.error().text());
  for (const scheduler::BlockRange& blocks : *released) scheduler_.release(sweep.meta.id, blocks);
}

void CoordinatorCore::carry_out(const scheduler::SweepFinished& done, MonoNs now) {
  unrecorded_[done.sweep] = store::SweepState::Done;
  record_end(done.sweep, now);
}

void CoordinatorCore::carry_out(const scheduler::BudgetSpent& spent, MonoNs now) {
  unrecorded_[spent.sweep] = store::SweepState::BudgetSpent;
  record_end(spent.sweep, now);
}

// A disk that is full just then must not leave the sweep running for ever: tick() tries again.
void CoordinatorCore::record_end(const std::string& id, MonoNs now) {
  const store::SweepState state = unrecorded_.at(id);
  if (ActiveSweep* sweep = registry_.find(id); sweep != nullptr && sweep->meta.state != state) {
    const Status stored = registry_.set_state(*sweep, state, outside_.utc_now());
    if (!stored) return spdlog::error("sweep {}: {}", id, stored.error().text());
    spdlog::info("sweep {} is {}: {} trials", id,
                 state == store::SweepState::Done ? "done" : "at the end of its budget",
                 sweep->trials_committed);
    publish(id, now);
  }
  unrecorded_.erase(id);
}

void CoordinatorCore::carry_out(const scheduler::Quarantine& bad, MonoNs) {
  const ActiveSweep* sweep = registry_.find(bad.sweep);
  if (sweep == nullptr) return;
  if (metrics_ != nullptr) metrics_->blocks_quarantined.add();
  spdlog::error("sweep {}: block {} is quarantined; {}", bad.sweep, bad.block, bad.evidence);
  CommitOffer offer;
  offer.plan = sweep->plan;
  offer.user = sweep->meta.user;
  offer.block_index = bad.block;
  offer.block = std::make_shared<ResultBlock>(
      failed_block(*sweep->plan, bad.block, "quarantined: " + bad.evidence));
  outside_.commit(std::move(offer));
}

}  // namespace winnow::actors
