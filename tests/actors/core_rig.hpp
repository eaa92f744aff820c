#pragma once

#include <gtest/gtest.h>

#include <map>
#include <optional>
#include <string>

#include "actors/coordinator_core.hpp"
#include "engine/source_hash.hpp"
#include "tests/actors/sweeps_in_memory.hpp"

namespace winnow::actors {

inline const std::string kSources{engine::source_hash()};

/// Sweeps in memory: the store's part that the core asks in its own turn.
class BookInMemory final : public SweepsInMemory {
 public:
  Status delete_sweep(std::string_view id, const std::string&, TimestampNs) override {
    sweeps_.erase(std::string(id));
    return {};
  }
  Result<std::vector<bool>> committed(std::string_view, std::uint64_t blocks) const override {
    return std::vector<bool>(blocks);
  }
  Result<ResultBlock> outcomes(std::string_view, std::uint64_t) const override {
    return Error(ErrorCode::NotFound, "no block is committed here");
  }
  Result<bool> checked(const Hash128&) const override { return false; }
  Status put_checked(const Hash128&) override { return {}; }
  Status put_generation(const std::string& key, const std::string& bytes) override {
    generations_[key] = bytes;
    return {};
  }
  Result<std::optional<std::string>> generation(const std::string& key) const override {
    const auto found = generations_.find(key);
    if (found == generations_.end()) return std::optional<std::string>();
    return std::optional(found->second);
  }

 private:
  std::map<std::string, std::string> generations_;
};

inline constexpr const char* kSpec = R"(sweep: fuzzed
data: [sim]
window: {}
execution: none
strategies:
  - family: mean_reversion
    params:
      lookback_bars: {int: [2, 200]}
      entry_z: {float: [0.5, 4.0]}
search: {method: random, samples: 5000}
seed: 3
)";

/// Purpose: a coordinator's core with a sweep, and a world that keeps what it says. Thread: one.
class Rig final : public CoordinatorCore::Outside {
 public:
  Rig()
      : core(
            {}, book, [] { return catalog_of_sim(); }, *this) {
    EXPECT_TRUE(core.start(now));
    say(kUser, Submit{.yaml = kSpec, .file_name = "f.yaml"}, 1);
    const auto submitted = decode<Submitted>(last[kUser]);
    EXPECT_TRUE(submitted) << "refused";
    if (submitted) sweep = submitted->sweep;
  }
  template <class T>
  void say(PeerId peer, const T& message, std::uint64_t session) {
    core.on_frame(peer, encode(message, session), now);
  }
  void send(PeerId to, Frame frame) override {
    ++sent;
    last[to] = std::move(frame);
  }
  void check(CheckOrder order) override { core.checked({order.ticket, {}, {}, {}}, now); }
  void commit(CommitOffer offer) override {
    ++offers;
    CommitResult result;  // what the intake answers to a block that is none
    result.sender = offer.sender;
    result.sweep = offer.plan->id();
    result.block = offer.block_index;
    result.status = Error(ErrorCode::Corrupt, "not a block");
    results.push_back(std::move(result));
  }
  std::optional<cluster::Principal> principal_of(PeerId peer) const override {
    const auto known = askers.find(peer);
    if (known != askers.end()) return known->second;
    return cluster::Principal{.name = "u", .rights = cluster::Rights::Operator};
  }
  Result<cluster::Principal> principal_by_token(const std::string& token) override {
    const auto known = tokens.find(token);
    if (known == tokens.end()) return Outside::principal_by_token(token);
    return known->second;
  }
  Status check_token(const std::string& id) override {
    return revoked == id ? Status(Error(ErrorCode::Refused, "revoked")) : Status();
  }
  void ask(PeerId peer, std::uint64_t request, const Query&,
           const cluster::Principal& asker) override {
    asked_as = asker;
    core.answered(peer, request, std::string("{}"));
  }
  std::string network_of(PeerId peer) const override { return std::to_string(peer.value()); }
  TimestampNs utc_now() const override { return TimestampNs{} + days(20'000); }
  void advance(DurationNs by) {
    now = now + by;
    core.committed(std::exchange(results, {}), now);
    core.tick(now);
  }
  bool joins(PeerId peer, std::uint64_t node, std::uint64_t session) {
    Hello hello{node, "host:1", 1, engine::kEngineVersion, "avx2", 1, {}, 0, {}, 0, "", kSources};
    say(peer, hello, session);
    return is<Welcome>(last[peer]);
  }

  /// Others: `u`, an operator.
  std::map<PeerId, std::optional<cluster::Principal>> askers;
  std::map<std::string, cluster::Principal> tokens;
  std::string revoked;
  cluster::Principal asked_as;
  static constexpr PeerId kUser{1};
  MonoNs now;
  BookInMemory book;
  std::map<PeerId, Frame> last;
  std::vector<CommitResult> results;
  std::uint64_t sent = 0, offers = 0;
  std::string sweep;
  CoordinatorCore core;
};

}  // namespace winnow::actors
