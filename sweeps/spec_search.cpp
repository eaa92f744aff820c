#include <algorithm>

#include "base/check.hpp"
#include "base/names.hpp"
#include "engine/engine.hpp"
#include "sweeps/adaptive.hpp"
#include "sweeps/spec_params.hpp"

namespace winnow::sweeps {
namespace {

using yaml::Cursor;

const std::vector<std::string> kSearchKeys{"method",    "samples",    "trials",    "generation",
                                           "objective", "objectives", "warm_start"};
const std::vector<std::string> kFidelityWords{"halving", "hyperband", "asha"};
constexpr std::uint64_t kEtaDefault = 3;
constexpr std::size_t kSweepIdDigits = 16;

std::vector<std::string> method_words() {
  std::vector<std::string> out;
  for (const SamplerDecl* sampler : samplers()) out.emplace_back(sampler->name);
  return out;
}

bool takes_several(const SamplerDecl& sampler) { return sampler.objectives_max > 1; }

std::string read_metric(const Cursor& at) {
  std::vector<std::string> names;
  for (const engine::MetricDecl& m : engine::metric_decls()) names.emplace_back(m.name);
  return at.choice(names);
}

void read_objectives(const Cursor& search, ResolvedSpec& spec) {
  const auto one = search.find("objective");
  const auto list = search.find("objectives");
  if (one && list) {
    list->refuse_at(search.key_place("objectives"), list->path(),
                    "stands beside objective; keep one of the two");
  }
  const SamplerDecl& sampler = spec.method.decl();
  const std::string name(sampler.name);
  if (!takes_several(sampler)) {
    if (list) {
      list->refuse_at(search.key_place("objectives"), list->path(),
                      "only " + samplers_that(takes_several, " and ") +
                          " takes several; write objective: sharpe_ann");
    }
    spec.adaptive.objectives = {one ? read_metric(*one) : "sharpe_ann"};
    return;
  }
  if (one || !list) {
    (one ? *one : search)
        .refuse(name + " takes " + std::to_string(sampler.objectives_min) + " to " +
                std::to_string(sampler.objectives_max) +
                " objectives, as in objectives: [sharpe_ann, drawdown_max_frac]");
  }
  for (const Cursor& entry : list->list("a list of metrics")) {
    spec.adaptive.objectives.push_back(read_metric(entry));
    const auto& all = spec.adaptive.objectives;
    if (std::count(all.begin(), all.end(), all.back()) > 1) {
      entry.refuse("the objective '" + all.back() + "' stands twice");
    }
  }
  if (spec.adaptive.objectives.size() < sampler.objectives_min ||
      spec.adaptive.objectives.size() > sampler.objectives_max) {
    list->refuse(std::to_string(spec.adaptive.objectives.size()) + " objectives; " + name +
                 " takes " + std::to_string(sampler.objectives_min) + " to " +
                 std::to_string(sampler.objectives_max));
  }
}

void read_warm_start(const Cursor& search, ResolvedSpec& spec) {
  const auto at = search.find("warm_start");
  if (!at) return;
  const std::string id = at->text("the id of a finished sweep");
  const bool digits = id.find_first_not_of("0123456789abcdef") == std::string::npos;
  if (id.size() != kSweepIdDigits || !digits) {
    at->refuse(show_text(id) + " is not the id of a sweep, " + std::to_string(kSweepIdDigits) +
               " digits as `winnow sweep list` shows them");
  }
  spec.adaptive.warm_start = id;
}

void read_fidelity(const Cursor& at, ResolvedSpec& spec) {
  at.expect_map("a ladder of windows such as {method: asha, shortest: 30d}",
                {"method", "eta", "shortest"});
  const std::string method =
      at.at("method", "one of " + join_names(kFidelityWords)).choice(kFidelityWords);
  spec.adaptive.fidelity = method == "halving"     ? FidelityMethod::Halving
                           : method == "hyperband" ? FidelityMethod::Hyperband
                                                   : FidelityMethod::Asha;
  const auto eta = at.find("eta");
  spec.adaptive.eta = eta ? eta->count("a whole number from 2 to 16", 2, 16) : kEtaDefault;
  const Cursor shortest = at.at("shortest", "the window of the lowest rung, such as 30d");
  spec.adaptive.shortest = shortest.duration();
  const DurationNs whole = spec.to - spec.from;
  if (spec.adaptive.shortest < days(1) || spec.adaptive.shortest >= whole) {
    shortest.refuse(format_duration(spec.adaptive.shortest) +
                    " is not from 1d to below the window, " + format_duration(whole));
  }
  for (const DatasetInfo& d : spec.data) {
    if (d.first >= spec.from + spec.adaptive.shortest) {
      shortest.refuse("'" + d.name + "' has no bars in the first " +
                      format_duration(spec.adaptive.shortest) + " from " +
                      format_timestamp(spec.from));
    }
  }
}

// The keys that say nothing to this method.
void refuse_idle_keys(const Cursor& search, const ResolvedSpec& spec, const std::string& method) {
  const bool learns = spec.learns();
  for (const char* key : {"trials", "generation", "objective", "objectives", "warm_start"}) {
    if (learns || !search.find(key)) continue;
    search.refuse_at(search.key_place(key), search.path() + "." + key,
                     "says nothing to " + method +
                         ", which does not learn; allowed: method, samples; or take method: " +
                         samplers_that([](const SamplerDecl& s) { return s.learns; }));
  }
  if (learns && search.find("samples")) {
    search.refuse_at(search.key_place("samples"), search.path() + ".samples",
                     "a search that learns is counted in trials; write trials");
  }
}

// How many trials, in whole generations or rounds of rungs.
void read_trials(const Cursor& root, const Cursor& search, ResolvedSpec& spec) {
  const std::uint64_t segments = spec.data.size() * spec.strategies.size();
  const auto at = search.find("trials");
  if (!at && spec.trials_max == 0) {
    search.refuse(
        "how many trials? Add trials: N (for each dataset and strategy), or "
        "budget: {trials: N}, which is shared among them");
  }
  const std::uint64_t unit = search_unit(spec);
  if (!at) {
    spec.samples = spec.trials_max / segments / unit * unit;
    if (spec.samples > 0) return;
    root.find("budget")->find("trials")->refuse(
        std::to_string(spec.trials_max) + " trials are fewer than " + std::to_string(unit) +
        ", the least this search makes, for each of " + std::to_string(segments) +
        " pairs of dataset and strategy");
  }
  const std::uint64_t asked = at->count("a number of trials", 1, 10'000'000);
  spec.samples = (asked + unit - 1) / unit * unit;
  if (spec.samples != asked) {
    spec.warnings.push_back("search.trials " + std::to_string(asked) + " becomes " +
                            std::to_string(spec.samples) + ", whole " +
                            (spec.adaptive.fidelity == FidelityMethod::Halving ||
                                     spec.adaptive.fidelity == FidelityMethod::Hyperband
                                 ? "rounds"
                                 : "generations") +
                            " of " + std::to_string(unit));
  }
}

// A block of `asha` goes on to the next rung when `eta` blocks were tried on the one below.
void warn_of_short_ladder(ResolvedSpec& spec) {
  if (spec.adaptive.fidelity != FidelityMethod::Asha) return;
  std::uint64_t least = 0;
  for (std::size_t k = 0; k < rung_lengths(spec).size(); ++k) {
    least = least * spec.adaptive.eta + kAdaptiveBlockRows;
  }
  if (spec.samples >= least) return;
  spec.warnings.push_back("search.trials " + std::to_string(spec.samples) +
                          ": none will see the whole window, and no other is ranked; that takes " +
                          std::to_string(least) + " or more, or a longer fidelity.shortest");
}

// An annual figure of a few days does not exist (engine::kAnnualDaysMin): nothing can be learned
// from it.
void refuse_short_windows(const Cursor& root, const Cursor& search, const ResolvedSpec& spec) {
  const auto decls = engine::metric_decls();
  for (const std::string& name : spec.adaptive.objectives) {
    if (!decls[static_cast<std::size_t>(engine::find_metric(name))].annual) continue;
    for (const DatasetInfo& d : spec.data) {
      const TimestampNs from = std::max(spec.from, d.first);
      TimestampNs to = std::min(spec.to, d.last + d.interval);
      const bool ladder = spec.adaptive.fidelity != FidelityMethod::None;
      if (ladder) to = std::min(to, spec.from + spec.adaptive.shortest);
      const auto least = days(static_cast<std::int64_t>(engine::kAnnualDaysMin));
      if (to - from >= least) continue;
      const auto fidelity = root.find("fidelity");
      (ladder ? *fidelity : search)
          .refuse("the search learns from " + name + ", which is not measurable below " +
                  format_duration(least) + ", but sees '" + d.name + "' for " +
                  format_duration(to - from) +
                  "; allowed: a longer window, or an objective such as total_return_frac");
    }
  }
}

}  // namespace

void read_search(const Cursor& root, ResolvedSpec& spec) {
  const auto search = root.find("search");
  const auto fidelity = root.find("fidelity");
  std::string method = "grid";
  if (search) {
    search->expect_map("a search such as {method: grid}", kSearchKeys);
    const std::vector<std::string> words = method_words();
    method = search->at("method", "one of " + join_names(words)).choice(words);
    const auto index = std::find(words.begin(), words.end(), method) - words.begin();
    spec.method.index = static_cast<std::uint8_t>(index);
  }
  if (fidelity && !spec.method.decl().fidelity) {
    fidelity->refuse_at(root.key_place("fidelity"), fidelity->path(),
                        method + " has no ladder of windows; allowed with search: {method: " +
                            samplers_that([](const SamplerDecl& s) { return s.fidelity; }) + "}");
  }
  if (fidelity || spec.method.decl().learns) {
    const auto generation = search->find("generation");
    spec.adaptive.generation =
        generation ? generation->count("a number of rows", kAdaptiveBlockRows, kGenerationRowsMax)
                   : kGenerationDefault;
    if (spec.adaptive.generation % kAdaptiveBlockRows != 0) {
      generation->refuse(generation->shown() + " is not a multiple of " +
                         std::to_string(kAdaptiveBlockRows));
    }
    read_objectives(*search, spec);
    read_warm_start(*search, spec);
  }
  if (search) refuse_idle_keys(*search, spec, method);
  if (fidelity) read_fidelity(*fidelity, spec);
}

void read_samples(const Cursor& root, ResolvedSpec& spec) {
  WINNOW_REQUIRES(!spec.data.empty() && !spec.strategies.empty());
  const auto search = root.find("search");
  if (spec.learns()) {
    read_trials(root, *search, spec);
    if (const Status sound = check_adaptive(spec); !sound) search->refuse(sound.error().text());
    refuse_short_windows(root, *search, spec);
    warn_of_short_ladder(spec);
    return;
  }
  const auto at = search ? search->find("samples") : std::nullopt;
  if (spec.method.decl().enumerates) {
    if (at) at->refuse("a grid takes no samples; its steps say how many points there are");
    return;
  }
  const std::uint64_t segments = spec.data.size() * spec.strategies.size();
  if (at) {
    spec.samples = at->count("a number of samples", 1, Design::kSamplesMax);
    return;
  }
  if (spec.trials_max == 0) {
    search->refuse(
        "how many samples? Add samples: N (for each dataset and strategy), or "
        "budget: {trials: N}, which is shared among them");
  }
  spec.samples = spec.trials_max / segments;
  if (spec.samples == 0) {
    root.find("budget")->find("trials")->refuse(
        std::to_string(spec.trials_max) + " trials are fewer than one for each of " +
        std::to_string(segments) + " pairs of dataset and strategy");
  }
}

}  // namespace winnow::sweeps
