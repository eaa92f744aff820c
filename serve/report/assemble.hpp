#pragma once

#include <cstddef>

#include "serve/report/input.hpp"
#include "serve/sweep_view.hpp"

namespace winnow::serve::report {

struct AssembleOptions {
  TimestampNs generated;  ///< 0: the page does not say when it was made
  ScoreOptions score = {};
  std::size_t leaders = 50;
  std::size_t families_with_figures = 12;  ///< keeps the page below 3 MB
};

/// Reads everything that a sweep's report says. Memory: one family's period returns at a time.
/// Fails: as score_families.
Result<ReportInput> assemble_report(const Sources& sources, const SweepView& view,
                                    const AssembleOptions& options);

/// What trading costs under a model, in one sentence.
std::string execution_words(const engine::ExecutionModel& model);

/// Curves over a family's panel. `best` and `centre` are rows or absent. The panel is used up.
Curves make_curves(const Sources& sources, FamilyPanel panel, std::optional<std::uint64_t> best,
                   std::optional<std::uint64_t> centre);

/// Bins over the finite values; the range also shows `marked`.
Histogram make_histogram(const std::vector<double>& values, double marked);

/// A family's parameters against one value a variant (NaN: left out).
struct ParamTable {
  std::vector<std::string> names;
  std::vector<std::string> units;
  std::vector<std::vector<double>> columns;  ///< [parameter][variant]
};
/// Varying parameters by the share of the variance of `values` that each explains.
std::vector<Influence> make_influence(const ParamTable& table, const std::vector<double>& values);
/// The map of two parameters (by name). `centre`: a variant of the table.
HeatMap make_heat_map(const ParamTable& table, const std::vector<double>& values,
                      const std::string& x, const std::string& y,
                      std::optional<std::size_t> centre);

}  // namespace winnow::serve::report
