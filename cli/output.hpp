#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string_view>

#include "base/result.hpp"
#include "base/text.hpp"

namespace winnow::cli {

// Everything printed goes through the C library's stdout and stderr, so one look at the end finds
// what did not arrive: see check_output.

/// Text on stdout as it is.
void write_stdout(std::string_view text);

/// One JSON document on stdout. `indent` -1: on one line.
void print_json(const nlohmann::json& json, int indent = 2);
void print_json(const nlohmann::ordered_json& json, int indent = 2);

/// Flushes both. Fails: Io if something that was printed did not arrive. A reader that closed its
/// end of a pipe early wanted no more: that is no failure.
Status check_output();

}  // namespace winnow::cli
