#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace winnow {

/// Bytes of the valid UTF-8 character that `bytes` begins with; 0 if it begins with none.
std::size_t utf8_character(std::string_view bytes);

/// Bytes from outside as text: what is no UTF-8 becomes U+FFFD, one a byte. What already is text
/// stays as it is.
std::string utf8(std::string_view bytes);

/// The same, safe to print: characters that steer a terminal or turn the direction of writing stand
/// as `\x1b`; line breaks and tabs stay.
std::string terminal_text(std::string_view bytes);

/// The same on one line, as logs want it: line breaks and tabs stand as `\n` and `\t`, too.
std::string log_text(std::string_view bytes);

/// A JSON document as text. Bytes of a string that are no UTF-8 become U+FFFD: no document fails to
/// be written. `indent` -1: all on one line. `Json` is any nlohmann::basic_json.
template <class Json>
std::string json_text(const Json& json, int indent = -1) {
  return json.dump(indent, ' ', false, Json::error_handler_t::replace);
}

}  // namespace winnow
