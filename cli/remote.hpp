#pragma once

#include <nlohmann/json.hpp>
#include <string_view>

#include "base/result.hpp"
#include "cli/app.hpp"

namespace winnow::cli {

/// Asks the coordinator at context.connect a question of serve/query.hpp. Requires: connect is set.
/// Fails: Unavailable (no coordinator there), and as the question does.
Result<nlohmann::ordered_json> remote_query(const Context& context, std::string_view name,
                                            const nlohmann::ordered_json& args);

}  // namespace winnow::cli
