#include "serve/ledger_account.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <set>
#include <tuple>

#include "base/hash.hpp"
#include "base/text.hpp"
#include "serve/family_panel.hpp"
#include "serve/judged_panel.hpp"
#include "serve/luck.hpp"

namespace winnow::serve {
namespace {

constexpr const char* kCorrelationKind = "correlation";
constexpr const char* kEvidenceKind = "evidence";
constexpr const char* kNeighbourhoodKind = "neighbourhoods";
constexpr std::size_t kHypothesisDigits = 12;
constexpr double kConfidence = 0.95;
// Grows with every change of what a number of the evidence means: kept documents are then made
// anew.
constexpr int kEvidenceRules = 2;

std::string correlation_key(std::string_view sweep, std::string_view dataset_hash,
                            std::string_view family) {
  return std::string(sweep) + "/" + std::string(dataset_hash) + "/" + std::string(family);
}

Result<Json> read_json(const store::Store& store, const char* kind, const std::string& key) {
  const auto text = store.document(kind, key);
  if (!text.ok()) return text.error();
  if (!*text) return Json();
  Json json = parse_ordered_json(**text);
  return json.is_discarded() ? Json() : json;
}

Json record_json(const std::optional<sweeps::stats::TrackRecord>& r) {
  if (!r) return {};
  return {{"sharpe", r->sharpe},
          {"periods", r->periods},
          {"skew", r->skew},
          {"kurtosis", r->kurtosis},
          {"autocorrelation", std::isfinite(r->autocorrelation) ? r->autocorrelation : 0.0}};
}

std::optional<sweeps::stats::TrackRecord> record_from(const Json& j) {
  if (!j.is_object()) return std::nullopt;
  sweeps::stats::TrackRecord r;
  r.sharpe = j.at("sharpe");
  r.periods = j.at("periods");
  r.skew = j.at("skew");
  r.kurtosis = j.at("kurtosis");
  r.autocorrelation = j.at("autocorrelation");
  return r;
}

// One list of the parts for both directions.
template <class Tests, class Visit>
void each_test(Tests& t, const Visit& visit) {
  visit("variants_tested", t.variants);
  visit("resamples", t.resamples);
  visit("mean_block_days", t.mean_block);
  visit("p_reality_check", t.p_reality_check);
  visit("p_spa", t.p_spa_consistent);
  visit("p_spa_lower", t.p_spa_lower);
  visit("p_spa_upper", t.p_spa_upper);
  visit("variants_superior", t.superior);
}

Json best_of_many_json(const std::optional<sweeps::BestOfMany>& tests) {
  if (!tests) return {};
  Json out;
  each_test(*tests, [&](const char* name, const auto& value) { out[name] = value; });
  return out;
}

std::optional<sweeps::BestOfMany> best_of_many_from(const Json& j) {
  if (!j.is_object()) return std::nullopt;
  sweeps::BestOfMany out;
  each_test(out, [&](const char* name, auto& value) { j.at(name).get_to(value); });
  return out;
}

Json to_document(const sweeps::FamilyEvidence& e, std::uint32_t engine_version) {
  Json out{{"engine_version", engine_version},
           {"rules", kEvidenceRules},
           {"periods", e.periods},
           {"variants", e.variants},
           {"mean_correlation", e.mean_correlation},
           {"p_profit", e.p_profit},
           {"portfolio", record_json(e.portfolio)},
           {"overfitting_reason", e.overfitting_reason},
           {"overfitting", Json()},
           {"best_of_many_reason", e.best_of_many.reason},
           {"best_of_many", best_of_many_json(e.best_of_many.tests)}};
  if (e.overfitting) {
    out["overfitting"] = {{"pbo", e.overfitting->pbo},
                          {"oos_loss_frac", e.overfitting->oos_loss_frac},
                          {"blocks", e.overfitting->blocks}};
  }
  return out;
}

// Nothing for a document about results of another version.
std::optional<sweeps::FamilyEvidence> from_document(const Json& j, std::uint32_t engine_version) {
  if (!j.is_object() || j.value("engine_version", 0u) != engine_version ||
      j.value("rules", 0) != kEvidenceRules) {
    return std::nullopt;
  }
  try {
    sweeps::FamilyEvidence e;
    e.periods = j.at("periods");
    e.variants = j.at("variants");
    e.mean_correlation = j.at("mean_correlation");
    e.p_profit = j.at("p_profit");
    e.portfolio = record_from(j.at("portfolio"));
    e.overfitting_reason = j.at("overfitting_reason");
    e.best_of_many = {best_of_many_from(j.at("best_of_many")), j.at("best_of_many_reason")};
    const Json& o = j.at("overfitting");
    if (o.is_object()) {
      e.overfitting = sweeps::Overfitting{o.at("pbo"), o.at("oos_loss_frac"), o.at("blocks")};
    }
    return e;
  } catch (const nlohmann::json::exception&) {
    return std::nullopt;
  }
}

/// Whether a document is of all trials that there are now (a search may have been extended since),
/// judged as they are now. Documents of old name neither; they are right where all variants count.
bool is_of(const Json& document, const sweeps::Segment& segment, const sweeps::Judged& judged) {
  return document.is_object() && document.value("trials", segment.trials) == segment.trials &&
         document.value("judged", "") == judged.note;
}

/// What the account says of a sweep, read once a sweep.
struct SweepFacts {
  std::string name, state;
  Json spec;  ///< null: unknown
};

// The specification in the form that the ledger knows: a claim is one whatever engine version
// tried it.
SweepFacts facts_of(const store::SweepMeta& meta) {
  const auto resolved = sweeps::ResolvedSpec::from_json(meta.spec_json);
  const std::string text =
      resolved.ok() ? sweeps::ledger_form(*resolved).to_json() : meta.spec_json;
  Json spec = parse_ordered_json(text);
  return {meta.name, std::string(store::sweep_state_name(meta.state)),
          spec.is_object() ? std::move(spec) : Json()};
}

/// By what the ledger knows each sweep. One that cannot be read is known by its own id.
Result<std::map<std::string, std::string>> ledger_ids(const store::Store& store) {
  const auto metas = store.sweeps();
  if (!metas.ok()) return metas.error();
  std::map<std::string, std::string> out;
  for (const store::SweepMeta& meta : *metas) {
    if (meta.engine_version == sweeps::kLedgerEngineVersion) continue;  // its id is the one
    const auto spec = sweeps::ResolvedSpec::from_json(meta.spec_json);
    if (spec.ok()) out.emplace(meta.id, sweeps::ledger_id(*spec));
  }
  return out;
}

void describe(const SweepFacts& facts, AccountEntry& out) {
  out.sweep_name = facts.name;
  out.state = facts.state;
  if (!facts.spec.is_object() || !facts.spec.contains("data")) return;
  const Json& data = facts.spec["data"];
  for (std::size_t d = 0; d < data.size(); ++d) {
    if (data[d].value("content_hash", "") != out.entry.dataset_hash) continue;
    out.data = data[d].value("name", "");
    Json claim{{"family", out.entry.family}, {"dataset", out.market}};
    for (const char* part : {"from_ns", "to_ns", "holdout_ns"}) {
      claim[part] = facts.spec.value(part, Json());
    }
    // Judged otherwise, it is another claim.
    if (facts.spec.contains("convergence")) claim["judged"] = facts.spec["convergence"];
    const Json& models = facts.spec["execution_by_data"];
    claim["execution"] = d < models.size() ? models[d] : Json();
    for (const Json& strategy : facts.spec["strategies"]) {
      if (strategy.value("family", "") == out.entry.family) claim["space"].push_back(strategy);
    }
    out.hypothesis = sha256_hex(json_text(claim)).substr(0, kHypothesisDigits);
  }
}

}  // namespace

Result<std::vector<AccountEntry>> read_account(const Sources& sources) {
  const auto entries = sources.store->ledger_entries();
  if (!entries.ok()) return entries.error();
  const auto metas = sources.store->sweeps();
  if (!metas.ok()) return metas.error();
  const auto book = market_book(sources);
  if (!book.ok()) return book.error();
  std::map<std::string, SweepFacts> facts;
  for (const store::SweepMeta& meta : *metas) facts.emplace(meta.id, facts_of(meta));
  std::vector<AccountEntry> out;
  for (const store::LedgerEntry& entry : *entries) {
    AccountEntry line;
    line.entry = entry;
    line.market = (*book)->id_of(entry.dataset_hash);
    const auto known = facts.find(entry.sweep_id);
    if (known != facts.end()) describe(known->second, line);
    const auto measured =
        read_json(*sources.store, kCorrelationKind,
                  correlation_key(entry.sweep_id, entry.dataset_hash, entry.family));
    if (!measured.ok()) return measured.error();
    if (measured->is_object() && (*measured)["mean_correlation"].is_number()) {
      line.mean_correlation = (*measured)["mean_correlation"].get<double>();
    }
    out.push_back(std::move(line));
  }
  return out;
}

Result<TrialCount> count_trials(const Sources& sources, const std::vector<AccountEntry>& account,
                                std::string_view dataset_hash) {
  const auto book = market_book(sources);
  if (!book.ok()) return book.error();
  const std::string market = (*book)->id_of(dataset_hash);
  TrialCount out;
  for (const AccountEntry& line : account) {
    if (line.market != market) continue;
    out.raw += line.entry.trials;
    out.effective += line.effective_trials();
    ++out.entries;
    out.measured += line.mean_correlation ? 1 : 0;
  }
  return out;
}

std::string TrialCount::basis() const {
  return "r + (1 - r) N, r the mean correlation on record of " + std::to_string(measured) + " of " +
         std::to_string(entries) + " families of sweeps; the others count in full";
}

bool awaits_record(const SweepView& view, const FamilyScore& family,
                   const std::vector<AccountEntry>& account) {
  if (family.committed != family.trials) return false;
  const sweeps::Segment& segment = view.plan.segments()[family.segment];
  return std::any_of(account.begin(), account.end(), [&](const AccountEntry& line) {
    return line.entry.sweep_id == view.meta.id && line.entry.family == view.family(segment) &&
           line.entry.dataset_hash == view.dataset(segment).content_hash && !line.mean_correlation;
  });
}

Result<HypothesisCount> count_hypotheses(const Sources& sources, const SweepView* view) {
  const auto entries = sources.store->ledger_entries();
  if (!entries.ok()) return entries.error();
  const auto ids = ledger_ids(*sources.store);
  if (!ids.ok()) return ids.error();
  // A sweep made again under another engine version is the same hypotheses.
  std::set<std::tuple<std::string, std::string, std::string>> families;
  for (const store::LedgerEntry& e : *entries) {
    if (store::counts_backtests(e.sweep_id)) continue;  // single variants; no family was scored
    const auto known = ids->find(e.sweep_id);
    families.insert({known == ids->end() ? e.sweep_id : known->second, e.dataset_hash, e.family});
  }
  if (view != nullptr) {
    for (const sweeps::Segment& s : view->plan.segments()) {
      families.insert({view->ledger_id(), view->dataset(s).content_hash, view->family(s)});
    }
  }
  HypothesisCount out;
  out.families = families.size();
  const auto keys = sources.store->document_keys(kNeighbourhoodKind);
  if (!keys.ok()) return keys.error();
  for (const std::string& key : *keys) {
    const auto scored = read_json(*sources.store, kNeighbourhoodKind, key);
    if (!scored.ok()) return scored.error();
    if (scored->is_object()) out.neighbourhoods += scored->value("scored", std::uint64_t{0});
  }
  return out;
}

Status record_neighbourhoods(const Sources& sources, const SweepView& view, std::uint64_t tiles) {
  const auto known = read_json(*sources.store, kNeighbourhoodKind, view.ledger_id());
  if (!known.ok()) return known.error();
  const std::uint64_t before = known->is_object() ? known->value("scored", std::uint64_t{0}) : 0;
  if (before >= tiles) return {};
  if (sources.verdicts == nullptr) {
    return Error(ErrorCode::Refused,
                 "scoring neighbourhoods is counted in the ledger first, and this store is open "
                 "for reading only: ask the coordinator that holds it, with --connect HOST:PORT");
  }
  // Read again and written as one: somebody else may score more of them just then.
  return sources.verdicts->update_document(
      kNeighbourhoodKind, view.ledger_id(),
      [&](const std::optional<std::string>& there) -> Result<std::string> {
        const Json now = there ? parse_ordered_json(*there) : Json();
        const bool more = now.is_object() && now.value("scored", std::uint64_t{0}) >= tiles;
        return more ? *there : json_text(Json{{"scored", tiles}});
      });
}

Result<sweeps::FamilyEvidence> read_evidence(const Sources& sources, const SweepView& view,
                                             const FamilyScore& family) {
  const sweeps::Segment& segment = view.plan.segments()[family.segment];
  const std::string key = view.meta.id + "/" + std::to_string(family.segment);
  const auto known = read_json(*sources.store, kEvidenceKind, key);
  if (!known.ok()) return known.error();
  const sweeps::Judged judged = sweeps::judged_variants(view.plan, segment);
  if (is_of(*known, segment, judged)) {
    if (auto kept = from_document(*known, view.meta.engine_version)) return std::move(*kept);
  }
  std::shared_ptr<const FamilyPanel> panel = family.panel;
  if (!panel) {
    auto read = read_panel(sources, view, segment);
    if (!read.ok()) return read.error();
    panel = std::make_shared<const FamilyPanel>(std::move(*read));
  }
  sweeps::FamilyEvidence out = sweeps::family_evidence(
      judged_view(view, segment, judged, *panel), std::nullopt, std::nullopt, sources.parallel);
  if (out.periods < 2 && !judged.note.empty()) {
    out.overfitting_reason = out.best_of_many.reason = judged.note;
  }
  if (family.committed == family.trials) {
    Json document = to_document(out, view.meta.engine_version);
    document["trials"] = segment.trials;
    document["judged"] = judged.note;
    keep(sources, {kEvidenceKind, key, json_text(document)});
    const Json correlation{{"mean_correlation", out.mean_correlation},
                           {"variants", out.variants},
                           {"periods", out.periods}};
    keep(sources,
         {kCorrelationKind,
          correlation_key(view.meta.id, view.dataset(segment).content_hash, view.family(segment)),
          json_text(correlation)});
  }
  return out;
}

Result<std::vector<sweeps::FamilyEvidence>> read_all_evidence(
    const Sources& sources, const SweepView& view, const std::vector<FamilyScore>& families) {
  std::vector<sweeps::FamilyEvidence> out;
  for (const FamilyScore& family : families) {
    auto evidence = read_evidence(sources, view, family);
    if (!evidence.ok()) return evidence.error();
    out.push_back(std::move(*evidence));
  }
  return out;
}

Result<FamilyLuck> family_luck(const Sources& sources, const SweepView& view,
                               const FamilyScore& family) {
  FamilyLuck out;
  // One that was judged and refused has failed the last of them.
  out.gates_hold =
      family.score.verdict == sweeps::Verdict::Converged && family.word != "NOT_PROMOTED";
  const auto columns = record_columns(view);
  if (!columns) return out;
  auto variance = stored_ratio_variance(sources, view, view.plan.segments()[family.segment]);
  if (!variance.ok()) return variance.error();
  out.ratio_variance = *variance;
  const auto record =
      [&](std::uint64_t trial) -> Result<std::optional<sweeps::stats::TrackRecord>> {
    const auto rows = read_trials(sources, view, {&trial, 1}, {.metrics = true});
    if (!rows.ok()) return rows.error();
    if (!rows->front()) return std::optional<sweeps::stats::TrackRecord>();
    return track_record_of(view, trial, moments_of(*columns, rows->front()->metrics));
  };
  if (family.best_trial) {
    auto best = record(*family.best_trial);
    if (!best.ok()) return best.error();
    out.best = *best;
  }
  if (family.plateau) {
    auto centre = record(family.plateau->trial);
    if (!centre.ok()) return centre.error();
    out.centre = *centre;
  }
  return out;
}

Json deflation_json(const sweeps::stats::TrackRecord& record, const TrialCount& trials,
                    double ratio_variance, double periods_per_year) {
  const auto raw =
      sweeps::deflate(record, static_cast<double>(trials.raw), ratio_variance, periods_per_year);
  const auto effective =
      sweeps::deflate(record, trials.effective, ratio_variance, periods_per_year);
  const double annual = std::sqrt(periods_per_year);
  Json out{{"psr", raw.psr},
           {"dsr", raw.dsr},
           {"dsr_effective", effective.dsr},
           {"trials", raw.trials},
           {"trials_effective", effective.trials},
           {"trials_effective_basis", trials.basis()},
           {"ratio_sd_ann", std::sqrt(ratio_variance) * annual},
           {"expected_max_sharpe_ann", raw.expected_max_sharpe * annual},
           {"expected_max_sharpe_ann_effective", effective.expected_max_sharpe * annual},
           {"min_track_record_days", Json()},
           {"haircut_sharpe_ann", Json()},
           {"haircut_frac", Json()},
           {"haircut_reason", Json()}};
  if (raw.min_track_record_periods) out["min_track_record_days"] = *raw.min_track_record_periods;
  if (raw.haircut_sharpe_ann) {
    out["haircut_sharpe_ann"] = *raw.haircut_sharpe_ann;
    out["haircut_frac"] = *raw.haircut_frac;
  } else {
    out["haircut_reason"] =
        "fewer than " + std::to_string(static_cast<int>(sweeps::kHaircutPeriodsMin)) + " days";
  }
  return out;
}

namespace {

struct ProfitShown {
  bool gates, long_enough, above_zero, above_luck;
};

/// Why a profit is not shown, all that stands against it; null: it is.
Json no_profit_reason(const ProfitShown& shown) {
  std::string out;
  for (const auto& [holds, words] :
       {std::pair{shown.gates, "a gate of its verdict does not hold"},
        std::pair{shown.long_enough, "its track record is too short"},
        std::pair{shown.above_zero, "its profit is too uncertain"},
        std::pair{shown.above_luck, "the best of so many hypotheses may do as well by luck"}}) {
    if (!holds) out += (out.empty() ? "" : "; ") + std::string(words);
  }
  return out.empty() ? Json() : Json(out);
}

}  // namespace

Json evidence_json(const sweeps::FamilyEvidence& e, const FamilyLuck& family,
                   const TrialCount& trials, const HypothesisCount& hypotheses,
                   double periods_per_year) {
  const auto variant = [&](const std::optional<sweeps::stats::TrackRecord>& r) -> Json {
    return r ? deflation_json(*r, trials, family.ratio_variance, periods_per_year) : Json();
  };
  Json out{
      {"variants", e.variants},
      {"mean_correlation", e.mean_correlation},
      {"best", variant(family.best)},
      {"plateau_centre", variant(family.centre)},
      {"portfolio", Json()},
      {"pbo", Json()},
      {"pbo_blocks", Json()},
      {"pbo_loss_frac", Json()},
      {"pbo_reason", e.overfitting_reason.empty() ? Json() : Json(e.overfitting_reason)},
      {"best_of_many", best_of_many_json(e.best_of_many.tests)},
      {"best_of_many_reason", e.best_of_many.reason.empty() ? Json() : Json(e.best_of_many.reason)},
      {"min_backtest_days", Json()},
      {"profitable", false},
      {"profitable_reason", "it has no track record of its own"}};
  if (trials.raw > 1) {
    out["min_backtest_days"] =
        periods_per_year * sweeps::stats::min_backtest_years(static_cast<double>(trials.raw), 1);
  }
  if (e.overfitting) {
    out["pbo"] = e.overfitting->pbo;
    out["pbo_blocks"] = e.overfitting->blocks;
    out["pbo_loss_frac"] = e.overfitting->oos_loss_frac;
  }
  if (e.portfolio) {
    // Nothing was selected among variants, so its luck is that of the families ever scored.
    const auto luck =
        sweeps::deflate(*e.portfolio, static_cast<double>(hypotheses.sum()), 0, periods_per_year);
    out["portfolio"] = {{"sharpe_ann", e.portfolio->sharpe * std::sqrt(periods_per_year)},
                        {"p_profit", e.p_profit},
                        {"psr", luck.psr},
                        {"dsr", luck.dsr},
                        {"hypotheses", hypotheses.sum()},
                        {"min_track_record_days", Json()}};
    const bool enough = luck.min_track_record_periods.has_value() &&
                        static_cast<double>(e.periods) >= *luck.min_track_record_periods;
    if (luck.min_track_record_periods) {
      out["portfolio"]["min_track_record_days"] = *luck.min_track_record_periods;
    }
    // What a dying edge or a rising market earned is a profit, too: the gates are the same.
    out["profitable_reason"] = no_profit_reason(
        {family.gates_hold, enough, e.p_profit >= kConfidence, luck.dsr >= kConfidence});
    out["profitable"] = out["profitable_reason"].is_null();
  }
  return out;
}

}  // namespace winnow::serve
