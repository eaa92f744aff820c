#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "serve/answer/sweeps.hpp"

// `top`: a page of a leaderboard.
namespace winnow::serve::answer {

/// What luck alone would show on a dataset.
struct Noise {
  std::string data;
  std::string dataset_hash;
  double periods_per_year = 0;
  std::string calendar;
  std::uint64_t ledger_trials = 0;
  double sharpe_ann_sd = 0;
  double sharpe_ann_max_expected = 0;

  void fields(Fields& f) const {
    f(kData, data);
    f(kDatasetHash, dataset_hash);
    f(kPeriodsPerYear, periods_per_year);
    f(kCalendar, calendar);
    f({"ledger_trials", "trials", "ever made on its market, by anybody"}, ledger_trials);
    f({"noise_sharpe_ann_sd", "annual", "spread of the Sharpe ratio of a variant without an edge"},
      sharpe_ann_sd);
    f({"noise_sharpe_ann_max_expected", "annual",
       "expected largest of so many such ratios: what the best shows by luck alone"},
      sharpe_ann_max_expected);
  }
};

/// Buy and hold of a dataset over the sweep's window.
struct Holding {
  std::string data;
  std::string calendar;
  double periods_per_year = 0;
  std::optional<std::uint64_t> days = {};
  Json metrics = {};
  std::string notes = {};
  std::string reason = {};

  void fields(Fields& f) const {
    f(kData, data);
    f(kCalendar, calendar);
    f(kPeriodsPerYear, periods_per_year);
    f.if_any({"days", "days", "that its figures are of"}, days);
    f({"metrics", "", "by name as in docs/METRICS.md; null: the data are not here"}, metrics);
    f.if_any({"notes", "", "why some of them are null"}, notes);
    f.if_any({"reason", "", "why there are none"}, reason);
  }
};

struct Variant {
  std::uint64_t trial = 0;
  std::string family;
  std::string data;
  Json params;

  void fields(Fields& f) const {
    f({"trial", "", "number of the variant in its sweep"}, trial);
    f(kFamily, family);
    f(kData, data);
    f({"params", "", "parameters by name"}, params);
  }
};

struct BoardLine {
  std::uint64_t rank = 0;
  Variant variant;
  std::uint64_t same_results = 0;
  std::vector<std::uint64_t> same_trials;
  std::string params_text;
  Json metrics;
  std::string reason;

  void fields(Fields& f) const {
    f({"rank", "", "place in the ranking, from 1"}, rank);
    f.all_of(variant);
    f({"same_results", "trials", "variants that earned the same each day, which stand here"},
      same_results);
    f.if_any({"same_trials", "", "the first of them by number"}, same_trials);
    f({"params_text", "", "the parameters that the sweep varies, as one text"}, params_text);
    f({"metrics", "", "by name as in docs/METRICS.md; null: not measurable"}, metrics);
    f.if_any({"reason", "", "why some of them are null"}, reason);
  }
};

/// `top`.
struct Board {
  SweepHead head;
  std::uint64_t trials_committed = 0;
  std::uint64_t trials_failed = 0;
  std::uint64_t trials_matching = 0;
  std::string by;
  bool higher_is_better = true;
  std::string where;
  std::optional<std::uint64_t> trials_undecided;
  std::vector<Noise> noise;
  std::vector<Holding> holding;
  std::vector<std::string> columns;  ///< of an export, whose rows whoever makes it adds as arrays
  std::vector<BoardLine> rows;
  std::optional<bool> changed_since_cursor;
  std::string next;

  void fields(Fields& f) const {
    f.all_of(head);
    f(kTrialsCommitted, trials_committed);
    f(kTrialsFailed, trials_failed);
    f({"trials_matching", "trials", "that have a rank"}, trials_matching);
    f({"by", "", "metric that ranks"}, by);
    f({"higher_is_better", "", "whether its largest value ranks first"}, higher_is_better);
    f.if_any({"where", "", "condition on metrics and parameters"}, where);
    f.if_any({"trials_undecided", "trials",
              "of which the condition says nothing, as a number "
              "that it needs is missing"},
             trials_undecided);
    f({"noise", "", "what luck alone would show, for each dataset"}, noise);
    f({"holding", "", "what holding would have shown, for each dataset"}, holding);
    f.if_any({"columns", "", "of an export: names of the columns, under which its rows are arrays"},
             columns);
    if (columns.empty()) f({"rows", "", "distinct results, the best first"}, rows);
    f.if_any({"changed_since_cursor", "", "results came since the page that the cursor is of"},
             changed_since_cursor);
    f.if_any({"next", "", "cursor of the page that follows; the last one has none"}, next);
  }
};

}  // namespace winnow::serve::answer
