#pragma once

#include <cstddef>
#include <nlohmann/json.hpp>
#include <string>

namespace winnow::cli {

// Answers of serve/query.hpp as text for people. `width`: columns of the terminal, 0 in a pipe.
// Thread: any; pure.
using Json = nlohmann::ordered_json;

std::string render_top(const Json& answer, std::size_t width);
std::string render_converge(const Json& answer, std::size_t width);
/// With the figures.
std::string render_converge_details(const Json& answer, std::size_t width);
std::string render_compare(const Json& answer, std::size_t width);
std::string render_explain(const Json& answer, std::size_t width);
std::string render_sweep_list(const Json& answer, std::size_t width);
std::string render_sweep_show(const Json& answer, std::size_t width);
std::string render_points(const Json& answer, std::size_t width);
std::string render_ledger(const Json& answer, std::size_t width);

/// The `table` form of `top` as CSV (RFC 4180, lines end in \n): exact numbers, empty where there
/// is none.
std::string render_csv(const Json& table);

}  // namespace winnow::cli
