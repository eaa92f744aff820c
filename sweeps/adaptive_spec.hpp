#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "base/time.hpp"
#include "sweeps/resolved_spec.hpp"

namespace winnow::sweeps {

/// Rows of a block of a search that learns: the engine's widest lane. Generations are whole blocks.
inline constexpr std::uint32_t kAdaptiveBlockRows = 8;
/// Eight blocks: work for eight workers between two decisions. It is a constant, never the farm's
/// size, for the trials follow from it.
inline constexpr std::uint64_t kGenerationDefault = 64;
inline constexpr std::uint64_t kGenerationRowsMax = 1024;
/// A generation travels and is put down whole.
inline constexpr std::uint64_t kGenerationBytesMax = std::uint64_t{512} << 10;

/// InvalidInput, of what stands under `search:`.
Error bad_search(const std::string& why);

/// Windows of the rungs from the start of the sweep's, ascending, the last the whole. One if the
/// search has one fidelity.
std::vector<DurationNs> rung_lengths(const ResolvedSpec& spec);
/// What a search is made of: a generation, or the round of rungs of halving and Hyperband.
/// `samples` is a multiple of it.
std::uint64_t search_unit(const ResolvedSpec& spec);
/// Rows of the largest generation.
std::uint64_t generation_rows_max(const ResolvedSpec& spec);
/// Rows of the lowest rung of halving: whole blocks on every rung, no fewer than a generation.
std::uint64_t halving_rows(const ResolvedSpec& spec);
/// Resource of the last rung, the whole window; rung k has eta^k.
std::uint64_t whole_window_resource(const ResolvedSpec& spec);
/// Fails: InvalidInput, if what a specification says of a search that learns breaks a rule.
Status check_adaptive(const ResolvedSpec& spec);

}  // namespace winnow::sweeps
