#include "sweeps/validation_protocol.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <numeric>

#include "base/text.hpp"

namespace winnow::sweeps {
namespace {

using nlohmann::json;
using stats::Range;
using stats::Ranges;

std::string days_text(std::size_t n) { return std::to_string(n) + (n == 1 ? " day" : " days"); }

// A specification has none such; what is stored may be damaged.
constexpr std::int64_t kDaysMax = 100'000;
constexpr std::size_t kPartsMax = 100;
constexpr std::size_t kGroupsMax = 60;  // their combinations are counted in 64 bits

std::size_t days_up(const json& j, const char* key) {
  const std::int64_t ns = j.at(key);
  if (ns < 0 || ns > kDaysMax * days(1).ns) {
    throw json::other_error::create(501, std::string(key) + " " + std::to_string(ns), &j);
  }
  return static_cast<std::size_t>((ns + days(1).ns - 1) / days(1).ns);
}

ValidationProtocol protocol_from(const json& j) {
  ValidationProtocol out;
  const std::string name = j.at("protocol");
  out.embargo = days_up(j, "embargo_ns");
  out.purge = days_up(j, "purge_ns");
  if (name == "walk_forward") {
    out.train = days_up(j, "train_ns");
    out.test = days_up(j, "test_ns");
    out.step = days_up(j, "step_ns");
    out.anchored = j.at("anchored");
  } else if (name == "kfold") {
    out.kind = ProtocolKind::KFold;
    out.folds = j.at("folds");
    out.test_folds = 1;
  } else if (name == "cpcv") {
    out.kind = ProtocolKind::Cpcv;
    out.folds = j.at("groups");
    out.test_folds = j.at("test_groups");
  } else if (name == "nested") {
    out.kind = ProtocolKind::Nested;
    out.folds = j.at("outer_folds");
    out.test_folds = 1;
    out.inner_folds = j.at("inner_folds");
  } else {
    throw json::other_error::create(501, "unknown protocol " + name, &j);
  }
  return out;
}

/// Marks of the periods in some ranges.
std::vector<std::uint8_t> marks(std::span<const Range> ranges, std::size_t periods) {
  std::vector<std::uint8_t> out(periods, 0);
  for (const Range& r : ranges) {
    for (std::size_t i = r.first; i < r.last; ++i) out[i] = 1;
  }
  return out;
}

/// Counts what is neither trained nor tested on: within the purge of a test, or else embargoed.
void count_cuts(const ValidationProtocol& p, std::size_t periods, Fold& fold) {
  std::vector<std::uint8_t> used = marks(fold.train, periods);
  std::vector<std::uint8_t> purge(periods, 0);
  for (const Range& test : fold.tests) {
    for (std::size_t i = test.first; i < test.last; ++i) used[i] = 1;
    const std::size_t from = test.first - std::min(test.first, p.purge);
    for (std::size_t i = from; i < std::min(periods, test.last + p.purge); ++i) purge[i] = 1;
  }
  for (std::size_t i = 0; i < periods; ++i) {
    if (used[i] != 0) continue;
    ++(purge[i] != 0 ? fold.purged : fold.embargoed);
  }
}

Result<FoldPlan> walk_forward_plan(const ValidationProtocol& p, std::span<const std::int64_t> days,
                                   FoldPlan out) {
  const auto window = days.empty() ? 0 : static_cast<std::size_t>(days.back() - days.front()) + 1;
  const std::size_t gap = p.purge + p.embargo;
  const auto splits = stats::walk_forward_splits({.periods = window,
                                                  .train = p.train,
                                                  .test = p.test,
                                                  .step = p.step,
                                                  .purge = gap,
                                                  .anchored = p.anchored});
  if (splits.empty()) {
    return bad_input("train " + days_text(p.train) + ", embargo and purge " + days_text(gap) +
                     " and test " + days_text(p.test) + " need " +
                     days_text(p.train + gap + p.test) + "; the window has " +
                     std::to_string(window));
  }
  const auto period = [&](std::size_t day) {
    const auto at =
        std::lower_bound(days.begin(), days.end(), days.front() + static_cast<std::int64_t>(day));
    return static_cast<std::size_t>(at - days.begin());
  };
  for (const stats::WalkForwardSplit& split : splits) {
    const Range test{period(split.test.first), period(split.test.last)};
    const std::size_t last =
        std::min(period(split.train.last), test.first - std::min(gap, test.first));
    const std::size_t first = std::min(period(split.train.first), last);
    // Where bars are missing there is nothing to choose by, or nothing to test.
    if (test.first == test.last || last - first < p.train_min) continue;
    Fold fold{.train = {{first, last}}, .tests = {test}, .paths = {0}};
    fold.purged = std::min(p.purge, test.first - last);
    fold.embargoed = test.first - last - fold.purged;
    out.folds.push_back(std::move(fold));
  }
  if (out.folds.empty()) {
    return bad_input("no fold has " + std::to_string(p.train_min) + " days to train on (train " +
                     days_text(p.train) + ", embargo and purge " + days_text(gap) +
                     "; the window has " + days_text(window) + ", " + std::to_string(days.size()) +
                     " of them with bars)");
  }
  return out;
}

/// The folds inside one fold's training: its periods in parts of equal numbers.
std::vector<Fold> inner_folds(const ValidationProtocol& p, const Fold& outer, std::size_t periods) {
  std::vector<std::size_t> own;
  for (const Range& r : outer.train) {
    for (std::size_t i = r.first; i < r.last; ++i) own.push_back(i);
  }
  const std::vector<std::uint8_t> outer_train = marks(outer.train, periods);
  std::vector<double> t0(periods);
  std::iota(t0.begin(), t0.end(), 0.0);
  std::vector<double> t1(periods);
  std::iota(t1.begin(), t1.end(), static_cast<double>(p.purge));
  std::vector<Fold> out;
  for (std::size_t k = 0; k < p.inner_folds; ++k) {
    const Range part = stats::fold_range(k, p.inner_folds, own.size());
    std::vector<std::uint8_t> test(periods, 0);
    for (std::size_t i = part.first; i < part.last; ++i) test[own[i]] = 1;
    Fold fold;
    fold.tests = stats::ranges_of(test);
    if (fold.tests.empty()) continue;
    fold.paths.assign(fold.tests.size(), 0);
    auto keep =
        stats::purged_train(t0, t1, fold.tests, {.embargo = static_cast<double>(p.embargo)});
    for (std::size_t i = 0; i < periods; ++i) keep[i] &= outer_train[i];
    fold.train = stats::ranges_of(keep);
    out.push_back(std::move(fold));
  }
  return out;
}

Result<FoldPlan> parts_plan(const ValidationProtocol& p, FoldPlan out) {
  const std::string name = p.kind == ProtocolKind::Cpcv ? "groups" : "folds";
  const std::size_t most = p.kind == ProtocolKind::Cpcv ? kGroupsMax : kPartsMax;
  if (p.folds < 2 || p.folds > most || p.test_folds < 1 || p.test_folds >= p.folds ||
      out.periods < p.folds) {
    return bad_input(std::to_string(p.folds) + " " + name + " of " + days_text(out.periods));
  }
  const std::uint64_t splits = stats::combinatorial_split_count(p.folds, p.test_folds);
  if (splits > kSplitsMax) {
    return bad_input(std::to_string(p.folds) + " groups, " + std::to_string(p.test_folds) +
                     " tested together, make " + std::to_string(splits) + " splits; at most " +
                     std::to_string(kSplitsMax) + " are computed");
  }
  for (auto& split : stats::combinatorial_splits({.periods = out.periods,
                     .folds = p.folds,
                     .test_folds = p.test_folds,
                     .purge = p.purge,
                     .embargo = p.embargo})) {
    Fold fold{.train = std::move(split.train),
              .tests = std::move(split.tests),
              .paths = std::move(split.path_ids)};
    count_cuts(p, out.periods, fold);
    if (p.kind == ProtocolKind::Nested) out.inner.push_back(inner_folds(p, fold, out.periods));
    out.folds.push_back(std::move(fold));
  }
  out.paths = stats::combinatorial_path_count(p.folds, p.test_folds);
  return out;
}

Status check_train(const ValidationProtocol& p, const Fold& fold, const std::string& which) {
  const std::size_t train = size_of(fold.train);
  if (train >= p.train_min) return {};
  return bad_input(which + " leaves " + days_text(train) + " to train on (embargo " +
                   days_text(p.embargo) + ", purge " + days_text(p.purge) + "); at least " +
                   std::to_string(p.train_min) + " are needed");
}

Status check_sizes(const FoldPlan& plan) {
  for (std::size_t k = 0; k < plan.folds.size(); ++k) {
    WINNOW_TRY(check_train(plan.protocol, plan.folds[k], "fold " + std::to_string(k + 1)));
    if (plan.inner.empty()) continue;
    for (std::size_t i = 0; i < plan.inner[k].size(); ++i) {
      WINNOW_TRY(
          check_train(plan.protocol, plan.inner[k][i],
                      "inner fold " + std::to_string(i + 1) + " of fold " + std::to_string(k + 1)));
    }
  }
  const std::size_t tested = size_of(plan.tested);
  if (tested < plan.protocol.test_min) {
    return bad_input("the folds test " + days_text(tested) + " together; at least " +
                     std::to_string(plan.protocol.test_min) + " are needed");
  }
  return {};
}

}  // namespace

const char* protocol_name(ProtocolKind kind) {
  switch (kind) {
    case ProtocolKind::WalkForward:
      return "walk_forward";
    case ProtocolKind::KFold:
      return "kfold";
    case ProtocolKind::Cpcv:
      return "cpcv";
    case ProtocolKind::Nested:
      break;
  }
  return "nested";
}

Result<ValidationProtocol> declared_validation(std::string_view canonical_json) {
  const json j = parse_json(canonical_json);
  try {
    return protocol_from(j);
  } catch (const json::exception& e) {
    return bad_input(std::string("validation: ") + e.what());
  }
}

std::string protocol_words(const ValidationProtocol& p) {
  std::string out;
  switch (p.kind) {
    case ProtocolKind::WalkForward:
      out = "walk-forward: " + days_text(p.train) + " of training, " + std::to_string(p.test) +
            " of test, every " + days_text(p.step) + (p.anchored ? ", anchored" : ", rolling");
      break;
    case ProtocolKind::KFold:
      out = std::to_string(p.folds) + " folds";
      break;
    case ProtocolKind::Cpcv:
      out = "combinatorial: " + std::to_string(p.folds) + " groups, " +
            std::to_string(p.test_folds) + " tested together";
      break;
    case ProtocolKind::Nested:
      out = "nested: " + std::to_string(p.folds) + " folds, " + std::to_string(p.inner_folds) +
            " inside each";
      break;
  }
  return out + "; embargo " + days_text(p.embargo) + ", purge " + days_text(p.purge);
}

std::size_t size_of(std::span<const Range> ranges) {
  std::size_t out = 0;
  for (const Range& r : ranges) out += r.last - r.first;
  return out;
}

Result<FoldPlan> plan_folds(const ValidationProtocol& protocol,
                            std::span<const std::int64_t> days) {
  FoldPlan start;
  start.protocol = protocol;
  start.periods = days.size();
  auto out = protocol.kind == ProtocolKind::WalkForward
                 ? walk_forward_plan(protocol, days, std::move(start))
                 : parts_plan(protocol, std::move(start));
  if (!out.ok()) return out;
  std::vector<Range> tests;
  for (const Fold& fold : out->folds) {
    tests.insert(tests.end(), fold.tests.begin(), fold.tests.end());
  }
  out->tested = stats::ranges_of(marks(tests, out->periods));
  WINNOW_TRY(check_sizes(*out));
  return out;
}

Result<FoldPlan> plan_folds(const ValidationProtocol& protocol, std::size_t days) {
  std::vector<std::int64_t> all(days);
  std::iota(all.begin(), all.end(), std::int64_t{0});
  return plan_folds(protocol, std::span<const std::int64_t>(all));
}

}  // namespace winnow::sweeps
