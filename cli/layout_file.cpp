#include "cli/layout_file.hpp"

#include <algorithm>
#include <filesystem>

#include "base/text.hpp"
#include "store/dataset_files.hpp"
#include "sweeps/yaml/yaml_tree.hpp"

namespace winnow::cli {
namespace {

using store::Layout;
using sweeps::yaml::Cursor;
using sweeps::yaml::Node;

// Columns may stand at the top or under `columns:`.
const std::vector<std::string> kColumnKeys{"time", "date", "clock", "open",
                                           "high", "low",  "close", "volume"};
const std::vector<std::string> kKeys{
    "layout",       "like",        "delimiter", "decimal",   "thousands",   "comment",
    "skip_lines",   "header",      "unit",      "zone",      "stamp",       "columns",
    "no_volume",    "volume_unit", "no_header", "time_zone", "date_format", "time_format",
    "skip_missing", "time",        "date",      "clock",     "open",        "high",
    "low",          "close",       "volume"};

/// One character, by itself or by its name.
char mark(const Cursor& at, std::string_view allowed) {
  const std::string text = at.text("a character");
  if (text == "tab" || text == "\\t") return '\t';
  if (text == "comma") return ',';
  if (text == "semicolon") return ';';
  if (text == "point" || text == "dot") return '.';
  if (text == "space") return ' ';
  if (text == "pipe") return '|';
  if (text == "none" && allowed.find('\0') != std::string_view::npos) return '\0';
  if (text.size() != 1 || allowed.find(text[0]) == std::string_view::npos) {
    at.refuse("'" + text + "' is not one of the marks allowed here" +
              (allowed.find('\t') == std::string_view::npos
                   ? ": comma, point or the mark itself"
                   : ": comma, semicolon, tab, pipe, space or the mark itself"));
  }
  return text[0];
}

/// A column by its name, or its position from 1.
std::string column(const Cursor& at) { return at.text("a column's name, or its position from 1"); }

void read_columns(const Cursor& map, Layout& out) {
  const auto date = map.find("date");
  const auto time = map.find("time");
  const auto clock = map.find("clock");
  if (date && time && clock) clock->refuse("with date and time there is no third column of time");
  if (date) out.time = column(*date);
  if (time) (date ? out.clock : out.time) = column(*time);
  if (clock) out.clock = column(*clock);
  constexpr const char* kPrices[] = {"open", "high", "low", "close"};
  for (std::size_t i = 0; i < 4; ++i) {
    if (const auto at = map.find(kPrices[i])) out.prices[i] = column(*at);
  }
  if (const auto at = map.find("volume")) {
    out.volume = column(*at);
    if (lower(out.volume) == "none") {
      out.volume.clear();
      out.volume_meaning = {store::VolumeUnit::None, 0};
    }
  }
}

void read_form(const Cursor& root, Layout& out) {
  constexpr std::string_view kDelimiters(",;\t| ", 5);
  constexpr std::string_view kThousands(",.' \0", 5);
  if (const auto at = root.find("delimiter")) out.delimiter = mark(*at, kDelimiters);
  if (const auto at = root.find("decimal")) out.decimal = mark(*at, ".,");
  if (const auto at = root.find("thousands")) out.thousands = mark(*at, kThousands);
  if (out.decimal != 0 && out.decimal == out.thousands) {
    root.refuse("decimal and thousands are the same mark");
  }
  if (const auto at = root.find("comment")) {
    const std::string text = at->text("a character that begins a comment, or none");
    if (text != "none" && text.size() != 1) at->refuse("'" + text + "' is not one character");
    out.comment = text == "none" ? '\0' : text[0];
  }
  constexpr std::uint64_t kSkipMax = 1000;
  if (const auto at = root.find("skip_lines")) {
    out.skip_lines = at->count("lines above the table", 0, kSkipMax);
  }
  const auto header_line = [&](bool there) {
    out.header = there ? store::HeaderLine::Yes : store::HeaderLine::No;
    if (there) out.shapes.clear();
  };
  if (const auto at = root.find("header")) header_line(at->boolean());
  if (const auto at = root.find("no_header")) header_line(!at->boolean());
  if (const auto at = root.find("skip_missing")) out.skip_missing = at->boolean();
}

void read_times(const Cursor& root, Layout& out) {
  for (const char* key : {"date_format", "time_format", "unit"}) {
    const auto at = root.find(key);
    if (!at) continue;
    const std::string text = at->text("s, ms, us, ns, iso, excel, auto or a format of % letters");
    const auto unit = store::parse_time_unit(text);
    if (!unit.ok()) at->refuse(unit.error().text());
    out.spec.unit = *unit;
    out.spec.format = *unit == store::TimeUnit::Format ? text : "";
  }
  for (const char* key : {"zone", "time_zone"}) {
    if (const auto at = root.find(key)) out.zone = at->text("a time zone");
  }
  if (const auto at = root.find("stamp")) {
    out.stamped_at_close = at->choice({"open", "close"}) == "close";
  }
}

void read_volume(const Cursor& root, Layout& out) {
  if (const auto at = root.find("volume_unit")) {
    const auto meaning = store::parse_volume_unit(at->text("base, quote, contracts:SIZE or none"));
    if (!meaning.ok()) at->refuse(meaning.error().text());
    out.volume_meaning = *meaning;
  }
  if (const auto at = root.find("no_volume"); at && at->boolean()) {
    if (!out.volume.empty()) at->refuse("a column of volume is named, too");
    out.volume_meaning = {store::VolumeUnit::None, 0};
  }
}

Layout read_layout(const Cursor& root, const std::string& file) {
  root.expect_map("a column map, a map of keys", kKeys);
  Layout out;
  if (const auto at = root.find("like")) {
    const std::string name = at->text("the name of a layout");
    const Layout* known = store::find_layout(name);
    if (known == nullptr)
      at->refuse("there is no layout '" + name + "'; there are " + store::layout_names());
    out = *known;
  }
  out.name = std::filesystem::path(file).stem().string();
  if (const auto at = root.find("layout")) out.name = at->name("a name");
  read_form(root, out);
  read_columns(root, out);
  if (const auto at = root.find("columns")) {
    at->expect_map("a map of columns, as in {time: 1, open: 2}", kColumnKeys);
    read_columns(*at, out);
  }
  read_times(root, out);
  read_volume(root, out);
  if (out.header == store::HeaderLine::No && out.shapes.empty()) {
    const bool all = !out.time.empty() && std::none_of(out.prices.begin(), out.prices.end(),
                                                       [](const auto& p) { return p.empty(); });
    if (!all) {
      root.refuse(
          "without a header the positions of time, open, high, low and close are needed, "
          "as in columns: {time: 1, open: 2, high: 3, low: 4, close: 5, volume: 6}");
    }
    if (out.volume.empty()) out.volume_meaning = {store::VolumeUnit::None, 0};
  }
  return out;
}

}  // namespace

Result<Layout> parse_layout(std::string_view yaml, const std::string& file) {
  const Result<Node> root = sweeps::yaml::load(yaml, file);
  if (!root) return root.error();
  try {
    return read_layout(Cursor(file, *root, ""), file);
  } catch (const sweeps::yaml::Refusal& refusal) {
    return refusal.error;
  }
}

Result<Layout> resolve_layout(const std::string& name_or_file) {
  if (const Layout* known = store::find_layout(name_or_file)) return *known;
  const std::filesystem::path path(name_or_file);
  std::error_code ignored;
  const bool file =
      path.has_parent_path() || path.has_extension() || std::filesystem::exists(path, ignored);
  if (!file) {
    return Error(ErrorCode::InvalidInput, "there is no layout '" + name_or_file + "'; there are " +
                                              store::layout_names() +
                                              ", binance-klines and okx-candles, or a column map "
                                              "FILE.yaml");
  }
  // A device would never end, and a map is small.
  if (std::filesystem::exists(path, ignored) &&
      (!std::filesystem::is_regular_file(path, ignored) ||
       std::filesystem::file_size(path, ignored) > sweeps::yaml::kFileBytesMax)) {
    return Error(ErrorCode::InvalidInput, name_or_file + ": a column map is a file of at most " +
                                              std::to_string(sweeps::yaml::kFileBytesMax) +
                                              " bytes");
  }
  const auto text = store::read_whole_file(path);
  if (!text.ok()) return text.error();
  return parse_layout(*text, name_or_file);
}

}  // namespace winnow::cli
