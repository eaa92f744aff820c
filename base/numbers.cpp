#include "base/numbers.hpp"

#include <charconv>

namespace winnow {

std::string shortest_text(double v) {
  char text[32];
  return std::string(text, std::to_chars(text, text + sizeof text, v).ptr);
}

}  // namespace winnow
