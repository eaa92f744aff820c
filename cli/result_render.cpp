#include "cli/result_render.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <vector>

#include "cli/render_parts.hpp"
#include "cli/table.hpp"

namespace winnow::cli {
namespace {

using namespace render;

// What a leaderboard shows beside the metric it is ranked by.
constexpr std::array kShownMetrics = {
    "sharpe_ann",    "dsr",           "cagr_frac",    "drawdown_max_frac",
    "calmar",        "sortino_ann",   "trades",       "win_rate_frac",
    "profit_factor", "avg_trade_bps", "exposure_frac"};

std::string plateau_text(const Json& family) {
  const Json& plateau = family["plateau_centre"];
  if (plateau.is_null()) return "none";
  return "variant " + plateau["trial"].dump() + " (" + text_of(plateau, "params_text") +
         "): Sharpe " + short_number(number_of(plateau, "neighbourhood_sharpe_ann_mean")) +
         "/year on average over " + plateau["neighbourhood_members"].dump() + " neighbours";
}

std::string best_text(const Json& family) {
  const Json& best = family["best"];
  if (best.is_null()) return "none";
  return "variant " + best["trial"].dump() + " (" + text_of(best, "params_text") + "): Sharpe " +
         short_number(number_of(best, "sharpe_ann")) + "/year; the best of " +
         count_of(family, "ledger_trials") + " trials without an edge is expected at " +
         short_number(number_of(family, "noise_sharpe_ann_max_expected"));
}

std::string haircut_text(const Json& luck) {
  if (luck["haircut_sharpe_ann"].is_null()) {
    return "no haircut (" + text_of(luck, "haircut_reason") + ")";
  }
  return "Sharpe after haircut " + short_number(number_of(luck, "haircut_sharpe_ann")) + "/year (" +
         short_number(100 * number_of(luck, "haircut_frac")) + "% cut)";
}

// Deflated Sharpe ratios and what else the ledger's N makes of the results.
std::string luck_text(const Json& luck) {
  if (!luck.is_object()) return "no track record to judge";
  return "PSR " + short_number(number_of(luck, "psr")) + ", DSR " +
         short_number(number_of(luck, "dsr")) + " after " + count_of(luck, "trials") + " trials (" +
         short_number(number_of(luck, "dsr_effective")) + " after an effective " +
         short_number(number_of(luck, "trials_effective")) + "), " + haircut_text(luck);
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
                  (profit["profitable"] == true ? ": profitable" : ": not shown profitable"));
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
    return "none is due; the first needs " + look["next_days_needed"].dump() + " days";
  }
  std::string out =
      look["number"].dump() + " of " + look["of"].dump() + " (" + text_of(look, "plan") + "), ";
  out += look["days_scored"].is_null() ? "not counted"
                                       : "taken with " + look["days_scored"].dump() +
                                             " days by sweep " + text_of(look, "sweep");
  if (!look.value("recorded", false)) out += ", not on record";
  if (!look["next_days_needed"].is_null()) {
    out += "; the next needs " + look["next_days_needed"].dump() + " days";
  }
  return out;
}

std::string family_detail(const Json& f) {
  std::string out = "\n" + text_of(f, "family") + " on " + text_of(f, "data") + ": " +
                    text_of(f, "verdict") + "\n";
  out += field("score C", short_number(number_of(f, "c")) + " (needs " +
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
  out += field("recency", recency_text(f));
  out += field("stress", stress_text(f));
  if (!f["look"].is_null()) out += field("look", look_text(f["look"]));
  out += field("plateau centre", plateau_text(f));
  out += field("best", best_text(f));
  out += profit_detail(f);
  for (const Json& reason : f["reasons"]) {
    out += field("because", printable(reason.get<std::string>()));
  }
  if (text_of(f, "verdict") == "CONVERGED" && number_of(f, "p_holm") > 0.05) {
    out += field("but", "not after correction for all hypotheses: corrected p above 0.05");
  }
  return out;
}

std::string converge_neighbourhoods(const Json& answer, std::size_t width) {
  TextTable table({{.title = "family", .align = Align::Left},
                   {.title = "data", .align = Align::Left},
                   {.title = "centre"},
                   {.title = "parameters of the centre", .align = Align::Left, .width_min = 16},
                   {.title = "members"},
                   {.title = "sharpe_ann"},
                   {.title = "C"},
                   {.title = "p_holm"},
                   {.title = "verdict", .align = Align::Left, .optional = true}});
  for (const Json& n : answer["neighbourhoods"]) {
    table.add_row({text_of(n, "family"), text_of(n, "data"), n["centre"]["trial"].dump(),
                   text_of(n["centre"], "params_text"), n["members"].dump(),
                   short_number(number_of(n, "sharpe_ann_mean")), short_number(number_of(n, "c")),
                   short_number(number_of(n, "p_holm")), text_of(n, "verdict")});
  }
  return heading(answer) + "\n" + group_digits(table.rows()) + " of " +
         count_of(answer, "neighbourhoods_scored") +
         " neighbourhoods, largest C first; p is Holm-corrected over " +
         count_of(answer, "hypotheses") + " hypotheses\n" + warnings_of(answer) +
         table.render(width);
}

}  // namespace

std::string render_top(const Json& answer, std::size_t width) {
  const std::string by = text_of(answer, "by");
  std::vector<std::string> metrics;
  const bool known =
      std::find(kShownMetrics.begin(), kShownMetrics.end(), by) != kShownMetrics.end();
  metrics.push_back(by);
  for (const char* name : kShownMetrics) {
    if (name != by) metrics.emplace_back(name);
  }
  if (!known) metrics.pop_back();
  std::vector<TableColumn> columns = {
      {.title = "rank"},
      {.title = "variant"},
      {.title = "family", .align = Align::Left},
      {.title = "data", .align = Align::Left},
      {.title = "parameters", .align = Align::Left, .width_min = 24}};
  for (std::size_t m = 0; m < metrics.size(); ++m) {
    columns.push_back({.title = metrics[m], .optional = m > 0});
  }
  TextTable table(columns);
  for (const Json& row : answer["rows"]) {
    std::vector<std::string> cells = {row["rank"].dump(), row["trial"].dump(),
                                      text_of(row, "family"), text_of(row, "data"),
                                      text_of(row, "params_text")};
    for (const std::string& name : metrics) {
      const auto found = row["metrics"].find(name);
      cells.push_back(found == row["metrics"].end() ? "-" : metric_text(*found));
    }
    table.add_row(std::move(cells));
  }
  std::string out = heading(answer) + ": " + count_of(answer, "trials_committed") + " of " +
                    count_of(answer, "trials") + " variants have results";
  if (number_of(answer, "trials_failed") > 0) {
    out += ", " + count_of(answer, "trials_failed") + " failed";
  }
  out += "\n";
  if (answer.contains("where")) {
    out += count_of(answer, "trials_matching") + " match " + text_of(answer, "where") + "\n";
  }
  out += warnings_of(answer) + table.render(width);
  for (const Json& noise : answer["noise"]) {
    out += "noise on " + text_of(noise, "data") + ": the best of " +
           count_of(noise, "ledger_trials") + " trials without an edge is expected at sharpe_ann " +
           short_number(number_of(noise, "noise_sharpe_ann_max_expected")) + "\n";
  }
  return out;
}

std::string render_converge(const Json& answer, std::size_t width) {
  if (text_of(answer, "by") == "neighbourhood") return converge_neighbourhoods(answer, width);
  TextTable table({{.title = "family", .align = Align::Left},
                   {.title = "data", .align = Align::Left},
                   {.title = "variants"},
                   {.title = "C"},
                   {.title = "evidence", .optional = true},
                   {.title = "coverage", .optional = true},
                   {.title = "p"},
                   {.title = "p_holm"},
                   {.title = "verdict", .align = Align::Left}});
  std::string details;
  for (const Json& f : answer["families"]) {
    table.add_row({text_of(f, "family"), text_of(f, "data"), count_of(f, "trials"),
                   short_number(number_of(f, "c")), short_number(number_of(f, "evidence")),
                   short_number(number_of(f, "coverage")), short_number(number_of(f, "p")),
                   short_number(number_of(f, "p_holm")), text_of(f, "verdict")});
    details += family_detail(f);
  }
  return heading(answer) + "\np is Holm-corrected over " + count_of(answer, "hypotheses") +
         " hypotheses (every family on every dataset ever tried); hurdle Sharpe " +
         short_number(number_of(answer, "hurdle_sharpe_ann")) + "/year\n" + warnings_of(answer) +
         table.render(width) + details;
}

namespace {

// A coordinator of an earlier version says nothing of it.
std::string contest_text(const Json& answer) {
  if (!answer.contains("contest")) return "";
  const Json& contest = answer["contest"];
  if (!contest["reason"].is_null()) {
    return "not tested against one another: " + text_of(contest, "reason") + "\n";
  }
  return "the best of these beats cash with p " +
         short_number(number_of(contest, "p_spa_beats_cash")) +
         " (SPA); a variant with p_in_best_set below 0.05 is worse than another one. How\n"
         "these were chosen is in dsr, not here\n";
}

}  // namespace

std::string render_compare(const Json& answer, std::size_t width) {
  const Json& variants = answer["variants"];
  std::vector<TableColumn> columns = {{.title = "", .align = Align::Left}};
  for (const Json& v : variants) columns.push_back({.title = "variant " + v["trial"].dump()});
  TextTable table(columns);
  const auto add = [&](const std::string& name, const auto& cell) {
    std::vector<std::string> cells = {name};
    for (const Json& v : variants) cells.push_back(cell(v));
    table.add_row(std::move(cells));
  };
  add("family", [](const Json& v) { return text_of(v, "family"); });
  add("data", [](const Json& v) { return text_of(v, "data"); });
  add("status", [](const Json& v) {
    return v["committed"] == true ? text_of(v, "status") : std::string("not run yet");
  });
  std::vector<std::string> params;
  std::vector<std::string> metrics;
  const auto collect = [](std::vector<std::string>& names, const Json& object) {
    for (const auto& [name, value] : object.items()) {
      if (std::find(names.begin(), names.end(), name) == names.end()) names.push_back(name);
    }
  };
  for (const Json& v : variants) {
    collect(params, v["params"]);
    if (v.contains("metrics")) collect(metrics, v["metrics"]);
  }
  for (const std::string& name : params) {
    add(name, [&](const Json& v) {
      return v["params"].contains(name) ? v["params"][name].dump() : std::string("-");
    });
  }
  for (const std::string& name : metrics) {
    add(name, [&](const Json& v) {
      return v.contains("metrics") && v["metrics"].contains(name) ? metric_text(v["metrics"][name])
                                                                  : std::string("-");
    });
  }
  for (const char* name : {"psr", "dsr", "dsr_effective", "haircut_sharpe_ann"}) {
    add(name, [&](const Json& v) {
      return v.contains("luck") && v["luck"].is_object() ? short_number(number_of(v["luck"], name))
                                                         : std::string("-");
    });
  }
  for (const char* name : {"p_beats_cash", "p_in_best_set"}) {
    add(name, [&](const Json& v) { return short_number(number_of(v, name)); });
  }
  const Json& rho = answer["daily_return_correlation"];
  for (std::size_t i = 0; i < variants.size(); ++i) {
    std::vector<std::string> cells = {"correlation with " + variants[i]["trial"].dump()};
    for (const Json& cell : rho[i]) cells.push_back(short_number(number(cell)));
    table.add_row(std::move(cells));
  }
  std::string out = heading(answer) + "\n" + warnings_of(answer) + table.render(width);
  if (answer.contains("daily_return_correlation_reason")) {
    out += "no correlation: " + text_of(answer, "daily_return_correlation_reason") + "\n";
  }
  return out + contest_text(answer);
}

std::string render_explain(const Json& answer, std::size_t width) {
  if (!answer.contains("trial")) return render_sweep_show(answer, width);
  std::string out = heading(answer) + "\n" + warnings_of(answer) + "variant " +
                    answer["trial"].dump() + " of " + text_of(answer, "family") + " on " +
                    text_of(answer, "data") + "\n";
  out += field("parameters", params_of(answer));
  out += field("status", answer["committed"] == true ? text_of(answer, "status") : "not run yet");
  out += field("block", answer["block"].dump());
  out += field("trial key", text_of(answer, "trial_key"));
  out += field("dataset", text_of(answer, "dataset_hash"));
  if (answer.contains("rank_in_family_by_sharpe_ann")) {
    out += field("rank by Sharpe", count_of(answer, "rank_in_family_by_sharpe_ann") + " of " +
                                       count_of(answer, "ranked_in_family") +
                                       " in its family on this dataset");
    out +=
        field("neighbours",
              "mean sharpe_ann " + short_number(number_of(answer, "neighbours_sharpe_ann_mean")) +
                  " over " + count_of(answer, "neighbours") + " with nearby parameters");
  }
  if (answer.contains("luck")) out += field("luck", luck_text(answer["luck"]));
  for (const Json& why : answer["why"]) out += field("because", printable(why.get<std::string>()));
  if (answer.contains("metrics")) {
    TextTable table({{.title = "metric", .align = Align::Left}, {.title = "value"}});
    for (const auto& [name, value] : answer["metrics"].items()) {
      table.add_row({name, metric_text(value)});
    }
    out += table.render(width);
  }
  return out;
}

std::string render_sweep_list(const Json& answer, std::size_t width) {
  TextTable table({{.title = "id", .align = Align::Left},
                   {.title = "name", .align = Align::Left, .width_min = 12},
                   {.title = "state", .align = Align::Left},
                   {.title = "variants"},
                   {.title = "done"},
                   {.title = "created", .align = Align::Left},
                   {.title = "wall_s", .optional = true},
                   {.title = "user", .align = Align::Left, .optional = true}});
  for (const Json& s : answer["sweeps"]) {
    const double blocks = number_of(s, "blocks");
    const double done = blocks > 0 ? number_of(s, "blocks_committed") / blocks : 0;
    table.add_row(
        {text_of(s, "sweep_id"), text_of(s, "sweep_name"), text_of(s, "state"),
         count_of(s, "trials"), std::to_string(static_cast<int>(std::floor(done * 100))) + "%",
         text_of(s, "created"), short_number(number_of(s, "wall_s")), text_of(s, "user")});
  }
  if (table.rows() == 0) return "no sweep yet; `winnow sweep run SPEC.yaml` makes one\n";
  return table.render(width);
}

std::string render_sweep_show(const Json& answer, std::size_t width) {
  std::string out = heading(answer) + "\n" + warnings_of(answer);
  out += field("asked for by", text_of(answer, "user") + " at " + text_of(answer, "created"));
  if (answer.contains("wall_s")) {
    out += field("took", short_number(number_of(answer, "wall_s")) + " s (" +
                             short_number(number_of(answer, "trials_per_s")) + " variants/s)");
  }
  out +=
      field("variants", count_of(answer, "trials_committed") + " of " + count_of(answer, "trials") +
                            " have results, " + count_of(answer, "trials_failed") + " failed");
  out += field("engine", "version " + text_of(answer, "engine_version") + ", code " +
                             text_of(answer, "code_version"));
  for (const Json& why : answer["why"]) out += field("because", printable(why.get<std::string>()));
  if (answer.contains("errors")) {
    for (const Json& e : answer["errors"]) {
      out += field("variant " + e["trial"].dump(), text_of(e, "error"));
    }
  }
  TextTable table({{.title = "family", .align = Align::Left},
                   {.title = "data", .align = Align::Left},
                   {.title = "first variant"},
                   {.title = "variants"},
                   {.title = "committed"},
                   {.title = "failed"},
                   {.title = "dataset hash", .align = Align::Left, .width_min = 12}});
  for (const Json& s : answer["segments"]) {
    table.add_row({text_of(s, "family"), text_of(s, "data"), count_of(s, "trial_first"),
                   count_of(s, "trials"), count_of(s, "trials_committed"),
                   count_of(s, "trials_failed"), text_of(s, "dataset_hash")});
  }
  return out + table.render(width);
}

std::string render_ledger(const Json& answer, std::size_t width) {
  const std::string by = text_of(answer, "by");
  std::vector<TableColumn> columns;
  std::vector<const char*> texts;
  const auto text_column = [&](const char* key, const char* title) {
    columns.push_back({.title = title, .align = Align::Left});
    texts.push_back(key);
  };
  if (by == "user") {
    text_column("user", "user");
  } else {
    text_column("data", "data");
    text_column("family", "family");
  }
  if (by == "sweep") {
    text_column("sweep_name", "sweep");
    text_column("state", "state");
    text_column("user", "user");
  }
  if (by == "sweep" || by == "hypothesis") text_column("hypothesis", "hypothesis");
  for (const char* title : {"trials", "effective", "executions", "repeats", "failed"}) {
    columns.push_back({.title = title});
  }
  if (by == "family") {
    columns.push_back({.title = "dataset hash", .align = Align::Left, .width_min = 12});
  }
  TextTable table(columns);
  for (const Json& line : answer["lines"]) {
    std::vector<std::string> cells;
    for (const char* key : texts) cells.push_back(text_of(line, key));
    cells.push_back(count_of(line, "trials"));
    cells.push_back(short_number(number_of(line, "trials_effective")));
    for (const char* key : {"executions", "repeats", "failed"}) {
      cells.push_back(count_of(line, key));
    }
    if (by == "family") cells.push_back(text_of(line, "dataset_hash"));
    table.add_row(std::move(cells));
  }
  std::string out =
      count_of(answer, "trials_total") + " distinct trials were ever made\n" + table.render(width);
  for (const Json& sentence : answer["how"]) {
    out += "- " + printable(sentence.get<std::string>()) + "\n";
  }
  return out;
}

std::string render_points(const Json& answer, std::size_t width) {
  std::string out = heading(answer) + ", every " + answer["every_days"].dump() + " days\n";
  std::vector<TableColumn> columns;
  for (const Json& name : answer["columns"])
    columns.push_back({printable(name.get<std::string>())});
  TextTable table(std::move(columns));
  for (const Json& row : answer["rows"]) {
    std::vector<std::string> cells;
    for (const Json& cell : row) {
      cells.push_back(cell.is_string() ? cell.get<std::string>() : metric_text(cell));
    }
    table.add_row(std::move(cells));
  }
  if (table.rows() == 0) return out + "no points are committed\n";
  return out + table.render(width);
}

std::string render_csv(const Json& table) {
  std::string out;
  const auto add_line = [&](const Json& cells) {
    bool first = true;
    for (const Json& cell : cells) {
      if (!first) out += ',';
      first = false;
      if (cell.is_string()) {
        out += csv_field(cell.get_ref<const std::string&>());
      } else if (cell.is_number_integer()) {
        out += cell.dump();
      } else {
        out += csv_number(number(cell));
      }
    }
    out += '\n';
  };
  add_line(table["columns"]);
  for (const Json& row : table["rows"]) add_line(row);
  return out;
}

}  // namespace winnow::cli
