#include <cstdio>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>

#include "cli/app.hpp"
#include "cli/long_work.hpp"
#include "cli/output.hpp"
#include "serve/parallel.hpp"
#include "sweeps/truth/truth.hpp"

namespace winnow::cli {
namespace {

using nlohmann::json;
using sweeps::TruthAim;
using sweeps::TruthReport;
using sweeps::TruthWorld;

struct TruthOptions {
  std::vector<std::string> worlds;
  sweeps::TruthSize size{.sweeps = 20, .families = 100, .seed = 1};
};

json to_json(const TruthReport& r) {
  return {{"world", r.world},
          {"aim", r.aim == TruthAim::Rejected ? "rejected" : "found"},
          {"sweeps", r.sweeps},
          {"families", r.families},
          {"variants_per_family", r.variants},
          {"families_converged", r.converged},
          {"families_converged_uncharged", r.converged_uncharged},
          {"families_promoted", r.promoted},
          {"sweeps_with_promotion", r.sweeps_with_promotion},
          {"families_real", r.real},
          {"rate", r.rate},
          {"rate_low_95", r.rate_low},
          {"rate_high_95", r.rate_high},
          {"rate_limit", r.rate_limit},
          {"family_sharpe_ann_mean", r.family_sharpe_ann},
          {"best_sharpe_ann_mean", r.best_sharpe_ann},
          {"met", r.met}};
}

void print_account(const TruthWorld& world, const TruthReport& r) {
  const bool reject = r.aim == TruthAim::Rejected;
  std::printf("%s  %-15s %.*s\n", r.met ? "pass" : "FAIL", std::string(world.name).c_str(),
              static_cast<int>(world.what.size()), world.what.data());
  std::printf(
      "      %llu years, %llu families opened, %llu with an edge; %s %.1f%% (95%%: %.1f to %.1f), "
      "%s %.0f%%\n",
      static_cast<unsigned long long>(r.sweeps), static_cast<unsigned long long>(r.families),
      static_cast<unsigned long long>(r.real), reject ? "years with a false word" : "found",
      100 * r.rate, 100 * r.rate_low, 100 * r.rate_high, reject ? "at most" : "at least",
      100 * r.rate_limit);
  std::fflush(stdout);
}

void print(const TruthWorld& world, const TruthReport& r) {
  if (world.account) return print_account(world, r);
  const bool reject = r.aim == TruthAim::Rejected;
  std::printf("%s  %-15s %.*s\n", r.met ? "pass" : "FAIL", std::string(world.name).c_str(),
              static_cast<int>(world.what.size()), world.what.data());
  std::printf("      %llu sweeps of %llu families of %llu variants; mean Sharpe %.2f, best %.2f\n",
              static_cast<unsigned long long>(r.sweeps),
              static_cast<unsigned long long>(r.families / r.sweeps),
              static_cast<unsigned long long>(r.variants), r.family_sharpe_ann, r.best_sharpe_ann);
  std::printf(
      "      %llu families converged (%llu before gaps are charged), %llu promoted; %s %.1f%% "
      "(95%%: %.1f to %.1f), %s "
      "%.0f%%\n",
      static_cast<unsigned long long>(r.converged),
      static_cast<unsigned long long>(r.converged_uncharged),
      static_cast<unsigned long long>(r.promoted), reject ? "sweeps with a promotion" : "found",
      100 * r.rate, 100 * r.rate_low, 100 * r.rate_high, reject ? "at most" : "at least",
      100 * r.rate_limit);
  std::fflush(stdout);
}

Result<std::vector<const TruthWorld*>> chosen(const std::vector<std::string>& names) {
  std::vector<const TruthWorld*> out;
  for (const std::string& name : names) {
    out.push_back(sweeps::find_truth_world(name));
    if (out.back() != nullptr) continue;
    std::string allowed;
    for (const TruthWorld& w : sweeps::truth_worlds()) {
      allowed += (allowed.empty() ? "" : ", ") + std::string(w.name);
    }
    return Error(ErrorCode::InvalidInput, "no world '" + name + "'; allowed: " + allowed);
  }
  if (names.empty()) {
    for (const TruthWorld& w : sweeps::truth_worlds()) out.push_back(&w);
  }
  return out;
}

int verify_truth(const Context& context, const TruthOptions& options) {
  const auto worlds = chosen(options.worlds);
  if (!worlds) return fail(context, worlds.error());
  json list = json::array();
  bool met = true;
  for (const TruthWorld* world : *worlds) {
    std::optional<LongWork> work(std::in_place, context, "world " + std::string(world->name));
    const auto report = sweeps::run_truth(*world, options.size, serve::threads_for());
    work.reset();
    if (!report) return fail(context, report.error());
    met = met && report->met;
    list.push_back(to_json(*report));
    if (!context.json) print(*world, *report);
  }
  if (context.json) {
    print_json(json{{"passed", met}, {"worlds", std::move(list)}});
  }
  return met ? kDone : kFailed;
}

}  // namespace

void add_truth_command(CLI::App& verify, Context& context) {
  CLI::App* truth = add_command(verify, context, "truth",
                                "score families on simulated markets whose truth is known");
  auto options = std::make_shared<TruthOptions>();
  truth->add_option("worlds", options->worlds, "names of worlds (default: all)");
  truth->add_option("--sweeps", options->size.sweeps, "sweeps a world")
      ->check(natural_number(1))
      ->capture_default_str();
  truth
      ->add_option("--families", options->size.families,
                   "families, each on its own market, a sweep")
      ->check(natural_number(1))
      ->capture_default_str();
  truth->add_option("--seed", options->size.seed, "seed of the first market")
      ->check(natural_number(0))
      ->capture_default_str();
  truth->callback([&context, options] {
    context.run = [&context, options] { return verify_truth(context, *options); };
  });
}

}  // namespace winnow::cli
