#include "sweeps/verify/case.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>

#include "base/text.hpp"

namespace winnow::sweeps::verify {
namespace {

[[noreturn]] void fault(std::string_view key, const std::string& problem) {
  throw CaseFault{"inputs." + std::string(key) + " " + problem};
}

const Json& object_of(const Json& node, const char* key) {
  static const Json kEmpty = Json::object();
  const auto it = node.find(key);
  return it == node.end() || !it->is_object() ? kEmpty : *it;
}

double finite(const Json& j, std::string_view key) {
  if (!j.is_number() || !std::isfinite(j.get<double>())) {
    fault(key, "holds " + json_text(j) + "; a finite number is needed");
  }
  return j.get<double>();
}

std::size_t whole(const Json& j, std::string_view key) {
  const double v = finite(j, key);
  if (!(v >= 0 && v <= Case::kCountMax && v == std::floor(v))) {
    fault(key, "holds " + json_text(j) + "; a whole number from 0 to 1e7 is needed");
  }
  return static_cast<std::size_t>(v);
}

}  // namespace

double to_number(const Json& j) {
  if (j.is_number()) return j.get<double>();
  if (j.is_string()) {
    const auto& s = j.get_ref<const std::string&>();
    if (s == "NaN") return std::numeric_limits<double>::quiet_NaN();
    if (s == "Infinity") return std::numeric_limits<double>::infinity();
    if (s == "-Infinity") return -std::numeric_limits<double>::infinity();
  }
  throw CaseFault{"'" + json_text(j) + "' is not a number"};
}

void need_keys(const Json& j, const std::string& place,
               std::initializer_list<std::string_view> keys) {
  if (!j.is_object()) throw CaseFault{place + " is not an object"};
  for (const std::string_view key : keys) {
    if (!j.contains(std::string(key))) {
      throw CaseFault{place + "." + std::string(key) + " is missing"};
    }
  }
  for (const auto& [key, value] : j.items()) {
    if (std::find(keys.begin(), keys.end(), key) == keys.end()) {
      throw CaseFault{place + "." + key + " is not known here"};
    }
  }
}

std::size_t digits(std::string_view text, std::string_view place) {
  std::size_t v = 0;
  const char* end = text.data() + text.size();
  const auto [at, error] = std::from_chars(text.data(), end, v);
  if (error != std::errc{} || at != end) {
    throw CaseFault{std::string(place) + ": '" + std::string(text) + "' is not a whole number"};
  }
  return v;
}

double number_in(std::string_view text, std::string_view place) {
  double v = 0;
  const char* end = text.data() + text.size();
  const auto [at, error] = std::from_chars(text.data(), end, v);
  if (error != std::errc{} || at != end || !std::isfinite(v)) {
    throw CaseFault{std::string(place) + ": '" + std::string(text) + "' is not a number"};
  }
  return v;
}

std::string Case::name() const {
  const auto it = node_.find("name");
  return it != node_.end() && it->is_string() ? it->get<std::string>() : std::string();
}

const Json& Case::inputs() const { return object_of(node_, "inputs"); }
const Json& Case::expected() const { return object_of(node_, "expected"); }

bool Case::has(std::initializer_list<std::string_view> keys) const {
  return std::all_of(keys.begin(), keys.end(),
                     [&](std::string_view key) { return inputs().contains(std::string(key)); });
}

bool Case::wants(std::initializer_list<std::string_view> keys) const {
  return std::all_of(keys.begin(), keys.end(),
                     [&](std::string_view key) { return expected().contains(std::string(key)); });
}

bool Case::wants_prefix(std::string_view prefix) const {
  for (const auto& [key, value] : expected().items()) {
    if (key.starts_with(prefix)) return true;
  }
  return false;
}

const Json& Case::at(std::string_view key) const {
  const auto it = inputs().find(std::string(key));
  if (it == inputs().end()) fault(key, "is missing");
  asked_.emplace(key);
  return *it;
}

double Case::number(std::string_view key) const { return finite(at(key), key); }

double Case::number_or(std::string_view key, double otherwise) const {
  return has(key) ? number(key) : otherwise;
}

double Case::positive(std::string_view key) const {
  const double v = number(key);
  if (!(v > 0)) fault(key, "is " + json_text(at(key)) + "; a number above 0 is needed");
  return v;
}

double Case::probability(std::string_view key) const {
  const double v = number(key);
  if (!(v > 0 && v < 1))
    fault(key, "is " + json_text(at(key)) + "; a number inside (0, 1) is needed");
  return v;
}

std::size_t Case::count(std::string_view key) const { return whole(at(key), key); }

std::size_t Case::count_or(std::string_view key, std::size_t otherwise) const {
  return has(key) ? count(key) : otherwise;
}

std::string Case::text(std::string_view key) const {
  if (!at(key).is_string()) fault(key, "is " + json_text(at(key)) + "; a text is needed");
  return at(key).get<std::string>();
}

void Case::means(std::string_view key, std::initializer_list<std::string_view> allowed) const {
  if (!has(key)) return;
  const std::string said = text(key);
  if (std::find(allowed.begin(), allowed.end(), said) != allowed.end()) return;
  std::string list;
  for (const std::string_view a : allowed)
    list += (list.empty() ? "'" : ", '") + std::string(a) + "'";
  fault(key, "is '" + said + "'; allowed: " + list);
}

bool Case::flag(std::string_view key) const {
  const Json& j = at(key);
  if (j.is_boolean()) return j.get<bool>();
  const double v = finite(j, key);
  if (v != 0 && v != 1) fault(key, "is " + json_text(j) + "; true, false, 1 or 0 is needed");
  return v != 0;
}

std::vector<double> Case::numbers(std::string_view key) const {
  if (!at(key).is_array() || at(key).empty()) fault(key, "is not a list of numbers");
  std::vector<double> out;
  for (const Json& j : at(key)) out.push_back(finite(j, key));
  return out;
}

std::vector<double> Case::probabilities(std::string_view key) const {
  std::vector<double> out = numbers(key);
  for (const double v : out) {
    if (!(v >= 0 && v <= 1)) fault(key, "has a value outside [0, 1]");
  }
  return out;
}

std::vector<double> Case::numbers_with_gaps(std::string_view key) const {
  if (!at(key).is_array() || at(key).empty()) fault(key, "is not a list of numbers");
  std::vector<double> out;
  for (const Json& j : at(key)) {
    const bool gap = j.is_string() && j.get_ref<const std::string&>() == "NaN";
    if (!gap) out.push_back(finite(j, key));
  }
  return out;
}

std::vector<std::size_t> Case::counts(std::string_view key) const {
  if (!at(key).is_array() || at(key).empty()) fault(key, "is not a list of whole numbers");
  std::vector<std::size_t> out;
  for (const Json& j : at(key)) out.push_back(whole(j, key));
  return out;
}

Columns Case::rows(std::string_view key) const {
  if (!at(key).is_array() || at(key).empty()) fault(key, "is not a table");
  Columns out;
  for (const Json& row : at(key)) {
    if (!row.is_array()) fault(key, "is not a table");
    std::vector<double> r;
    for (const Json& j : row) r.push_back(finite(j, key));
    if (r.empty() || (!out.empty() && r.size() != out.front().size())) {
      fault(key, "has rows of different lengths");
    }
    out.push_back(std::move(r));
  }
  return out;
}

CsvTable Case::csv(std::string_view key) const {
  const std::string name = text(key);
  Result<std::string> body = read_(name);
  if (!body.ok()) throw CaseFault{body.error().text()};
  Result<CsvTable> table = parse_csv(*body);
  if (!table.ok()) throw CaseFault{name + ": " + table.error().text()};
  if (table->rows() == 0) throw CaseFault{name + ": no numbers"};
  for (const auto& column : table->columns) {
    if (!std::all_of(column.begin(), column.end(), [](double v) { return std::isfinite(v); })) {
      throw CaseFault{name + ": a number is not finite"};
    }
  }
  for (std::size_t i = 0; i < table->names.size(); ++i) {
    if (std::count(table->names.begin(), table->names.end(), table->names[i]) > 1) {
      throw CaseFault{name + ": two columns are named '" + table->names[i] + "'"};
    }
  }
  return std::move(table).value();
}

std::vector<double> Case::series(std::string_view key) const {
  CsvTable table = csv(key);
  if (table.columns.size() != 1) {
    fault(key, "has " + std::to_string(table.columns.size()) + " columns; one is needed");
  }
  return std::move(table.columns.front());
}

std::string Case::unread() const {
  for (const auto& [key, value] : inputs().items()) {
    if (!asked_.contains(key)) return key;
  }
  return "";
}

}  // namespace winnow::sweeps::verify
