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

}  // namespace winnow::serve
