#include "actors/intake_group.hpp"

#include "actors/codec.hpp"
#include "engine/family.hpp"

namespace winnow::actors {
namespace {

// The block must be what the plan says stands there: its place, its size and the identity of every
// trial. A node cannot put results under a name they do not belong to.
Status check_against_plan(const ResultBlock& block, const CommitOffer& offer) {
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
  if (!plan.known(offer.block_index)) return wrong("its parameters are not chosen yet");
  const auto& segment = plan.segment_of_block(offer.block_index);
  const bool curves = segment.point_steps > 0;
  if (block.point_steps != segment.point_steps ||
      block.point_metrics != (curves ? plan.point_metrics().size() : 0)) {
    return wrong("it has other points than planned");
  }
  const std::vector<double> params = plan.params(range.first_trial, range.rows);
  const std::size_t width = params.size() / range.rows;
  for (std::uint32_t row = 0; row < range.rows; ++row) {
    if (block.keys[row] !=
        plan.trial_key(offer.block_index, std::span(params).subspan(row * width, width))) {
      return wrong("row " + std::to_string(row) + " is another trial than planned");
    }
  }
  return {};
}

}  // namespace

IntakeGroup::IntakeGroup(std::vector<CommitOffer> offers)
    : results_(offers.size()), blocks_(offers.size()) {
  for (std::size_t i = 0; i < offers.size(); ++i) {
    CommitOffer& offer = offers[i];
    CommitResult& result = results_[i];
    result.sweep = offer.plan->id();
    result.block = offer.block_index;
    result.sender = offer.sender;
    result.lease = offer.lease;
    if (offer.block) {
      blocks_[i] = std::move(*offer.block);
    } else {
      auto block = decode_block(offer.block_bytes);
      if (!block) {
        result.status = block.error();
        continue;
      }
      blocks_[i] = std::move(*block);
      offer.block_bytes = {};
    }
    result.status = check_against_plan(blocks_[i], offer);
    if (!result.status) continue;
    result.rows = blocks_[i].rows;
    const auto& segment = offer.plan->segment_of_block(offer.block_index);
    const sweeps::ResolvedSpec& spec = offer.plan->spec();
    commits_.push_back({.sweep_id = offer.plan->id(),
                        .dataset_hash = spec.data[segment.dataset].content_hash,
                        .family = spec.strategies[segment.strategy].family,
                        .user = offer.user,
                        .block = &blocks_[i]});
    offer_of_commit_.push_back(i);
  }
}

void IntakeGroup::took(std::size_t k, const store::CommitOutcome& outcome) {
  results_[offer_of_commit_[k]].kind = outcome.kind;
}

void IntakeGroup::refused(std::size_t k, const Error& why) {
  results_[offer_of_commit_[k]].status = why;
}

}  // namespace winnow::actors
