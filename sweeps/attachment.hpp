#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/result.hpp"

namespace winnow::sweeps {

/// Whether an `execution:` names a file (it holds a `/` or ends in .yaml or .yml) and not a profile
/// of the catalogue. Such a file lies where the specification does: with whoever submits it.
bool names_a_file(std::string_view execution);

/// The file that a specification's `execution:` names, as its parser sees it, whatever way it is
/// written: what must be sent along. Nothing if it names a profile, or no text at all.
/// Fails: as parse_spec, on text that is no YAML document.
Result<std::optional<std::string>> file_of_execution(std::string_view yaml,
                                                     std::string_view file_name);

}  // namespace winnow::sweeps
