#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "base/result_block.hpp"
#include "base/time.hpp"
#include "store/store.hpp"
#include "sweeps/plan.hpp"

namespace winnow::actors {

/// A block on its way to the store, as it came.
struct CommitOffer {
  std::shared_ptr<const sweeps::Plan> plan;
  std::string user;
  std::string block_bytes;             ///< encoded, or empty if `block` is set
  std::shared_ptr<ResultBlock> block;  ///< made here (quarantine)
  std::uint64_t block_index = 0;
  std::uint64_t sender = 0;  ///< returned in the outcome
  std::uint64_t lease = 0;
  MonoNs offered{0};  ///< set by the intake
};

/// What became of an offer.
struct CommitResult {
  std::string sweep;
  std::uint64_t block = 0;
  std::uint64_t sender = 0;
  std::uint64_t lease = 0;
  Status status;  ///< not ok: the bytes are not this block; nothing was committed
  store::CommitKind kind = store::CommitKind::Fresh;
  std::uint32_t rows = 0;  ///< of a block that passed the checks
};

/// An offer decoded and checked against its plan: what can be done before the store is asked.
struct CheckedOffer {
  CommitResult result;  ///< not ok: nothing else is set
  ResultBlock block;
  std::string dataset_hash;
  std::string family;
  std::string user;
  Edition edition;  ///< of the block's keys
};
CheckedOffer check_offer(CommitOffer offer);

/// Purpose: checked offers that are committed together, joined with what the store said. No thread,
/// no file.
/// Owner: whoever calls the store. Thread: one.
class IntakeGroup {
 public:
  explicit IntakeGroup(std::vector<CheckedOffer> offers);
  explicit IntakeGroup(std::vector<CommitOffer> offers);
  IntakeGroup(const IntakeGroup&) = delete;
  IntakeGroup& operator=(const IntakeGroup&) = delete;

  /// What passed the checks; valid while the group lives.
  const std::vector<store::BlockCommit>& commits() const { return commits_; }
  /// The store took commit `k`.
  void took(std::size_t k, const store::CommitOutcome& outcome);
  /// The store will never take commit `k`.
  void refused(std::size_t k, const Error& why);
  /// One result an offer, in order. Requires: took() or refused() was called for every commit.
  std::vector<CommitResult> results() &&;

 private:
  std::vector<CheckedOffer> offers_;
  std::vector<store::BlockCommit> commits_;
  std::vector<std::size_t> offer_of_commit_;
  std::size_t answered_ = 0;  // of the commits
};

}  // namespace winnow::actors
