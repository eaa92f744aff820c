#include "actors/intake.hpp"

#include <algorithm>
#include <chrono>

#include "actors/codec.hpp"
#include "engine/family.hpp"

namespace winnow::actors {
namespace {

// A group is one WAL write and one sync. More bytes a group would only delay acknowledgements.
constexpr std::size_t kGroupBlocksMax = 256;
constexpr std::size_t kGroupBytesMax = std::size_t{32} << 20;
constexpr std::chrono::milliseconds kRetryDelay{250};

// The block must be what the plan says stands there: its place, its size and the identity of every
// trial. A node cannot put results under a name they do not belong to.
Status check_against_plan(const ResultBlock& block, const Intake::Offer& offer) {
  const auto wrong = [&](const std::string& what) {
    return Error(ErrorCode::Corrupt, "block " + std::to_string(offer.block_index) + " of sweep " +
                                         offer.plan->id() + ": " + what);
  };
  const sweeps::Plan& plan = *offer.plan;
  if (offer.block_index >= plan.blocks()) return wrong("the plan has no such block");
  const auto range = plan.block_range(offer.block_index);
  if (block.block != offer.block_index || block.first_trial != range.first_trial ||
      block.rows != range.rows) {
    return wrong("it covers other trials than planned");
  }
  if (block.metric_count != engine::metric_decls().size()) return wrong("unexpected metric count");
  const auto& segment = plan.segment_of_block(offer.block_index);
  const std::vector<double> params = plan.params(range.first_trial, range.rows);
  const std::size_t width = params.size() / range.rows;
  for (std::uint32_t row = 0; row < range.rows; ++row) {
    if (block.keys[row] != plan.key(segment, std::span(params).subspan(row * width, width))) {
      return wrong("row " + std::to_string(row) + " is another trial than planned");
    }
  }
  return {};
}

}  // namespace

Intake::Intake(store::Store& store, Callbacks callbacks)
    : store_(store),
      callbacks_(std::move(callbacks)),
      thread_([this](std::stop_token stop) { loop(stop); }) {}

Intake::~Intake() { thread_.request_stop(); }

void Intake::offer(Offer offer) {
  {
    const std::lock_guard lock(mutex_);
    queue_.push_back(std::move(offer));
  }
  wake_.notify_one();
}

void Intake::loop(std::stop_token stop) {
  for (;;) {
    std::vector<Offer> group;
    {
      std::unique_lock lock(mutex_);
      if (!wake_.wait(lock, stop, [&] { return !queue_.empty(); })) return;
      for (std::size_t bytes = 0;
           !queue_.empty() && group.size() < kGroupBlocksMax && bytes < kGroupBytesMax;) {
        bytes += queue_.front().block_bytes.size();
        group.push_back(std::move(queue_.front()));
        queue_.pop_front();
      }
    }
    callbacks_.report(commit_group(std::move(group), stop));
  }
}

std::vector<Intake::Outcome> Intake::commit_group(std::vector<Offer> group, std::stop_token stop) {
  std::vector<Outcome> outcomes(group.size());
  std::vector<ResultBlock> blocks(group.size());
  std::vector<store::BlockCommit> commits;
  std::vector<std::size_t> committed_offer;
  for (std::size_t i = 0; i < group.size(); ++i) {
    Offer& offer = group[i];
    Outcome& outcome = outcomes[i];
    outcome.sweep = offer.plan->id();
    outcome.block = offer.block_index;
    outcome.sender = offer.sender;
    outcome.lease = offer.lease;
    if (offer.block) {
      blocks[i] = std::move(*offer.block);
    } else {
      auto block = decode_block(offer.block_bytes);
      if (!block) {
        outcome.status = block.error();
        continue;
      }
      blocks[i] = std::move(*block);
      offer.block_bytes = {};
    }
    outcome.status = check_against_plan(blocks[i], offer);
    if (!outcome.status) continue;
    const auto& segment = offer.plan->segment_of_block(offer.block_index);
    const sweeps::ResolvedSpec& spec = offer.plan->spec();
    commits.push_back({.sweep_id = offer.plan->id(),
                       .dataset_hash = spec.data[segment.dataset].content_hash,
                       .family = spec.strategies[segment.strategy].family,
                       .user = offer.user,
                       .block = &blocks[i]});
    committed_offer.push_back(i);
  }
  while (!commits.empty()) {
    auto done = store_.commit(commits, system_clock().now());
    if (done) {
      for (std::size_t k = 0; k < commits.size(); ++k) {
        outcomes[committed_offer[k]].kind = (*done)[k].kind;
      }
      break;
    }
    callbacks_.stalled(done.error());
    std::unique_lock lock(mutex_);
    wake_.wait_for(lock, stop, kRetryDelay, [] { return false; });
    if (stop.stop_requested()) {  // unacknowledged: the nodes still have them
      for (const std::size_t i : committed_offer) outcomes[i].status = done.error();
      break;
    }
  }
  return outcomes;
}

}  // namespace winnow::actors
