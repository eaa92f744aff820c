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

const char* aim_name(TruthAim aim) {
  switch (aim) {
    case TruthAim::Rejected:
      return "rejected";
    case TruthAim::Found:
      return "found";
    case TruthAim::FewFalse:
      break;
  }
  return "few_false";
}

const char* rate_text(const TruthWorld& world) {
  if (world.aim == TruthAim::FewFalse) return "false among the promoted";
  if (world.aim == TruthAim::Found) return "found";
  if (world.judge == sweeps::TruthJudge::Reimport) return "luck called skill on a copy";
  return world.account ? "years with a false word" : "sweeps with a promotion";
}

json to_json(const TruthReport& r) {
  return {{"world", r.world},
          {"aim", aim_name(r.aim)},
          {"sweeps", r.sweeps},
          {"families", r.families},
          {"variants_per_family", r.variants},
          {"families_converged", r.converged},
          {"families_converged_uncharged", r.converged_uncharged},
          {"families_passed_score", r.passed_score},
          {"families_converged_at_first_level", r.at_first_level},
          {"families_converged_cash_alone", r.alone_cash},
          {"families_converged_ols_alone", r.alone_ols},
          {"families_converged_exposure_alone", r.alone_exposure},
          {"families_promoted", r.promoted},
          {"sweeps_with_promotion", r.sweeps_with_promotion},
          {"families_real", r.real},
          {"false_share_mean", r.false_share},
          {"copies", r.reimports.copies},
          {"copies_lost", r.reimports.copies_lost},
          {"strangers", r.reimports.strangers},
          {"strangers_taken", r.reimports.strangers_taken},
          {"deflated_on_the_bytes", r.reimports.deflated_bytes},
          {"deflated_on_a_copy", r.reimports.deflated_market},
          {"deflated_on_a_copy_alone", r.reimports.deflated_alone},
          {"rate", r.rate},
          {"rate_low_95", r.rate_low},
          {"rate_high_95", r.rate_high},
          {"rate_limit", r.rate_limit},
          {"family_sharpe_ann_mean", r.family_sharpe_ann},
          {"best_sharpe_ann_mean", r.best_sharpe_ann},
          {"met", r.met}};
}

unsigned long long wide(std::uint64_t n) { return n; }

void print_rate(const TruthWorld& world, const TruthReport& r) {
  std::printf("%s %.1f%% (95%%: %.1f to %.1f), %s %.0f%%\n", rate_text(world), 100 * r.rate,
              100 * r.rate_low, 100 * r.rate_high,
              r.aim == TruthAim::Found ? "at least" : "at most", 100 * r.rate_limit);
}

void print_reimports(const sweeps::ReimportCounts& c) {
  std::printf(
      "      %llu of %llu copies lost, %llu of %llu strangers taken; best variant above .95: "
      "%llu where it was found, %llu on a copy, %llu if the copy counted by itself\n",
      wide(c.copies_lost), wide(c.copies), wide(c.strangers_taken), wide(c.strangers),
      wide(c.deflated_bytes), wide(c.deflated_market), wide(c.deflated_alone));
}

void print_families(const TruthWorld& world, const TruthReport& r) {
  std::printf("      %llu sweeps of %llu families of %llu variants; mean Sharpe %.2f, best %.2f\n",
              wide(r.sweeps), wide(r.families / r.sweeps), wide(r.variants), r.family_sharpe_ann,
              r.best_sharpe_ann);
  if (world.judge == sweeps::TruthJudge::Reimport) return print_reimports(r.reimports);
  if (world.alone == sweeps::TruthAlone::Counted) {
    std::printf("      converged against cash alone: %llu, less beta: %llu, less exposure: %llu\n",
                wide(r.alone_cash), wide(r.alone_ols), wide(r.alone_exposure));
  }
  std::printf(
      "      %llu families pass the score, %llu converged (%llu before gaps are charged), "
      "%llu promoted; %llu as the first of an account\n",
      wide(r.passed_score), wide(r.converged), wide(r.converged_uncharged), wide(r.promoted),
      wide(r.at_first_level));
}

void print(const TruthWorld& world, const TruthReport& r) {
  std::printf("%s  %-15s %.*s\n", r.met ? "pass" : "FAIL", std::string(world.name).c_str(),
              static_cast<int>(world.what.size()), world.what.data());
  if (world.account) {
    std::printf(
        "      %llu years, %llu families opened, %llu with an edge; %llu pass the score at "
        "their level, %llu promoted\n",
        wide(r.sweeps), wide(r.families), wide(r.real), wide(r.passed_score), wide(r.promoted));
  } else {
    print_families(world, r);
  }
  std::printf("      ");
  print_rate(world, r);
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

void add_truth_command(Command& verify, Context& context) {
  Command* truth = add_command(verify, context, "truth",
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
