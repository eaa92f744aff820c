#include "serve/report/risk_tables.hpp"

#include <array>
#include <cmath>

#include "base/text.hpp"
#include "serve/bakeoff.hpp"
#include "serve/report/fields.hpp"
#include "serve/report/html.hpp"
#include "serve/risk.hpp"

namespace winnow::serve::report {
namespace {

/// Enough for the two digits a report shows; `winnow risk` draws more.
constexpr std::size_t kReportPaths = 2000;
constexpr std::uint64_t kBakeoffBytesMax = std::uint64_t{1} << 30;

std::string joined(const Json& object, const char* key) {
  std::string out;
  if (!object.contains(key)) return out;
  for (const Json& text : object[key]) out += (out.empty() ? "" : "; ") + text.get<std::string>();
  return out;
}

std::string interval(const Json& series) {
  return two(series, "sharpe_ann") + " [" + two(series, "sharpe_ann_low") + ", " +
         two(series, "sharpe_ann_high") + "]";
}

std::string ruin_words(const Json& variant) {
  std::string out;
  const double horizon = number_of(variant["ruin"].back(), "horizon_days");
  for (const Json& r : variant["ruin"]) {
    if (number_of(r, "horizon_days") != horizon) continue;
    out += (out.empty() ? "" : ", ") + percent(r, "loss_frac") + " with probability " +
           percent(r, "p");
  }
  return "Equity ever falls below its start by " + out + ".";
}

}  // namespace

WordTable risk_table(const Json& variant) {
  WordTable out;
  out.title = text_of(variant, "family") + " on " + text_of(variant, "data") +
              ", plateau centre: variant " + json_text(variant["trial"]) + " (" +
              text_of(variant, "params_text") + ")";
  if (text_of(variant, "verdict") != "MEASURED") {
    out.note = text_of(variant, "verdict") + ": " + joined(variant, "reasons");
    return out;
  }
  const Json& posterior = variant["posterior"];
  out.note = "Posterior of its Sharpe: " + two(posterior["sharpe_ann"], "q50") +
             " (90%: " + two(posterior["sharpe_ann"], "q05") + " to " +
             two(posterior["sharpe_ann"], "q95") + "), above what luck shows with probability " +
             percent(posterior, "p_sharpe_above_luck") + ". " + ruin_words(variant) +
             " One day in twenty loses " + percent(variant["tail"][0], "var_frac") +
             " or more, on average " + percent(variant["tail"][0], "cvar_frac") + ".";
  out.header = {"Policy",         "Return",     "Sharpe",         "Drawdown",      "Acted",
                "Return, median", "Return, 5%", "Sharpe, median", "Drawdown, 95%", "Acts in"};
  for (const Json& p : variant["policies"]) {
    const Json& was = p["history"];
    const Json& may = p["simulation"];
    out.rows.push_back({text_of(p, "policy"), percent(was, "total_return_frac"),
                        two(was, "sharpe_ann"), percent(was, "drawdown_max_frac"),
                        json_text(was["triggers"]), percent(may["total_return_frac"], "q50"),
                        percent(may["total_return_frac"], "q05"), two(may["sharpe_ann"], "q50"),
                        percent(may["drawdown_max_frac"], "q95"), percent(may, "p_triggered")});
  }
  return out;
}

std::vector<WordTable> bakeoff_tables(const Json& comparisons) {
  std::vector<WordTable> out;
  for (const Json& c : comparisons) {
    if (c["entrants"].size() < 2) continue;
    WordTable families;
    families.title = "On " + text_of(c, "data") + ": " + text_of(c, "verdict");
    families.note = joined(c, "reasons") + ". Tested: " + text_of(c, "tested") + ".";
    families.header = {"Family",  "Walk-forward Sharpe", "Efficiency", "Portfolio Sharpe",
                       "MAR",     "Turnover a year",     "Capacity",   "Crowding",
                       "p: cash", "p: in the best set"};
    for (const Json& e : c["entrants"]) {
      families.rows.push_back({text_of(e, "name"), interval(e["walk_forward"]),
                               percent(e["walk_forward"], "efficiency"), interval(e["portfolio"]),
                               two(e["portfolio"], "mar"), two(e, "turnover_ann_median"),
                               fixed(number_of(e["capacity"], "notional_half_edge"), 0),
                               two(e, "crowding_max"), fixed(number_of(e, "p_beats_cash"), 4),
                               fixed(number_of(e, "p_in_best_set"), 4)});
    }
    if (const Json& m = c["holding"]["metrics"]; m.is_object()) {
      families.rows.push_back({"holding the market", "", "", two(m, "sharpe_ann"), two(m, "calmar"),
                               "", "", "", "", ""});
    }
    out.push_back(std::move(families));
    WordTable pairs;
    pairs.title = "Differences of annual Sharpe on " + text_of(c, "data");
    pairs.header = {"Pair", "Series", "Difference", "95% interval", "p", "p, Holm"};
    for (const char* kind : {"walk_forward", "portfolio"}) {
      for (const Json& p : c[std::string(kind) + "_pairs"]) {
        pairs.rows.push_back({text_of(p, "first") + " − " + text_of(p, "second"), kind,
                              two(p, "sharpe_ann_difference"),
                              two(p, "low") + " to " + two(p, "high"), fixed(number_of(p, "p"), 4),
                              fixed(number_of(p, "p_holm"), 4)});
      }
    }
    if (!pairs.rows.empty()) out.push_back(std::move(pairs));
  }
  return out;
}

Status add_risk(const Sources& sources, const SweepView& view, const Scoring& scoring,
                std::size_t families_max, ReportInput& out) {
  RiskOptions options;
  options.paths = kReportPaths;
  for (const FamilyScore& family : scoring.families) {
    if (out.risk.size() >= families_max) break;
    if (!family.plateau) continue;
    const auto variant = assess_variant(sources, view, family.plateau->trial, options);
    if (!variant.ok()) return variant.error();
    out.risk.push_back(risk_table(*variant));
  }
  std::uint64_t bytes = 0;
  for (const auto& s : view.plan.segments()) bytes += s.trials * s.periods * sizeof(float);
  if (bytes > kBakeoffBytesMax) {
    out.concerns.push_back(
        {"Families are not compared here", "the sweep is large; `winnow bakeoff` compares them"});
    return {};
  }
  if (view.plan.spec().strategies.size() < 2) return {};
  const auto comparisons = bake_off_scored(sources, view, scoring, {});
  if (!comparisons.ok()) return comparisons.error();
  out.bakeoffs = bakeoff_tables(*comparisons);
  return {};
}

}  // namespace winnow::serve::report
