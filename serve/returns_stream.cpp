#include "serve/returns_stream.hpp"

#include <algorithm>

namespace winnow::serve {
namespace {

constexpr std::uint64_t kPartBlocks = 32;  // of a part

struct Part {
  std::uint64_t first = 0, count = 0;  // blocks
};
Part part_of(const sweeps::Segment& segment, std::size_t part) {
  const std::uint64_t from = part * kPartBlocks;
  return {segment.first_block + from, std::min(kPartBlocks, segment.blocks - from)};
}

/// Block by block, for parts that are not complete.
Status read_blocks(const Sources& sources, const SweepView& view, const Part& part,
                   std::uint32_t periods, std::vector<std::uint64_t>& trial,
                   std::vector<float>& returns) {
  for (std::uint64_t b = part.first; b < part.first + part.count; ++b) {
    if (!view.plan.whole_window(b)) continue;
    const auto block = sources.store->read_block(view.meta.id, b, {.returns = true});
    if (!block.ok() && block.error().code() == ErrorCode::NotFound) continue;
    if (!block.ok()) return block.error();
    if (block->periods != periods) continue;
    returns.insert(returns.end(), block->returns.begin(), block->returns.end());
    for (std::uint64_t r = 0; r < block->rows; ++r) trial.push_back(block->first_trial + r);
  }
  return {};
}

Status read_part(const Sources& sources, const SweepView& view, const Part& part,
                 std::uint32_t periods, std::vector<std::uint64_t>& trial,
                 std::vector<float>& returns) {
  const auto shape = sources.store->returns_shape(view.meta.id, part.first, part.count);
  const auto last = view.plan.block_range(part.first + part.count - 1);
  const std::uint64_t first_trial = view.plan.block_range(part.first).first_trial;
  const std::uint64_t rows = last.first_trial + last.rows - first_trial;
  const bool whole = view.plan.rungs() == 1 && shape.ok() && shape->rows == rows;
  if (!whole || shape->periods != periods) {
    return read_blocks(sources, view, part, periods, trial, returns);
  }
  returns.resize(shape->rows * shape->periods);
  const auto read = sources.store->read_returns(view.meta.id, part.first, part.count, returns);
  if (!read.ok()) return read.error();
  for (std::uint64_t t = 0; t < rows; ++t) trial.push_back(first_trial + t);
  return {};
}

}  // namespace

std::size_t return_parts(const sweeps::Segment& segment) {
  return static_cast<std::size_t>((segment.blocks + kPartBlocks - 1) / kPartBlocks);
}

Result<std::uint32_t> return_periods(const Sources& sources, const SweepView& view,
                                     const sweeps::Segment& segment) {
  const auto shape =
      sources.store->returns_shape(view.meta.id, segment.first_block, segment.blocks);
  if (shape.ok()) return shape->periods;
  for (std::uint64_t b = segment.first_block; b < segment.first_block + segment.blocks; ++b) {
    if (!view.plan.whole_window(b)) continue;
    const auto block = sources.store->read_block(view.meta.id, b, {.returns = true});
    if (!block.ok() && block.error().code() == ErrorCode::NotFound) continue;
    if (!block.ok()) return block.error();
    if (block->periods > 0) return block->periods;
  }
  return 0u;
}

Result<std::uint32_t> read_return_rows(
    const Sources& sources, const SweepView& view, const sweeps::Segment& segment,
    const FamilyPanel* panel,
    const std::function<void(std::size_t part, const ReturnRows& rows)>& visit) {
  const std::size_t parts = return_parts(segment);
  if (panel != nullptr) {
    const std::size_t rows = panel->trial.size();
    sources.parallel(parts, [&](std::size_t p) {
      const std::size_t first = rows * p / parts;
      const std::size_t count = rows * (p + 1) / parts - first;
      visit(p, {std::span(panel->trial).subspan(first, count),
                std::span<const float>(panel->returns)
                    .subspan(first * panel->periods, count * panel->periods),
                panel->periods});
    });
    return panel->periods;
  }
  auto periods = return_periods(sources, view, segment);
  if (!periods.ok() || *periods == 0) return periods;
  std::vector<std::optional<Error>> errors(parts);
  sources.parallel(parts, [&](std::size_t p) {
    std::vector<std::uint64_t> trial;
    std::vector<float> returns;
    const Status read = read_part(sources, view, part_of(segment, p), *periods, trial, returns);
    if (!read.ok()) {
      errors[p] = read.error();
      return;
    }
    visit(p, {trial, returns, *periods});
  });
  for (const auto& error : errors) {
    if (error) return *error;
  }
  return periods;
}

}  // namespace winnow::serve
