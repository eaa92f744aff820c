#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "cli/app.hpp"
#include "store/market_book.hpp"

namespace winnow::cli {

/// The first digits of a market's id, as tables show it.
std::string short_market(const std::string& id);

/// id, sealed_from, sealed days and how many datasets, of a dataset's market; null: unknown.
nlohmann::ordered_json market_facts_json(const store::MarketBook& book,
                                         const store::Manifest& manifest);
void print_market(const store::MarketBook& book, const store::Manifest& manifest);

/// Other datasets of the same market with what they hold of it and the figures that say so; not
/// versions of the same name. Fails: Corrupt, Io.
Result<nlohmann::ordered_json> same_market_json(const store::DatasetStore& datasets,
                                                const store::MarketBook& book,
                                                const store::Manifest& of);

/// What an import did to the seal, and what a seal is, in one line for who has read no page.
std::string seal_line(const store::PutOutcome& outcome, const store::SealRequest& request);
nlohmann::ordered_json market_note_json(const store::MarketNote& note);

/// The request of `--seal TEXT` by the current user; without a text `otherwise`. Fails:
/// InvalidInput.
Result<store::SealRequest> seal_request(const std::string& text, store::SealRule otherwise);
inline constexpr const char* kSealHelp =
    "days that no number is shown of before a hypothesis is judged by them: a FRACTION of the "
    "history at its end (0.6), all from a day on (FROM, 2023-06-01), or none";

/// `data seal show`.
void add_seal_commands(Command& data, Context& context);

}  // namespace winnow::cli
