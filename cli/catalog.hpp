#pragma once

#include <filesystem>
#include <optional>
#include <string_view>

#include "actors/opening_price.hpp"
#include "actors/protocol.hpp"
#include "base/result.hpp"
#include "cli/read_file.hpp"
#include "store/dataset_store.hpp"
#include "sweeps/execution_profile.hpp"
#include "sweeps/plan.hpp"

namespace winnow::cli {

/// What the planner may refer to: the datasets of a home and the execution profiles in
/// `home/configs/execution` and `configs/execution`, by name. It opens no other file.
sweeps::Catalog make_catalog(const std::filesystem::path& home,
                             const std::filesystem::path& configs);

/// The text of the profile of that name in `configs/execution`, whatever its case and punctuation;
/// none: no shipped profile has it. Fails: as read_file.
Result<std::optional<std::string>> shipped_profile(const std::filesystem::path& configs,
                                                   std::string_view name);

/// Whether a profile goes by the name of a shipped one and says what that says, or by another.
/// Fails: InvalidInput (it says something else), as shipped_profile.
Status check_own_name(const sweeps::ExecutionProfile& profile);

/// The dataset store of a home.
Result<store::DatasetStore> open_datasets(const std::filesystem::path& home);

/// Puts a specification file into a request, with the profile file that it names,
/// which is looked for beside it, then in the working folder. The one place that reads what a
/// specification names: `config check`, `sweep run` and `bakeoff --spec` all come here.
Result<actors::Submit> make_submission(const std::filesystem::path& spec_file);
/// The same where the file is read already, for a pipe is read once.
Result<actors::Submit> make_submission(const std::filesystem::path& spec_file, std::string yaml);

/// What a coordinator of `home` would make of it for `user`, and whether it would take it, budgets
/// included; nothing is recorded. Fails: as SweepRegistry::preview.
Result<sweeps::Plan> check_submission(const actors::Submit& submit, const std::string& user,
                                      const std::filesystem::path& home);

/// What it would open for `user` and for what, one a family and dataset; nothing is recorded.
/// Fails: as SweepRegistry::price.
Result<std::vector<actors::OpeningPrice>> price_submission(const sweeps::Plan& plan,
                                                           const std::string& user,
                                                           const std::filesystem::path& home);

}  // namespace winnow::cli
