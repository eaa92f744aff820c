#include "cli/sweep_progress.hpp"

#include <nlohmann/json.hpp>

#include "base/text.hpp"
#include "cli/output.hpp"

namespace winnow::cli {
namespace {

// It reads the status of every trial.
constexpr DurationNs kFactsPatience = seconds(60);

}  // namespace

SweepProgress::SweepProgress(const Context& context, std::string label)
    : label_(std::move(label)), progress_({.quiet = context.quiet}) {}

void SweepProgress::update(const actors::Progress& p) {
  state_.label = label_;
  state_.done = p.trials_committed;
  state_.total = p.trials;
  state_.failed = p.blocks_quarantined;
  state_.workers = p.workers;
  state_.nodes = p.nodes;
  state_.note = p.note;
  progress_.update(state_);
  say_trouble(p.trouble);
}

// On the line of the progress it might not fit, and a pipe would hear of it seconds later.
void SweepProgress::say_trouble(const std::string& trouble) {
  if (trouble == trouble_) return;
  if (trouble.empty()) {
    progress_.say(label_ + " goes on");
  } else if (said_.insert(trouble).second) {
    progress_.say(label_ + " waits: " + trouble + "; it goes on by itself when that is mended");
  }
  trouble_ = trouble;
}

void SweepProgress::finish(std::optional<std::uint64_t> failed) {
  if (failed && state_.total > 0) {
    state_.failed = *failed;
    progress_.update(state_);
  }
  progress_.finish();
}

Result<SweepFacts> sweep_facts(actors::Client& client, const std::string& sweep) {
  const auto text =
      client.query("sweep_show", json_text(nlohmann::json{{"sweep", sweep}}), kFactsPatience);
  if (!text) return text.error();
  const auto shown = parse_json(*text);
  if (!shown.is_object()) {
    return Error(ErrorCode::Corrupt, "the coordinator's answer to 'sweep_show' is not JSON");
  }
  SweepFacts facts;
  facts.trials_committed = shown.value("trials_committed", std::uint64_t{0});
  facts.trials_failed = shown.value("trials_failed", std::uint64_t{0});
  if (shown.contains("warnings") && shown["warnings"].is_array()) {
    for (const auto& w : shown["warnings"]) {
      if (w.is_string()) facts.warnings.push_back(w.get<std::string>());
    }
  }
  for (const auto& segment : shown.value("segments", nlohmann::json::array())) {
    const auto opening = segment.find("opening");
    if (opening == segment.end() || !opening->is_object()) continue;
    facts.openings.push_back(opening->value("text", ""));
  }
  return facts;
}

int status_of(const SweepFacts& facts) {
  const bool nothing = facts.trials_committed > 0 && facts.trials_failed == facts.trials_committed;
  return nothing ? kFailed : kDone;
}

void print_run_summary(const Context& context, const RunSummary& summary, const SweepFacts& facts) {
  const actors::Progress& last = summary.last;
  const bool waited = !last.sweep.empty();
  const std::string state(
      store::sweep_state_name(waited ? actors::state_of(last) : store::SweepState::Running));
  const std::uint64_t before = summary.submitted.trials_committed;
  const std::uint64_t committed = waited ? last.trials_committed : before;
  const double rate =
      summary.wall_s > 0 ? static_cast<double>(committed - before) / summary.wall_s : 0;
  if (context.json) {
    const nlohmann::ordered_json out = {{"sweep_id", summary.submitted.sweep},
                                        {"sweep", summary.submitted.sweep},
                                        {"state", state},
                                        {"trials", summary.submitted.trials},
                                        {"trials_committed", committed},
                                        {"trials_failed", facts.trials_failed},
                                        {"trials_run_now", committed - before},
                                        {"retries", last.retries},
                                        {"blocks_quarantined", last.blocks_quarantined},
                                        {"engine_s", static_cast<double>(last.work_ns) * 1e-9},
                                        {"wall_s", summary.wall_s},
                                        {"trials_per_s", rate},
                                        {"openings", facts.openings},
                                        {"warnings", facts.warnings}};
    print_json(out, -1);
    return;
  }
  std::printf("sweep %s\n", summary.submitted.sweep.c_str());
  if (!waited || context.quiet) return;
  std::printf("%s: %llu of %llu trials, %llu of them now in %.1f s\n", state.c_str(),
              static_cast<unsigned long long>(committed),
              static_cast<unsigned long long>(last.trials),
              static_cast<unsigned long long>(committed - before), summary.wall_s);
  if (facts.trials_failed == 0) return;
  std::printf("%llu of them failed%s; `winnow sweep show %s` says why\n",
              static_cast<unsigned long long>(facts.trials_failed),
              status_of(facts) == kFailed ? ", which is all" : "", summary.submitted.sweep.c_str());
}

}  // namespace winnow::cli
