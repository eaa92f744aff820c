// Names that move and go. What results were made from is told by content hashes, in the store's
// ledger and sweeps, which nothing here touches.
#include <algorithm>
#include <set>

#include "store/dataset_files.hpp"
#include "store/dataset_store.hpp"

namespace winnow::store {

namespace fs = std::filesystem;

Status DatasetStore::rename(std::string_view name, std::string_view new_name) const {
  WINNOW_TRY(check_name(new_name));
  const auto known = names();
  const auto is_known = [&](std::string_view n) {
    return std::find(known.begin(), known.end(), n) != known.end();
  };
  if (!is_known(name)) return not_found(name);
  if (is_known(new_name)) {
    return Error(ErrorCode::InvalidInput, "there is a dataset '" + std::string(new_name) +
                                              "' already; delete it or choose another name");
  }
  WINNOW_TRY(make_folder(folder() / "tmp"));
  const auto lock = WriterLock::acquire(folder() / "writer.lock");
  if (!lock.ok()) return lock.error();
  const auto current = current_manifest(name);
  if (!current.ok()) return current.error();
  const auto all = versions(name);
  if (!all.ok()) return all.error();
  FileTransaction files(folder() / "tmp");
  WINNOW_TRY(make_folder(name_path(new_name)));
  for (Manifest version : *all) {
    version.name = new_name;
    version.notes.push_back("was named " + std::string(name));
    WINNOW_TRY(
        files.write(name_path(new_name) / (version.content_hash + ".json"), version.to_json()));
  }
  WINNOW_TRY(files.write(name_path(new_name) / "current", current->content_hash + "\n"));
  files.keep();
  // Both names are there for a moment, and after a crash; never none.
  std::error_code error;
  fs::remove_all(name_path(name), error);
  if (error) return io_error("remove", name_path(name), error.value());
  return {};
}

Result<Removed> DatasetStore::remove(std::string_view name) const {
  const auto known = names();
  if (std::find(known.begin(), known.end(), name) == known.end()) return not_found(name);
  const auto lock = WriterLock::acquire(folder() / "writer.lock");
  if (!lock.ok()) return lock.error();
  struct Parts {
    std::set<std::string> columns;
    std::set<std::string> raw;
    std::uint64_t versions = 0;
  };
  const auto parts_of = [&](std::string_view of, Parts& parts) {
    std::error_code error;
    for (fs::directory_iterator it(name_path(of), error), end; !error && it != end;
         it.increment(error)) {
      if (it->path().extension() != ".json") continue;
      ++parts.versions;
      parts.columns.insert(it->path().stem().string());
      // A damaged manifest still goes; its raw files then stay, which loses nothing.
      const auto manifest = read_manifest(it->path());
      if (!manifest.ok()) continue;
      for (const RawFile& raw : manifest->raw_files) parts.raw.insert(raw.sha256);
    }
  };
  Parts gone;
  Parts kept;
  parts_of(name, gone);
  for (const std::string& other : known) {
    if (other != name) parts_of(other, kept);
  }
  Removed out;
  out.versions = gone.versions;
  std::error_code error;
  // The pointer first: what is then half gone is no dataset any more.
  fs::remove(name_path(name) / "current", error);
  if (error) return io_error("remove", name_path(name) / "current", error.value());
  fs::remove_all(name_path(name), error);
  if (error) return io_error("remove", name_path(name), error.value());
  const auto drop = [&](const fs::path& file) {
    std::error_code ignored;  // an unreferenced file does no harm
    const auto bytes = fs::file_size(file, ignored);
    if (!ignored && fs::remove(file, ignored)) out.bytes += bytes;
  };
  for (const std::string& hash : gone.columns) {
    if (kept.columns.contains(hash)) continue;
    drop(columns_file(hash));
    drop(folder() / "shipped" / hash);
  }
  for (const std::string& sha256 : gone.raw) {
    if (!kept.raw.contains(sha256)) drop(raw_path(sha256));
  }
  return out;
}

}  // namespace winnow::store
