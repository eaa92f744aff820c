#include "base/check.hpp"

#include <cstdio>
#include <cstdlib>

namespace winnow {

void contract_broken(const char* contract, const char* condition,
                     const std::source_location& where) {
  // Straight to the descriptor's stream, with no allocation: memory may be what is broken.
  std::fprintf(stderr, "winnow: broken %s at %s:%u (%s): %s\n", contract, where.file_name(),
               where.line(), where.function_name(), condition);
  std::fflush(stderr);
  std::abort();
}

}  // namespace winnow
