#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include "base/time.hpp"
#include "serve/scoring.hpp"

namespace winnow::serve::report {

/// One line of the header: what, its value in words with units, and one sentence about it.
struct Fact {
  std::string label;
  std::string value;
  std::string help = {};
};

/// Counts of annual Sharpes in bins of one width.
struct Histogram {
  double low = 0;
  double bin_width = 0;
  std::vector<std::uint64_t> counts;
  std::uint64_t below = 0;  ///< finite values under `low`: left out of the bins
  std::uint64_t finite = 0;
};

/// Share of the variance of Sharpe that one parameter alone explains (eta squared of a one-way
/// analysis of variance over all variants).
struct Influence {
  std::string param;
  std::string unit;
  double eta2 = 0;
};

/// Median Sharpe over all other parameters, by two parameters.
struct HeatMap {
  std::string x_name, x_unit;
  std::string y_name, y_unit;
  std::vector<std::string> x_labels;  ///< one a column; a range where values were binned
  std::vector<std::string> y_labels;
  std::vector<double> median;                     ///< [y][x]; NaN: no variant
  std::vector<std::uint32_t> count;               ///< [y][x]
  std::optional<std::size_t> centre_x, centre_y;  ///< where the plateau centre lies
};

/// Equity as a multiple of the initial cash at the end of each period, and its falls from the peak.
struct Curves {
  std::vector<std::int64_t> period_start_ns;  ///< empty: dates are not known
  std::vector<double> best, centre;           ///< empty: there is no such variant
  std::vector<double> median, low, high;      ///< of all variants at that time: 50, 5, 95%
  std::vector<double> best_drawdown, centre_drawdown, median_drawdown;  ///< fractions, >= 0
};

/// One family on one dataset.
struct Family {
  std::string name;
  std::string summary;
  std::string data;
  FamilyScore score;
  Json profit;  ///< evidence_json of serve/ledger_account.hpp
  std::string best_params;
  std::string centre_params;
  bool with_figures = true;  ///< false beyond the limit of figures a page carries
  Curves curves;
  Histogram sharpe;
  std::vector<Influence> influence;  ///< largest first
  std::vector<HeatMap> maps;
};

struct LeaderRow {
  std::uint64_t trial = 0;
  std::string family;
  std::string data;
  std::string params;
  std::vector<double> metrics;  ///< one a leader_metrics entry
};

/// One metric column of the leaderboard.
struct MetricColumn {
  std::string name;
  std::string unit;
  std::string help;
};

/// Something that was not as it should be.
struct Concern {
  std::string what;
  std::string detail;
};

/// A table in words: cells are texts, the first column is left-aligned.
struct WordTable {
  std::string title;
  std::string note;
  std::vector<std::string> header;
  std::vector<std::vector<std::string>> rows;
};

/// Purpose: everything a report says, and nothing else: the page is a function of this.
struct ReportInput {
  std::string sweep_name;
  std::string sweep_id;
  std::string state;
  TimestampNs generated;  ///< 0: not told
  std::vector<Fact> facts;
  std::vector<Family> families;
  std::uint64_t hypotheses = 0;
  double hurdle_sharpe_ann = 0;
  std::string knobs;  ///< those that are not at their defaults, on one line
  std::vector<MetricColumn> leader_metrics;
  std::vector<LeaderRow> leaders;     ///< best first
  std::vector<LeaderRow> holding;     ///< the market itself, a row a dataset; `trial` says nothing
  std::vector<WordTable> validation;  ///< families out of sample, by the sweep's protocol
  std::vector<WordTable> risk;        ///< what plateau centres may lose
  std::vector<WordTable> bakeoffs;    ///< families against one another, by dataset
  std::vector<Concern> concerns;
  std::string spec_json;
};

}  // namespace winnow::serve::report
