#include "sweeps/execution_profile.hpp"

#include <algorithm>
#include <cmath>
#include <map>

#include "base/hash.hpp"
#include "base/instrument.hpp"
#include "base/names.hpp"
#include "base/numbers.hpp"
#include "sweeps/plan.hpp"
#include "sweeps/yaml/yaml_tree.hpp"

namespace winnow::sweeps {
namespace {

using yaml::Cursor;
using yaml::Node;

constexpr std::size_t kRulesMax = 1000;
constexpr std::string_view kDefault = "default";
constexpr std::size_t kHashDigits = 12;

std::vector<std::string> profile_keys() {
  std::vector<std::string> keys{"name",
                                "description",
                                "taker_fee_bps",
                                "maker_fee_bps",
                                "half_spread_bps",
                                "half_spread_range_frac",
                                "impact_bps",
                                "participation_max_frac",
                                "funding",
                                "sizing",
                                "fixed_qty",
                                "initial_cash",
                                "rules",
                                "version_1"};
  for (const engine::ExecutionRule& rule : engine::execution_rules()) keys.emplace_back(rule.name);
  return keys;
}
const std::vector<std::string> kVersion1Keys{"impact_bps"};
const std::vector<std::string> kRuleKeys{"from", "tick_px", "lot_qty", "qty_min", "notional_min"};

/// The entry that holds an instrument's own rules, under whatever alias.
const ProfileRules* own_rules(const std::vector<ProfileRules>& rules, std::string_view instrument) {
  std::vector<std::string_view> names;
  for (const ProfileRules& r : rules) names.push_back(r.instrument);
  const auto found = find_instrument(names, instrument);
  return found ? &rules[*found] : nullptr;
}

/// Whether two keys say one thing. `BTCUSDT` beside `BTC-USDT-SWAP` does not: a pair without a
/// market, and one market of it.
bool same_key(std::string_view a, std::string_view b) {
  const auto x = parse_instrument(a);
  const auto y = parse_instrument(b);
  return x && y ? *x == *y : !x && !y && same_instrument(a, b);
}

struct Bounds {
  double low;
  double high;
};

double bounded(const Cursor& at, Bounds bounds) {
  const std::string what =
      "a number from " + show_number(bounds.low) + " to " + show_number(bounds.high);
  const double v = at.number(what);
  if (v < bounds.low || v > bounds.high) at.refuse(show_number(v) + " is not " + what);
  return v;
}

double optional_number(const Cursor& map, std::string_view key, Bounds bounds, double otherwise) {
  const auto at = map.find(key);
  return at ? bounded(*at, bounds) : otherwise;
}

engine::InstrumentRules read_rule(const Cursor& at) {
  at.expect_map("rules such as {from: 2023-01-01, tick_px: 0.1, lot_qty: 0.001}", kRuleKeys);
  engine::InstrumentRules rule;
  if (const auto from = at.find("from")) rule.from_ns = from->time().ns;
  rule.tick_px = optional_number(at, "tick_px", {0, 1e9}, 0);
  rule.lot_qty = optional_number(at, "lot_qty", {0, 1e12}, 0);
  rule.qty_min = optional_number(at, "qty_min", {0, 1e12}, 0);
  rule.notional_min = optional_number(at, "notional_min", {0, 1e12}, 0);
  return rule;
}

std::vector<engine::InstrumentRules> read_rules(const Cursor& at) {
  std::vector<engine::InstrumentRules> out;
  const std::vector<Cursor> entries = at.list("a list of rules, oldest first");
  if (entries.size() > kRulesMax) at.refuse("more than " + std::to_string(kRulesMax) + " rules");
  for (const Cursor& entry : entries) {
    out.push_back(read_rule(entry));
    if (out.size() > 1 && out[out.size() - 2].from_ns >= out.back().from_ns) {
      const auto from = entry.find("from");
      (from ? *from : entry)
          .refuse(
              "rules must follow each other in time; this one does not start "
              "after the one before it (" +
              format_timestamp({out[out.size() - 2].from_ns}) + ")");
    }
  }
  return out;
}

void read_all_rules(const Cursor& at, ExecutionProfile& profile) {
  if (at.is(Node::Kind::List)) {
    profile.rules.push_back({std::string(kDefault), read_rules(at)});
    return;
  }
  if (!at.is(Node::Kind::Map)) {
    at.refuse(at.shown() +
              " where rules belong: a list for every instrument, or a map from "
              "instrument (or default) to a list");
  }
  const std::vector<Cursor> values = at.values();
  for (std::size_t i = 0; i < values.size(); ++i) {
    const std::string& symbol = at.node().keys[i].text;
    if (std::any_of(profile.rules.begin(), profile.rules.end(),
                    [&](const ProfileRules& r) { return same_key(r.instrument, symbol); })) {
      at.refuse_at(at.node().keys[i].place, values[i].path(), "this instrument stands twice");
    }
    profile.rules.push_back({symbol, read_rules(values[i])});
  }
}

void read_sizing(const Cursor& root, engine::ExecutionModel& model) {
  if (const auto at = root.find("sizing")) {
    const auto names = engine::sizing_names();
    const std::string chosen = at->choice({names.begin(), names.end()});
    engine::choose_sizing(model, *engine::find_sizing(chosen));
  }
  const auto qty = root.find("fixed_qty");
  if (qty) model.fixed_qty = bounded(*qty, {0, 1e12});
  if (model.sizing == engine::Sizing::FixedQty && !(model.fixed_qty > 0)) {
    (qty ? *qty : root).refuse("sizing: fixed_qty needs a fixed_qty above 0");
  }
  if (model.sizing != engine::Sizing::FixedQty && model.fixed_qty != 0) {
    qty->refuse("fixed_qty says nothing under sizing: " +
                std::string(engine::sizing_name(model.sizing)) + "; remove one of them");
  }
  if (const auto at = root.find("initial_cash")) {
    model.initial_cash = bounded(*at, {0, 1e15});
    if (model.initial_cash == 0) at->refuse("0 is not above 0");
  }
}

void check_sizes(const Cursor& root, const engine::ExecutionModel& model) {
  for (const engine::ExecutionRule& rule : engine::execution_rules()) {
    if (!rule.sizes || rule.value(model) == rule.off) continue;
    if (!engine::says_something(rule, model.sizing)) {
      root.find(rule.name)->refuse(std::string(rule.name) + " says nothing under sizing: " +
                                   std::string(engine::sizing_name(model.sizing)) +
                                   "; remove one of them");
    }
  }
  const auto mean = root.find("performance_mean_frac");
  if (mean && model.performance_mean_frac > 0 && !(model.performance_scale > 0)) {
    mean->refuse("performance_mean_frac says nothing without performance_scale; remove it");
  }
  // What is left is said by the engine's own check, without a place of its own.
  const Status sized = engine::check_execution(model);
  if (!sized) (root.find("sizing") ? *root.find("sizing") : root).refuse(sized.error().text());
}

// A rule that a profile does not name is on, so that an honest result needs no knowledge of it.
void read_execution_rules(const Cursor& root, engine::ExecutionModel& model) {
  for (const engine::ExecutionRule& rule : engine::execution_rules()) {
    const auto at = root.find(rule.name);
    if (!at) {
      if (!rule.sizes) rule.set(model, rule.otherwise);
    } else if (rule.flag != nullptr) {
      rule.set(model, at->boolean() ? 1 : 0);
    } else {
      rule.set(model, bounded(*at, {0, rule.max}));
    }
  }
  if (model.impact_bps > 0 && model.impact_y > 0) {
    root.find("impact_y")->refuse("impact_y and impact_bps exclude each other; remove one of them");
  }
  check_sizes(root, model);
  if (const auto at = root.find("version_1")) {
    at->expect_map("what engine version 1 was told, such as {impact_bps: 10}", kVersion1Keys);
    const auto impact = at->find("impact_bps");
    model.version_1_impact_bps = impact ? bounded(*impact, {0, 10'000}) : model.impact_bps;
  }
}

ExecutionProfile read_profile(const Cursor& root) {
  static const std::vector<std::string> keys = profile_keys();
  root.expect_map("an execution profile, a map of keys", keys);
  ExecutionProfile profile;
  engine::ExecutionModel& model = profile.costs;
  model.name = root.at("name", "name the profile, as in name: binance-spot").name("a name");
  if (const auto at = root.find("description")) at->text("a sentence");
  model.taker_fee_bps = optional_number(root, "taker_fee_bps", {0, 1000}, 0);
  if (const auto at = root.find("maker_fee_bps")) {
    model.maker_fee_bps = bounded(*at, {-1000, 1000});
    if (model.maker_fee_bps < -kMakerRebateBpsMax) {
      at->refuse("a rebate of " + show_number(-model.maker_fee_bps) +
                 " bps is more than any large venue has paid its makers, " +
                 show_number(kMakerRebateBpsMax) +
                 " bps; allowed: " + show_number(-kMakerRebateBpsMax) + " to 1000");
    }
  }
  model.half_spread_bps = optional_number(root, "half_spread_bps", {0, 1000}, 0);
  model.half_spread_range_frac = optional_number(root, "half_spread_range_frac", {0, 1}, 0);
  model.impact_bps = optional_number(root, "impact_bps", {0, 10'000}, 0);
  model.participation_max_frac = optional_number(root, "participation_max_frac", {0, 1}, 0);
  if (const auto at = root.find("funding")) model.funding = at->boolean();
  read_sizing(root, model);
  read_execution_rules(root, model);
  if (const auto at = root.find("rules")) read_all_rules(*at, profile);
  return profile;
}

}  // namespace

bool ExecutionProfile::names(std::string_view instrument) const {
  return own_rules(rules, instrument) != nullptr;
}

engine::ExecutionModel ExecutionProfile::model(std::string_view instrument) const {
  engine::ExecutionModel out = costs;
  const ProfileRules* own = own_rules(rules, instrument);
  if (own == nullptr) own = own_rules(rules, kDefault);
  if (own != nullptr) out.rules = own->rules;
  return out;
}

std::string ExecutionProfile::fallback_note(std::string_view instrument) const {
  if (rules.empty() || names(instrument)) return {};
  std::string named;
  for (const ProfileRules& r : rules) {
    if (r.instrument != kDefault) named += (named.empty() ? "" : ", ") + r.instrument;
  }
  if (named.empty()) return {};  // one list for every instrument
  return "execution profile " + costs.name + " has no rules for " + std::string(instrument) +
         (names(kDefault) ? ": those under `default` are used"
                          : ": no step, lot or minimum holds") +
         " (it names " + named + ")";
}

Result<ExecutionProfile> parse_profile(std::string_view yaml, std::string_view file_name) {
  const Result<Node> root = yaml::load(yaml, file_name);
  if (!root) return root.error();
  try {
    return read_profile(Cursor(file_name, *root, ""));
  } catch (const yaml::Refusal& refusal) {
    return refusal.error;
  }
}

std::string profile_hash(const ExecutionProfile& profile) {
  std::string text = "execution-profile-1\n";
  const auto say = [&](std::string_view key, double value) {
    text += std::string(key) + "=" + shortest_text(value) + "\n";
  };
  const engine::ExecutionModel& m = profile.costs;
  say("taker_fee_bps", m.taker_fee_bps);
  say("maker_fee_bps", m.maker_fee_bps);
  say("half_spread_bps", m.half_spread_bps);
  say("half_spread_range_frac", m.half_spread_range_frac);
  say("impact_bps", m.impact_bps);
  say("participation_max_frac", m.participation_max_frac);
  say("funding", m.funding ? 1 : 0);
  say("fixed_qty", m.sizing == engine::Sizing::FixedQty ? m.fixed_qty : 0);
  say("initial_cash", m.initial_cash);
  for (const engine::ExecutionRule& rule : engine::execution_rules()) {
    if (!rule.sizes || rule.value(m) != rule.off) say(rule.name, rule.value(m));
  }
  if (m.sizing > engine::Sizing::FixedQty)
    text += "sizing=" + std::string(sizing_name(m.sizing)) + "\n";
  say("version_1.impact_bps", m.version_1_impact_bps);
  std::map<std::string, const ProfileRules*> by_name;  // the order of a file says nothing
  for (const ProfileRules& r : profile.rules)
    by_name.emplace(canonical_instrument(r.instrument), &r);
  for (const auto& [name, rules] : by_name) {
    for (const engine::InstrumentRules& r : rules->rules) {
      text += "rule of " + name + " from " + std::to_string(r.from_ns) + "\n";
      say("tick_px", r.tick_px);
      say("lot_qty", r.lot_qty);
      say("qty_min", r.qty_min);
      say("notional_min", r.notional_min);
    }
  }
  return sha256_hex(text).substr(0, kHashDigits);
}

std::string uncharged_text(const engine::ExecutionModel& model) {
  if (model.name == "none") return {};
  std::vector<std::string> missing;
  if (model.taker_fee_bps == 0) missing.emplace_back("no taker fee");
  if (model.half_spread_bps == 0 && model.half_spread_range_frac == 0) {
    missing.emplace_back("no spread");
  }
  if (model.impact_bps == 0 && model.impact_y == 0) missing.emplace_back("no impact");
  std::string out;
  for (std::size_t i = 0; i < missing.size(); ++i) {
    out += (i == 0 ? "" : i + 1 == missing.size() ? " and " : ", ") + missing[i];
  }
  const auto add = [&](const std::string& text) { out += (out.empty() ? "" : ", and ") + text; };
  if (model.maker_fee_bps < 0) {
    add("it pays makers " + show_number(-model.maker_fee_bps) + " bps");
  }
  if (model.stop_range_frac == 0) add("its stops fill at their level, whatever breaks them");
  return out;
}

Status check_reserved(const ExecutionProfile& profile, const ReservedName& reserved) {
  const auto shipped = parse_profile(reserved.shipped_yaml, std::string(reserved.name) + ".yaml");
  if (!shipped) return shipped.error();
  const std::string own = profile_hash(profile);
  const std::string known = profile_hash(*shipped);
  if (own == known) return {};
  return Error(ErrorCode::InvalidInput,
               "the profile goes by the name " + show_text(reserved.name) +
                   ", which is that of a shipped one and says something else (" + own + " here, " +
                   known + " shipped); give the file and its `name` one of their own");
}

Result<engine::ExecutionModel> parse_execution(std::string_view yaml, std::string_view file_name) {
  return parse_execution(yaml, file_name, kDefault);
}

Result<engine::ExecutionModel> parse_execution(std::string_view yaml, std::string_view file_name,
                                               std::string_view instrument) {
  const Result<ExecutionProfile> profile = parse_profile(yaml, file_name);
  if (!profile) return profile.error();
  return profile->model(instrument);
}

}  // namespace winnow::sweeps
