#pragma once

#include <nlohmann/json.hpp>
#include <string_view>

#include "base/result.hpp"
#include "base/time.hpp"
#include "cli/app.hpp"

namespace winnow::cli {

/// Answers a question of serve/query.hpp that changes the store: asked of the coordinator of
/// --connect or of the one that serves the home, or, where none does, answered by this process,
/// which makes the store if there is none. A store that another process has for a moment is waited
/// for. Fails: as the question; Unavailable after `patience`.
Result<nlohmann::ordered_json> answer_writing(const Context& context, std::string_view question,
                                              const nlohmann::ordered_json& args,
                                              DurationNs patience = seconds(5));

}  // namespace winnow::cli
