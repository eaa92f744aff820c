#include "base/text.hpp"

namespace winnow {
namespace {

constexpr std::string_view kReplacement = "\xef\xbf\xbd";

unsigned byte_at(std::string_view bytes, std::size_t i) {
  return static_cast<unsigned char>(bytes[i]);
}

/// Control characters of ASCII and C1, and the marks that reorder what stands around them.
bool steers(std::string_view character) {
  const unsigned first = byte_at(character, 0);
  if (character.size() == 1) return first < 0x20 || first == 0x7f;
  if (character.size() == 2) return first == 0xc2 && byte_at(character, 1) < 0xa0;
  if (character.size() != 3 || first != 0xe2) return false;
  const unsigned second = byte_at(character, 1);
  const unsigned third = byte_at(character, 2);
  const bool separator_or_embedding = second == 0x80 && third >= 0xa8 && third <= 0xae;
  const bool isolate = second == 0x81 && third >= 0xa6 && third <= 0xa9;
  return separator_or_embedding || isolate;
}

void append_escaped(std::string& out, std::string_view character) {
  constexpr char kDigits[] = "0123456789abcdef";
  for (std::size_t i = 0; i < character.size(); ++i) {
    const unsigned c = byte_at(character, i);
    out += {'\\', 'x', kDigits[c >> 4], kDigits[c & 15]};
  }
}

enum class Lines { Kept, Escaped };

std::string safe_text(std::string_view bytes, Lines lines) {
  std::string out;
  out.reserve(bytes.size());
  while (!bytes.empty()) {
    const std::size_t n = utf8_character(bytes);
    const std::string_view character = bytes.substr(0, n == 0 ? 1 : n);
    bytes.remove_prefix(character.size());
    const bool breaks = character == "\n" || character == "\t";
    if (n == 0) {
      out += kReplacement;
    } else if (!steers(character) || (breaks && lines == Lines::Kept)) {
      out += character;
    } else if (breaks) {
      out += character == "\n" ? "\\n" : "\\t";
    } else {
      append_escaped(out, character);
    }
  }
  return out;
}

}  // namespace

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = lower(c);
  return out;
}

std::size_t utf8_character(std::string_view bytes) {
  if (bytes.empty()) return 0;
  const unsigned first = byte_at(bytes, 0);
  if (first < 0x80) return 1;
  const std::size_t n = first >= 0xc2 && first < 0xe0   ? 2
                        : first >= 0xe0 && first < 0xf0 ? 3
                        : first >= 0xf0 && first < 0xf5 ? 4
                                                        : 0;
  if (n == 0 || bytes.size() < n) return 0;
  for (std::size_t i = 1; i < n; ++i) {
    if ((byte_at(bytes, i) & 0xc0) != 0x80) return 0;
  }
  // Forms that are too long, halves of pairs, and what lies beyond the last character.
  const unsigned second = byte_at(bytes, 1);
  if (first == 0xe0 && second < 0xa0) return 0;
  if (first == 0xed && second >= 0xa0) return 0;
  if (first == 0xf0 && second < 0x90) return 0;
  if (first == 0xf4 && second >= 0x90) return 0;
  return n;
}

std::string utf8(std::string_view bytes) {
  std::string out;
  out.reserve(bytes.size());
  while (!bytes.empty()) {
    const std::size_t n = utf8_character(bytes);
    out += n == 0 ? kReplacement : bytes.substr(0, n);
    bytes.remove_prefix(n == 0 ? 1 : n);
  }
  return out;
}

std::string terminal_text(std::string_view bytes) { return safe_text(bytes, Lines::Kept); }

std::string log_text(std::string_view bytes) { return safe_text(bytes, Lines::Escaped); }

}  // namespace winnow
