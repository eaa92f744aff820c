#pragma once

#include <string>

namespace winnow {

/// As std::printf, into a text; what is longer than 255 characters is cut.
[[gnu::format(printf, 1, 2)]] std::string formatted(const char* format, ...);

}  // namespace winnow
