#pragma once

#include <functional>
#include <initializer_list>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "sweeps/verify/csv_table.hpp"
#include "sweeps/verify/runner.hpp"

namespace winnow::sweeps::verify {

using Json = nlohmann::json;
using Columns = std::vector<std::vector<double>>;

/// A number of a vector file: JSON numbers and the texts NaN, Infinity, -Infinity.
/// Fails: throws CaseFault.
double to_number(const Json& j);

/// A case's inputs are not what its shape needs. Thrown and caught inside verify_statistics.
struct CaseFault {
  std::string text;
};

/// Purpose: one case, with checked access to its inputs. Every accessor throws CaseFault, naming
/// the key, if the value is missing or of another type.
class Case {
 public:
  Case(const Json& node, const ReadFile& read) : node_(node), read_(read) {}

  std::string name() const { return node_.value("name", std::string()); }
  bool named(std::string_view prefix) const { return name().starts_with(prefix); }
  const Json& inputs() const;
  const Json& expected() const;
  bool has(std::initializer_list<std::string_view> input_keys) const;
  bool wants(std::initializer_list<std::string_view> expected_keys) const;
  /// An expected key that starts so.
  bool wants_prefix(std::string_view prefix) const;

  const Json& at(std::string_view key) const;
  double number(std::string_view key) const { return to_number(at(key)); }
  double number_or(std::string_view key, double otherwise) const;
  std::size_t count(std::string_view key) const;
  std::string text(std::string_view key) const;
  bool flag(std::string_view key) const;
  std::vector<double> numbers(std::string_view key) const;
  std::vector<std::size_t> counts(std::string_view key) const;
  Columns rows(std::string_view key) const;
  CsvTable csv(std::string_view key) const;
  /// The first column of a CSV input.
  std::vector<double> series(std::string_view key) const;

 private:
  const Json& node_;
  const ReadFile& read_;
};

/// Computes a case. The result holds at least the keys of `expected`; it may hold more.
using Compute = std::function<Json(const Case&)>;
using Matches = std::function<bool(const Case&)>;

/// One shape of case.
struct Kind {
  const char* title;
  Matches matches;
  Compute compute;
};

// Each topic adds its shapes.
void add_convergence_kinds(std::vector<Kind>& kinds);
void add_search_kinds(std::vector<Kind>& kinds);
void add_regime_kinds(std::vector<Kind>& kinds);
void add_sizing_kinds(std::vector<Kind>& kinds);
void add_validation_kinds(std::vector<Kind>& kinds);
void add_snooping_kinds(std::vector<Kind>& kinds);
void add_pbo_kinds(std::vector<Kind>& kinds);
void add_metrics_kinds(std::vector<Kind>& kinds);
void add_sharpe_kinds(std::vector<Kind>& kinds);

}  // namespace winnow::sweeps::verify
