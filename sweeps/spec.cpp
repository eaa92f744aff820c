#include <algorithm>

#include "base/names.hpp"
#include "base/window_coverage.hpp"
#include "engine/shortfall.hpp"
#include "sweeps/attachment.hpp"
#include "sweeps/convergence_declared.hpp"
#include "sweeps/design.hpp"
#include "sweeps/execution_profile.hpp"
#include "sweeps/plan.hpp"
#include "sweeps/spec_params.hpp"
#include "sweeps/yaml/yaml_tree.hpp"

namespace winnow::sweeps {
namespace {

using yaml::Cursor;
using yaml::Node;

constexpr std::size_t kDatasetsMax = 256;
constexpr std::int64_t kPriorityMax = 1000;
constexpr double kWeightMin = 0.01, kWeightMax = 100;

const std::vector<std::string> kSpecKeys{
    "sweep",    "data",       "window",      "execution", "strategies", "search",
    "fidelity", "validation", "convergence", "seed",      "priority",   "budget",
    "limits",   "points",     "weight",      "open",      "share",      "looks"};

DatasetInfo read_dataset(const Cursor& at, const Catalog& catalog) {
  const std::string name = at.name("the name of a dataset");
  std::optional<DatasetInfo> info = catalog.dataset ? catalog.dataset(name) : std::nullopt;
  if (!info) {
    const std::string known = catalog.dataset_names.empty()
                                  ? "none yet; winnow data import or winnow data synth adds one"
                                  : join_names(catalog.dataset_names, 12);
    at.refuse("there is no dataset " + show_text(name) + did_you_mean(name, catalog.dataset_names) +
              "; datasets: " + known);
  }
  if (info->bars == 0) at.refuse("the dataset " + show_text(name) + " has no bars");
  if (catalog.gap) {
    const Result<level::Gap> gap = catalog.gap(*info);
    if (!gap) at.refuse(gap.error().text());
    info->gap = *gap;
  }
  return *std::move(info);
}

std::vector<DatasetInfo> read_data(const Cursor& at, const Catalog& catalog) {
  if (at.is(Node::Kind::Scalar)) return {read_dataset(at, catalog)};
  const std::vector<Cursor> entries = at.list("a list of dataset names, as in [ethusdt-5m]");
  if (entries.empty()) at.refuse("the list is empty; name at least one dataset");
  if (entries.size() > kDatasetsMax) {
    at.refuse("more than " + std::to_string(kDatasetsMax) + " datasets");
  }
  std::vector<DatasetInfo> out;
  for (const Cursor& entry : entries) {
    out.push_back(read_dataset(entry, catalog));
    for (std::size_t k = 0; k + 1 < out.size(); ++k) {
      if (out[k].name == out.back().name) {
        entry.refuse("the dataset '" + out.back().name + "' stands twice");
      }
      if (out[k].content_hash == out.back().content_hash) {
        entry.refuse("the dataset '" + out.back().name + "' has the same content as '" +
                     out[k].name + "'; its trials would be the same trials");
      }
    }
  }
  return out;
}

// Cuts the holdout off the end of the window and sees that data is left on both sides of the cut.
void cut_holdout(const Cursor& window, ResolvedSpec& spec) {
  const auto at = window.find("holdout");
  if (!at) return;
  spec.holdout = at->duration();
  if (spec.holdout.ns == 0) return;
  if (spec.holdout >= spec.to - spec.from) {
    at->refuse("the holdout of " + format_duration(spec.holdout) +
               " leaves nothing of the window from " + format_timestamp(spec.from) + " to " +
               format_timestamp(spec.to));
  }
  for (const DatasetInfo& d : spec.data) {
    if (end_of(d) + days(1) < spec.to) {
      window.find("to")->refuse(
          "the data of '" + d.name + "' ends at " + format_timestamp(end_of(d)) +
          ", so the holdout before " + format_timestamp(spec.to) +
          " would not hold what it promises; leave `to` out, or end it with the data");
    }
  }
  spec.to = spec.to - spec.holdout;
}

void read_window(const Cursor& root, const Catalog& catalog, ResolvedSpec& spec) {
  const auto window = root.find("window");
  if (window) {
    window->expect_map("a window such as {from: 2023-01-01, to: 2024-01-01, holdout: 90d}",
                       {"from", "to", "holdout"});
  }
  // What is not said is what all datasets have in common.
  spec.from = spec.data[0].first;
  spec.to = end_of(spec.data[0]);
  for (const DatasetInfo& d : spec.data) {
    spec.from = std::max(spec.from, d.first);
    spec.to = std::min(spec.to, end_of(d));
  }
  const auto from = window ? window->find("from") : std::nullopt;
  const auto to = window ? window->find("to") : std::nullopt;
  if (from) spec.from = from->time();
  if (to) spec.to = to->time();
  const Cursor& place = to ? *to : from ? *from : window ? *window : root;
  const SealedDays sealed = sealed_days(place, catalog, spec);
  place_window(place, sealed, {from.has_value(), to.has_value()}, spec);
  if (spec.from >= spec.to) {
    place.refuse("the window from " + format_timestamp(spec.from) + " to " +
                 format_timestamp(spec.to) + " is empty" +
                 (from && to ? "; `to` must be after `from`"
                             : "; what is not given is what all datasets have in common"));
  }
  if (window) cut_holdout(*window, spec);
  check_window(place, sealed, spec);
  for (const DatasetInfo& d : spec.data) {
    if (d.first >= spec.to || d.last < spec.from) {
      place.refuse("'" + d.name + "' has no bars from " + format_timestamp(spec.from) + " to " +
                   format_timestamp(spec.to) + "; it has " + format_timestamp(d.first) + " to " +
                   format_timestamp(end_of(d)));
    }
  }
}

/// Neither what a profile calls itself nor what it is asked for by is that of a shipped one, unless
/// it says the same.
void check_names(const Cursor& at, const Catalog& catalog, const ExecutionProfile& profile,
                 std::string_view asked) {
  if (!catalog.shipped) return;
  for (const std::string_view name : {asked, std::string_view(profile.costs.name)}) {
    if (name.empty()) continue;
    const auto shipped = catalog.shipped(name);
    if (!shipped) at.refuse(shipped.error().text());
    if (!*shipped) continue;
    const Status same = check_reserved(profile, {.name = name, .shipped_yaml = **shipped});
    if (!same.ok()) at.refuse(same.error().text());
  }
}

void read_execution(const Cursor& root, const Catalog& catalog, ResolvedSpec& spec) {
  const Cursor at = root.at("execution", "name a profile: " + join_names(catalog.execution_names) +
                                             "; `none` means that trading costs nothing");
  const std::string name = at.text("the name of an execution profile, or a path to one");
  const bool is_path = names_a_file(name);
  const auto& known = catalog.execution_names;
  const bool is_known = std::find(known.begin(), known.end(), name) != known.end();
  if (!catalog.execution || (!is_known && !is_path)) {
    at.refuse("there is no execution profile " + show_text(name) + did_you_mean(name, known) +
              "; profiles: " + join_names(known) + ", or a path such as ./mine.yaml");
  }
  const Result<std::string> text = catalog.execution(name);
  if (!text) at.refuse(text.error().text());
  const Result<ExecutionProfile> profile = parse_profile(*text, is_path ? name : name + ".yaml");
  if (!profile) at.refuse("the profile is not usable: " + profile.error().text());
  check_names(at, catalog, *profile, is_path ? "" : name);
  spec.execution = profile->model("default");
  spec.execution_hash = profile_hash(*profile);
  for (const DatasetInfo& d : spec.data) {
    spec.execution_by_data.push_back(profile->model(d.instrument));
    if (std::string note = profile->fallback_note(d.instrument); !note.empty()) {
      spec.warnings.push_back("'" + d.name + "': " + note);
    }
    if (spec.execution.funding && !d.has_funding) {
      spec.warnings.push_back(engine::no_funding_text(d.name, spec.execution.name));
    }
  }
}

void read_budget(const Cursor& root, ResolvedSpec& spec) {
  const auto budget = root.find("budget");
  if (!budget) return;
  budget->expect_map("a budget such as {trials: 100000, cpu_hours: 2}", {"trials", "cpu_hours"});
  if (const auto at = budget->find("trials")) {
    spec.trials_max = at->count("a number of trials", 1, 1'000'000'000'000);
  }
  if (const auto at = budget->find("cpu_hours")) {
    spec.cpu_hours_max = at->number("a number above 0");
    if (spec.cpu_hours_max <= 0) at->refuse(show_number(spec.cpu_hours_max) + " is not above 0");
  }
}

constexpr double kTrialSecondsMin = 0.01;
constexpr double kTrialSecondsMax = 1e6;
constexpr double kTrialMemoryMbMin = 0.01;
constexpr double kTrialMemoryMbMax = 1e6;

void read_weight(const Cursor& root, ResolvedSpec& spec) {
  const auto at = root.find("weight");
  if (!at) return;
  spec.weight = at->number("a weight, such as 2 for twice the share");
  if (!(spec.weight >= kWeightMin && spec.weight <= kWeightMax)) {
    at->refuse(show_number(spec.weight) + " is not between " + show_number(kWeightMin) + " and " +
               show_number(kWeightMax));
  }
}

void read_limits(const Cursor& root, ResolvedSpec& spec) {
  const auto limits = root.find("limits");
  if (!limits) return;
  limits->expect_map("limits such as {trial_seconds: 60, trial_memory_mb: 512}",
                     {"trial_seconds", "trial_memory_mb"});
  if (const auto at = limits->find("trial_seconds")) {
    spec.limits.seconds = at->number("a number of seconds of processor time");
    if (spec.limits.seconds < kTrialSecondsMin || spec.limits.seconds > kTrialSecondsMax) {
      at->refuse(show_number(spec.limits.seconds) + " is not between " +
                 show_number(kTrialSecondsMin) + " and " + show_number(kTrialSecondsMax) +
                 " seconds; without the key there is no limit");
    }
  }
  if (const auto at = limits->find("trial_memory_mb")) {
    spec.limits.memory_mb = at->number("a number of MiB");
    if (spec.limits.memory_mb < kTrialMemoryMbMin || spec.limits.memory_mb > kTrialMemoryMbMax) {
      at->refuse(show_number(spec.limits.memory_mb) + " is not between " +
                 show_number(kTrialMemoryMbMin) + " and " + show_number(kTrialMemoryMbMax) +
                 " MiB; without the key there is no limit");
    }
  }
}

void read_points(const Cursor& root, ResolvedSpec& spec) {
  const auto points = root.find("points");
  if (!points) return;
  constexpr const char* kShape = "points such as {metrics: [final_equity, sharpe_ann], every: 30d}";
  points->expect_map(kShape, {"metrics", "every"});
  std::vector<std::string> allowed;
  const auto decls = engine::metric_decls();
  for (std::size_t m = 0; m < decls.size(); ++m) {
    if (engine::metric_from_equity(static_cast<int>(m))) allowed.emplace_back(decls[m].name);
  }
  const Cursor metrics = points->at("metrics", "list some of " + join_names(allowed));
  for (const Cursor& entry : metrics.list("a list of metrics, as in [final_equity, sharpe_ann]")) {
    const std::string name = entry.choice(allowed);
    const auto& known = spec.points.metrics;
    if (std::find(known.begin(), known.end(), name) != known.end()) {
      entry.refuse("the metric '" + name + "' stands twice");
    }
    spec.points.metrics.push_back(name);
  }
  if (spec.points.metrics.empty()) metrics.refuse("the list is empty; name at least one metric");
  const Cursor every = points->at("every", "say how often, as in every: 30d");
  spec.points.every = every.duration();
  if (spec.points.every < days(1) || spec.points.every.ns % days(1).ns != 0) {
    every.refuse(format_duration(spec.points.every) +
                 " is not a whole number of days from 1d up, as in 7d");
  }
  for (const DatasetInfo& d : spec.data) {
    const std::int64_t window_ns =
        std::min(spec.to, end_of(d)).ns - std::max(spec.from, d.first).ns;
    const std::int64_t steps = window_ns / spec.points.every.ns + 2;
    const auto values = static_cast<std::uint64_t>(steps) * spec.points.metrics.size();
    if (values > kPointValuesMax) {
      every.refuse(std::to_string(spec.points.metrics.size()) + " metrics every " +
                   format_duration(spec.points.every) + " make up to " + std::to_string(values) +
                   " values a trial on '" + d.name + "'; at most " +
                   std::to_string(kPointValuesMax) + " are kept");
    }
  }
}

// Sees that every strategy has points. A grid cut off at a count is an arbitrary corner of itself,
// so the person is told of a budget that does so.
void check_points(const Cursor& root, ResolvedSpec& spec) {
  const std::vector<Cursor> entries = root.find("strategies")->list("");
  std::uint64_t trials = 0;
  for (std::size_t s = 0; s < entries.size(); ++s) {
    const engine::FamilyDecl& family = *engine::find_family(spec.strategies[s].family);
    const auto design = Design::make(spec.strategies[s], family,
                                     {spec.method, spec.samples, spec.seed, s, spec.learns()});
    if (!design) {
      (entries[s].find("params") ? *entries[s].find("params") : entries[s])
          .refuse(design.error().text());
    }
    // Each dataset leaves other rows of a hypercube out; all of them is the bound.
    const bool rows = spec.method == SearchMethod::Lhs && !spec.learns();
    trials += (rows ? spec.samples : (*design)->size()) * spec.data.size();
  }
  if (spec.trials_max != 0 && trials > spec.trials_max) {
    const std::string fewer = "are fewer than the " + std::to_string(trials);
    if (spec.learns()) {
      root.find("budget")->find("trials")->refuse(
          std::to_string(spec.trials_max) + " trials " + fewer +
          " that the search makes; raise the budget or take fewer trials");
    }
    spec.warnings.push_back(
        "budget.trials: " + std::to_string(spec.trials_max) + " trials " + fewer +
        " that the search makes: the sweep stops there, with the first of its trials only, until "
        "`winnow sweep extend` raises the budget");
  }
}

// What an opened hypothesis is judged by must not have chosen it.
void check_open(const Cursor& root, const ResolvedSpec& spec) {
  if (spec.open.mode == level::OpenMode::Explore) return;
  const auto said = root.find("open");
  const Cursor& at = said ? *said : root;
  if (spec.learns()) {
    at.refuse(
        "a search that learns is chosen by the days that would judge it; let it explore, then open "
        "the space around what it found with random, sobol, lhs or grid");
  }
  const auto declared = declared_convergence(spec.convergence_json);
  if (declared && declared->looks != LookPlan::OneLook) {
    root.find("convergence")
        ->find("looks")
        ->refuse(
            "an opened hypothesis has looks of its own, which its level is split over; leave "
            "it out, or say `looks` beside `open`");
  }
}

ResolvedSpec read_spec(const Cursor& root, const Catalog& catalog) {
  root.expect_map("a sweep specification, a map of keys", kSpecKeys);
  ResolvedSpec spec;
  spec.name = root.at("sweep", "name the sweep, as in sweep: eth-mean-reversion").name("a name");
  spec.data = read_data(root.at("data", "list dataset names, as in data: [ethusdt-5m]"), catalog);
  spec.open = read_open(root, catalog.open_otherwise);
  read_window(root, catalog, spec);
  for (const DatasetInfo& d : spec.data) {
    const std::string short_of = window_coverage(spec.from, spec.to, d.first, end_of(d));
    if (!short_of.empty()) spec.warnings.push_back("'" + d.name + "': " + short_of);
  }
  read_execution(root, catalog, spec);
  read_search(root, spec);
  spec.strategies = read_strategies(
      root.at("strategies", "list at least one, as in - {family: mean_reversion}"), spec.method);
  if (const auto at = root.find("seed")) spec.seed = at->count("a seed", 0, ~std::uint64_t{0});
  if (const auto at = root.find("priority")) {
    spec.priority =
        static_cast<std::int32_t>(at->integer("a priority", -kPriorityMax, kPriorityMax));
  }
  read_weight(root, spec);
  read_budget(root, spec);
  read_limits(root, spec);
  read_points(root, spec);
  read_samples(root, spec);
  if (const auto at = root.find("validation")) {
    if (spec.learns()) {
      at->refuse(
          "every test window would have been seen by the search, which learns from the whole "
          "window; leave it out and keep a holdout, which no search sees");
    }
    spec.validation_json = read_validation(*at, spec);
  }
  if (const auto at = root.find("convergence")) {
    spec.convergence_json = read_convergence(*at, spec);
  }
  check_open(root, spec);
  check_points(root, spec);
  return spec;
}

}  // namespace

Result<ResolvedSpec> parse_spec(std::string_view yaml, std::string_view file_name,
                                const Catalog& catalog) {
  const Result<Node> root = yaml::load(yaml, file_name);
  if (!root) return root.error();
  try {
    return read_spec(Cursor(file_name, *root, ""), catalog);
  } catch (const yaml::Refusal& refusal) {
    return refusal.error;
  }
}

}  // namespace winnow::sweeps
