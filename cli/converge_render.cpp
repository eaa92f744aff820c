#include <algorithm>
#include <string>

#include "base/text.hpp"
#include "cli/render_parts.hpp"
#include "cli/result_render.hpp"
#include "cli/table.hpp"
#include "cli/validation_render.hpp"
#include "serve/knobs.hpp"

namespace winnow::cli {
namespace {

using namespace render;

std::string plateau_text(const Json& family) {
  const Json& plateau = family["plateau_centre"];
  if (plateau.is_null()) return "none";
  return "variant " + json_text(plateau["trial"]) + " (" + text_of(plateau, "params_text") +
         "): Sharpe " + short_number(number_of(plateau, "neighbourhood_sharpe_ann_mean")) +
         "/year on average over " + json_text(plateau["neighbourhood_members"]) + " neighbours";
}

std::string best_text(const Json& family) {
  const Json& best = family["best"];
  if (best.is_null()) return "none";
  return "variant " + json_text(best["trial"]) + " (" + text_of(best, "params_text") +
         "): Sharpe " + short_number(number_of(best, "sharpe_ann")) + "/year; the best of " +
         count_of(family, "ledger_trials") + " trials without an edge is expected at " +
         short_number(number_of(family, "noise_sharpe_ann_max_expected"));
}

// White's, Hansen's and Romano and Wolf's tests over the whole family.
std::string best_of_many_text(const Json& profit) {
  const Json& tests = profit["best_of_many"];
  if (!tests.is_object()) return "not tested: " + text_of(profit, "best_of_many_reason");
  return "the best beats cash with p " + short_number(number_of(tests, "p_reality_check")) +
         " (Reality Check), " + short_number(number_of(tests, "p_spa")) + " (SPA, " +
         short_number(number_of(tests, "p_spa_lower")) + " to " +
         short_number(number_of(tests, "p_spa_upper")) + "); StepM finds " +
         count_of(tests, "variants_superior") + " of " + count_of(tests, "variants_tested") +
         " variants better";
}

std::string profit_words(const Json& profit) {
  if (profit["profitable"] == true) return ": profitable";
  const std::string why = text_of(profit, "profitable_reason");
  return ": not shown profitable" + (why.empty() ? "" : ", for " + why);
}

std::string profit_detail(const Json& f) {
  if (!f.contains("profit")) return "";
  const Json& profit = f["profit"];
  std::string out = field("luck of the best", luck_text(profit["best"]));
  out += field("luck of centre", luck_text(profit["plateau_centre"]));
  const Json& portfolio = profit["portfolio"];
  if (portfolio.is_object()) {
    const Json& days = portfolio["min_track_record_days"];
    out +=
        field("family portfolio",
              "Sharpe " + short_number(number_of(portfolio, "sharpe_ann")) + "/year, P(profit) " +
                  short_number(number_of(portfolio, "p_profit")) + ", DSR " +
                  short_number(number_of(portfolio, "dsr")) + " after " +
                  count_of(portfolio, "hypotheses") + " hypotheses, track record needed " +
                  (days.is_null() ? std::string("endless") : short_number(number(days)) + " days") +
                  profit_words(profit));
  }
  out += field("best of many", best_of_many_text(profit));
  out += field("overfitting",
               profit["pbo"].is_null()
                   ? "PBO does not exist: " + text_of(profit, "pbo_reason")
                   : "PBO " + short_number(number_of(profit, "pbo")) + " over " +
                         count_of(profit, "pbo_blocks") +
                         " blocks (near .5 on noise and on a plateau, near 0 on one spike)");
  return out;
}

std::string recency_text(const Json& f) {
  return "last third of the blocks at Sharpe " + short_number(number_of(f, "recent_mean")) +
         ", t " + short_number(number_of(f, "recent_t")) +
         " against the rest: " + (f.value("recent_ok", false) ? "holds" : "fails");
}

std::string stress_text(const Json& f) {
  const std::string sd = short_number(number_of(f, "stress_sd")) + " sd";
  if (f.value("stress_in_sample", false)) return "a day of -" + sd + " is in the sample already";
  return "C " + short_number(number_of(f, "c_stress")) + " after one loss of " + sd + " each";
}

std::string look_text(const Json& look) {
  if (look.value("number", 0) == 0) {
    return "none is due; the first needs " + json_text(look["next_days_needed"]) + " days";
  }
  std::string out = json_text(look["number"]) + " of " + json_text(look["of"]) + " (" +
                    text_of(look, "plan") + "), ";
  out += look["days_scored"].is_null() ? "not counted"
                                       : "taken with " + json_text(look["days_scored"]) +
                                             " days by sweep " + text_of(look, "sweep");
  if (!look.value("recorded", false)) out += ", not on record";
  if (!look["next_days_needed"].is_null()) {
    out += "; the next needs " + json_text(look["next_days_needed"]) + " days";
  }
  return out;
}

std::string market_text(const Json& f) {
  if (f["c_cash"].is_null()) return "not known: " + text_of(f, "market_text");
  const std::string said = text_of(f, "market_text");
  return "C " + short_number(number_of(f, "c_cash")) + " against cash, " +
         short_number(number_of(f, "c_ols")) + " less beta " +
         short_number(number_of(f, "beta_mean")) + " times the market, " +
         short_number(number_of(f, "c_exposure")) + " less the market at exposure " +
         short_number(number_of(f, "exposure_mean")) + (said.empty() ? "" : ": " + said);
}

std::string family_detail(const Json& f) {
  std::string out = field("score C", short_number(number_of(f, "c")) + " (needs " +
                                         short_number(number_of(f, "c_required")) + "), p " +
                                         short_number(number_of(f, "p")) + ", Holm-corrected " +
                                         short_number(number_of(f, "p_holm")));
  out += field("parts", "evidence " + short_number(number_of(f, "evidence")) + ", coverage " +
                            short_number(number_of(f, "coverage")) + ", blocks above hurdle " +
                            short_number(number_of(f, "block_sign_frac")) +
                            ", variants above hurdle " +
                            short_number(number_of(f, "variant_sign_frac")));
  out +=
      field("family Sharpe", short_number(number_of(f, "mu_sharpe_ann")) + " ± " +
                                 short_number(number_of(f, "se")) + "/year, spread of variants " +
                                 short_number(number_of(f, "tau")) + ", mean correlation " +
                                 short_number(number_of(f, "mean_correlation")));
  out += field("variants", count_of(f, "trials_committed") + " of " + count_of(f, "trials") +
                               " scored over " + count_of(f, "periods") + " days, " +
                               count_of(f, "distinct") + " distinct, " +
                               count_of(f, "trials_failed") + " failed");
  if (f.contains("calendar")) {  // earlier coordinators do not say it
    out +=
        field("annual by", text_of(f, "calendar") + ", " +
                               short_number(number_of(f, "periods_per_year")) + " periods a year");
  }
  if (f.contains("c_cash")) {  // earlier coordinators do not say it
    out += field("market", market_text(f));
  }
  if (f.contains("c_gaps")) {
    out +=
        field("gaps", "C " + short_number(number_of(f, "c_gaps")) + ": " + text_of(f, "gap_text"));
  }
  out += field("recency", recency_text(f));
  out += field("stress", stress_text(f));
  if (!f["look"].is_null()) out += field("look", look_text(f["look"]));
  out += field("plateau centre", plateau_text(f));
  out += field("best", best_text(f));
  out += profit_detail(f);
  out += validation_fields(f);
  return out;
}

/// Knobs are named in the verdict, not only beside its figures.
std::string knobs_field(const Json& f) {
  if (!f.contains("knobs") || f["knobs"].empty()) return "";
  return field("knobs", printable(serve::knobs_text(f["knobs"])));
}

std::string counted_hypotheses(const Json& answer) {
  return count_of(answer, "hypotheses") +
         (number_of(answer, "hypotheses") == 1 ? " hypothesis" : " hypotheses");
}

/// What C_gaps is, by the first of the neighbourhoods.
std::string gap_line(const Json& n) {
  return field("gaps",
               "C_gaps is C of the returns less what a gap is charged, 0.90 needed; of the "
               "first: " +
                   text_of(n, "gap_text"));
}

std::string converge_neighbourhoods(const Json& answer, std::size_t width) {
  TextTable table({{.title = "family", .align = Align::Left},
                   {.title = "data", .align = Align::Left},
                   {.title = "centre"},
                   {.title = "parameters of the centre", .align = Align::Left, .width_min = 16},
                   {.title = "members"},
                   {.title = "sharpe_ann"},
                   {.title = "C"},
                   {.title = "C_gaps"},
                   {.title = "p_holm"},
                   {.title = "verdict", .align = Align::Left, .optional = true}});
  std::string knobs, gaps;
  for (const Json& n : answer["neighbourhoods"]) {
    if (n.contains("knobs")) knobs = serve::knobs_text(n["knobs"]);
    if (gaps.empty() && n.contains("gap_text")) gaps = gap_line(n);
    table.add_row({text_of(n, "family"), text_of(n, "data"), json_text(n["centre"]["trial"]),
                   text_of(n["centre"], "params_text"), json_text(n["members"]),
                   short_number(number_of(n, "sharpe_ann_mean")), short_number(number_of(n, "c")),
                   short_number(number_of(n, "c_gaps")), short_number(number_of(n, "p_holm")),
                   text_of(n, "verdict")});
  }
  return costs_heading(answer) + "\n" + group_digits(table.rows()) + " of " +
         count_of(answer, "neighbourhoods_scored") +
         " neighbourhoods, largest C first; p is Holm-corrected over " +
         counted_hypotheses(answer) + "\n" + warnings_of(answer) + table.render(width) + gaps +
         (knobs.empty() ? "" : field("knobs", printable(knobs)));
}

}  // namespace

namespace {

/// The sentence and what it rests on; the figures are for --details.
std::string family_words(const Json& f) {
  std::string out = "\n" + text_of(f, "verdict") + ": " + text_of(f, "sentence") + ".\n";
  const Json& opened = f["opened"];
  if (opened.is_object()) {
    out += field("hypothesis", text_of(opened, "hypothesis") + ", level " +
                                   short_number(number_of(opened, "level")) + ", number " +
                                   count_of(opened, "index") + " of " + text_of(opened, "account"));
  }
  if (f.value("numbers", "") == "hidden") {
    out += field("would change it", text_of(f, "would_change"));
    return out +
           field("numbers", "sealed: `winnow reveal " + text_of(opened, "hypothesis") +
                                "` shows them, on record") +
           knobs_field(f);
  }
  if (f["tile"].is_object()) {
    const bool zoomed = number_of(f["tile"], "tiles_tried") > 1;
    out += field("where", text_of(f["tile"], "text") + ": " + count_of(f["tile"], "variants") +
                              " variants" +
                              (zoomed ? ", the best of " + count_of(f["tile"], "tiles_tried") +
                                            " parts of the space, all of which are paid for"
                                      : ", too few values to zoom in on a part"));
  }
  for (const Json& reason : f["reasons"]) {
    out += field("because", printable(reason.get<std::string>()));
  }
  return out + field("would change it", text_of(f, "would_change")) + knobs_field(f);
}

std::string converge_families(const Json& answer, std::size_t width, bool details) {
  TextTable table({{.title = "family", .align = Align::Left},
                   {.title = "data", .align = Align::Left},
                   {.title = "variants"},
                   {.title = "days", .optional = true},
                   {.title = "C"},
                   {.title = "p"},
                   {.title = "level"},
                   {.title = "verdict", .align = Align::Left}});
  std::string words;
  for (const Json& f : answer["families"]) {
    const bool hidden = f.value("numbers", "") == "hidden";
    const auto shown = [&](const char* key) {
      return hidden || !f[key].is_number() ? std::string("-") : short_number(number_of(f, key));
    };
    table.add_row({text_of(f, "family"), text_of(f, "data"), count_of(f, "trials"),
                   f.contains("judged_days") ? count_of(f, "judged_days") : "-", shown("c"),
                   shown("p"), f["level"].is_number() ? short_number(number_of(f, "level")) : "-",
                   text_of(f, "verdict")});
    words += family_words(f);
    if (!details || hidden) continue;
    words += family_detail(f);
    words += fold_table(f, width);
  }
  std::string out = costs_heading(answer) + "\n" + counted_hypotheses(answer) +
                    " (every family on every market ever tried)";
  const double hurdle = number_of(answer, "hurdle_sharpe_ann");
  if (hurdle != 0) out += "; hurdle Sharpe " + short_number(hurdle) + "/year";
  out += "\n" + warnings_of(answer) + table.render(width) + words;
  const bool figures =
      std::any_of(answer["families"].begin(), answer["families"].end(),
                  [](const Json& f) { return f.value("numbers", "") != "hidden"; });
  if (!details && figures) {
    out += "\nthe figures: `winnow converge " + text_of(answer, "sweep_id") + " --details`\n";
  }
  return out;
}

}  // namespace

std::string render_converge(const Json& answer, std::size_t width) {
  if (text_of(answer, "by") == "neighbourhood") return converge_neighbourhoods(answer, width);
  return converge_families(answer, width, false);
}

std::string render_converge_details(const Json& answer, std::size_t width) {
  if (text_of(answer, "by") == "neighbourhood") return converge_neighbourhoods(answer, width);
  return converge_families(answer, width, true);
}

}  // namespace winnow::cli
