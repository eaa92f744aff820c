#pragma once

#include <cstddef>
#include <nlohmann/json.hpp>
#include <string>

namespace winnow::cli {

// Answers `risk` and `bakeoff` of serve/query.hpp as text for people. `width`: columns of the
// terminal, 0 in a pipe. Thread: any; pure.
std::string render_risk(const nlohmann::ordered_json& answer, std::size_t width);
std::string render_bakeoff(const nlohmann::ordered_json& answer, std::size_t width);

}  // namespace winnow::cli
