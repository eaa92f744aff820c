#include "sweeps/stats/validation.hpp"

#include <algorithm>

#include "sweeps/validation.hpp"
#include "sweeps/verify/case.hpp"

namespace winnow::sweeps::verify {
namespace {

using namespace stats;

Json json_of(const Range& r) { return Json{r.first, r.last}; }

Json json_of(const Ranges& ranges) {
  Json out = Json::array();
  for (const Range& r : ranges) out.push_back(json_of(r));
  return out;
}

/// Vectors may be shorter than what a sweep is judged by.
ValidationProtocol unlimited() {
  ValidationProtocol out;
  out.train_min = 0;
  out.test_min = 0;
  return out;
}

Json walk_forward_split_case(const Case& c) {
  if (c.count("train") < 1 || c.count("test") < 1) {
    throw CaseFault{"inputs: train and test of 1 at least are needed"};
  }
  const auto splits = walk_forward_splits({.periods = c.count("n"),
                                           .train = c.count("train"),
                                           .test = c.count("test"),
                                           .purge = c.count("purge"),
                                           .anchored = c.flag("anchored"),
                                           .keep_short_last_test = c.flag("keep_short_last_test")});
  Json out = Json::array();
  for (const auto& s : splits) {
    out.push_back({{"train", json_of(Ranges{s.train})}, {"test", json_of(Ranges{s.test})}});
  }
  return {{"splits", out}};
}

void check_folds(std::size_t n, std::size_t folds, std::size_t test_folds) {
  if (test_folds == 0 || test_folds >= folds || folds > n || folds > 64) {
    throw CaseFault{"inputs: 0 < test_folds < folds <= n is needed"};
  }
}

Json combinatorial_case(const Case& c) {
  const CombinatorialOptions o{.periods = c.count("n"),
                               .folds = c.count("folds"),
                               .test_folds = c.count("test_folds"),
                               .purge = c.count("purge"),
                               .embargo = c.count("embargo")};
  check_folds(o.periods, o.folds, o.test_folds);
  ValidationProtocol protocol = unlimited();
  protocol.kind = ProtocolKind::Cpcv;
  protocol.folds = o.folds;
  protocol.test_folds = o.test_folds;
  protocol.purge = o.purge;
  protocol.embargo = o.embargo;
  const auto plan = plan_folds(protocol, o.periods);
  if (!plan.ok()) throw CaseFault{plan.error().text()};
  Json splits = Json::array();
  Json paths = Json::array();
  for (const Fold& s : plan->folds) {
    Json tests = Json::array();
    for (const Range& r : s.tests) tests.push_back(json_of(Ranges{r}));
    splits.push_back({{"train", json_of(s.train)}, {"tests", tests}});
    paths.push_back(s.paths);
  }
  return {{"n_splits", plan->folds.size()},
          {"n_paths", plan->paths},
          {"path_ids", paths},
          {"splits", splits}};
}

Json count_case(const Case& c) {
  const auto folds = c.counts("N");
  const auto test_folds = c.counts("k");
  if (test_folds.size() != folds.size()) throw CaseFault{"inputs.k: one for each of N is needed"};
  std::vector<std::uint64_t> splits;
  std::vector<std::uint64_t> paths;
  for (std::size_t i = 0; i < folds.size(); ++i) {
    splits.push_back(combinatorial_split_count(folds[i], test_folds.at(i)));
    paths.push_back(combinatorial_path_count(folds[i], test_folds.at(i)));
  }
  return {{"splits", splits}, {"paths", paths}};
}

Json purged_case(const Case& c) {
  const auto t0 = c.numbers("t0");
  const auto t1 = c.numbers("t1");
  const std::size_t folds = c.count("n_splits");
  if (t0.size() != t1.size() || folds == 0 || folds > t0.size()) {
    throw CaseFault{"inputs: t0 and t1 of one size, at least n_splits, are needed"};
  }
  Json out = Json::array();
  for (const auto& f : purged_k_fold(t0, t1, folds, c.number("pct_embargo"))) {
    out.push_back({{"test", json_of(f.test)}, {"train", f.train}});
  }
  return {{"afml_snippet_7_3", out}};
}

Json interval_folds_case(const Case& c) {
  const auto t1 = c.numbers("t1");
  c.means("t0", {"0..n-1"});
  if (c.has("n") && c.count("n") != t1.size()) throw CaseFault{"inputs.n is not the size of t1"};
  IntervalOptions o{.folds = c.count("folds"),
                    .test_folds = c.count("test_folds"),
                    .embargo = c.number_or("embargo", 0)};
  check_folds(t1.size(), o.folds, o.test_folds);
  const auto splits_json = [&] {
    Json out = Json::array();
    for (const auto& s : interval_splits(t1, o)) {
      out.push_back({{"train", json_of(s.train)}, {"test", json_of(s.test)}});
    }
    return out;
  };
  const Json reference = splits_json();
  o.keep_all_if_embargo_reaches_end = true;
  const Json faulty = splits_json();
  Json agree = Json::array();
  for (std::size_t i = 0; i < reference.size(); ++i) agree.push_back(reference[i] == faulty[i]);
  return {{"reference", reference}, {"timeseriescv", faulty}, {"agree", agree}};
}

// Through the functions that a sweep's `validation:` runs through.
Json analysis_case(const Case& c) {
  c.means("select", {"argmax mean/std(ddof=1)"});
  if (c.count("train") < 2 || c.count("test") < 1) {
    throw CaseFault{"inputs: train of 2 and test of 1 at least are needed"};
  }
  const auto columns = c.csv("panel_csv").columns;
  ValidationProtocol protocol = unlimited();
  protocol.train = c.count("train");
  protocol.test = protocol.step = c.count("test");
  protocol.purge = c.count_or("purge", 0);
  protocol.anchored = c.flag("anchored");
  const auto plan = plan_folds(protocol, columns.empty() ? 0 : columns.front().size());
  if (!plan.ok()) throw CaseFault{plan.error().text()};
  std::vector<const double*> rows;
  for (const auto& column : columns) rows.push_back(column.data());
  const auto found = validate_panel(*plan, PanelView::of_rows(std::move(rows), plan->periods),
                                    c.positive("periods"));
  Json windows = Json::array();
  for (std::size_t k = 0; k < found.folds.size(); ++k) {
    const FoldResult& fold = found.folds[k];
    windows.push_back({{"train", json_of(plan->folds[k].train.front())},
                       {"test", json_of(plan->folds[k].tests.front())},
                       {"pick", fold.pick},
                       {"is_sharpe", fold.train_sharpe_ann},
                       {"is_ann_mean", fold.train_mean_ann_frac},
                       {"oos_ann_mean", fold.test.mean_ann_frac}});
  }
  return {{"windows", windows},
          {"oos_n", found.oos.days},
          {"oos_sharpe", found.oos.sharpe_ann},
          {"oos_ann_mean", found.oos.mean_ann_frac},
          {"wfe_of_means", found.efficiency},
          {"fraction_windows_oos_positive", found.folds_positive_frac}};
}

}  // namespace

void add_validation_kinds(std::vector<Kind>& kinds) {
  kinds.push_back({"walk-forward analysis",
                   [](const Case& c) {
                     return c.has({"panel_csv", "train", "test", "anchored"});
                   },
                   analysis_case});
  kinds.push_back({"walk-forward splits",
                   [](const Case& c) {
                     return c.has({"n", "train", "test", "anchored"});
                   },
                   walk_forward_split_case});
  kinds.push_back({"combinatorial splits of intervals",
                   [](const Case& c) {
                     return c.has({"t1", "folds", "test_folds"});
                   },
                   interval_folds_case});
  kinds.push_back({"combinatorial splits",
                   [](const Case& c) {
                     return c.has({"n", "folds", "test_folds"});
                   },
                   combinatorial_case});
  kinds.push_back({"combinatorial counts",
                   [](const Case& c) {
                     return c.has({"N", "k"}) && c.wants("paths");
                   },
                   count_case});
  kinds.push_back({"purged k-fold",
                   [](const Case& c) {
                     return c.has({"t0", "t1", "n_splits"});
                   },
                   purged_case});
}

}  // namespace winnow::sweeps::verify
