#include "cli/result_render.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <vector>

#include "base/text.hpp"
#include "cli/render_parts.hpp"
#include "cli/table.hpp"
#include "cli/validation_render.hpp"

namespace winnow::cli {
namespace {

using namespace render;

// What a leaderboard shows beside the metric it is ranked by.
constexpr std::array kShownMetrics = {
    "sharpe_ann", "oos_sharpe_ann", "dsr",           "cagr_frac",     "drawdown_max_frac",
    "calmar",     "sortino_ann",    "alpha_ann",     "beta",          "market_corr",
    "trades",     "win_rate_frac",  "profit_factor", "avg_trade_bps", "exposure_frac"};

// What the market itself did over the same days. Earlier coordinators do not say it.
std::string holding_text(const Json& answer) {
  std::string out;
  if (!answer.contains("holding")) return out;
  for (const Json& held : answer["holding"]) {
    out += "holding " + text_of(held, "data");
    if (!held["metrics"].is_object()) {
      out += " is not known here: " + text_of(held, "reason") + "\n";
      continue;
    }
    const Json& m = held["metrics"];
    out += " over the same days: return " + percent(number_of(m, "total_return_frac")) +
           ", sharpe_ann " + short_number(number_of(m, "sharpe_ann")) + ", drawdown " +
           percent(number_of(m, "drawdown_max_frac")) + " (" + text_of(held, "calendar") + ", " +
           short_number(number_of(held, "periods_per_year")) + " periods a year)\n";
  }
  return out;
}

// A sweep without a validation has no such column.
bool is_shown(const Json& answer, const std::string& metric) {
  if (!metric.starts_with("oos_") || answer["rows"].empty()) return true;
  return answer["rows"][0]["metrics"].contains(metric);
}

}  // namespace

std::string render_top(const Json& answer, std::size_t width) {
  const std::string by = text_of(answer, "by");
  std::vector<std::string> metrics;
  const bool known =
      std::find(kShownMetrics.begin(), kShownMetrics.end(), by) != kShownMetrics.end();
  metrics.push_back(by);
  for (const char* name : kShownMetrics) {
    if (name != by && is_shown(answer, name)) metrics.emplace_back(name);
  }
  if (!known) metrics.pop_back();
  std::vector<TableColumn> columns = {
      {.title = "rank"},
      {.title = "variant"},
      {.title = "same"},
      {.title = "family", .align = Align::Left},
      {.title = "data", .align = Align::Left},
      {.title = "parameters", .align = Align::Left, .width_min = 24}};
  for (std::size_t m = 0; m < metrics.size(); ++m) {
    columns.push_back({.title = metrics[m], .optional = m > 0});
  }
  const Json& rows = answer["rows"];
  const bool shared = std::any_of(
      rows.begin(), rows.end(), [](const Json& row) { return number_of(row, "same_results") > 1; });
  if (!shared) columns.erase(columns.begin() + 2);
  TextTable table(columns);
  for (const Json& row : rows) {
    std::vector<std::string> cells = {json_text(row["rank"]),
                                      json_text(row["trial"]),
                                      shared ? count_of(row, "same_results") : "",
                                      text_of(row, "family"),
                                      text_of(row, "data"),
                                      text_of(row, "params_text")};
    for (const std::string& name : metrics) {
      const auto found = row["metrics"].find(name);
      cells.push_back(found == row["metrics"].end() ? "-" : metric_text(*found));
    }
    if (!shared) cells.erase(cells.begin() + 2);
    table.add_row(std::move(cells));
  }
  std::string out = heading(answer) + ": " + count_of(answer, "trials_committed") + " of " +
                    count_of(answer, "trials") + " variants have results";
  if (number_of(answer, "trials_failed") > 0) {
    out += ", " + count_of(answer, "trials_failed") + " failed";
  }
  if (const std::string profile = execution_of(answer); !profile.empty()) {
    out += ", execution " + profile;
  }
  out += "\n";
  if (answer.contains("where")) {
    out += count_of(answer, "trials_matching") + " match " + text_of(answer, "where");
    if (answer.value("trials_undecided", 0) > 0) {
      out += "; " + count_of(answer, "trials_undecided") +
             " left out: a number that it compares is missing there";
    }
    out += "\n";
  }
  out += warnings_of(answer) + table.render(width);
  if (shared) {
    out += "`same`: so many variants have these very daily returns; --all shows each\n";
  }
  for (const Json& noise : answer["noise"]) {
    out += "noise on " + text_of(noise, "data") + ": the best of " +
           count_of(noise, "ledger_trials") + " trials without an edge is expected at sharpe_ann " +
           short_number(number_of(noise, "noise_sharpe_ann_max_expected")) + "\n";
  }
  return out + holding_text(answer);
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
  for (const Json& v : variants) columns.push_back({.title = "variant " + json_text(v["trial"])});
  // Earlier coordinators do not say what holding did.
  const Json held = answer.value("holding", Json::array());
  for (std::size_t i = 0; i < held.size(); ++i) columns.push_back({.title = "holding"});
  TextTable table(columns);
  const auto add_with = [&](const std::string& name, const auto& cell, const auto& cell_held) {
    std::vector<std::string> cells = {name};
    for (const Json& v : variants) cells.push_back(cell(v));
    for (const Json& h : held) cells.push_back(cell_held(h));
    table.add_row(std::move(cells));
  };
  const auto add = [&](const std::string& name, const auto& cell) {
    add_with(name, cell, [](const Json&) { return std::string("-"); });
  };
  add("family", [](const Json& v) { return text_of(v, "family"); });
  const auto data = [](const Json& v) { return text_of(v, "data"); };
  add_with("data", data, data);
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
      return v["params"].contains(name) ? param_text(v["params"][name]) : std::string("-");
    });
  }
  for (const std::string& name : metrics) {
    const auto metric = [&](const Json& v) {
      const bool there =
          v.contains("metrics") && v["metrics"].is_object() && v["metrics"].contains(name);
      return there ? metric_text(v["metrics"][name]) : std::string("-");
    };
    add_with(name, metric, metric);
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
    std::vector<std::string> cells = {"correlation with " + json_text(variants[i]["trial"])};
    for (const Json& cell : rho[i]) cells.push_back(short_number(number(cell)));
    cells.resize(columns.size(), "-");
    table.add_row(std::move(cells));
  }
  std::string out = costs_heading(answer) + "\n" + warnings_of(answer) + table.render(width);
  if (answer.contains("daily_return_correlation_reason")) {
    out += "no correlation: " + text_of(answer, "daily_return_correlation_reason") + "\n";
  }
  return out + contest_text(answer);
}

namespace {

// Where its edge lives; the states are those of sweeps/regimes.hpp.
std::string regimes_text(const Json& answer, std::size_t width) {
  const auto regimes = answer.find("regimes");
  if (regimes == answer.end() || !regimes->is_array() || regimes->empty()) return {};
  TextTable table({{.title = "regime", .align = Align::Left},
                   {.title = "state", .align = Align::Left},
                   {.title = "days"},
                   {.title = "mean a day"},
                   {.title = "sharpe_ann"},
                   {.title = "sum of days"}});
  for (const Json& group : *regimes) {
    table.add_row({text_of(group, "regime"), text_of(group, "state"), count_of(group, "days"),
                   metric_text(group["mean_frac"]), metric_text(group["sharpe_ann"]),
                   metric_text(group["sum_frac"])});
  }
  return "\nby regime (docs/STATISTICS.md)\n" + table.render(width);
}

}  // namespace

std::string render_explain(const Json& answer, std::size_t width) {
  if (!answer.contains("trial")) {
    std::string sweep = render_sweep_show(answer, width);
    for (const Json& family : answer.value("verdicts", Json::array())) {
      sweep += text_of(family, "verdict") + ": " + text_of(family, "sentence") + ".\n";
      for (const Json& reason : family["reasons"]) {
        sweep += field("because", printable(reason.get<std::string>()));
      }
    }
    return sweep;
  }
  std::string out = costs_heading(answer) + "\n" + warnings_of(answer) + "variant " +
                    json_text(answer["trial"]) + " of " + text_of(answer, "family") + " on " +
                    text_of(answer, "data") + "\n";
  out += field("parameters", params_of(answer));
  out += field("status", answer["committed"] == true ? text_of(answer, "status") : "not run yet");
  out += field("block", json_text(answer["block"]));
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
  if (answer.contains("validation")) out += variant_validation_text(answer["validation"]);
  for (const Json& why : answer["why"]) out += field("because", printable(why.get<std::string>()));
  if (answer.contains("metrics")) {
    TextTable table({{.title = "metric", .align = Align::Left}, {.title = "value"}});
    for (const auto& [name, value] : answer["metrics"].items()) {
      table.add_row({name, metric_text(value)});
    }
    out += table.render(width);
  }
  return out + regimes_text(answer, width);
}

namespace {

// A version that is not this program's has a star.
std::string engine_of(const Json& sweep) {
  return text_of(sweep, "engine_version") + (sweep.contains("engine_note") ? "*" : "");
}

std::string old_engines_text(const Json& answer) {
  for (const Json& s : answer["sweeps"]) {
    if (s.contains("engine_note")) return "* " + text_of(s, "engine_note") + "\n";
  }
  return "";
}

}  // namespace

std::string render_sweep_list(const Json& answer, std::size_t width) {
  TextTable table({{.title = "id", .align = Align::Left},
                   {.title = "name", .align = Align::Left, .width_min = 12},
                   {.title = "state", .align = Align::Left},
                   {.title = "variants"},
                   {.title = "done"},
                   {.title = "failed"},
                   {.title = "created", .align = Align::Left},
                   {.title = "engine"},
                   {.title = "wall_s", .optional = true},
                   {.title = "user", .align = Align::Left, .optional = true}});
  for (const Json& s : answer["sweeps"]) {
    const double blocks = number_of(s, "blocks");
    const double done = blocks > 0 ? number_of(s, "blocks_committed") / blocks : 0;
    table.add_row({text_of(s, "sweep_id"), text_of(s, "sweep_name"), text_of(s, "state"),
                   count_of(s, "trials"),
                   std::to_string(static_cast<int>(std::floor(done * 100))) + "%",
                   count_of(s, "trials_failed"), time_of(s, "created"), engine_of(s),
                   short_number(number_of(s, "wall_s")), text_of(s, "user")});
  }
  if (table.rows() == 0) return "no sweep yet; `winnow sweep run SPEC.yaml` makes one\n";
  return table.render(width) + old_engines_text(answer);
}

std::string render_sweep_show(const Json& answer, std::size_t width) {
  std::string out = heading(answer) + "\n" + warnings_of(answer);
  out += field("asked for by", text_of(answer, "user") + " at " + time_of(answer, "created"));
  if (answer.contains("wall_s")) {
    out += field("took", short_number(number_of(answer, "wall_s")) + " s (" +
                             short_number(number_of(answer, "trials_per_s")) + " variants/s)");
  }
  out +=
      field("variants", count_of(answer, "trials_committed") + " of " + count_of(answer, "trials") +
                            " have results, " + count_of(answer, "trials_failed") + " failed");
  if (const std::string by = execution_of(answer); !by.empty()) out += field("execution", by);
  out += field("engine", "version " + text_of(answer, "engine_version") + ", code " +
                             text_of(answer, "code_version"));
  for (const Json& s : answer["segments"]) {
    if (s.contains("opening") && s["opening"].is_object()) {
      out += field("opening", text_of(s["opening"], "text"));
    }
  }
  for (const Json& why : answer["why"]) out += field("because", printable(why.get<std::string>()));
  if (answer.contains("errors")) {
    for (const Json& e : answer["errors"]) {
      out += field("variant " + json_text(e["trial"]), text_of(e, "error"));
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
  out += table.render(width);
  for (const Json& s : answer["segments"]) out += validation_text(s, width);
  return out;
}

namespace {

std::string ledger_table(const Json& answer, const std::string& by, std::size_t width) {
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
    columns.push_back({.title = "market", .align = Align::Left, .width_min = 12});
  }
  TextTable table(columns);
  for (const Json& line : answer["lines"]) {
    std::vector<std::string> cells;
    for (const char* key : texts) cells.push_back(text_of(line, key));
    if (by == "family" && line["datasets"].size() > 1) {
      cells[0] += " +" + std::to_string(line["datasets"].size() - 1);
    }
    cells.push_back(count_of(line, "trials"));
    cells.push_back(short_number(number_of(line, "trials_effective")));
    for (const char* key : {"executions", "repeats", "failed"}) {
      cells.push_back(count_of(line, key));
    }
    if (by == "family") cells.push_back(text_of(line, "market"));
    table.add_row(std::move(cells));
  }
  return table.render(width);
}

// Which datasets are one market.
std::string markets_text(const Json& answer) {
  std::string out;
  for (const Json& line : answer["lines"]) {
    if (line["datasets"].size() < 2) continue;
    out += "- one market, " + text_of(line, "family") + ":";
    const char* between = " ";
    for (const Json& d : line["datasets"]) {
      out += between +
             (d["data"].is_null() ? text_of(d, "dataset_hash").substr(0, 12) : text_of(d, "data")) +
             " " + count_of(d, "trials");
      if (!d["overlap"].is_null()) out += " (" + text_of(d, "overlap") + ")";
      between = ", ";
    }
    out += "\n";
  }
  return out;
}

std::string joins_text(const Json& answer) {
  std::string out;
  for (const Json& join : answer.value("joins", Json::array())) {
    out += "joined " + text_of(join, "time") + ": " + text_of(join, "why");
    if (join.contains("trials")) {
      out += "; " + count_of(join, "trials") + " trials came back or anew";
    }
    if (join.contains("documents")) {
      out += "; " + count_of(join, "documents") + " openings and days seen came back";
    }
    out += "\n";
  }
  return out;
}

}  // namespace

std::string render_ledger(const Json& answer, std::size_t width) {
  const std::string by = text_of(answer, "by");
  std::string out = count_of(answer, "trials_total") + " distinct trials were ever made\n" +
                    ledger_table(answer, by, width);
  if (by == "family") out += markets_text(answer);
  if (answer.contains("ledger")) {
    out += "ledger born " + text_of(answer["ledger"], "born") + ", head " +
           text_of(answer["ledger"], "head") + "\n";
  }
  out += joins_text(answer);
  for (const Json& sentence : answer["how"]) {
    out += "- " + printable(sentence.get<std::string>()) + "\n";
  }
  return out;
}

std::string render_points(const Json& answer, std::size_t width) {
  std::string out =
      costs_heading(answer) + ", every " + json_text(answer["every_days"]) + " days\n";
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
        out += json_text(cell);
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
