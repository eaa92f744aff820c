#include "base/formatted.hpp"

#include <array>
#include <cstdarg>
#include <cstdio>

namespace winnow {

std::string formatted(const char* format, ...) {
  std::array<char, 256> buffer;
  va_list args;
  va_start(args, format);
  std::vsnprintf(buffer.data(), buffer.size(), format, args);
  va_end(args);
  return buffer.data();
}

}  // namespace winnow
