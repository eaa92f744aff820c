#include "serve/family_panel.hpp"
#include "serve/stopping.hpp"

#include <algorithm>
#include <limits>
#include <span>
#include <string>

namespace winnow::serve {
namespace {

/// Fills the rows of a segment that is complete, in parallel: to take memory from the system and to
/// unpack is most of the work.
Status read_rows(const Sources& sources, const SweepView& view, const sweeps::Segment& segment,
                 FamilyPanel& panel) {
  constexpr std::uint64_t kBlocks = 32;
  const std::uint64_t tasks = (segment.blocks + kBlocks - 1) / kBlocks;
  std::vector<std::optional<Error>> errors(tasks);
  sources.parallel(tasks, [&](std::size_t task) {
    const std::uint64_t first = segment.first_block + task * kBlocks;
    const std::uint64_t last = std::min(first + kBlocks, segment.first_block + segment.blocks);
    const std::uint64_t begin = view.plan.block_range(first).first_trial - segment.first_trial;
    const auto end_block = view.plan.block_range(last - 1);
    const std::uint64_t end = end_block.first_trial + end_block.rows - segment.first_trial;
    const std::span<float> all(panel.returns);
    const auto read = sources.store->read_returns(
        view.meta.id, first, last - first,
        all.subspan(begin * panel.periods, (end - begin) * panel.periods));
    if (!read.ok()) errors[task] = read.error();
  });
  for (const auto& error : errors) {
    if (error) return *error;
  }
  return {};
}

}  // namespace

Result<FamilyPanel> read_panel(const Sources& sources, const SweepView& view,
                               const sweeps::Segment& segment) {
  const std::uint64_t bytes = segment.trials * segment.periods * sizeof(float);
  if (bytes > kPanelBytesMax) {
    return Error(ErrorCode::Refused,
                 view.family(segment) + " on " + view.dataset(segment).name + " has " +
                     std::to_string(bytes >> 20) + " MiB of period returns; at most " +
                     std::to_string(kPanelBytesMax >> 20) + " MiB are scored at once");
  }
  FamilyPanel panel;
  const auto shape =
      sources.store->returns_shape(view.meta.id, segment.first_block, segment.blocks);
  if (shape.ok() && shape->rows == segment.trials) {
    panel.periods = shape->periods;
    panel.returns.resize(shape->rows * shape->periods);
    WINNOW_TRY(read_rows(sources, view, segment, panel));
    panel.trial.resize(shape->rows);
    for (std::uint64_t t = 0; t < shape->rows; ++t) panel.trial[t] = segment.first_trial + t;
    return panel;
  }
  // Not complete, or some block has no periods: what there is, block by block.
  for (std::uint64_t b = segment.first_block; b < segment.first_block + segment.blocks; ++b) {
    if (!view.plan.whole_window(b)) continue;
    end_of_stage(sources);
    const auto block = sources.store->read_block(view.meta.id, b, {.returns = true});
    if (!block.ok() && block.error().code() == ErrorCode::NotFound) continue;
    if (!block.ok()) return block.error();
    if (panel.periods == 0) panel.periods = block->periods;
    if (block->periods != panel.periods) {
      panel.skipped += block->rows;
      continue;
    }
    panel.returns.insert(panel.returns.end(), block->returns.begin(), block->returns.end());
    for (std::uint64_t r = 0; r < block->rows; ++r) panel.trial.push_back(block->first_trial + r);
  }
  return panel;
}

}  // namespace winnow::serve
