#include "serve/export.hpp"

#include <sqlite3.h>

#include <memory>
#include <string>
#include <system_error>

#include "base/text.hpp"
#include "base/write_file.hpp"

namespace winnow::serve {
namespace {

struct CloseDatabase {
  void operator()(sqlite3* db) const { sqlite3_close_v2(db); }
};
using Database = std::unique_ptr<sqlite3, CloseDatabase>;
struct FinalizeStatement {
  void operator()(sqlite3_stmt* s) const { sqlite3_finalize(s); }
};
using Statement = std::unique_ptr<sqlite3_stmt, FinalizeStatement>;

Error failure(sqlite3* db, const std::filesystem::path& file) {
  return Error(ErrorCode::Io, file.string() + ": " + sqlite3_errmsg(db));
}

std::string sql_name(std::string_view name) {
  std::string out = "\"";
  for (const char c : name) {
    if (c == '"') out += '"';
    out += c;
  }
  return out + '"';
}

Status run(sqlite3* db, const std::string& sql, const std::filesystem::path& file) {
  if (sqlite3_exec(db, sql.c_str(), nullptr, nullptr, nullptr) != SQLITE_OK) {
    return failure(db, file);
  }
  return {};
}

int bind(sqlite3_stmt* statement, int at, const Json& value) {
  if (value.is_null()) return sqlite3_bind_null(statement, at);
  if (value.is_number_integer()) {
    return sqlite3_bind_int64(statement, at, value.get<std::int64_t>());
  }
  if (value.is_number()) return sqlite3_bind_double(statement, at, value.get<double>());
  const std::string text = value.is_string() ? value.get<std::string>() : json_text(value);
  return sqlite3_bind_text(statement, at, text.data(), static_cast<int>(text.size()),
                           SQLITE_TRANSIENT);
}

Status insert_all(sqlite3* db, const std::string& sql, const Json& rows,
                  const std::filesystem::path& file) {
  sqlite3_stmt* raw = nullptr;
  if (sqlite3_prepare_v2(db, sql.c_str(), -1, &raw, nullptr) != SQLITE_OK) {
    return failure(db, file);
  }
  const Statement statement(raw);
  for (const Json& row : rows) {
    int at = 0;
    for (const Json& cell : row) {
      if (bind(raw, ++at, cell) != SQLITE_OK) return failure(db, file);
    }
    if (sqlite3_step(raw) != SQLITE_DONE) return failure(db, file);
    sqlite3_reset(raw);
  }
  return {};
}

std::string placeholders(std::size_t n) {
  std::string out;
  for (std::size_t i = 0; i < n; ++i) out += i == 0 ? "?" : ",?";
  return out;
}

Status fill(sqlite3* db, const Json& table, const std::filesystem::path& file) {
  // The file is written beside its name and appears whole, so a journal would protect nothing.
  WINNOW_TRY(run(db, "PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF; BEGIN", file));
  std::string columns;
  for (const Json& name : table["columns"]) {
    const std::string text = name.get<std::string>();
    const bool is_text = text == "family" || text == "data";
    const bool whole = text == "rank" || text == "trial";
    columns += (columns.empty() ? "" : ", ") + sql_name(text) +
               (is_text ? " TEXT"
                : whole ? " INTEGER"
                        : " REAL");
  }
  WINNOW_TRY(run(db, "CREATE TABLE variants (" + columns + ")", file));
  WINNOW_TRY(
      insert_all(db, "INSERT INTO variants VALUES (" + placeholders(table["columns"].size()) + ")",
                 table["rows"], file));
  WINNOW_TRY(run(db, "CREATE TABLE sweep (key TEXT PRIMARY KEY, value)", file));
  Json facts = Json::array();
  for (const auto& [key, value] : table.items()) {
    if (key != "columns" && key != "rows") facts.push_back({key, value});
  }
  WINNOW_TRY(insert_all(db, "INSERT INTO sweep VALUES (?,?)", facts, file));
  return run(db, "COMMIT", file);
}

}  // namespace

Status export_sqlite(const Json& table, const std::filesystem::path& file) {
  if (!table.is_object() || !table.contains("columns") || !table.contains("rows")) {
    return Error(ErrorCode::InvalidInput, "an export needs an answer of `top` with `table`");
  }
  const auto to = destination_of(file);
  if (!to.ok()) return to.error();
  // What is no regular file gets the bytes of a database that is whole.
  const std::filesystem::path part = unfinished_name(
      to->written_through ? std::filesystem::temp_directory_path() / "winnow" : to->path);
  std::error_code ec;
  std::filesystem::remove(part, ec);
  sqlite3* raw = nullptr;
  const int opened =
      sqlite3_open_v2(part.c_str(), &raw, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, nullptr);
  Database db(raw);
  Status status = opened == SQLITE_OK ? fill(raw, table, file) : Status(failure(raw, file));
  db.reset();
  if (!status.ok()) {
    std::filesystem::remove(part, ec);
    return status;
  }
  return place_whole_file(part, file);
}

}  // namespace winnow::serve
