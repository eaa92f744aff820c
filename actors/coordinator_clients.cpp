#include <spdlog/spdlog.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "actors/coordinator_core.hpp"
#include "base/text.hpp"

namespace winnow::actors {
namespace {

constexpr std::size_t kWatchersMax = 4096;
constexpr std::size_t kReplyChunkBytes = kFrameBytesMax / 2;

Error nobody() {
  return Error(ErrorCode::Refused, "the farm does not know who asks over this connection");
}

Error not_here(const std::string& sweep) {
  return Error(ErrorCode::NotFound, "this coordinator does not run sweep " + sweep);
}

}  // namespace

// Gives it to the scheduler, which may know it with a smaller budget. A search that has grown is
// another piece of work; what its nodes still send is taken all the same.
Status CoordinatorCore::take_up(const ActiveSweep& sweep) {
  const scheduler::SweepWork work = SweepRegistry::work_of(sweep);
  if (const auto known = scheduler_.progress(work.id); known && known->blocks != work.blocks) {
    scheduler_.remove(work.id);
  }
  WINNOW_TRY(scheduler_.add_sweep(work));
  scheduler_.set_budget(work.id, work.cpu_s_max);
  scheduler_.set_block_budget(work.id, work.blocks_max);
  if (sweep.meta.state == store::SweepState::Running) unrecorded_.erase(work.id);
  return {};
}

void CoordinatorCore::on(const Present& m, const From& from) {
  const auto connection = outside_.principal_of(from.peer);
  if (!connection) return refuse(from, nobody());
  cluster::Principal who = *connection;
  if (!m.token.empty()) {
    auto shown = outside_.principal_by_token(m.token);
    if (!shown) return refuse(from, shown.error());
    // A certificate is a limit that a token found elsewhere does not lift.
    if (connection->credential == cluster::Credential::Certificate) {
      shown->rights = std::min(shown->rights, connection->rights);
    }
    who = *std::move(shown);
  }
  if (const Status own = cluster::check_claim(who, m.claimed); !own) {
    return refuse(from, own.error());
  }
  if (m.token.empty()) {
    presented_.erase(from.peer);
  } else {
    presented_[from.peer] = who;
  }
  answered(from.peer, from.session, cluster::principal_json(who));
}

Result<cluster::Principal> CoordinatorCore::asker(const From& from) const {
  if (const auto shown = presented_.find(from.peer); shown != presented_.end()) {
    WINNOW_TRY(outside_.use_token(shown->second.token_id));
    return shown->second;
  }
  auto connection = outside_.principal_of(from.peer);
  if (!connection) return nobody();
  return *std::move(connection);
}

// What a token opened ends with it: whoever watches is told why, once.
void CoordinatorCore::end_revoked() {
  for (const auto& [peer, who] : presented_) {
    const Status stands = outside_.check_token(who.token_id);
    if (stands) continue;
    forget_asker(peer);
    for (auto& [sweep, watchers] : watchers_) {
      for (const Watcher& w : watchers) {
        if (w.peer == peer) answered(peer, w.request, stands.error());
      }
      std::erase_if(watchers, [&](const Watcher& w) { return w.peer == peer; });
    }
  }
}

// One's own sweeps are one's own business; an operator steers everybody's.
Status CoordinatorCore::check_owner(const Control& m, const cluster::Principal& who) const {
  if (who.rights == cluster::Rights::Operator) return {};
  const auto owner = registry_.owner_of(m.sweep);
  if (!owner) return owner.error();
  return cluster::check_owner(who, *owner, "sweep " + m.sweep);
}

void CoordinatorCore::on(const Watch& m, const From& from, const cluster::Principal&) {
  // One that ended a while ago is no longer in memory.
  if (registry_.find(m.sweep) == nullptr) {
    const auto loaded = registry_.find_or_load(m.sweep);
    if (!loaded && loaded.error().code() != ErrorCode::NotFound)
      return refuse(from, loaded.error());
    if (!loaded || !(*loaded)->at_rest()) return refuse(from, not_here(m.sweep));
  }
  auto& watchers = watchers_[m.sweep];
  if (watchers.size() >= kWatchersMax) {
    return refuse(from, Error(ErrorCode::Refused, "too many watchers"));
  }
  watchers.push_back({from.peer, from.session});
  publish(m.sweep, from.now);
}

void CoordinatorCore::extend(const Control& m, const From& from, const cluster::Principal& who) {
  auto sweep = registry_.find_or_load(m.sweep);
  if (!sweep) return refuse(from, sweep.error());
  auto extended = registry_.extend(**sweep, m, who.name, outside_.utc_now());
  if (!extended) return refuse(from, extended.error());
  ActiveSweep& active = **extended;
  const Status added = take_up(active);
  if (!added) return refuse(from, added.error());
  spdlog::info("sweep {}: extended by {}; it goes on as {}", m.sweep, who.name, active.meta.id);
  send(from.peer, Controlled{active.meta.id}, from.session);
  publish(active.meta.id, from.now);
  act(from.now);
}

void CoordinatorCore::remove(const Control& m, const From& from, const cluster::Principal& who) {
  const Status allowed = registry_.may_be_removed(m.sweep);
  if (!allowed) return refuse(from, allowed.error());
  const auto busy = std::any_of(in_commit_.begin(), in_commit_.end(), [&](const auto& block) {
    return std::get<1>(block.first) == m.sweep;
  });
  if (busy) {
    return refuse(from, Error(ErrorCode::Refused, "results of sweep " + m.sweep +
                                                      " are on their way to the disk; " +
                                                      "delete it when they are there"));
  }
  const Status gone = registry_.remove(m.sweep, who.name, outside_.utc_now());
  if (!gone) return refuse(from, gone.error());
  scheduler_.remove(m.sweep);
  unrecorded_.erase(m.sweep);
  watchers_.erase(m.sweep);
  spdlog::info("sweep {}: deleted by {}", m.sweep, who.name);
  send(from.peer, Controlled{m.sweep}, from.session);
}

void CoordinatorCore::on(const Control& m, const From& from, const cluster::Principal& who) {
  if (sweep_action_name(m.action).empty()) {
    return refuse(
        from, Error(ErrorCode::InvalidInput,
                    "no action has the number " + std::to_string(static_cast<unsigned>(m.action))));
  }
  if (const Status owned = check_owner(m, who); !owned) return refuse(from, owned.error());
  switch (m.action) {
    case SweepAction::Extend:
      return extend(m, from, who);
    case SweepAction::Delete:
      return remove(m, from, who);
    case SweepAction::Pause:
    case SweepAction::Resume:
    case SweepAction::Cancel:
      return set_running(m.action, m.sweep, from, who);
  }
}

void CoordinatorCore::set_running(SweepAction action, const std::string& id, const From& from,
                                  const cluster::Principal& who) {
  ActiveSweep* sweep = registry_.find(id);
  // A coordinator that takes up only what is submitted still ends or goes on with what it is told.
  if (sweep == nullptr && action != SweepAction::Pause) {
    auto loaded = registry_.find_or_load(id);
    if (!loaded) return refuse(from, loaded.error());
    sweep = *loaded;
  }
  if (sweep == nullptr) return refuse(from, not_here(id));
  if (sweep->meta.state == store::SweepState::Done) {
    return refuse(from, Error(ErrorCode::Refused, "sweep " + id + " is already done"));
  }
  if (sweep->meta.state == store::SweepState::BudgetSpent && action != SweepAction::Cancel) {
    return refuse(from, Error(ErrorCode::Refused, "sweep " + id +
                                                      " has used up its budget and stands still; "
                                                      "`winnow sweep extend` raises it"));
  }
  if (action == SweepAction::Resume) {
    const Status paid = registry_.may_go_on(*sweep, who.name);
    if (!paid) return refuse(from, paid.error());
  }
  store::SweepState state = store::SweepState::Running;
  if (action == SweepAction::Pause) state = store::SweepState::Paused;
  if (action == SweepAction::Cancel) state = store::SweepState::Cancelled;
  const Status stored = registry_.set_state(*sweep, state, outside_.utc_now());
  if (!stored) return refuse(from, stored.error());
  if (action == SweepAction::Pause) scheduler_.pause(id, from.now);
  if (action == SweepAction::Cancel) scheduler_.remove(id);
  if (action == SweepAction::Resume)
    (void)scheduler_.add_sweep(SweepRegistry::work_of(*sweep)).ok();
  spdlog::info("sweep {}: {} by {}", id, sweep_action_name(action), who.name);
  send(from.peer, Controlled{id}, from.session);
  publish(id, from.now);
  act(from.now);
}

void CoordinatorCore::on(const Query& m, const From& from) {
  if (m.name == kInstanceQuestion) {
    return answered(from.peer, from.session,
                    json_text(nlohmann::json{{"instance", options_.instance}}));
  }
  // Nobody waits for a word on this.
  if (m.name == kTakeBackQuestion) {
    const auto args = parse_ordered_json(m.args_json);
    const bool named =
        args.is_object() && args.contains("request") && args["request"].is_number_unsigned();
    if (named) outside_.take_back(from.peer, args["request"].get<std::uint64_t>());
    return;
  }
  const auto who = asker(from);
  if (!who) return refuse(from, who.error());
  if (m.name == "nodes") return answered(from.peer, from.session, nodes_json(from.now));
  if (m.name == "explain_live") {
    return answered(from.peer, from.session, explain_json(m.args_json, from.now));
  }
  outside_.ask(from.peer, from.session, m, *who);
}

void CoordinatorCore::answered(PeerId peer, std::uint64_t request,
                               const Result<std::string>& text) {
  if (!text) {
    return send(peer, Refusal{static_cast<std::uint32_t>(text.error().code()), text.error().text()},
                request);
  }
  const std::size_t chunks = (text->size() + kReplyChunkBytes - 1) / kReplyChunkBytes;
  const auto count = static_cast<std::uint32_t>(std::max<std::size_t>(1, chunks));
  for (std::uint32_t i = 0; i < count; ++i) {
    send(peer, Reply{i, count, text->substr(i * kReplyChunkBytes, kReplyChunkBytes)}, request);
  }
}

std::string CoordinatorCore::nodes_json(MonoNs now) const {
  std::string out = "[";
  for (const scheduler::NodeStatus& node : scheduler_.nodes()) {
    if (out.size() > 1) out += ',';
    out += "{\"name\":\"" + node.facts.name +
           "\",\"workers\":" + std::to_string(node.facts.workers) +
           ",\"leases\":" + std::to_string(node.leases) +
           ",\"blocks_done\":" + std::to_string(node.blocks_done) +
           ",\"work_s\":" + std::to_string(node.work_s) +
           ",\"last_seen_ms_ago\":" + std::to_string((now - node.last_seen).ns / 1'000'000) + "}";
  }
  return out + "]";
}

Result<std::string> CoordinatorCore::explain_json(const std::string& args_json, MonoNs now) const {
  using Json = nlohmann::ordered_json;
  const auto bad = [](const char* what) { return Error(ErrorCode::InvalidInput, what); };
  const Json args = parse_ordered_json(args_json);
  if (!args.is_object()) return bad("explain_live takes an object");
  Json out;
  if (args.contains("node")) {
    if (!args["node"].is_string()) return bad("explain_live: node is a name");
    const auto name = args["node"].get<std::string>();
    for (const auto& [session, node] : nodes_) {
      if (node.name != name) continue;
      out["node"] = name;
      out["farm"] = scheduler_.explain_node(NodeId(session), now);
      return json_text(out);
    }
    return Error(ErrorCode::NotFound, "no node " + name + " is in this farm; `winnow nodes` lists");
  }
  if (!args.contains("sweep") || !args["sweep"].is_string())
    return bad("explain_live: which sweep?");
  const auto id = args["sweep"].get<std::string>();
  std::optional<std::uint64_t> block;
  if (args.contains("block")) {
    if (!args["block"].is_number_unsigned()) return bad("explain_live: block is a number from 0");
    block = args["block"].get<std::uint64_t>();
  }
  out["sweep"] = id;
  if (block) out["block"] = *block;
  if (const auto counts = scheduler_.progress(id)) {
    out["blocks_waiting"] = counts->pending;
    out["blocks_on_nodes"] = counts->leased;
    out["blocks_in_commit"] = counts->received;
    out["blocks_quarantined"] = counts->quarantined;
    out["blocks_given_back"] = counts->retries;
    out["work_s"] = counts->work_s;
  }
  out["farm"] = scheduler_.explain(id, block, now);
  return json_text(out);
}

void CoordinatorCore::publish(const std::string& id, MonoNs now) {
  const auto watchers = watchers_.find(id);
  if (watchers == watchers_.end() || watchers->second.empty()) return;
  const ActiveSweep* sweep = registry_.find(id);
  if (sweep == nullptr) return;
  Progress p;
  p.sweep = id;
  p.state = static_cast<std::uint8_t>(sweep->meta.state);
  p.trials = sweep->plan->trials();
  p.trials_committed = sweep->trials_committed;
  p.nodes = static_cast<std::uint32_t>(nodes_.size());
  p.workers = scheduler_.workers();
  bool stands_still = p.workers == 0;
  if (const auto counts = scheduler_.progress(id)) {
    stands_still =
        stands_still || (counts->pending > 0 && counts->leased == 0 && counts->received == 0);
    p.blocks = counts->blocks;
    p.blocks_committed = counts->committed;
    p.blocks_quarantined = counts->quarantined;
    p.retries = counts->retries;
    p.work_ns = static_cast<std::uint64_t>(counts->work_s * 1e9);
  }
  if (!store_trouble_.empty()) {
    p.note = p.trouble = "the store refuses commits: " + store_trouble_;
  } else if (sweep->meta.state == store::SweepState::BudgetSpent ||
             (sweep->meta.state == store::SweepState::Running && stands_still)) {
    p.note = scheduler_.explain(id, {}, now);
    p.trouble = scheduler_.data_trouble(id);
  }
  for (const Watcher& w : watchers->second) send(w.peer, p, w.request);
  if (sweep->meta.state == store::SweepState::Done ||
      sweep->meta.state == store::SweepState::BudgetSpent ||
      sweep->meta.state == store::SweepState::Cancelled) {
    watchers->second.clear();  // that was the last word
  }
}

}  // namespace winnow::actors
