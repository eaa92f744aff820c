#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "sweeps/generation_rows.hpp"
#include "sweeps/plan.hpp"

namespace winnow::sweeps {

/// The rows of a block as a plan knows them, to be shipped. Requires: they are known.
GenerationRows rows_of_blocks(const Plan& plan, std::uint64_t first_block, std::uint64_t blocks);

/// Where generations are kept: documents of this kind under these keys.
inline constexpr std::string_view kGenerationKind = "generation";
std::string generation_key(std::string_view sweep, std::uint32_t segment, std::uint64_t generation);
/// Reads a document; empty if there is none.
using ReadDocument = std::function<Result<std::optional<std::string>>(const std::string& key)>;
/// All generations of a segment that were put down, in order. Fails: as `read`, Corrupt.
Result<std::vector<GenerationRows>> read_generations(const Plan& plan, const Segment& segment,
                                                     const ReadDocument& read);
/// The plan with all rows that were put down. Fails: as read_generations.
Result<Plan> with_generations(Plan plan, const ReadDocument& read);

}  // namespace winnow::sweeps
