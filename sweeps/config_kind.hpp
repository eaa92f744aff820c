#pragma once

#include <string_view>

#include "base/result.hpp"

namespace winnow::sweeps {

enum class ConfigKind { Sweep, Execution };

/// Which kind of configuration a file is, by the keys at its top. Fails: InvalidInput as parse_spec
/// if it is not YAML, or names keys of neither.
Result<ConfigKind> config_kind(std::string_view yaml, std::string_view file_name);

}  // namespace winnow::sweeps
