#include "sweeps/verify/compare.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <optional>
#include <utility>

#include "base/numbers.hpp"
#include "base/text.hpp"

namespace winnow::sweeps::verify {
namespace {

struct Allowed {
  double rel = 0;
  double abs = 0;
};

struct NamedTolerance {
  std::string name;
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

constexpr Allowed kDefault{1e-8, 1e-10};
// Below this a width may be as large as the number it is for: the number is nothing but rounding.
constexpr double kRounding = 1e-6;

bool is_exact(const Json& j) {
  return j.is_string() && j.get_ref<const std::string&>().starts_with("exact");
}

double width(const Json& j, const std::string& place) {
  if (!j.is_number() || !(j.get<double>() >= 0) || !(j.get<double>() <= kWidthMax)) {
    throw CaseFault{place + " is " + json_text(j) + "; a number from 0 to 0.1 is needed"};
  }
  return j.get<double>();
}

/// {"rel", "abs"}, one of them at least.
Allowed from_object(const Json& j, const std::string& place) {
  Allowed out;
  if (j.empty()) throw CaseFault{place + " is empty"};
  for (const auto& [key, value] : j.items()) {
    if (key != "rel" && key != "abs") throw CaseFault{place + "." + key + " is not known here"};
    (key == "rel" ? out.rel : out.abs) = width(value, place + "." + key);
  }
  return out;
}

/// Paths of all leaves.
void leaves(const Json& j, const std::string& path, std::vector<std::vector<std::string>>& out) {
  if (j.is_object()) {
    for (const auto& [key, value] : j.items()) leaves(value, path + "." + key, out);
  } else if (j.is_array() && !j.empty()) {
    for (std::size_t i = 0; i < j.size(); ++i) {
      leaves(j[i], path + "[" + std::to_string(i) + "]", out);
    }
  } else {
    out.push_back(words_of(path));
  }
}

bool holds_all(const std::vector<std::string>& path, const std::vector<std::string>& words) {
  return std::all_of(words.begin(), words.end(), [&](const std::string& w) {
    return std::find(path.begin(), path.end(), w) != path.end();
  });
}

/// What the tolerance of a case allows for each field.
class Tolerances {
 public:
  Tolerances(const Json& j, const Json& expected, Nature nature) {
    if (j.is_discarded()) return;  // the case has none
    if (!j.is_object() || j.empty()) {
      throw CaseFault{"tolerance is " + json_text(j) + "; an object with rel and abs is needed"};
    }
    read_top(j);
    for (const auto& [key, value] : j.items()) {
      if (key == "rel" || key == "abs" || key == "exact") continue;
      add(key, value);
    }
    std::stable_sort(named_.begin(), named_.end(),
                     [](const auto& a, const auto& b) { return a.words.size() > b.words.size(); });
    std::vector<std::vector<std::string>> fields;
    leaves(expected, "", fields);
    Allowed widest;
    for (const auto& n : named_) {
      const bool used = std::any_of(fields.begin(), fields.end(),
                                    [&](const auto& field) { return holds_all(field, n.words); });
      if (!used) throw CaseFault{"tolerance." + n.name + " names no field of expected"};
      widest.rel = std::max(widest.rel, n.allowed.rel);
      widest.abs = std::max(widest.abs, n.allowed.abs);
    }
    if (!has_top_ && nature == Nature::Simulated) top_ = widest;
  }

  Allowed of(const std::string& path) const {
    const std::vector<std::string> words = words_of(path);
    for (const auto& n : named_) {
      if (holds_all(words, n.words)) return n.allowed;
    }
    return top_;
  }

 private:
  void read_top(const Json& j) {
    const bool exact = j.contains("exact");
    const bool widths = j.contains("rel") || j.contains("abs");
    if (exact && (j["exact"] != true || widths)) {
      throw CaseFault{"tolerance.exact is true and stands alone, or is left out"};
    }
    has_top_ = exact || widths;
    if (has_top_) top_ = {};
    if (j.contains("rel")) top_.rel = width(j["rel"], "tolerance.rel");
    if (j.contains("abs")) top_.abs = width(j["abs"], "tolerance.abs");
  }

  void add(const std::string& key, const Json& value) {
    NamedTolerance named{key, words_of(key), {}};
    if (named.words.empty()) throw CaseFault{"tolerance has an entry without a name"};
    if (value.is_object()) {
      named.allowed = from_object(value, "tolerance." + key);
    } else if (!is_exact(value)) {
      const double v = width(value, "tolerance." + key);
      const bool rel = key.ends_with("_rel");
      named.allowed = rel ? Allowed{v, 0} : Allowed{0, v};
      if (rel || key.ends_with("_abs")) named.words = words_of(key.substr(0, key.size() - 4));
    } else if (key == "p_values") {
      return;  // counts over replications: the computed ones are held to the top level
    }
    named_.push_back(std::move(named));
  }

  bool has_top_ = false;
  Allowed top_ = kDefault;
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
  Comparison(Tolerances tolerances, CaseReport& report)
      : tolerances_(std::move(tolerances)), report_(report) {}

  void walk(const Json& want, const Json& got, const std::string& path) {
    if (want.is_object()) {
      if (want.empty()) return miss(path, "expects nothing");
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
    if (allowed > kRounding && allowed >= std::abs(want) && want != 0) {
      return miss(path, "has a tolerance of " + show(allowed) + ", as wide as itself");
    }
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

void compare(const Json& expected, const Json& computed, const Json& tolerance, CaseReport& report,
             Nature nature) {
  report.passed = true;
  if (expected.empty()) {
    report.passed = false;
    report.message = "nothing is expected, so nothing was compared";
    return;
  }
  Comparison(Tolerances(tolerance, expected, nature), report).walk(expected, computed, "");
  if (report.compared == 0 && report.passed) {
    report.passed = false;
    report.message = "nothing is expected, so nothing was compared";
  }
}

}  // namespace winnow::sweeps::verify
