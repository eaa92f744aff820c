#include "sweeps/verify/case.hpp"

#include <cmath>
#include <limits>

#include "base/text.hpp"

namespace winnow::sweeps::verify {
namespace {

[[noreturn]] void fault(std::string_view key, const std::string& problem) {
  throw CaseFault{"inputs." + std::string(key) + " " + problem};
}

const Json& empty_object() {
  static const Json kEmpty = Json::object();
  return kEmpty;
}

}  // namespace

double to_number(const Json& j) {
  if (j.is_number()) return j.get<double>();
  if (j.is_boolean()) return j.get<bool>() ? 1 : 0;
  if (j.is_string()) {
    const auto& s = j.get_ref<const std::string&>();
    if (s == "NaN") return std::numeric_limits<double>::quiet_NaN();
    if (s == "Infinity") return std::numeric_limits<double>::infinity();
    if (s == "-Infinity") return -std::numeric_limits<double>::infinity();
  }
  throw CaseFault{"'" + json_text(j) + "' is not a number"};
}

const Json& Case::inputs() const {
  const auto it = node_.find("inputs");
  return it == node_.end() || !it->is_object() ? empty_object() : *it;
}

const Json& Case::expected() const {
  const auto it = node_.find("expected");
  return it == node_.end() || !it->is_object() ? empty_object() : *it;
}

bool Case::has(std::initializer_list<std::string_view> keys) const {
  for (auto key : keys) {
    if (!inputs().contains(std::string(key))) return false;
  }
  return true;
}

bool Case::wants(std::initializer_list<std::string_view> keys) const {
  for (auto key : keys) {
    if (!expected().contains(std::string(key))) return false;
  }
  return true;
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
  return *it;
}

double Case::number_or(std::string_view key, double otherwise) const {
  const auto it = inputs().find(std::string(key));
  return it == inputs().end() || !it->is_number() ? otherwise : it->get<double>();
}

std::size_t Case::count(std::string_view key) const {
  const double v = number(key);
  if (!(v >= 0 && v <= 1e15 && v == std::floor(v))) {
    fault(key, "is " + at(key).dump() + "; a whole number from 0 is needed");
  }
  return static_cast<std::size_t>(v);
}

std::string Case::text(std::string_view key) const {
  if (!at(key).is_string()) fault(key, "is not a text");
  return at(key).get<std::string>();
}

bool Case::flag(std::string_view key) const {
  const Json& j = at(key);
  if (j.is_boolean()) return j.get<bool>();
  return to_number(j) != 0;
}

std::vector<double> Case::numbers(std::string_view key) const {
  if (!at(key).is_array()) fault(key, "is not a list");
  std::vector<double> out;
  for (const Json& j : at(key)) out.push_back(to_number(j));
  return out;
}

std::vector<std::size_t> Case::counts(std::string_view key) const {
  std::vector<std::size_t> out;
  for (double v : numbers(key)) {
    if (!(v >= 0 && v <= 1e15 && v == std::floor(v))) fault(key, "has a value that is not a count");
    out.push_back(static_cast<std::size_t>(v));
  }
  return out;
}

Columns Case::rows(std::string_view key) const {
  if (!at(key).is_array() || at(key).empty()) fault(key, "is not a table");
  Columns out;
  for (const Json& row : at(key)) {
    if (!row.is_array()) fault(key, "is not a table");
    std::vector<double> r;
    for (const Json& j : row) r.push_back(to_number(j));
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
  return std::move(table).value();
}

std::vector<double> Case::series(std::string_view key) const { return csv(key).columns.front(); }

}  // namespace winnow::sweeps::verify
