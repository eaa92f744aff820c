#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "base/result.hpp"

namespace winnow::cli {

/// The execution profile that `home/configs/instruments.yaml`, else `configs/instruments.yaml`,
/// names for an instrument. Fails: InvalidInput where neither does, naming the profiles there are;
/// as yaml::load.
Result<std::string> profile_for(std::string_view instrument, const std::filesystem::path& home,
                                const std::filesystem::path& configs);

}  // namespace winnow::cli
