#include "actors/search_keeper.hpp"

#include <algorithm>

namespace winnow::actors {
namespace {

// A checkpoint holds all that was learned, so it is written when an eighth more is: all of them
// together are then nine times the last one, and a restart replays little.
constexpr std::uint64_t kCheckpointShare = 8;
constexpr std::uint64_t kCheckpointRowsMin = 512;

bool same_rows(const sweeps::GenerationRows& a, const sweeps::GenerationRows& b) {
  return a.first_row == b.first_row && a.width == b.width && a.rungs == b.rungs &&
         a.values == b.values;
}

// Blocks of the rows, in the plan.
struct Blocks {
  std::uint64_t first = 0;
  std::uint64_t last = 0;
};
Blocks blocks_of(const sweeps::Plan& plan, const sweeps::GenerationRows& rows) {
  const sweeps::Segment& segment = plan.segments()[rows.segment];
  const std::uint64_t first = segment.first_block + rows.first_row / plan.block_rows();
  return {first, first + rows.rows() / plan.block_rows()};
}

}  // namespace

Result<std::shared_ptr<SearchKeeper>> SearchKeeper::take_up(
    const SweepBook& book, const sweeps::Plan& plan, const sweeps::Segment& segment,
    const std::vector<sweeps::PriorResult>& prior) {
  auto stored = sweeps::read_generations(
      plan, segment, [&](const std::string& key) { return book.generation(key); });
  if (!stored) return stored.error();
  // The latest checkpoint, and what came after it made again.
  std::size_t from = stored->size();
  while (from > 0 && (*stored)[from - 1].checkpoint.empty()) --from;
  auto search = from > 0
                    ? sweeps::SegmentSearch::restore(plan, segment, (*stored)[from - 1].checkpoint)
                    : sweeps::SegmentSearch::make(plan, segment, prior);
  if (!search) return search.error();
  std::shared_ptr<SearchKeeper> out(new SearchKeeper(segment, *std::move(search)));
  for (std::size_t g = from > 0 ? from - 1 : 0; g < stored->size(); ++g) {
    if (from == 0 || g >= from) {
      if (g > 0) {
        const auto learned = out->learn(book, plan);
        if (!learned) return learned.error();
      }
      WINNOW_TRY(out->search_.open());
    }
    if (!same_rows(out->search_.open_rows(), (*stored)[g])) {
      return Error(ErrorCode::Corrupt,
                   "generation " + sweeps::generation_key(plan.id(), segment.index, g) +
                       " holds other rows than its search makes from the results before it");
    }
  }
  out->generations_ = stored->size();
  out->rows_checkpointed_ = from > 0 ? (*stored)[from - 1].first_row : 0;
  out->rows_put_ = out->search_.rows_made();
  for (sweeps::GenerationRows& rows : *stored) rows.checkpoint.clear();
  out->rows_ = *std::move(stored);
  return out;
}

Result<bool> SearchKeeper::learn(const SweepBook& book, const sweeps::Plan& plan) {
  const Blocks blocks = blocks_of(plan, search_.open_rows());
  std::vector<sweeps::search::Outcome> outcomes;
  for (std::uint64_t b = blocks.first; b < blocks.last; ++b) {
    const auto block = book.outcomes(plan.id(), b);
    if (!block) return block.error();
    for (std::uint32_t row = 0; row < block->rows; ++row) {
      outcomes.push_back(sweeps::outcome_of(plan.spec().adaptive, *block, row));
    }
  }
  WINNOW_TRY(search_.tell(outcomes));
  return true;
}

Result<std::optional<sweeps::GenerationRows>> SearchKeeper::advance(
    SweepBook& book, const sweeps::Plan& plan, const std::vector<bool>& committed) {
  const std::uint64_t trials = plan.segments()[segment_].trials;
  const bool put = rows_put_ == search_.rows_made();
  if (put && rows_put_ >= trials) return std::optional<sweeps::GenerationRows>();
  if (put && search_.waits()) {
    const Blocks blocks = blocks_of(plan, search_.open_rows());
    for (std::uint64_t b = blocks.first; b < blocks.last; ++b) {
      if (b >= committed.size() || !committed[b]) return std::optional<sweeps::GenerationRows>();
    }
    const auto learned = learn(book, plan);
    if (!learned) return learned.error();
  }
  // A disk that was full when they were made finds them open.
  if (!search_.waits()) WINNOW_TRY(search_.open());
  sweeps::GenerationRows rows = search_.open_rows();
  const std::uint64_t since = rows.first_row - rows_checkpointed_;
  const bool due = since >= std::max(kCheckpointRowsMin, rows_checkpointed_ / kCheckpointShare);
  if (due) rows.checkpoint = search_.checkpoint();
  WINNOW_TRY(book.put_generation(sweeps::generation_key(plan.id(), segment_, generations_),
                                 sweeps::encode_generation(rows)));
  if (due) rows_checkpointed_ = rows.first_row;
  ++generations_;
  rows_put_ = search_.rows_made();
  rows.checkpoint.clear();
  return std::optional(std::move(rows));
}

}  // namespace winnow::actors
