#include <algorithm>
#include <cctype>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <optional>

#include "base/text.hpp"
#include "base/time.hpp"
#include "cli/app.hpp"
#include "cli/asker.hpp"
#include "cli/door.hpp"
#include "cli/farm.hpp"
#include "cli/long_work.hpp"
#include "cli/output.hpp"
#include "cli/store_backup.hpp"
#include "store/unfinished.hpp"

namespace winnow::cli {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

// A checkpoint links files; what takes time is the copy of the log.
constexpr DurationNs kBackupPatience = seconds(120);

struct StoreCommandOptions {
  std::string name;
};

fs::path store_folder(const Context& context) { return context.home() / "store"; }

/// Now, as a name that sorts by time.
std::string time_name() {
  std::string name = format_timestamp(system_clock().now());
  std::erase_if(name, [](char c) { return c == ':' || c == '-'; });
  return name;
}

int report(const Context& context, const json& answer, const std::string& line) {
  if (context.json) {
    print_json(answer);
  } else if (!context.quiet) {
    std::printf("%s\n", line.c_str());
  }
  return kDone;
}

Result<std::string> ask_for_backup(actors::Client& client, const std::string& name) {
  const auto text = client.query(kBackupQuestion, json_text(json{{"name", name}}), kBackupPatience);
  if (!text) return text.error();
  const auto answer = parse_json(*text);
  if (!answer.is_object() || !answer.contains("backup")) {
    return Error(ErrorCode::Corrupt, "the coordinator's answer about the backup is not JSON");
  }
  return answer.at("backup").get<std::string>();
}

/// By the coordinator that holds the store, or, where none does, by this process.
Result<std::string> backup(const Context& context, const std::string& name) {
  if (!context.connect.empty() || advertised_coordinator(context.home())) {
    auto client = running_coordinator(context);
    if (!client) return client.error();
    return ask_for_backup(**client, name);
  }
  std::error_code ec;
  if (!fs::exists(store_folder(context) / "CURRENT", ec)) {
    return Error(ErrorCode::NotFound, "no store in " + store_folder(context).string());
  }
  const auto store = store::Store::open(store_folder(context));
  if (!store) return store.error();
  const auto made = make_backup(**store, context.home(), name);
  if (!made) return made.error();
  return made->string();
}

int run_backup(const Context& context, const StoreCommandOptions& options) {
  const std::string name = options.name.empty() ? time_name() : options.name;
  std::optional<LongWork> work(std::in_place, context, "making backup " + name);
  const auto made = backup(context, name);
  work.reset();
  if (!made) return fail(context, made.error());
  return report(context, {{"name", name}, {"backup", *made}}, "backup " + name + " in " + *made);
}

/// Trials that the ledger of a store or a backup counts.
Result<std::uint64_t> count_ledger(const fs::path& folder) {
  const auto store = store::Store::open(folder, {.read_only = true});
  if (!store) return store.error();
  const auto stamp = (*store)->ledger_stamp();
  if (!stamp) return stamp.error();
  return stamp->trials;
}

/// The same after the union with the head beside the store, which opening it for writing makes.
Result<std::uint64_t> take_back_ledger(const fs::path& folder) {
  const auto store = store::Store::open(folder);
  if (!store) return store.error();
  const auto stamp = (*store)->ledger_stamp();
  if (!stamp) return stamp.error();
  return stamp->trials;
}

int run_restore(const Context& context, const StoreCommandOptions& options) {
  const fs::path to = store_folder(context);
  const bool is_path = options.name.find('/') != std::string::npos;
  fs::path from = options.name;
  if (!is_path) {
    const auto folder = backup_folder(context.home(), options.name);
    if (!folder) return fail(context, folder.error());
    from = *folder;
  }
  // What is there now is moved aside, never deleted; a store that is open cannot be.
  fs::path aside;
  std::error_code ec;
  if (!fs::exists(from / "CURRENT", ec)) {
    return fail(context, Error(ErrorCode::NotFound, "no backup of a store in " + from.string()));
  }
  if (fs::exists(to, ec)) {
    {
      const auto held = store::Store::open(to);
      if (!held && held.error().code() == ErrorCode::Unavailable) {
        return fail(context, held.error());
      }
    }
    aside = to.string() + ".before-" + time_name();
    fs::rename(to, aside, ec);
    if (ec) {
      return fail(context, Error(ErrorCode::Io, "moving " + to.string() + " to " + aside.string() +
                                                    ": " + ec.message()));
    }
  }
  std::optional<LongWork> work(std::in_place, context, "restoring " + from.string());
  const Status restored = store::Store::restore(from, to);
  work.reset();
  if (!restored) {
    if (!aside.empty()) fs::rename(aside, to, ec);
    return fail(context, restored.error());
  }
  std::string line = "restored " + from.string() + " to " + to.string();
  if (!aside.empty()) line += "; what was there is in " + aside.string();
  // Results come and go with backups, what the ledger counted does not: opening takes it back.
  const auto before = count_ledger(from);
  const auto after = take_back_ledger(to);
  if (!after) return fail(context, after.error().within("the store is restored, its ledger not"));
  const std::uint64_t taken = *after - std::min(before.ok() ? *before : *after, *after);
  if (taken > 0) {
    line += "; the ledger goes on counting " + std::to_string(taken) +
            " trials that the backup does not have, " + std::to_string(*after) + " in all";
  }
  return report(context,
                {{"backup", from.string()},
                 {"store", to.string()},
                 {"moved_to", aside.string()},
                 {"ledger_trials", *after},
                 {"ledger_trials_taken_back", taken}},
                line);
}

int run_store_verify(const Context& context) {
  const auto store = store::Store::open(store_folder(context), {.read_only = true});
  if (!store) return fail(context, store.error());
  std::size_t steps = 0;
  const Status whole = (*store)->verify([&](std::string_view line) {
    ++steps;
    if (!context.quiet) {
      std::fprintf(stderr, "%.*s\n", static_cast<int>(line.size()), line.data());
    }
  });
  if (!whole) return fail(context, whole.error());
  return report(context, {{"store", store_folder(context).string()}, {"ok", true}},
                "the store is whole: every checksum, block, key and count agrees");
}

std::uint64_t folder_bytes(const fs::path& folder) {
  std::uint64_t bytes = 0;
  std::error_code ec;
  for (const auto& file : fs::recursive_directory_iterator(folder, ec)) {
    const auto size = file.is_regular_file(ec) ? file.file_size(ec) : 0;
    if (!ec) bytes += size;
  }
  return bytes;
}

int run_compact(const Context& context) {
  const fs::path folder = store_folder(context);
  std::error_code ec;
  if (!fs::exists(folder / "CURRENT", ec)) {
    return fail(context, Error(ErrorCode::NotFound, "no store in " + folder.string()));
  }
  const std::uint64_t before = folder_bytes(folder);
  {
    const auto store = store::Store::open(folder);
    if (!store) return fail(context, store.error());
    const LongWork work(context, "rewriting " + folder.string());
    if (Status done = (*store)->compact(); !done) return fail(context, done.error());
  }
  const std::uint64_t after = folder_bytes(folder);
  return report(context, {{"bytes_before", before}, {"bytes_after", after}},
                "compacted: " + std::to_string(before >> 20) + " MiB before, " +
                    std::to_string(after >> 20) + " MiB after");
}

}  // namespace

Result<fs::path> backup_folder(const fs::path& home, const std::string& name) {
  const bool allowed = !name.empty() && name.size() <= 128 && name.front() != '.' &&
                       !name.ends_with(store::kUnfinished) &&
                       std::all_of(name.begin(), name.end(), [](unsigned char c) {
                         return std::isalnum(c) != 0 || c == '-' || c == '_' || c == '.';
                       });
  if (!allowed) {
    return Error(ErrorCode::InvalidInput,
                 "backup name '" + name +
                     "': allowed are up to 128 letters, digits, '-', '_' and '.', not a dot first "
                     "and not .making last");
  }
  return home / "backups" / name;
}

void remove_unfinished_backups(const fs::path& home) {
  std::error_code ec;
  std::vector<fs::path> unfinished;
  for (const auto& entry : fs::directory_iterator(home / "backups", ec)) {
    if (entry.path().extension() == store::kUnfinished) unfinished.push_back(entry.path());
  }
  for (const fs::path& folder : unfinished) fs::remove_all(folder, ec);
}

Result<fs::path> make_backup(const store::Store& store, const fs::path& home,
                             const std::string& name) {
  const auto folder = backup_folder(home, name);
  if (!folder) return folder.error();
  std::error_code ec;
  fs::create_directories(folder->parent_path(), ec);
  if (ec) {
    return Error(ErrorCode::Io, "making " + folder->parent_path().string() + ": " + ec.message());
  }
  remove_unfinished_backups(home);
  WINNOW_TRY(store.backup(*folder));
  return *folder;
}

void add_store_commands(Command& app, Context& context) {
  Command* group = app.add_subcommand("store", "the store of results: copies, checks, upkeep");
  group->require_subcommand();
  auto options = std::make_shared<StoreCommandOptions>();

  Command* make = add_command(*group, context, "backup",
                              "a consistent copy in HOME/backups, while a farm runs or not");
  make->add_option("name", options->name, "its name (default: the time now)");
  make->add_option(
      "--connect", context.connect,
      "the coordinator that holds the store, HOST:PORT (default: the one of the home)");
  add_credential_options(*make, context);
  make->callback([&context, options] {
    context.run = [&context, options] { return run_backup(context, *options); };
  });
  Command* restore =
      add_command(*group, context, "restore",
                  "make a backup the store of the home; the store that is there is moved aside");
  restore->add_option("name", options->name, "a backup's name, or the path of its folder")
      ->required();
  restore->callback([&context, options] {
    context.run = [&context, options] { return run_restore(context, *options); };
  });
  Command* verify = add_command(*group, context, "verify",
                                "read everything: checksums, blocks, key index and ledger");
  verify->callback([&context] { context.run = [&context] { return run_store_verify(context); }; });
  Command* compact = add_command(*group, context, "compact",
                                 "rewrite the files in their best order; no farm may run");
  compact->callback([&context] { context.run = [&context] { return run_compact(context); }; });
}

}  // namespace winnow::cli
