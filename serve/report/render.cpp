#include "serve/report/render.hpp"

#include <algorithm>
#include <array>
#include <cmath>

#include "serve/report/charts.hpp"
#include "serve/report/fields.hpp"
#include "serve/report/html.hpp"
#include "serve/report/page.hpp"

namespace winnow::serve::report {
namespace {

struct VerdictLook {
  std::string css;
  std::string text;
};

VerdictLook look_of(const std::string& word) {
  if (word == "CONVERGED") return {"v-yes", "✓ Converged"};
  if (word == "PROMISING") return {"v-wait", "◔ Promising"};
  if (word == "NOT_CONVERGED") return {"v-no", "✕ Not converged"};
  if (word == "NOT_PROMOTED") return {"v-no", "✕ Not promoted"};
  if (word == "OPEN") return {"v-wait", "… Open"};
  return {"v-wait", "… Insufficient"};
}

std::string facts_section(const ReportInput& input) {
  std::string out = "<dl class=\"facts\">";
  for (const Fact& fact : input.facts) {
    out += "<div><dt>" + escape(fact.label) + "</dt><dd>" + escape(fact.value);
    if (!fact.help.empty()) out += "<small>" + escape(fact.help) + "</small>";
    out += "</dd></div>";
  }
  return out + "</dl>\n";
}

std::string bar(const char* label, double value, double mark, const char* help) {
  const double shown = std::clamp(value, 0.0, 1.0) * 100;
  std::string out = "<span title=\"" + escape(help) + "\">" + escape(label) +
                    "</span><span class=\"track\"><i style=\"width:" + coordinate(shown) +
                    "%\"></i>";
  if (mark > 0 && mark <= 1) out += "<em style=\"left:" + coordinate(mark * 100) + "%\"></em>";
  return out + "</span><b data-v=\"" + exact(value) + "\">" + fixed(value, 3) + "</b>";
}

std::string row(const std::string& label, const std::string& value) {
  return "<tr><td>" + label + "</td><td>" + value + "</td></tr>";
}

std::string variant_text(std::uint64_t trial, const std::string& params) {
  return "variant " + std::to_string(trial) + "<br><code>" + escape(params) + "</code>";
}

// What the ledger's N makes of the family's results; a missing number is told as such.
std::string luck_rows(const Json& profit) {
  const auto number = [](const Json& of, const char* key) {
    return of.is_object() && of[key].is_number() ? fixed(of[key].get<double>(), 3)
                                                 : std::string("does not exist");
  };
  if (!profit.is_object()) return "";
  std::string out;
  for (const auto& [key, title] :
       {std::pair{"best", "the best variant"}, {"plateau_centre", "the plateau centre"}}) {
    out += row(std::string("Deflated Sharpe ratio of ") + title + " (with effective trials)",
               number(profit[key], "dsr") + " (" + number(profit[key], "dsr_effective") + ")");
    out += row(std::string("Annual Sharpe ratio of ") + title + " after the haircut for all trials",
               number(profit[key], "haircut_sharpe_ann"));
  }
  const Json& tests = profit["best_of_many"];
  out += row("Best variant against cash: p of Reality Check / SPA",
             number(tests, "p_reality_check") + " / " + number(tests, "p_spa"));
  if (tests.is_object()) {
    out += row("Variants better than cash, all at once (StepM, 5%)",
               grouped(tests["variants_superior"].get<std::uint64_t>()) + " of " +
                   grouped(tests["variants_tested"].get<std::uint64_t>()));
  }
  const Json& portfolio = profit["portfolio"];
  out += row("Family portfolio: P(profit) / deflated Sharpe ratio",
             number(portfolio, "p_profit") + " / " + number(portfolio, "dsr"));
  out += row("Track record the portfolio needs (days)", number(portfolio, "min_track_record_days"));
  out += row("Probability of backtest overfitting (gates nothing)", number(profit, "pbo"));
  const std::string why = text_of(profit, "profitable_reason");
  return out + row("Profitable by these measures",
                   profit["profitable"] == true
                       ? "yes"
                       : "not shown" + (why.empty() ? std::string() : ": " + escape(why)));
}

/// What was judged, on which days, after how much was tried, and what would change it.
std::string verdict_words(const FamilyScore& f) {
  std::string out = "<p class=\"says\">" + escape(f.sentence) + ".</p><table class=\"kv\">";
  if (f.judged_days > 0) {
    out += row("Judged on", grouped(static_cast<std::uint64_t>(f.judged_days)) + " days, " +
                                format_day(f.judged_from) + " to " + format_day(f.judged_to - 1));
  }
  out += row("Against", "cash, beta times the market, and the market at the same mean exposure");
  if (f.opened) {
    out += row("Hypothesis", escape(f.opened->claim.id) + ", level " +
                                 probability(f.opened->in_account.level) + ", number " +
                                 std::to_string(f.opened->in_account.index) + " of " +
                                 escape(f.opened->account));
  }
  if (f.tile) {
    out += row("Where", escape(f.tile->text) + ": the best of " + grouped(f.tile->tiles) +
                            " parts of the space, all paid for");
  }
  out += row("Trials on this market so far, by anybody", grouped(f.ledger_trials));
  out += row("What would change this", escape(f.would_change));
  return out + "</table>";
}

std::string verdict_card(const ReportInput& input, const Family& family) {
  const FamilyScore& f = family.score;
  const sweeps::Convergence& s = f.score;
  const VerdictLook look = look_of(f.word);
  std::string out = "<article class=\"card\"><header><h3>" + escape(family.name) + "<small>on " +
                    escape(family.data) + "</small></h3><span class=\"pill " + look.css + "\">" +
                    look.text + "</span></header>";
  out += verdict_words(f);
  out += "<div class=\"score\"><b data-v=\"" + exact(s.c) + "\">" + fixed(s.c, 3) +
         "</b><span>convergence score C; ";
  out += s.c_required <= 1 ? "needs " + fixed(s.c_required, 3) : "too early for a look";
  out += "</span></div><div class=\"bars\">";
  out += bar("Score C", s.c, s.c_required,
             "Probability that a new, neighbouring variant has a true Sharpe above the hurdle");
  out += bar("Evidence", s.evidence, 0, "Probability that the family's mean beats the hurdle");
  out += bar("Coverage", s.coverage, 0, "Estimated share of variants with a true edge");
  out += bar("Blocks", s.block_sign_frac, 0, "Share of calendar blocks above the hurdle");
  out += bar("Variants", s.variant_sign_frac, 0, "Share of variants above the hurdle");
  if (s.stress_sd > 0) {
    out += bar("Under stress", s.c_stress, 0, "Score with one added loss in every variant");
  }
  out += "</div><table class=\"kv\">";
  out += row("p, Holm-corrected over " + grouped(input.hypotheses) + " hypotheses",
             "<span data-v=\"" + exact(f.p_holm) + "\">" + probability(f.p_holm) + "</span>");
  out += row("p of this family alone", probability(f.p));
  out += row("Family Sharpe ± standard error (annual)",
             fixed(s.mu_sharpe_ann, 2) + " ± " + fixed(s.se, 2));
  out += row("Spread of true Sharpe between variants (sd)", fixed(s.tau, 2));
  out += row("Mean correlation of variants", fixed(s.mean_correlation, 2));
  out += row("Last third of the blocks: mean Sharpe, t against the rest",
             fixed(s.recent_mean, 2) + ", " + fixed(s.recent_t, 2) +
                 (s.recent_ok ? " (holds)" : " (fails)"));
  if (s.stress_sd > 0) {
    out += row("Declared worst single loss (daily sd)",
               fixed(s.stress_sd, 1) + (s.stress_in_sample ? ", seen in the sample" : ""));
  }
  out += row("C with gaps charged that were not seen", fixed(f.gaps.c_gaps, 3));
  out += row("Losses that were not seen", escape(f.gaps.text));
  if (f.look && f.look->number > 0) {
    out += row("Look " + std::to_string(f.look->number) + " of " + std::to_string(sweeps::kLooks),
               "first " + grouped(s.periods) + " days" +
                   (f.look->recorded ? ", on record" : ", not on record"));
  }
  out += row("Variants: launched / committed / failed",
             grouped(f.trials) + " / " + grouped(f.committed) + " / " + grouped(f.failed));
  out += row("Distinct variants over days", grouped(s.distinct) + " over " + grouped(s.periods));
  out += row("Trials ever made on this dataset (ledger)", grouped(f.ledger_trials));
  out += row("Best Sharpe expected from that many by luck", fixed(f.noise.max_ann, 2));
  if (f.best_trial) {
    out += row("Best here: Sharpe " + fixed(f.best_sharpe_ann, 2),
               variant_text(*f.best_trial, family.best_params));
  }
  if (f.plateau) {
    out += row("Plateau centre: mean Sharpe " + fixed(f.plateau->mean_sharpe_ann, 2) + " of " +
                   grouped(f.plateau->members) + " neighbours",
               variant_text(f.plateau->trial, family.centre_params));
  }
  out += luck_rows(family.profit);
  out += "</table>";
  const std::vector<std::string>& reasons = s.reasons;
  if (!reasons.empty()) {
    out += "<ul class=\"why\">";
    for (const std::string& reason : reasons) out += "<li>" + escape(reason) + "</li>";
    out += "</ul>";
  }
  return out + "</article>\n";
}

std::string board_row(const ReportInput& input, const LeaderRow& row, const std::string& rank,
                      const std::string& trial) {
  std::string out = "<tr><td class=\"n\" data-v=\"" + rank + "\">" + rank +
                    "</td><td class=\"n\" data-v=\"" + trial + "\">" + trial + "</td><td>" +
                    escape(row.family) + "</td><td>" + escape(row.data) +
                    "</td><td class=\"wrap\"><code>" + escape(row.params) + "</code></td>";
  for (std::size_t m = 0; m < input.leader_metrics.size(); ++m) {
    const double v = m < row.metrics.size() ? row.metrics[m] : std::nan("");
    out += "<td class=\"n\" data-v=\"" + exact(v) + "\">" +
           display(v, input.leader_metrics[m].unit) + "</td>";
  }
  return out + "</tr>\n";
}

std::string leaderboard(const ReportInput& input) {
  std::string out =
      "<div class=\"scroll\"><table class=\"board\"><thead><tr><th class=\"n\">Rank</th>"
      "<th class=\"n\">Variant</th><th>Family</th><th>Data</th><th>Parameters</th>";
  for (const MetricColumn& metric : input.leader_metrics) {
    out += "<th class=\"n\" title=\"" + escape(metric.help) + "\">" + escape(metric.name) +
           "<small>" + escape(metric.unit == "frac" ? "%" : metric.unit) + "</small></th>";
  }
  out += "</tr></thead><tbody>\n";
  std::size_t rank = 0;
  for (const LeaderRow& leader : input.leaders) {
    out += board_row(input, leader, std::to_string(++rank), std::to_string(leader.trial));
  }
  for (const LeaderRow& held : input.holding) out += board_row(input, held, "", "");
  return out + "</tbody></table></div>\n";
}

std::string luck_note(const ReportInput& input) {
  std::string out;
  std::vector<std::string> told;
  for (const Family& family : input.families) {
    if (std::find(told.begin(), told.end(), family.data) != told.end()) continue;
    told.push_back(family.data);
    double best = std::nan("");
    for (const Family& other : input.families) {
      if (other.data == family.data && !(other.score.best_sharpe_ann <= best) &&
          std::isfinite(other.score.best_sharpe_ann)) {
        best = other.score.best_sharpe_ann;
      }
    }
    out += "<p>On <b>" + escape(family.data) + "</b> the ledger counts " +
           grouped(family.score.ledger_trials) +
           " trials. Were none of them to have an edge, the "
           "best would still be expected to show a Sharpe of <b>" +
           fixed(family.score.noise.max_ann, 2) + "</b>; the best here shows <b>" + fixed(best, 2) +
           "</b>. What is not above the first number needs no explanation but "
           "luck.</p>";
  }
  return out;
}

std::string family_figures(const Family& family, std::size_t index) {
  const std::string id = "f" + std::to_string(index);
  std::string out = "<h3>" + escape(family.name) + " on " + escape(family.data) + "</h3>";
  if (!family.summary.empty()) out += "<p class=\"dim\">" + escape(family.summary) + "</p>";
  if (!family.with_figures) {
    return out +
           "<p class=\"dim\">Figures are drawn for the first families only; "
           "<code>winnow converge</code> and <code>winnow top</code> have the numbers.</p>";
  }
  out += "<div class=\"figures\">\n";
  if (!family.sharpe.counts.empty()) out += sharpe_chart(family, id + "s");
  if (!family.curves.median.empty()) {
    out += equity_chart(family, id + "e");
    out += drawdown_chart(family, id + "d");
  }
  std::size_t map = 0;
  for (const HeatMap& one : family.maps) out += heat_map(one, id + "h" + std::to_string(map++));
  if (!family.influence.empty()) out += influence_chart(family, id + "i");
  return out + "</div>\n";
}

std::string word_tables(const std::vector<WordTable>& tables) {
  std::string out;
  for (const WordTable& table : tables) {
    out += "<h3>" + escape(table.title) + "</h3>";
    if (!table.note.empty()) out += "<p class=\"dim\">" + escape(table.note) + "</p>";
    if (table.rows.empty()) continue;
    out += "<div class=\"scroll\"><table class=\"board fixed\"><thead><tr>";
    for (std::size_t c = 0; c < table.header.size(); ++c) {
      out += (c == 0 ? "<th>" : "<th class=\"n\">") + escape(table.header[c]) + "</th>";
    }
    out += "</tr></thead><tbody>\n";
    for (const auto& row : table.rows) {
      out += "<tr>";
      for (std::size_t c = 0; c < row.size(); ++c) {
        out += (c == 0 ? "<td>" : "<td class=\"n\">") + escape(row[c]) + "</td>";
      }
      out += "</tr>\n";
    }
    out += "</tbody></table></div>\n";
  }
  return out;
}

std::string risk_sections(const ReportInput& input) {
  std::string out;
  if (!input.validation.empty()) {
    out +=
        "<h2>Out of sample</h2><p class=\"dim\">In each fold the variant of best Sharpe over the "
        "training days is held over the test days; nothing is fitted again. Degradation: 1 − "
        "Sharpe "
        "of the stitched tests / mean Sharpe of the picks in training.</p>" +
        word_tables(input.validation);
  }
  if (!input.bakeoffs.empty()) {
    out +=
        "<h2>Families against one another</h2><p class=\"dim\">The same days and costs. "
        "Walk-forward: the best of 90 days is held for 30; portfolio: all variants at equal "
        "weights. Capacity: the position, in quote currency, at which impact eats half the "
        "edge.</p>" +
        word_tables(input.bakeoffs);
  }
  if (!input.risk.empty()) {
    out +=
        "<h2>What may be lost in a year</h2><p class=\"dim\">Days drawn again by the "
        "stationary bootstrap, 365 to a path; policies act at the bar that shows the "
        "loss.</p>" +
        word_tables(input.risk);
  }
  return out;
}

std::string concerns_section(const ReportInput& input) {
  if (input.concerns.empty()) {
    return "<ul class=\"concerns fine\"><li>Nothing: every trial has a result, no variant was "
           "ruined, the data carried no fault and no alarm was raised.</li></ul>";
  }
  std::string out = "<ul class=\"concerns\">";
  for (const Concern& c : input.concerns) {
    out += "<li><b>" + escape(c.what) + "</b>";
    if (!c.detail.empty()) out += "<br>" + escape(c.detail);
    out += "</li>";
  }
  return out + "</ul>";
}

std::string term(std::string_view name, std::string_view text) {
  return "<div><dt>" + escape(name) + "</dt><dd>" + escape(text) + "</dd></div>";
}

std::string glossary(const ReportInput& input) {
  std::string out = "<dl class=\"terms\">";
  out += term("Convergence score C",
              "Predictive probability that a new, neighbouring variant of "
              "the family has a true Sharpe above the hurdle (two-way analysis of variance of "
              "block means, Student t over blocks).");
  out += term("Evidence, coverage",
              "Evidence: probability that the family's mean beats the "
              "hurdle. Coverage: estimated share of variants with a true edge. C is at most about "
              "the smaller of the two.");
  out += term("Blocks, variants",
              "Share of equal calendar blocks, and of variants, whose mean "
              "is above the hurdle.");
  out += term("Under stress",
              "C after one loss of the stated size (daily standard deviations) "
              "is put into every variant, unless such a day is in the sample already.");
  out += term("Holm-corrected p",
              "p = 1 − C, corrected for every family on every dataset ever "
              "tried (counted by the ledger); below 0.05 counts.");
  out += term("Plateau centre",
              "The variant whose neighbourhood in parameters has the largest "
              "mean Sharpe; the one to promote, never the single best.");
  out +=
      term("Best by luck",
           "Expected maximum of N independent Sharpes without an edge: sd × "
           "[(1 − γ) z(1 − 1/N) + γ z(1 − 1/(N e))], sd = √(periods a year / days) (False Strategy "
           "Theorem).");
  out += term("η²",
              "Share of the variance of Sharpe between the levels of one parameter; "
              "continuous parameters are cut into bins of equal counts.");
  for (const MetricColumn& metric : input.leader_metrics) {
    out += term(metric.name, metric.help + (metric.unit.empty() ? "" : " (" + metric.unit + ")"));
  }
  return out + "</dl>";
}

}  // namespace

std::string render_report(const ReportInput& input) {
  std::string out =
      "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">"
      "<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">"
      "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; "
      "style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:\">"
      "<link rel=\"icon\" href=\"data:,\"><title>" +
      escape(input.sweep_name) + " – Winnow report</title><style>" + page_css() +
      "</style></head><body>\n<header><h1>" + escape(input.sweep_name) +
      "</h1><p class=\"lead\">Sweep <code>" + escape(input.sweep_id) + "</code> · " +
      escape(input.state);
  if (input.generated.ns != 0) {
    out += " · report of " +
           escape(format_timestamp({input.generated.ns / 1'000'000'000 * 1'000'000'000}));
  }
  out += "</p>\n" + facts_section(input) + "</header>\n<main>\n";
  out +=
      "<h2>Verdicts</h2><p class=\"dim\">Whether the variants of a family share an edge over "
      "the hurdle (Sharpe " +
      fixed(input.hurdle_sharpe_ann, 2) +
      " a year after costs), or "
      "one of them was lucky." +
      (input.knobs.empty() ? "" : " Not at their defaults: " + escape(input.knobs) + ".") +
      "</p><div class=\"cards\">\n";
  for (const Family& family : input.families) out += verdict_card(input, family);
  out += "</div>\n<h2>Leaderboard</h2>" + luck_note(input) + leaderboard(input);
  out += "<h2>Families</h2>\n";
  for (std::size_t i = 0; i < input.families.size(); ++i) {
    out += family_figures(input.families[i], i);
  }
  out += risk_sections(input);
  out += "<h2>What was not in order</h2>" + concerns_section(input);
  out += "<h2>What the numbers mean</h2>" + glossary(input);
  out +=
      "<h2>Specification</h2><p class=\"dim\">As resolved; the same text on the same engine "
      "gives the same trials and results.</p><pre>" +
      escape(input.spec_json) + "</pre>\n";
  out +=
      "</main><footer>Written by Winnow. This file is complete: it loads nothing.</footer>"
      "<script>" +
      std::string(page_script()) + "</script></body></html>\n";
  return out;
}

}  // namespace winnow::serve::report
