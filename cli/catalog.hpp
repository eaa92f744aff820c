#pragma once

#include <filesystem>

#include "actors/protocol.hpp"
#include "base/result.hpp"
#include "store/dataset_store.hpp"
#include "sweeps/plan.hpp"

namespace winnow::cli {

/// What the planner may refer to: the datasets of a home and the execution profiles of `configs`
/// (then `home/configs`). A profile named by a path (`./mine.yaml`) is read from there.
sweeps::Catalog make_catalog(const std::filesystem::path& home,
                             const std::filesystem::path& configs);

/// The dataset store of a home.
Result<store::DatasetStore> open_datasets(const std::filesystem::path& home);

/// A whole file. Fails: NotFound, Io, InvalidInput (larger than `bytes_max`).
Result<std::string> read_file(const std::filesystem::path& file,
                              std::size_t bytes_max = std::size_t{16} << 20);

/// Who is at the keyboard: $WINNOW_USER, else the account's name; where the system knows
/// none, $USER, else the numeric user id.
std::string current_user();

/// Puts a specification file into a request of current_user(), with the profile file that it names
/// by path, if any.
Result<actors::Submit> make_submission(const std::filesystem::path& spec_file);

/// Whether a coordinator of `home` would take it. Fails: as parse_spec and Plan::make.
Status check_submission(const actors::Submit& submit, const std::filesystem::path& home);

}  // namespace winnow::cli
