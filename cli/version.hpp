#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

namespace winnow::cli {

/// What `winnow --version` says: version, commit, engine, and the instruction set that kernels use
/// on this machine.
std::string version_text();
nlohmann::ordered_json version_json();

}  // namespace winnow::cli
