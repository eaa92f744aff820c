#include "sweeps/generation.hpp"

#include "base/check.hpp"
#include "sweeps/design.hpp"

namespace winnow::sweeps {

GenerationRows rows_of_blocks(const Plan& plan, std::uint64_t first_block, std::uint64_t blocks) {
  const Segment& segment = plan.segment_of_block(first_block);
  GenerationRows out;
  out.segment = segment.index;
  out.first_row = plan.block_range(first_block).first_trial - segment.first_trial;
  out.width = static_cast<std::uint32_t>(plan.design(segment).parameters());
  for (std::uint64_t b = first_block; b < first_block + blocks; ++b) {
    WINNOW_REQUIRES(plan.known(b));
    const Plan::Range range = plan.block_range(b);
    const std::vector<double> params = plan.params(range.first_trial, range.rows);
    out.values.insert(out.values.end(), params.begin(), params.end());
    out.rungs.insert(out.rungs.end(), range.rows, static_cast<std::uint8_t>(plan.rung_of_block(b)));
  }
  return out;
}

std::string generation_key(std::string_view sweep, std::uint32_t segment,
                           std::uint64_t generation) {
  return std::string(sweep) + "/" + std::to_string(segment) + "/" + std::to_string(generation);
}

Result<std::vector<GenerationRows>> read_generations(const Plan& plan, const Segment& segment,
                                                     const ReadDocument& read) {
  std::vector<GenerationRows> out;
  for (;;) {
    const std::string key = generation_key(plan.id(), segment.index, out.size());
    auto bytes = read(key);
    if (!bytes) return bytes.error();
    if (!*bytes) return out;
    auto rows = decode_generation(**bytes);
    if (!rows) return rows.error().within(key);
    out.push_back(std::move(*rows));
  }
}

Result<Plan> with_generations(Plan plan, const ReadDocument& read) {
  if (!plan.spec().learns()) return plan;
  std::vector<GenerationRows> all;
  for (const Segment& segment : plan.segments()) {
    auto rows = read_generations(plan, segment, read);
    if (!rows) return rows.error();
    for (GenerationRows& g : *rows) {
      g.checkpoint.clear();
      all.push_back(std::move(g));
    }
  }
  return plan.with_rows(all);
}

}  // namespace winnow::sweeps
