#include "sweeps/verify/compare.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <limits>
#include <optional>

#include "base/text.hpp"

namespace winnow::sweeps::verify {
namespace {

constexpr double kInf = std::numeric_limits<double>::infinity();

struct Allowed {
  double rel = 0;
  double abs = 0;
};

struct NamedTolerance {
  std::vector<std::string> words;
  Allowed allowed;
};

std::vector<std::string> words_of(std::string_view text) {
  std::vector<std::string> out;
  std::string word;
  for (char c : text) {
    const bool separator = c == '_' || c == '.' || c == '[' || c == ']';
    if (!separator) word += c;
    if (separator && !word.empty()) {
      out.push_back(word);
      word.clear();
    }
  }
  if (!word.empty()) out.push_back(word);
  return out;
}

Allowed from_object(const Json& j) { return {j.value("rel", 0.0), j.value("abs", 0.0)}; }

/// What the tolerance of a case allows for each field.
class Tolerances {
 public:
  explicit Tolerances(const Json& j) {
    if (!j.is_object()) {
      top_ = Allowed{1e-8, 1e-10};
      return;
    }
    if (j.contains("rel") || j.contains("abs") || j.contains("exact")) top_ = from_object(j);
    for (const auto& [key, value] : j.items()) {
      if (key == "rel" || key == "abs" || key == "exact") continue;
      add(key, value);
    }
    std::stable_sort(named_.begin(), named_.end(),
                     [](const auto& a, const auto& b) { return a.words.size() > b.words.size(); });
    for (const auto& n : named_) {
      widest_.rel = std::max(widest_.rel, n.allowed.rel);
      widest_.abs = std::max(widest_.abs, n.allowed.abs);
    }
  }

  Allowed of(const std::string& path) const {
    const std::vector<std::string> words = words_of(path);
    for (const auto& n : named_) {
      const bool all = std::all_of(n.words.begin(), n.words.end(), [&](const std::string& w) {
        return std::find(words.begin(), words.end(), w) != words.end();
      });
      if (all) return n.allowed;
    }
    return top_ ? *top_ : widest_;
  }

 private:
  void add(std::string key, const Json& value) {
    if (value.is_object()) {
      named_.push_back({words_of(key), from_object(value)});
      return;
    }
    if (!value.is_number()) return;
    const double v = value.get<double>();
    Allowed allowed{0, v};
    if (key.ends_with("_rel")) allowed = {v, 0};
    if (key.ends_with("_rel") || key.ends_with("_abs")) key.resize(key.size() - 4);
    named_.push_back({words_of(key), allowed});
  }

  std::optional<Allowed> top_;
  Allowed widest_;
  std::vector<NamedTolerance> named_;
};

std::string show(double v) {
  std::array<char, 40> buffer;
  const auto end = std::to_chars(buffer.data(), buffer.data() + buffer.size(), v).ptr;
  return std::string(buffer.data(), end);
}

std::optional<double> as_number(const Json& j) {
  if (j.is_number()) return j.get<double>();
  if (!j.is_string()) return std::nullopt;
  const auto& s = j.get_ref<const std::string&>();
  if (s != "NaN" && s != "Infinity" && s != "-Infinity") return std::nullopt;
  return to_number(j);
}

class Comparison {
 public:
  Comparison(const Json& tolerance, CaseReport& report) : tolerances_(tolerance), report_(report) {}

  void walk(const Json& want, const Json& got, const std::string& path) {
    if (want.is_object()) {
      if (!got.is_object()) return miss(path, "is not computed");
      for (const auto& [key, value] : want.items()) {
        const std::string below = path.empty() ? key : path + "." + key;
        const auto it = got.find(key);
        if (it == got.end()) {
          miss(below, "is not computed");
        } else {
          walk(value, *it, below);
        }
      }
    } else if (want.is_array()) {
      if (!got.is_array()) return miss(path, "is not computed");
      if (got.size() != want.size()) {
        return miss(path, "has " + std::to_string(got.size()) + " entries, " +
                              std::to_string(want.size()) + " expected");
      }
      if (want.empty()) ++report_.compared;
      for (std::size_t i = 0; i < want.size(); ++i) {
        walk(want[i], got[i], path + "[" + std::to_string(i) + "]");
      }
    } else {
      leaf(want, got, path);
    }
  }

 private:
  void leaf(const Json& want, const Json& got, const std::string& path) {
    ++report_.compared;
    const auto w = as_number(want);
    const auto g = as_number(got);
    if (w && g) return number(*w, *g, path);
    if (want == got) return;
    if (want.is_boolean() && got.is_number()) {
      if (want.get<bool>() == (got.get<double>() != 0)) return;
    }
    miss(path, "is " + json_text(got) + ", " + json_text(want) + " expected");
  }

  void number(double want, double got, const std::string& path) {
    if ((std::isnan(want) && std::isnan(got)) || want == got) return;
    const Allowed a = tolerances_.of(path);
    const double error = std::abs(got - want);
    const double allowed = a.abs + a.rel * std::abs(want);
    double ratio = kInf;
    if (std::isfinite(error) && allowed > 0) ratio = error / allowed;
    if (ratio > report_.error_to_tolerance || report_.field.empty()) {
      report_.error_to_tolerance = ratio;
      report_.error = error;
      report_.field = path;
    }
    if (!(ratio <= 1)) miss(path, "is " + show(got) + ", " + show(want) + " expected");
  }

  void miss(const std::string& path, const std::string& problem) {
    ++faults_;
    if (report_.message.empty()) report_.message = path + " " + problem;
    report_.passed = false;
    if (faults_ == 1) report_.field = path;
  }

  Tolerances tolerances_;
  CaseReport& report_;
  std::size_t faults_ = 0;
};

}  // namespace

void compare(const Json& expected, const Json& computed, const Json& tolerance,
             CaseReport& report) {
  report.passed = true;
  Comparison(tolerance, report).walk(expected, computed, "");
  if (report.compared == 0 && report.passed) {
    report.passed = false;
    report.message = "nothing is expected, so nothing was compared";
  }
}

}  // namespace winnow::sweeps::verify
