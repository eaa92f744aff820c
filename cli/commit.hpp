#pragma once

#include <string_view>

namespace winnow::cli {

/// The commit this program was built from (`git describe`), with `-dirty` where files differed from
/// it; `unknown` where there was no git to ask. Made by every build, in a unit of its own, so that
/// a commit compiles that unit alone again (cmake/Commit.cmake).
std::string_view commit();

}  // namespace winnow::cli
