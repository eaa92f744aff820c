#pragma once

#include <nlohmann/json.hpp>
#include <string>

namespace winnow::cli::render {

// What a sweep's `validation` says; empty texts where an answer has none. `holder` is a family or a
// segment of an answer: an object with a key `validation`.

/// Out-of-sample numbers of a family, as labelled lines.
std::string validation_fields(const nlohmann::ordered_json& holder);
/// Its folds as a table.
std::string fold_table(const nlohmann::ordered_json& holder, std::size_t width);
/// Both, under a heading.
std::string validation_text(const nlohmann::ordered_json& holder, std::size_t width);
/// How one variant did on the test days.
std::string variant_validation_text(const nlohmann::ordered_json& validation);

}  // namespace winnow::cli::render
