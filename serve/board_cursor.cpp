#include "serve/board_cursor.hpp"

#include "base/text.hpp"
#include "serve/sweep_view.hpp"

namespace winnow::serve {
namespace {

// Tells a cursor that was cut or mistyped from a whole one; it keeps nobody from making one up, who
// would learn no more than by asking.
constexpr std::size_t kCheckDigits = 16;
constexpr std::string_view kDigits = "0123456789abcdef";

std::string check_of(std::string_view body) {
  return hash128("board-cursor-1" + std::string(body)).hex().substr(0, kCheckDigits);
}

Error broken_cursor() {
  return bad_input("the cursor is not one that `top` gave, or not all of it; begin without one");
}

}  // namespace

std::string BoardCursor::text() const {
  const std::string body = json_text(Json{sweep, by, where, all, committed.hex(), last});
  std::string out = check_of(body);
  for (const char c : body) {
    const auto byte = static_cast<unsigned char>(c);
    out += kDigits[byte >> 4];
    out += kDigits[byte & 15];
  }
  return out;
}

Result<BoardCursor> BoardCursor::read(std::string_view text) {
  if (text.size() < kCheckDigits || text.size() % 2 != 0) return broken_cursor();
  std::string body;
  for (std::size_t i = kCheckDigits; i < text.size(); i += 2) {
    const std::size_t high = kDigits.find(text[i]);
    const std::size_t low = kDigits.find(text[i + 1]);
    if (high == std::string_view::npos || low == std::string_view::npos) return broken_cursor();
    body += static_cast<char>(high << 4 | low);
  }
  if (text.substr(0, kCheckDigits) != check_of(body)) return broken_cursor();
  const Json json = parse_ordered_json(body);
  BoardCursor out;
  try {
    json.at(0).get_to(out.sweep);
    json.at(1).get_to(out.by);
    json.at(2).get_to(out.where);
    json.at(3).get_to(out.all);
    const auto committed = parse_hash128(json.at(4).get<std::string>());
    if (!committed.ok()) return broken_cursor();
    out.committed = *committed;
    json.at(5).get_to(out.last);
  } catch (const Json::exception&) {
    return broken_cursor();
  }
  return out;
}

}  // namespace winnow::serve
