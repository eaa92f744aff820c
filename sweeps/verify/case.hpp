#pragma once

#include <functional>
#include <initializer_list>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "sweeps/verify/case_report.hpp"
#include "sweeps/verify/csv_table.hpp"

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

/// Throws CaseFault unless `j` is an object with these keys and no other.
void need_keys(const Json& j, const std::string& place,
               std::initializer_list<std::string_view> keys);
/// A whole number from 0 in decimal digits. Throws CaseFault for anything else.
std::size_t digits(std::string_view text, std::string_view place);
/// A number that is the whole of a text. Throws CaseFault for anything else.
double number_in(std::string_view text, std::string_view place);

/// Purpose: one case, with checked access to its inputs. Every accessor throws CaseFault, naming
/// the key, if the value is missing, of another type or not finite. What was read is remembered:
/// an input that no accessor asked for has no part in the result, and the case fails.
/// Thread: one.
class Case {
 public:
  static constexpr double kCountMax = 1e7;

  Case(const Json& node, const ReadFile& read) : node_(node), read_(read) {}

  std::string name() const;
  bool named(std::string_view prefix) const { return name().starts_with(prefix); }
  const Json& inputs() const;
  const Json& expected() const;
  bool has(std::initializer_list<std::string_view> input_keys) const;
  bool has(std::string_view key) const { return has({key}); }
  bool wants(std::initializer_list<std::string_view> expected_keys) const;
  bool wants(std::string_view key) const { return wants({key}); }
  /// An expected key that starts so.
  bool wants_prefix(std::string_view prefix) const;

  const Json& at(std::string_view key) const;
  double number(std::string_view key) const;
  double number_or(std::string_view key, double otherwise) const;
  double positive(std::string_view key) const;
  double probability(std::string_view key) const;  ///< inside (0, 1)
  std::size_t count(std::string_view key) const;
  std::size_t count_or(std::string_view key, std::size_t otherwise) const;
  std::string text(std::string_view key) const;
  /// The text says how the inputs are meant, and there is one way only. An absent key says nothing.
  void means(std::string_view key, std::initializer_list<std::string_view> allowed) const;
  bool flag(std::string_view key) const;  ///< true, false, 1 or 0
  std::vector<double> numbers(std::string_view key) const;
  std::vector<double> probabilities(std::string_view key) const;  ///< each in [0, 1]
  /// Numbers, or the text NaN where there is none.
  std::vector<double> numbers_with_gaps(std::string_view key) const;
  std::vector<std::size_t> counts(std::string_view key) const;
  Columns rows(std::string_view key) const;
  CsvTable csv(std::string_view key) const;
  /// A CSV input of one column.
  std::vector<double> series(std::string_view key) const;

  /// The first input that nothing asked for; empty: there is none.
  std::string unread() const;

 private:
  const Json& node_;
  const ReadFile& read_;
  mutable std::set<std::string, std::less<>> asked_;
};

/// Computes a case. The result holds at least the keys of `expected`; it may hold more.
using Compute = std::function<Json(const Case&)>;
using Matches = std::function<bool(const Case&)>;

/// What the numbers of a kind are.
enum class Nature {
  Exact,      ///< computed: a field without a tolerance of its own gets the default
  Simulated,  ///< drawn or on a grid: such a field gets the widest of those that are named
};

/// One shape of case.
struct Kind {
  const char* title;
  Matches matches;
  Compute compute;
  Nature nature = Nature::Exact;
};

// Each topic adds its shapes.
void add_convergence_kinds(std::vector<Kind>& kinds);
void add_search_kinds(std::vector<Kind>& kinds);
void add_optimiser_kinds(std::vector<Kind>& kinds);
void add_regime_kinds(std::vector<Kind>& kinds);
void add_sizing_kinds(std::vector<Kind>& kinds);
void add_bayes_kinds(std::vector<Kind>& kinds);
void add_validation_kinds(std::vector<Kind>& kinds);
void add_snooping_kinds(std::vector<Kind>& kinds);
void add_pbo_kinds(std::vector<Kind>& kinds);
void add_metrics_kinds(std::vector<Kind>& kinds);
void add_sharpe_kinds(std::vector<Kind>& kinds);
void add_multiplicity_kinds(std::vector<Kind>& kinds);
void add_level_kinds(std::vector<Kind>& kinds);

}  // namespace winnow::sweeps::verify
