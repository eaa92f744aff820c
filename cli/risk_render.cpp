#include "cli/risk_render.hpp"

#include <algorithm>
#include <array>

#include "base/text.hpp"
#include "cli/render_parts.hpp"
#include "cli/table.hpp"

namespace winnow::cli {
namespace {

using namespace render;

constexpr std::array kQuantiles = {"q01", "q05", "q25", "q50", "q75", "q95", "q99"};

std::string percent_of(const Json& object, const char* key) {
  return percent(number_of(object, key));
}

std::string reasons_of(const Json& object) {
  std::string out;
  if (!object.contains("reasons")) return out;
  for (const Json& reason : object["reasons"]) {
    out += field("because", printable(reason.get<std::string>()));
  }
  return out;
}

std::string futures(const Json& v, std::size_t width) {
  TextTable table({{.title = "drawn again", .align = Align::Left, .width_min = 20},
                   {.title = "1%"},
                   {.title = "5%"},
                   {.title = "25%"},
                   {.title = "50%"},
                   {.title = "75%"},
                   {.title = "95%"},
                   {.title = "99%"}});
  const auto add = [&](const std::string& name, const Json& d, std::string (*show)(double)) {
    std::vector<std::string> cells = {name};
    for (const char* q : kQuantiles) cells.push_back(show(number_of(d, q)));
    table.add_row(std::move(cells));
  };
  const Json& days = v["simulation"];
  add("return, days", days["total_return_frac"], percent);
  add("drawdown, days", days["drawdown_max_frac"], percent);
  add("days under water", days["underwater_days_max"], short_number);
  add("Sharpe, days", days["sharpe_ann"], short_number);
  if (v.contains("trades") && v["trades"].contains("total_return_frac")) {
    add("return, trades", v["trades"]["total_return_frac"], percent);
    add("drawdown, trades", v["trades"]["drawdown_max_frac"], percent);
  }
  add("return, posterior", v["posterior"]["total_return_frac"], percent);
  add("drawdown, posterior", v["posterior"]["drawdown_max_frac"], percent);
  return table.render(width);
}

std::string ruin_table(const Json& v, std::size_t width) {
  std::vector<double> horizons;
  for (const Json& r : v["ruin"]) {
    const double days = number_of(r, "horizon_days");
    if (std::find(horizons.begin(), horizons.end(), days) == horizons.end()) {
      horizons.push_back(days);
    }
  }
  std::vector<TableColumn> columns = {{.title = "loses ever", .align = Align::Left}};
  for (const double days : horizons) {
    columns.push_back({.title = "in " + short_number(days) + " days"});
  }
  TextTable table(columns);
  const Json& all = v["ruin"];
  for (std::size_t i = 0; i < all.size(); i += horizons.size()) {
    std::vector<std::string> cells = {percent_of(all[i], "loss_frac")};
    for (std::size_t h = 0; h < horizons.size() && i + h < all.size(); ++h) {
      cells.push_back(percent_of(all[i + h], "p") + " ± " + percent_of(all[i + h], "p_se"));
    }
    table.add_row(std::move(cells));
  }
  return table.render(width);
}

std::string tail_table(const Json& v, std::size_t width) {
  TextTable table({{.title = "one day", .align = Align::Left},
                   {.title = "loss"},
                   {.title = "95% interval"},
                   {.title = "normal law"}});
  for (const Json& t : v["tail"]) {
    for (const char* kind : {"var", "cvar"}) {
      const std::string key = std::string(kind) + "_frac";
      const auto at = [&](const std::string& name) { return percent_of(t, name.c_str()); };
      table.add_row({(kind == std::string("var") ? "VaR " : "CVaR ") + percent_of(t, "tail"),
                     at(key), at(key + "_low") + " to " + at(key + "_high"),
                     at(std::string(kind) + "_normal_frac")});
    }
  }
  return table.render(width);
}

std::string policy_table(const Json& v, std::size_t width) {
  TextTable table({{.title = "policy", .align = Align::Left, .width_min = 14},
                   {.title = "return"},
                   {.title = "Sharpe"},
                   {.title = "drawdown"},
                   {.title = "acted"},
                   {.title = "days out"},
                   {.title = "| return 50%"},
                   {.title = "return 5%"},
                   {.title = "Sharpe 50%"},
                   {.title = "drawdown 95%"},
                   {.title = "acts"}});
  for (const Json& p : v["policies"]) {
    const Json& was = p["history"];
    const Json& may = p["simulation"];
    table.add_row({text_of(p, "policy"), percent_of(was, "total_return_frac"),
                   short_number(number_of(was, "sharpe_ann")), percent_of(was, "drawdown_max_frac"),
                   count_of(was, "triggers"), count_of(was, "days_out"),
                   percent_of(may["total_return_frac"], "q50"),
                   percent_of(may["total_return_frac"], "q05"),
                   short_number(number_of(may["sharpe_ann"], "q50")),
                   percent_of(may["drawdown_max_frac"], "q95"), percent_of(may, "p_triggered")});
  }
  return table.render(width);
}

std::string variant_risk(const Json& v, std::size_t width) {
  std::string out = "\nvariant " + json_text(v["trial"]) + " of " + text_of(v, "family") + " on " +
                    text_of(v, "data") + " (" + text_of(v, "params_text") +
                    "): " + text_of(v, "verdict") + "\n" + reasons_of(v) + warnings_of(v);
  if (text_of(v, "verdict") != "MEASURED") return out;
  const Json& sharpe = v["posterior"]["sharpe_ann"];
  out += field("history", count_of(v, "days") + " days: return " +
                              percent_of(v["history"], "total_return_frac") + ", Sharpe " +
                              short_number(number_of(v["history"], "sharpe_ann")) + ", drawdown " +
                              percent_of(v["history"], "drawdown_max_frac"));
  out +=
      field("Sharpe, posterior", short_number(number_of(sharpe, "q50")) +
                                     " (90%: " + short_number(number_of(sharpe, "q05")) + " to " +
                                     short_number(number_of(sharpe, "q95")) + "); above 0 with " +
                                     percent_of(v["posterior"], "p_sharpe_above_0"));
  out += field("above luck", percent_of(v["posterior"], "p_sharpe_above_luck") + ": above " +
                                 short_number(number_of(v, "luck_sharpe_ann")) +
                                 ", what the best of " + count_of(v, "ledger_trials") +
                                 " trials shows without an edge");
  out += field("ends with a loss", percent_of(v["simulation"], "p_loss") +
                                       " of paths; with the Sharpe's own uncertainty " +
                                       percent_of(v["posterior"], "p_loss"));
  if (v.contains("trades") && text_of(v["trades"], "verdict") != "MEASURED") {
    out +=
        field("trades", count_of(v["trades"], "trades") + ": " + text_of(v["trades"], "verdict"));
  }
  return out + "\n" + futures(v, width) + "\n" + ruin_table(v, width) + "\n" +
         tail_table(v, width) + "\n" + policy_table(v, width);
}

std::string family_policies(const Json& f, std::size_t width) {
  TextTable table({{.title = "policy", .align = Align::Left, .width_min = 14},
                   {.title = "return, median"},
                   {.title = "Sharpe, median"},
                   {.title = "drawdown, median"},
                   {.title = "acted on"},
                   {.title = "Sharpe better"}});
  for (const Json& p : f["policies"]) {
    table.add_row({text_of(p, "policy"), percent_of(p, "total_return_frac_median"),
                   short_number(number_of(p, "sharpe_ann_median")),
                   percent_of(p, "drawdown_max_frac_median"), percent_of(p, "triggered_frac"),
                   percent_of(p, "sharpe_better_frac")});
  }
  std::string out = "\n" + text_of(f, "family") + " on " + text_of(f, "data") + ", " +
                    count_of(f, "variants") +
                    " variants, each on the one history, losses seen at days' ends\n";
  if (f.contains("verdict")) out += field("plateau centre", text_of(f, "verdict")) + reasons_of(f);
  return out + table.render(width);
}

std::string series_text(const Json& s) {
  return short_number(number_of(s, "sharpe_ann")) + " [" +
         short_number(number_of(s, "sharpe_ann_low")) + ", " +
         short_number(number_of(s, "sharpe_ann_high")) + "]";
}

constexpr std::size_t kEntrantColumns = 13;

std::string entrants_table(const Json& c, std::size_t width) {
  TextTable table({{.title = "family", .align = Align::Left},
                   {.title = "variants"},
                   {.title = "walk-forward Sharpe"},
                   {.title = "MAR"},
                   {.title = "efficiency"},
                   {.title = "portfolio Sharpe"},
                   {.title = "MAR"},
                   {.title = "centre Sharpe"},
                   {.title = "turnover/year"},
                   {.title = "capacity"},
                   {.title = "crowding"},
                   {.title = "p cash"},
                   {.title = "p best"}});
  for (const Json& e : c["entrants"]) {
    const Json& walk = e["walk_forward"];
    table.add_row(
        {text_of(e, "name"), count_of(e, "variants"), series_text(walk),
         short_number(number_of(walk, "mar")), percent_of(walk, "efficiency"),
         series_text(e["portfolio"]), short_number(number_of(e["portfolio"], "mar")),
         e["plateau_centre"].is_null() ? "-"
                                       : short_number(number_of(e["plateau_centre"], "sharpe_ann")),
         short_number(number_of(e, "turnover_ann_median")),
         short_number(number_of(e["capacity"], "notional")),
         short_number(number_of(e, "crowding_max")), short_number(number_of(e, "p_beats_cash")),
         short_number(number_of(e, "p_in_best_set"))});
  }
  if (c.contains("holding") && c["holding"]["metrics"].is_object()) {
    const Json& m = c["holding"]["metrics"];
    std::vector<std::string> cells{"holding the market",
                                   "-",
                                   "-",
                                   "-",
                                   "-",
                                   short_number(number_of(m, "sharpe_ann")),
                                   short_number(number_of(m, "calmar"))};
    cells.resize(kEntrantColumns, "-");
    table.add_row(std::move(cells));
  }
  std::string out = table.render(width);
  for (const Json& e : c["entrants"]) {
    if (e["capacity"].contains("why")) {
      out += "capacity of " + text_of(e, "name") + ": " + text_of(e["capacity"], "why") + "\n";
    } else {
      const Json& k = e["capacity"];
      out += "capacity of " + text_of(e, "name") + ": a position of " +
             short_number(number_of(k, "notional")) + " in the market's money, where " +
             (k["limited_by"] == "participation"
                  ? "the median entry takes all of a bar that its execution profile allows; impact "
                    "alone would take half of the edge at " +
                        short_number(number_of(k, "notional_half_edge"))
                  : std::string("impact takes half of the edge")) +
             "\n";
    }
  }
  return out;
}

std::string pairs_table(const Json& c, std::size_t width) {
  TextTable table({{.title = "difference of Sharpe", .align = Align::Left},
                   {.title = "series", .align = Align::Left},
                   {.title = "value"},
                   {.title = "95% interval"},
                   {.title = "p"},
                   {.title = "p_holm"}});
  for (const char* kind : {"walk_forward", "portfolio"}) {
    for (const Json& p : c[std::string(kind) + "_pairs"]) {
      table.add_row(
          {text_of(p, "first") + " - " + text_of(p, "second"), kind,
           short_number(number_of(p, "sharpe_ann_difference")),
           short_number(number_of(p, "low")) + " to " + short_number(number_of(p, "high")),
           short_number(number_of(p, "p")), short_number(number_of(p, "p_holm"))});
    }
  }
  return table.rows() == 0 ? "" : "\n" + table.render(width);
}

}  // namespace

std::string render_risk(const Json& answer, std::size_t width) {
  std::string out = costs_heading(answer) + "\n" + count_of(answer, "paths") + " paths of " +
                    count_of(answer, "horizon_days") + " days, seed " + text_of(answer, "seed") +
                    "; variants chosen by: " + text_of(answer, "chosen_by") + "\n" +
                    warnings_of(answer);
  for (const Json& v : answer["variants"]) out += variant_risk(v, width);
  if (answer.contains("families")) {
    for (const Json& f : answer["families"]) out += family_policies(f, width);
  }
  return out;
}

std::string render_bakeoff(const Json& answer, std::size_t width) {
  std::string out;
  for (const Json& sweep : answer["sweeps"])
    out += costs_heading(sweep) + "\n" + warnings_of(sweep);
  for (const Json& c : answer["comparisons"]) {
    out += "\non " + text_of(c, "data") + ", " + count_of(c, "days") +
           " days: " + text_of(c, "verdict") + "\n" + reasons_of(c) + warnings_of(c);
    out += field("tested", "daily returns, " + text_of(c, "tested") + "; trained on " +
                               count_of(c, "train_days") + " days, held for " +
                               count_of(c, "test_days"));
    out += field("best beats cash", "p " + short_number(number_of(c, "p_spa_beats_cash")) +
                                        " (SPA); p cash: each family (StepM); p best: in the " +
                                        "model confidence set");
    out += "\n" + entrants_table(c, width) + pairs_table(c, width);
  }
  return out;
}

}  // namespace winnow::cli
