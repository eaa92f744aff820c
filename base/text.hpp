#pragma once

#include <cstddef>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>

namespace winnow {

constexpr bool is_digit(char c) { return c >= '0' && c <= '9'; }

/// Of ASCII only: names and words of formats, whatever the locale.
constexpr char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }
std::string lower(std::string_view text);

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
/// be written. `indent` -1: all on one line.
std::string json_text(const nlohmann::json& json, int indent = -1);
std::string json_text(const nlohmann::ordered_json& json, int indent = -1);

/// A text as a JSON document; `is_discarded()` where it is none. The ordered kind keeps keys as
/// they stand.
nlohmann::json parse_json(std::string_view text);
nlohmann::ordered_json parse_ordered_json(std::string_view text);

}  // namespace winnow
