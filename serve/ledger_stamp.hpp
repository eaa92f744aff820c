#pragma once

#include <cstdint>

#include "serve/sweep_view.hpp"

namespace winnow::serve {

/// The ledger that an answer was counted in: born (time), id, trials (distinct, on all data),
/// hypotheses (ever scored), head (SHA-256 over all entries, see store/ledger_head.hpp). Two
/// answers with one head were counted in the same ledger at the same size. Fails: Corrupt, Io.
Result<Json> ledger_json(const Sources& sources, std::uint64_t hypotheses);
/// The same where nobody has counted the hypotheses yet.
Result<Json> ledger_json(const Sources& sources);

/// The kind of documents that say which days of a dataset were shown to whom, beside sweeps: key
/// DATASET/FROM-TO/BREADTH/WHO with days from 1970 (TO exclusive) and breadth `narrow` where the
/// numbers of one variant were shown; value {time_ns, user, what}.
inline constexpr const char* kShownKind = "shown";
std::string shown_key(std::string_view dataset_hash, std::int64_t from_day, std::int64_t to_day,
                      std::string_view breadth, std::string_view who);

}  // namespace winnow::serve
