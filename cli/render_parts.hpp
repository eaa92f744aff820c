#pragma once

#include <nlohmann/json.hpp>
#include <string>

namespace winnow::cli::render {

// What the renderers of answers share. Missing keys and null are NaN, empty text or `-`.
using Json = nlohmann::ordered_json;

double number(const Json& value);
double number_of(const Json& object, const char* key);
std::string text_of(const Json& object, const char* key);
std::string count_of(const Json& object, const char* key);
/// For reading; counts stay whole.
std::string metric_text(const Json& value);
/// A number that is a fraction, as percent: `-12.3%`.
std::string percent(double frac);
/// A time to the second, as people read it.
std::string time_of(const Json& object, const char* key);
/// A parameter's value for reading: sampled ones without their last ten digits.
std::string param_text(const Json& value);
std::string heading(const Json& answer);
/// The execution profile with its hash; empty: not told.
std::string execution_of(const Json& answer);
/// The heading with what the results were traded at.
std::string costs_heading(const Json& answer);
std::string warnings_of(const Json& answer);
std::string params_of(const Json& variant);
/// `text` after a label, wrapped nowhere: the terminal does that.
std::string field(const std::string& label, const std::string& text);
/// Deflated Sharpe ratios and what else the ledger's N makes of a track record.
std::string luck_text(const Json& luck);

}  // namespace winnow::cli::render
