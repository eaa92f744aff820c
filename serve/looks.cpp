#include "serve/looks.hpp"

#include <algorithm>

#include "base/hash.hpp"
#include "base/text.hpp"
#include "sweeps/convergence_declared.hpp"

namespace winnow::serve {
namespace {

constexpr const char* kLookDocument = "look";

/// What stays the same while the data of a hypothesis grows: everything but the end of the window,
/// the bars there are and how many looks were declared (a plan cannot be changed under way).
std::string hypothesis_key(const SweepView& view, const sweeps::Segment& segment) {
  // As the ledger knows it: a look that was taken stays taken under a newer engine version.
  sweeps::ResolvedSpec spec = sweeps::ledger_form(view.plan.spec());
  const sweeps::DatasetInfo& data = spec.data[segment.dataset];
  KeyHasher hasher("look-1");
  hasher.add(data.name).add(data.instrument).add(data.interval.ns);
  hasher.add(std::max(spec.from, data.first).ns);
  hasher.add(view.plan.execution(segment).ledger_key());
  const engine::FamilyDecl& family = view.plan.family(segment);
  hasher.add(family.name).add(std::uint64_t{family.code_version});
  spec.name.clear();
  spec.strategies = {spec.strategies[segment.strategy]};
  spec.data.clear();
  spec.execution_by_data.clear();
  spec.from = spec.to = {};
  spec.holdout = {};
  spec.priority = 0;
  spec.weight = 1;
  spec.trials_max = 0;
  spec.cpu_hours_max = 0;
  spec.convergence_json.clear();
  hasher.add(spec.to_json());
  return hasher.finish().hex();
}

std::string document_key(const std::string& hypothesis, std::size_t look) {
  return hypothesis + "/" + std::to_string(look);
}

struct Record {
  std::string plan;
  std::uint64_t periods = 0;
  std::string sweep;
};

Result<std::optional<Record>> read_record(const Sources& sources, const std::string& key) {
  const auto text = sources.store->document(kLookDocument, key);
  if (!text.ok()) return text.error();
  if (!*text) return std::optional<Record>();
  const Json json = parse_ordered_json(**text);
  Record out;
  try {
    json.at("plan").get_to(out.plan);
    json.at("periods").get_to(out.periods);
    json.at("sweep").get_to(out.sweep);
  } catch (const Json::exception&) {
    return Error(ErrorCode::Corrupt,
                 "the record of the look " + key + " cannot be read: " + **text);
  }
  return std::optional<Record>(std::move(out));
}

void follow(const Record& record, std::uint64_t periods, Look& look) {
  look.recorded = true;
  look.sweep = record.sweep;
  look.periods = record.periods;
  if (record.periods > periods) {
    look.periods = 0;
    look.refusal = "look " + std::to_string(look.number) + " was taken by sweep " + record.sweep +
                   " with " + std::to_string(record.periods) + " days; this sweep has " +
                   std::to_string(periods);
  }
}

Status record_look(const Sources& sources, const std::string& key, Look& look,
                   std::uint64_t periods) {
  const Json json{{"plan", sweeps::look_plan_name(look.plan)},
                  {"look", look.number},
                  {"periods", periods},
                  {"sweep", look.sweep}};
  WINNOW_TRY(sources.verdicts->put_document(kLookDocument, key, json_text(json)));
  look.recorded = true;
  return {};
}

}  // namespace

Result<std::optional<Look>> take_look(const Sources& sources, const SweepView& view,
                                      const sweeps::Segment& segment, std::uint64_t periods,
                                      FamilyState state) {
  const auto declared = sweeps::declared_convergence(view.plan.spec().convergence_json);
  if (!declared.ok()) return declared.error();
  if (declared->looks == sweeps::LookPlan::OneLook) return std::optional<Look>();
  Look look{.plan = declared->looks, .number = sweeps::due_look(periods)};
  if (look.number == 0) return std::optional<Look>(std::move(look));
  const std::string hypothesis = hypothesis_key(view, segment);
  for (std::size_t k = 1; k <= sweeps::kLooks; ++k) {
    const auto record = read_record(sources, document_key(hypothesis, k));
    if (!record.ok()) return record.error();
    if (!*record) continue;
    if ((*record)->plan != sweeps::look_plan_name(look.plan)) {
      look.refusal = "sweep " + (*record)->sweep +
                     " looked at this hypothesis under looks: " + (*record)->plan +
                     "; the plan cannot be changed after a look";
      return std::optional<Look>(std::move(look));
    }
    if (k == look.number) follow(**record, periods, look);
  }
  if (look.recorded || !look.refusal.empty()) return std::optional<Look>(std::move(look));
  look.periods = periods;
  look.sweep = view.meta.id;
  look.recordable = state == FamilyState::Complete;
  if (look.recordable && sources.verdicts != nullptr) {
    WINNOW_TRY(record_look(sources, document_key(hypothesis, look.number), look, periods));
  }
  return std::optional<Look>(std::move(look));
}

void apply_look(const Look& look, sweeps::Convergence& score) {
  if (!look.refusal.empty()) {
    score.reasons.push_back("look: " + look.refusal);
  } else if (look.number > 0 && !look.recorded) {
    score.reasons.push_back("look: it is not on record yet, so it cannot count");
  } else {
    return;
  }
  if (score.verdict == sweeps::Verdict::Converged) score.verdict = sweeps::Verdict::Insufficient;
}

Json look_json(const Look& look) {
  Json out;
  out["plan"] = sweeps::look_plan_name(look.plan);
  out["number"] = look.number;
  out["of"] = sweeps::kLooks;
  out["days_needed"] = look.number > 0 ? Json(sweeps::look_days(look.number)) : Json();
  out["days_scored"] = look.periods > 0 ? Json(look.periods) : Json();
  out["next_days_needed"] =
      look.number < sweeps::kLooks ? Json(sweeps::look_days(look.number + 1)) : Json();
  out["sweep"] = look.sweep.empty() ? Json() : Json(look.sweep);
  out["recorded"] = look.recorded;
  out["recordable"] = look.recordable;
  return out;
}

}  // namespace winnow::serve
