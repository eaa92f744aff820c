#pragma once

#include <filesystem>
#include <string>

#include "base/result.hpp"
#include "store/store.hpp"

namespace winnow::cli {

/// The question by which a running coordinator is asked for a backup of its store.
inline constexpr const char* kBackupQuestion = "store_backup";

/// Where the backup `name` of a home is: HOME/backups/NAME. Fails: InvalidInput (letters, digits,
/// `-`, `_` and `.` are allowed, not at the start a dot nor `.making` at the end).
Result<std::filesystem::path> backup_folder(const std::filesystem::path& home,
                                            const std::string& name);

/// Takes away what processes that were killed left of backups they were making. Requires: this
/// process holds the store, so that nobody is making one.
void remove_unfinished_backups(const std::filesystem::path& home);

/// Makes it. Fails: as backup_folder and Store::backup.
Result<std::filesystem::path> make_backup(const store::Store& store,
                                          const std::filesystem::path& home,
                                          const std::string& name);

}  // namespace winnow::cli
