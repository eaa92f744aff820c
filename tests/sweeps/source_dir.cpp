#include "tests/sweeps/support.hpp"

namespace winnow::sweeps::testing {

std::filesystem::path source_dir() { return WINNOW_SOURCE_DIR; }

}  // namespace winnow::sweeps::testing
