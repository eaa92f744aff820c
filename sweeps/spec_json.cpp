#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <utility>

#include "base/text.hpp"
#include "sweeps/convergence_declared.hpp"
#include "sweeps/plan.hpp"

namespace winnow::sweeps {
namespace {

using nlohmann::json;

constexpr int kFormat = 1;

template <class T, std::size_t n>
using Names = std::array<std::pair<T, const char*>, n>;

constexpr Names<ValueKind, 5> kKinds{{{ValueKind::Values, "values"},
                                      {ValueKind::Grid, "grid"},
                                      {ValueKind::IntRange, "int"},
                                      {ValueKind::FloatRange, "float"},
                                      {ValueKind::LogRange, "log"}}};
constexpr Names<FidelityMethod, 4> kFidelities{{{FidelityMethod::None, "none"},
                                                {FidelityMethod::Halving, "halving"},
                                                {FidelityMethod::Hyperband, "hyperband"},
                                                {FidelityMethod::Asha, "asha"}}};

template <class T, std::size_t n>
const char* name_of(const Names<T, n>& names, T value) {
  for (const auto& [v, name] : names) {
    if (v == value) return name;
  }
  return "";
}

template <class T, std::size_t n>
T named(const Names<T, n>& names, const json& j) {
  for (const auto& [v, name] : names) {
    if (j == name) return v;
  }
  throw json::other_error::create(501, "unknown word " + json_text(j), &j);
}

SearchMethod method_named(const json& j) {
  for (std::size_t i = 0; i < samplers().size(); ++i) {
    if (j == samplers()[i]->name) return {static_cast<std::uint8_t>(i)};
  }
  throw json::other_error::create(501, "unknown word " + json_text(j), &j);
}

json to_json(const DatasetInfo& d) {
  json out = {
      {"name", d.name},         {"content_hash", d.content_hash}, {"instrument", d.instrument},
      {"first_ns", d.first.ns}, {"last_ns", d.last.ns},           {"interval_ns", d.interval.ns},
      {"bars", d.bars},         {"has_funding", d.has_funding}};
  if (d.periods_per_year != engine::kPeriodsPerYearOpen) {
    out["periods_per_year"] = d.periods_per_year;
  }
  if (d.gap) {
    out["gap"] = {{"frac", d.gap->frac},
                  {"seen", d.gap->seen},
                  {"years", d.gap->years},
                  {"record", d.gap->record}};
  }
  return out;
}

DatasetInfo dataset_from(const json& j) {
  DatasetInfo d;
  d.name = j.at("name");
  d.content_hash = j.at("content_hash");
  d.instrument = j.at("instrument");
  d.first.ns = j.at("first_ns");
  d.last.ns = j.at("last_ns");
  d.interval.ns = j.at("interval_ns");
  d.bars = j.at("bars");
  d.has_funding = j.at("has_funding");
  d.periods_per_year = j.value("periods_per_year", engine::kPeriodsPerYearOpen);
  if (const auto gap = j.find("gap"); gap != j.end()) {
    d.gap = level::Gap{gap->at("frac"), gap->at("seen"), gap->at("years"), gap->at("record")};
    if (!(d.gap->frac > 0 && d.gap->frac <= 1 && d.gap->years > 0)) {
      throw json::other_error::create(501, "a gap outside its range " + json_text(*gap), &j);
    }
  }
  return d;
}

json to_json(const engine::ExecutionModel& m) {
  json rules = json::array();
  for (const engine::InstrumentRules& r : m.rules) {
    rules.push_back({{"from_ns", r.from_ns},
                     {"tick_px", r.tick_px},
                     {"lot_qty", r.lot_qty},
                     {"qty_min", r.qty_min},
                     {"notional_min", r.notional_min}});
  }
  json out = {{"name", m.name},
              {"taker_fee_bps", m.taker_fee_bps},
              {"maker_fee_bps", m.maker_fee_bps},
              {"half_spread_bps", m.half_spread_bps},
              {"half_spread_range_frac", m.half_spread_range_frac},
              {"impact_bps", m.impact_bps},
              {"participation_max_frac", m.participation_max_frac},
              {"funding", m.funding},
              {"sizing", engine::sizing_name(m.sizing)},
              {"fixed_qty", m.fixed_qty},
              {"initial_cash", m.initial_cash},
              {"rules", std::move(rules)}};
  // Said only where they are on: the ids of older sweeps stay.
  for (const engine::ExecutionRule& rule : engine::execution_rules()) {
    if (rule.value(m) != rule.off) out[std::string(rule.name)] = rule.value(m);
  }
  if (m.version_1_impact_bps >= 0) out["version_1_impact_bps"] = m.version_1_impact_bps;
  return out;
}

engine::Sizing sizing_from(const std::string& name) {
  const auto found = engine::find_sizing(name);
  if (!found) throw std::invalid_argument("no sizing is called " + name);
  return *found;
}

engine::ExecutionModel execution_from(const json& j) {
  engine::ExecutionModel m;
  m.name = j.at("name");
  m.taker_fee_bps = j.at("taker_fee_bps");
  m.maker_fee_bps = j.at("maker_fee_bps");
  m.half_spread_bps = j.at("half_spread_bps");
  m.half_spread_range_frac = j.at("half_spread_range_frac");
  m.impact_bps = j.at("impact_bps");
  m.participation_max_frac = j.at("participation_max_frac");
  m.funding = j.at("funding");
  m.sizing = sizing_from(j.at("sizing"));
  m.fixed_qty = j.at("fixed_qty");
  m.initial_cash = j.at("initial_cash");
  for (const engine::ExecutionRule& rule : engine::execution_rules()) {
    rule.set(m, j.value(std::string(rule.name), rule.off));
  }
  m.version_1_impact_bps = j.value("version_1_impact_bps", -1.0);
  for (const json& r : j.at("rules")) {
    m.rules.push_back(
        {r.at("from_ns"), r.at("tick_px"), r.at("lot_qty"), r.at("qty_min"), r.at("notional_min")});
  }
  return m;
}

json to_json(const StrategySpace& s) {
  json params = json::array();
  for (const ParamSpace& p : s.params) {
    json one = {{"name", p.name}, {"kind", name_of(kKinds, p.kind)}, {"integer", p.integer}};
    if (p.kind == ValueKind::Values) {
      one["values"] = p.values;
    } else {
      one["low"] = p.low;
      one["high"] = p.high;
      one["step"] = p.step;
    }
    // Said only where it holds, as all that came later: the ids of other sweeps stay.
    if (p.when) {
      one["when"] = {{"parameter", p.when->parameter},
                     {"values", p.when->values},
                     {"otherwise", p.when->otherwise}};
    }
    params.push_back(std::move(one));
  }
  json out = {{"family", s.family}, {"params", std::move(params)}};
  if (!s.require.empty()) out["require"] = s.require;
  return out;
}

StrategySpace strategy_from(const json& j) {
  StrategySpace s;
  s.family = j.at("family");
  for (const json& one : j.at("params")) {
    ParamSpace p;
    p.name = one.at("name");
    p.kind = named(kKinds, one.at("kind"));
    p.integer = one.at("integer");
    if (p.kind == ValueKind::Values) {
      p.values = one.at("values").get<std::vector<double>>();
      if (!p.values.empty()) p.low = p.high = p.values.front();
      for (double v : p.values) {
        p.low = std::min(p.low, v);
        p.high = std::max(p.high, v);
      }
    } else {
      p.low = one.at("low");
      p.high = one.at("high");
      p.step = one.at("step");
    }
    if (const auto when = one.find("when"); when != one.end()) {
      p.when = ParamCondition{when->at("parameter"), when->at("values").get<std::vector<double>>(),
                              when->at("otherwise")};
    }
    s.params.push_back(std::move(p));
  }
  if (const auto r = j.find("require"); r != j.end()) {
    s.require = r->get<std::vector<std::string>>();
  }
  return s;
}

json to_json(const AdaptiveSpec& a) {
  return {{"generation", a.generation},
          {"objectives", a.objectives},
          {"warm_start", a.warm_start},
          {"fidelity", name_of(kFidelities, a.fidelity)},
          {"eta", a.eta},
          {"shortest_ns", a.shortest.ns}};
}

AdaptiveSpec adaptive_from(const json& j) {
  AdaptiveSpec a;
  a.generation = j.at("generation");
  a.objectives = j.at("objectives").get<std::vector<std::string>>();
  a.warm_start = j.at("warm_start");
  a.fidelity = named(kFidelities, j.at("fidelity"));
  a.eta = j.at("eta");
  a.shortest.ns = j.at("shortest_ns");
  return a;
}

json to_json(const level::OpenSpec& open) {
  json looks = json::array();
  for (const level::LookDay& look : open.looks) looks.push_back({look.judged_days, look.weight});
  return {{"mode", level::open_mode_name(open.mode)}, {"share", open.share}, {"looks", looks}};
}

level::OpenSpec open_from(const json& j) {
  level::OpenSpec open;
  const auto mode = level::find_open_mode(j.at("mode").get<std::string>());
  if (!mode) throw json::other_error::create(501, "unknown way to open", &j);
  open.mode = *mode;
  open.share = j.at("share");
  for (const json& look : j.at("looks")) open.looks.push_back({look.at(0), look.at(1)});
  return open;
}

ResolvedSpec spec_from(const json& j) {
  if (j.at("format") != kFormat) throw json::other_error::create(501, "unknown format", &j);
  ResolvedSpec spec;
  spec.name = j.at("sweep");
  for (const json& d : j.at("data")) spec.data.push_back(dataset_from(d));
  spec.from.ns = j.at("from_ns");
  spec.to.ns = j.at("to_ns");
  spec.holdout.ns = j.at("holdout_ns");
  spec.execution = execution_from(j.at("execution"));
  for (const json& m : j.at("execution_by_data")) {
    spec.execution_by_data.push_back(execution_from(m));
  }
  spec.execution_hash = j.value("execution_hash", std::string());
  for (const json& s : j.at("strategies")) spec.strategies.push_back(strategy_from(s));
  spec.method = method_named(j.at("method"));
  spec.samples = j.at("samples");
  // Searches that do not learn have no such key: their text, and so their id, is as it was.
  if (const auto a = j.find("adaptive"); a != j.end()) spec.adaptive = adaptive_from(*a);
  spec.seed = j.at("seed");
  spec.priority = j.at("priority");
  if (const auto weight = j.find("weight"); weight != j.end()) spec.weight = *weight;
  spec.trials_max = j.at("trials_max");
  spec.cpu_hours_max = j.at("cpu_hours_max");
  if (const json& v = j.at("validation"); !v.is_null()) spec.validation_json = json_text(v);
  if (const auto c = j.find("convergence"); c != j.end() && !c->is_null()) {
    spec.convergence_json = json_text(*c);
    const auto options = declared_convergence(spec.convergence_json);
    if (!options) throw json::other_error::create(501, options.error().text(), &j);
  }
  if (const auto limits = j.find("limits"); limits != j.end()) {
    spec.limits = {limits->at("trial_seconds"), limits->at("trial_memory_mb")};
  }
  if (const auto points = j.find("points"); points != j.end()) {
    spec.points.metrics = points->at("metrics").get<std::vector<std::string>>();
    spec.points.every.ns = points->at("every_ns");
  }
  if (const auto open = j.find("open"); open != j.end()) spec.open = open_from(*open);
  return spec;
}

}  // namespace

std::string ResolvedSpec::to_json() const {
  json j = {{"format", kFormat},
            {"sweep", name},
            {"from_ns", from.ns},
            {"to_ns", to.ns},
            {"holdout_ns", holdout.ns},
            {"execution", sweeps::to_json(execution)},
            {"method", method.decl().name},
            {"samples", samples},
            {"seed", seed},
            {"priority", priority},
            {"trials_max", trials_max},
            {"cpu_hours_max", cpu_hours_max}};
  if (learns()) j["adaptive"] = sweeps::to_json(adaptive);
  j["data"] = json::array();
  for (const DatasetInfo& d : data) j["data"].push_back(sweeps::to_json(d));
  j["execution_by_data"] = json::array();
  for (const engine::ExecutionModel& m : execution_by_data) {
    j["execution_by_data"].push_back(sweeps::to_json(m));
  }
  j["strategies"] = json::array();
  for (const StrategySpace& s : strategies) j["strategies"].push_back(sweeps::to_json(s));
  j["validation"] = parse_json(validation_json);
  if (j["validation"].is_discarded()) j["validation"] = nullptr;
  // Only where it was said: specifications from before have the same text and so the same id.
  if (!convergence_json.empty()) {
    j["convergence"] = parse_json(convergence_json);
    if (j["convergence"].is_discarded()) j["convergence"] = nullptr;
  }
  // What a sweep does not ask for is not said, so that its id stays what it was.
  if (limits != TrialLimits{}) {
    j["limits"] = {{"trial_seconds", limits.seconds}, {"trial_memory_mb", limits.memory_mb}};
  }
  if (weight != 1) j["weight"] = weight;
  if (!execution_hash.empty()) j["execution_hash"] = execution_hash;
  if (!points.metrics.empty()) {
    j["points"] = {{"metrics", points.metrics}, {"every_ns", points.every.ns}};
  }
  if (open.mode != level::OpenMode::Explore) j["open"] = sweeps::to_json(open);
  return json_text(j);
}

Result<ResolvedSpec> ResolvedSpec::from_json(std::string_view text) {
  try {
    const json parsed = parse_json(text);
    if (parsed.is_discarded()) {
      return Error(ErrorCode::InvalidInput, "not a resolved sweep specification: it is no JSON");
    }
    return spec_from(parsed);
  } catch (const std::exception& e) {
    return Error(ErrorCode::InvalidInput,
                 std::string("not a resolved sweep specification: ") + e.what());
  }
}

}  // namespace winnow::sweeps
