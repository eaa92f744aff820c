#include "cli/market_spec.hpp"

#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <charconv>
#include <initializer_list>
#include <map>
#include <optional>

#include "base/edit_distance.hpp"

namespace winnow::cli {
namespace {

namespace synth = engine::synth;

/// Purpose: takes values out of a YAML tree, remembers where each key stood, and keeps the first
/// error. After an error every further call does nothing. Thread: one.
class SpecReader {
 public:
  explicit SpecReader(std::string_view file) : file_(file) {}

  std::optional<Error> error;

  void fail(const YAML::Mark& mark, const std::string& text) {
    if (error) return;
    error = Error(ErrorCode::InvalidInput, file_ + ":" + std::to_string(mark.line + 1) + ":" +
                                               std::to_string(mark.column + 1) + ": " + text);
  }

  /// Where a key path, or the nearest parent that was written, stood.
  YAML::Mark mark_of(std::string path) const {
    for (;;) {
      if (const auto it = marks_.find(path); it != marks_.end()) return it->second;
      const std::size_t cut = path.find_last_of(".[");
      if (cut == std::string::npos) return {};
      path.resize(cut);
    }
  }
  void note(const std::string& path, const YAML::Node& node) { marks_[path] = node.Mark(); }

  /// Ensures: a map with no other keys than these, none twice.
  bool map(const YAML::Node& node, const std::string& path,
           std::initializer_list<std::string_view> known) {
    if (error) return false;
    note(path, node);
    if (!node.IsMap()) {
      fail(node.Mark(), label(path) + "must be a mapping with keys " + listed(known));
      return false;
    }
    std::vector<std::string> seen;
    for (const auto& entry : node) {
      const std::string key = entry.first.IsScalar() ? entry.first.Scalar() : "?";
      if (std::find(known.begin(), known.end(), key) == known.end()) {
        const auto nearest = *std::min_element(known.begin(), known.end(), [&](auto a, auto b) {
          return edit_distance(key, a) < edit_distance(key, b);
        });
        fail(entry.first.Mark(), label(path) + "unknown key '" + key + "'; the nearest is '" +
                                     std::string(nearest) + "'; allowed: " + listed(known));
        return false;
      }
      if (std::find(seen.begin(), seen.end(), key) != seen.end()) {
        fail(entry.first.Mark(), label(path) + "key '" + key + "' is given twice");
        return false;
      }
      seen.push_back(key);
    }
    return true;
  }

  template <class Parse>
  void scalar(const YAML::Node& map, const std::string& path, const char* key,
              const std::string& allowed, Parse parse) {
    if (error) return;
    const YAML::Node node = map[key];
    if (!node.IsDefined()) return;
    const std::string at = path.empty() ? key : path + "." + key;
    note(at, node);
    if (!node.IsScalar() || !parse(node.Scalar())) {
      fail(node.Mark(), at + ": " + (node.IsScalar() ? "'" + node.Scalar() + "'" : "this value") +
                            " is not allowed; " + allowed);
    }
  }

  void text(const YAML::Node& map, const std::string& path, const char* key, std::string& out) {
    scalar(map, path, key, "a name is", [&](const std::string& s) {
      out = s;
      return !s.empty();
    });
  }
  template <class T>
  void number(const YAML::Node& map, const std::string& path, const char* key, T& out) {
    constexpr bool kWhole = std::is_integral_v<T>;
    scalar(map, path, key, kWhole ? "a whole number, 0 or more, is" : "a number is",
           [&](const std::string& s) {
             const auto [end, code] = std::from_chars(s.data(), s.data() + s.size(), out);
             return code == std::errc{} && end == s.data() + s.size();
           });
  }
  void duration(const YAML::Node& map, const std::string& path, const char* key, DurationNs& out) {
    scalar(map, path, key, "a duration like 15m, 12h or 20d is", [&](const std::string& s) {
      const auto parsed = parse_duration(s);
      if (parsed.ok()) out = *parsed;
      return parsed.ok();
    });
  }

 private:
  static std::string label(const std::string& path) { return path.empty() ? "" : path + ": "; }
  static std::string listed(std::initializer_list<std::string_view> words) {
    std::string out;
    for (const std::string_view w : words) out += (out.empty() ? "" : ", ") + std::string(w);
    return out;
  }

  std::string file_;
  std::map<std::string, YAML::Mark> marks_;
};

void read_curve(SpecReader& in, const YAML::Node& map, const std::string& path, const char* key,
                const synth::DayCurve& crypto, synth::DayCurve& out) {
  const YAML::Node node = map[key];
  if (in.error || !node.IsDefined()) return;
  const std::string at = path + "." + key;
  in.note(at, node);
  if (node.IsScalar() && (node.Scalar() == "flat" || node.Scalar() == "crypto")) {
    out = node.Scalar() == "flat" ? synth::flat_curve() : crypto;
    return;
  }
  if (!node.IsSequence() || node.size() != out.size()) {
    in.fail(node.Mark(), at + ": flat, crypto, or 24 numbers (one an hour, UTC) are allowed");
    return;
  }
  for (std::size_t h = 0; h < out.size(); ++h) {
    const std::string s = node[h].IsScalar() ? node[h].Scalar() : "";
    const auto [end, code] = std::from_chars(s.data(), s.data() + s.size(), out[h]);
    if (code != std::errc{} || end != s.data() + s.size()) {
      in.fail(node[h].Mark(), at + "[" + std::to_string(h) + "]: '" + s + "' is not a number");
      return;
    }
    in.note(at + "[" + std::to_string(h) + "]", node[h]);
  }
}

void read_regimes(SpecReader& in, const YAML::Node& node, const std::string& path,
                  synth::InstrumentSpec& out) {
  // One regime without a name may be written beside the instrument's other keys.
  const std::string only = path + ".regimes[0]";
  in.number(node, path, "volatility_ann_frac", out.regimes[0].volatility_ann_frac);
  in.number(node, path, "drift_ann_frac", out.regimes[0].drift_ann_frac);
  for (const char* key : {"volatility_ann_frac", "drift_ann_frac"}) {
    if (node[key].IsDefined()) in.note(only + "." + key, node[key]);
  }
  const YAML::Node list = node["regimes"];
  if (in.error || !list.IsDefined()) return;
  in.note(path + ".regimes", list);
  if (node["volatility_ann_frac"].IsDefined() || node["drift_ann_frac"].IsDefined()) {
    in.fail(list.Mark(), path +
                             ".regimes: give either regimes or volatility_ann_frac and "
                             "drift_ann_frac, not both");
    return;
  }
  if (!list.IsSequence()) {
    in.fail(list.Mark(), path +
                             ".regimes: a list of {name, volatility_ann_frac, drift_ann_frac, "
                             "mean_duration} is allowed");
    return;
  }
  out.regimes.clear();
  for (std::size_t r = 0; r < list.size(); ++r) {
    const std::string at = path + ".regimes[" + std::to_string(r) + "]";
    synth::RegimeSpec regime;
    if (!in.map(list[r], at, {"name", "volatility_ann_frac", "drift_ann_frac", "mean_duration"})) {
      return;
    }
    in.text(list[r], at, "name", regime.name);
    in.number(list[r], at, "volatility_ann_frac", regime.volatility_ann_frac);
    in.number(list[r], at, "drift_ann_frac", regime.drift_ann_frac);
    in.duration(list[r], at, "mean_duration", regime.mean_duration);
    out.regimes.push_back(std::move(regime));
  }
}

void read_edge(SpecReader& in, const YAML::Node& node, const std::string& path,
               synth::EdgeSpec& out) {
  if (!node.IsDefined() || !in.map(node, path, {"kind", "half_life", "sharpe_ann"})) return;
  in.scalar(node, path, "kind", "none, mean_reversion or trend is", [&](const std::string& s) {
    if (s == "mean_reversion") out.kind = synth::EdgeKind::MeanReversion;
    if (s == "trend") out.kind = synth::EdgeKind::Trend;
    return s == "none" || out.kind != synth::EdgeKind::None;
  });
  if (!node["kind"].IsDefined()) {
    in.fail(node.Mark(), path + ".kind is missing; none, mean_reversion or trend is allowed");
  }
  in.duration(node, path, "half_life", out.half_life);
  in.number(node, path, "sharpe_ann", out.sharpe_ann);
}

void read_parts(SpecReader& in, const YAML::Node& node, const std::string& path,
                synth::InstrumentSpec& out) {
  if (const YAML::Node jumps = node["jumps"];
      jumps.IsDefined() && in.map(jumps, path + ".jumps", {"per_year", "sd_frac"})) {
    in.number(jumps, path + ".jumps", "per_year", out.jumps.per_year);
    in.number(jumps, path + ".jumps", "sd_frac", out.jumps.sd_frac);
  }
  read_edge(in, node["edge"], path + ".edge", out.edge);
  if (const YAML::Node pair = node["pair"];
      pair.IsDefined() &&
      in.map(pair, path + ".pair", {"with", "hedge_ratio", "half_life", "spread_sd_frac"})) {
    out.pair.emplace();
    in.text(pair, path + ".pair", "with", out.pair->with);
    in.number(pair, path + ".pair", "hedge_ratio", out.pair->hedge_ratio);
    in.duration(pair, path + ".pair", "half_life", out.pair->half_life);
    in.number(pair, path + ".pair", "spread_sd_frac", out.pair->spread_sd_frac);
    for (const char* key : {"volatility_ann_frac", "drift_ann_frac", "regimes", "tail_dof", "jumps",
                            "volatility_curve"}) {
      if (node[key].IsDefined()) {
        in.fail(node[key].Mark(), path + "." + key + ": a pair takes this from '" + out.pair->with +
                                      "'; leave it out");
      }
    }
  }
  if (const YAML::Node funding = node["funding"];
      funding.IsDefined() && in.map(funding, path + ".funding", {"every", "mean_bps", "sd_bps"})) {
    out.funding.every = hours(8);
    in.duration(funding, path + ".funding", "every", out.funding.every);
    in.number(funding, path + ".funding", "mean_bps", out.funding.mean_bps);
    in.number(funding, path + ".funding", "sd_bps", out.funding.sd_bps);
  }
}

synth::InstrumentSpec read_instrument(SpecReader& in, const YAML::Node& node,
                                      const std::string& path) {
  synth::InstrumentSpec out;
  if (!in.map(node, path,
              {"name", "start_px", "tick_px", "lot_qty", "volume_per_bar", "volume_sd_log",
               "tail_dof", "volatility_ann_frac", "drift_ann_frac", "regimes", "jumps",
               "volatility_curve", "volume_curve", "edge", "pair", "funding"})) {
    return out;
  }
  in.text(node, path, "name", out.name);
  in.number(node, path, "start_px", out.start_px);
  in.number(node, path, "tick_px", out.tick_px);
  in.number(node, path, "lot_qty", out.lot_qty);
  in.number(node, path, "volume_per_bar", out.volume_per_bar);
  in.number(node, path, "volume_sd_log", out.volume_sd_log);
  in.number(node, path, "tail_dof", out.tail_dof);
  read_regimes(in, node, path, out);
  read_curve(in, node, path, "volatility_curve", synth::crypto_volatility_curve(),
             out.volatility_curve);
  read_curve(in, node, path, "volume_curve", synth::crypto_volume_curve(), out.volume_curve);
  read_parts(in, node, path, out);
  return out;
}

void read_length(SpecReader& in, const YAML::Node& root, synth::MarketSpec& spec) {
  in.number(root, "", "bars", spec.bars);
  DurationNs length;
  in.duration(root, "", "duration", length);
  if (in.error || !root["duration"].IsDefined()) return;
  if (root["bars"].IsDefined()) {
    in.fail(root["duration"].Mark(), "duration: give either bars or duration, not both");
  } else if (spec.interval.ns > 0) {
    spec.bars = static_cast<std::uint64_t>(length.ns / spec.interval.ns);
    in.note("bars", root["duration"]);
  }
}

synth::MarketSpec read_market(SpecReader& in, const YAML::Node& root) {
  synth::MarketSpec spec;
  if (!in.map(
          root, "",
          {"market", "start", "interval", "bars", "duration", "steps_per_bar", "instruments"})) {
    return spec;
  }
  in.text(root, "", "market", spec.name);
  in.scalar(root, "", "start", "a time like 2023-01-01 is", [&](const std::string& s) {
    const auto parsed = parse_timestamp(s);
    if (parsed.ok()) spec.start = *parsed;
    return parsed.ok();
  });
  in.duration(root, "", "interval", spec.interval);
  read_length(in, root, spec);
  in.number(root, "", "steps_per_bar", spec.steps_per_bar);
  const YAML::Node list = root["instruments"];
  if (in.error) return spec;
  if (!list.IsDefined() || !list.IsSequence()) {
    in.fail(list.IsDefined() ? list.Mark() : root.Mark(),
            "instruments: a list of at least one instrument is needed");
    return spec;
  }
  in.note("instruments", list);
  for (std::size_t i = 0; i < list.size(); ++i) {
    spec.instruments.push_back(
        read_instrument(in, list[i], "instruments[" + std::to_string(i) + "]"));
  }
  return spec;
}

}  // namespace

Result<synth::MarketSpec> parse_market_spec(std::string_view yaml, std::string_view file_name) {
  SpecReader in(file_name);
  synth::MarketSpec spec;
  try {
    const YAML::Node root = YAML::Load(std::string(yaml));
    if (root.IsNull()) {
      in.fail({}, "the file is empty; a market specification is expected");
    } else {
      spec = read_market(in, root);
    }
  } catch (const YAML::Exception& e) {
    in.fail(e.mark, "not YAML: " + e.msg);
  }
  if (!in.error) {
    if (const auto fault = synth::find_fault(spec)) {
      in.fail(in.mark_of(fault->path), fault->path + ": " + fault->text);
    }
  }
  if (in.error) return *in.error;
  return spec;
}

}  // namespace winnow::cli
