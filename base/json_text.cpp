#include <nlohmann/json.hpp>

#include "base/text.hpp"

// The one place where the JSON library's reader and writer are compiled: a third of what it costs
// every file that uses them.

namespace winnow {
namespace {

template <class Json>
std::string written(const Json& json, int indent) {
  return json.dump(indent, ' ', false, Json::error_handler_t::replace);
}

}  // namespace

std::string json_text(const nlohmann::json& json, int indent) { return written(json, indent); }
std::string json_text(const nlohmann::ordered_json& json, int indent) {
  return written(json, indent);
}

nlohmann::json parse_json(std::string_view text) {
  return nlohmann::json::parse(text, nullptr, false);
}
nlohmann::ordered_json parse_ordered_json(std::string_view text) {
  return nlohmann::ordered_json::parse(text, nullptr, false);
}

}  // namespace winnow
