#include "actors/intake_group.hpp"

#include "actors/codec.hpp"
#include "base/check.hpp"
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

CheckedOffer check_offer(CommitOffer offer) {
  CheckedOffer out;
  out.result.sweep = offer.plan->id();
  out.result.block = offer.block_index;
  out.result.sender = offer.sender;
  out.result.lease = offer.lease;
  if (offer.block) {
    out.block = std::move(*offer.block);
  } else {
    auto block = decode_block(offer.block_bytes);
    if (!block) {
      out.result.status = block.error();
      return out;
    }
    out.block = std::move(*block);
  }
  out.result.status = check_against_plan(out.block, offer);
  if (!out.result.status) return out;
  out.result.rows = out.block.rows;
  const auto& segment = offer.plan->segment_of_block(offer.block_index);
  const sweeps::ResolvedSpec& spec = offer.plan->spec();
  out.dataset_hash = spec.data[segment.dataset].content_hash;
  out.family = spec.strategies[segment.strategy].family;
  out.user = std::move(offer.user);
  out.edition = offer.plan->edition(segment);
  return out;
}

namespace {

std::vector<CheckedOffer> check_all(std::vector<CommitOffer> offers) {
  std::vector<CheckedOffer> out;
  for (CommitOffer& offer : offers) out.push_back(check_offer(std::move(offer)));
  return out;
}

}  // namespace

IntakeGroup::IntakeGroup(std::vector<CommitOffer> offers)
    : IntakeGroup(check_all(std::move(offers))) {}

IntakeGroup::IntakeGroup(std::vector<CheckedOffer> offers) : offers_(std::move(offers)) {
  for (std::size_t i = 0; i < offers_.size(); ++i) {
    const CheckedOffer& offer = offers_[i];
    if (!offer.result.status) continue;
    commits_.push_back({.sweep_id = offer.result.sweep,
                        .dataset_hash = offer.dataset_hash,
                        .family = offer.family,
                        .user = offer.user,
                        .block = &offer.block,
                        .edition = offer.edition});
    offer_of_commit_.push_back(i);
  }
}

void IntakeGroup::took(std::size_t k, const store::CommitOutcome& outcome) {
  ++answered_;
  offers_[offer_of_commit_[k]].result.kind = outcome.kind;
}

void IntakeGroup::refused(std::size_t k, const Error& why) {
  ++answered_;
  offers_[offer_of_commit_[k]].result.status = why;
}

std::vector<CommitResult> IntakeGroup::results() && {
  WINNOW_REQUIRES(answered_ == commits_.size());
  std::vector<CommitResult> out;
  for (CheckedOffer& offer : offers_) out.push_back(std::move(offer.result));
  return out;
}

}  // namespace winnow::actors
