#include <algorithm>
#include <cmath>

#include "base/text.hpp"
#include "sweeps/level/account.hpp"
#include "sweeps/level/days.hpp"
#include "sweeps/level/kin.hpp"
#include "sweeps/level/skill.hpp"
#include "sweeps/level/tiles.hpp"
#include "sweeps/stats/basic.hpp"
#include "sweeps/stats/online_rules.hpp"
#include "sweeps/verify/case.hpp"

namespace winnow::sweeps::verify {
namespace {

level::AccountParameters account_parameters(const Case& c) {
  const Json& j = c.at("parameters");
  need_keys(j, "inputs.parameters", {"alpha", "n", "cap", "floor", "max_share"});
  const level::AccountParameters out{
      .alpha = to_number(j["alpha"]),
      .openings = j["n"].is_number_unsigned() ? j["n"].get<std::uint64_t>() : 0,
      .level_max = to_number(j["cap"]),
      .level_min = to_number(j["floor"]),
      .share_max = to_number(j["max_share"])};
  if (const Status fits = level::check_account(out); !fits.ok()) {
    throw CaseFault{"inputs.parameters: " + fits.error().text()};
  }
  return out;
}

std::string event_text(const Json& event, std::size_t at) {
  if (event.size() <= at || !event[at].is_string()) {
    throw CaseFault{"inputs.events: a text is missing in " + json_text(event)};
  }
  return event[at].get<std::string>();
}

level::Opening opening_of(const Json& event) {
  level::Opening out;
  out.id = event_text(event, 1);
  if (event.size() == 2) return out;
  if (event.size() != 3 || !event[2].is_object()) throw CaseFault{"inputs.events: a map belongs"};
  for (const auto& [key, value] : event[2].items()) {
    if (key == "share") {
      out.share = to_number(value);
    } else if (key == "weights") {
      out.weights.clear();
      for (const Json& w : value) out.weights.push_back(to_number(w));
    } else if (key == "related") {
      for (const Json& id : value) out.related.push_back(id.get<std::string>());
    } else {
      throw CaseFault{"inputs.events: an opening has no '" + key + "'"};
    }
  }
  return out;
}

Json open_row(level::Account& account, const Json& event) {
  const level::Opening opening = opening_of(event);
  const auto opened = account.open(opening);
  if (!opened.ok()) {
    if (opened.error().code() != ErrorCode::Refused) throw CaseFault{opened.error().text()};
    return {{"event", "open"},
            {"id", opening.id},
            {"refused", "account spent"},
            {"left", account.left()}};
  }
  const level::Hypothesis& h = *opened->hypothesis;
  return {{"event", "open"},
          {"id", h.id},
          {"repeat", opened->repeat},
          {"index", h.index},
          {"stake", h.stake},
          {"level", h.level},
          {"promotions_before", h.promotions_before},
          {"left", account.left()},
          {"next_level", account.available().level}};
}

Json look_row(level::Account& account, const Json& event) {
  const std::string id = event_text(event, 1);
  if (event.size() != 3) throw CaseFault{"inputs.events: a look is [look, id, p]"};
  const double p = to_number(event[2]);
  const auto state = account.look(id, p);
  if (!state.ok()) throw CaseFault{state.error().text()};
  return {{"event", "look"},
          {"id", id},
          {"p", p},
          {"bound", account.find(id)->bound},
          {"state", level::state_name(*state)},
          {"left", account.left()},
          {"promotions", account.promotions()},
          {"next_level", account.available().level}};
}

Json account_case(const Case& c) {
  level::Account account(account_parameters(c));
  Json rows = Json::array();
  for (const Json& event : c.at("events")) {
    const std::string what = event_text(event, 0);
    if (what == "open") {
      rows.push_back(open_row(account, event));
    } else if (what == "look") {
      rows.push_back(look_row(account, event));
    } else if (what == "void") {
      const std::string id = event_text(event, 1);
      if (const Status done = account.void_promotion(id); !done.ok()) {
        throw CaseFault{done.error().text()};
      }
      rows.push_back({{"event", "void"},
                      {"id", id},
                      {"state", "VOID"},
                      {"left", account.left()},
                      {"promotions", account.promotions()},
                      {"next_level", account.available().level}});
    } else {
      throw CaseFault{"inputs.events: an account knows no '" + what + "'"};
    }
  }
  return {{"rows", std::move(rows)}};
}

level::DayRange range_of(const Json& j) {
  if (!j.is_array() || j.size() != 2 || !j[0].is_number_integer() || !j[1].is_number_integer()) {
    throw CaseFault{"a range of days is [start, end)"};
  }
  const level::DayRange out{j[0].get<std::int64_t>(), j[1].get<std::int64_t>()};
  if (out.start > out.end) throw CaseFault{"a range of days ends before it starts"};
  return out;
}

Json fresh_days_case(const Case& c) {
  if (c.count("minimum") != level::kJudgedDaysMin) {
    throw CaseFault{"inputs.minimum is not the product's"};
  }
  Json cases = Json::array();
  for (const Json& j : c.at("cases")) {
    need_keys(j, "inputs.cases", {"window", "shown"});
    std::vector<level::DayRange> shown;
    for (const Json& r : j["shown"]) shown.push_back(range_of(r));
    const auto fresh = level::fresh_days(range_of(j["window"]), shown);
    Json ranges = Json::array();
    for (const level::DayRange& r : fresh) ranges.push_back({r.start, r.end});
    const std::int64_t days = level::day_count(fresh);
    cases.push_back(
        {{"fresh", std::move(ranges)}, {"days", days}, {"judged", days >= level::kJudgedDaysMin}});
  }
  return {{"cases", std::move(cases)}};
}

Json tiles_case(const Case& c) {
  c.means("rows", {"blocks"});
  c.means("columns", {"tiles"});
  c.means("flips", {"all 2^B, identity included"});
  const Columns by_block = c.rows("block_means");
  const std::size_t blocks = by_block.size();
  if (blocks < 2 || blocks > level::kExactBlocksMax) {
    throw CaseFault{"inputs.block_means: all flips are tried of 2 to 14 blocks"};
  }
  const std::size_t tiles = by_block.front().size();
  std::vector<double> means;
  for (std::size_t k = 0; k < tiles; ++k) {
    for (const auto& row : by_block) {
      if (row.size() != tiles) throw CaseFault{"inputs.block_means is no table"};
      means.push_back(row[k]);
    }
  }
  const level::TileSearch found = level::search_tiles(means, blocks, 1);
  return {{"t", found.t},
          {"best", found.best},
          {"p_best", found.p_best},
          {"p_each_against_maximum", found.p_each}};
}

Json market_adjusted_case(const Case& c) {
  const auto market = c.numbers("market");
  const Columns returns = c.rows("net_returns");
  const Columns exposure = c.rows("exposure");
  const auto panel = [&](const Columns& rows) {
    std::vector<const double*> out;
    for (const auto& row : rows) {
      if (row.size() != market.size()) throw CaseFault{"rows and market differ in length"};
      out.push_back(row.data());
    }
    return PanelView::of_rows(std::move(out), market.size());
  };
  for (const auto& row : exposure) {
    if (row.size() != market.size()) throw CaseFault{"exposure and market differ in length"};
  }
  if (returns.size() != exposure.size()) throw CaseFault{"a variant lacks returns or exposure"};
  ConvergenceOptions options;
  options.periods_per_year = c.positive("periods");
  std::vector<double> held;
  for (const auto& row : exposure) held.push_back(stats::mean(row));
  const PanelView view = panel(returns);
  const level::Skill skill = level::score_skill(view, market, held, options);
  return {{"beta_ols", level::market_betas(view, market)},
          {"mean_exposure", held},
          {"C_cash", skill.cash.c},
          {"C_ols", skill.ols.c},
          {"C_exposure", skill.exposure.c},
          {"C_skill", skill.gate().c},
          {"p_skill", skill.gate().p_value()}};
}

Json tests_json(const std::vector<stats::OnlineTest>& tests) {
  Json out = Json::array();
  for (const auto& t : tests) out.push_back({{"level", t.level}, {"reject", t.reject}});
  return out;
}

Json published_rules_case(const Case& c) {
  c.means("gamma", {"0.07720838 ln(max(j,2)) / (j exp(sqrt(ln j)))"});
  const auto p = c.probabilities("p");
  const double alpha = c.probability("alpha");
  return {{"LOND", tests_json(stats::lond(p, alpha))},
          {"LORDpp", tests_json(stats::lord_plus_plus(p, alpha, c.probability("lord_w0")))}};
}

PanelView panel_of(const Columns& rows, std::size_t periods) {
  std::vector<const double*> out;
  for (const auto& row : rows) {
    if (row.size() != periods) throw CaseFault{"the families' rows differ in length"};
    out.push_back(row.data());
  }
  return PanelView::of_rows(std::move(out), periods);
}

Json kin_case(const Case& c) {
  const level::KinLimits limits{.portfolio_correlation = c.number("portfolio_at_least"),
                                .twin_correlation = c.number("twin_at_least"),
                                .twin_share_frac = c.number("share_at_least")};
  const Columns earlier = c.rows("earlier");
  const std::size_t periods = earlier.front().size();
  Json out = Json::object();
  for (const auto& [name, rows] : c.at("candidates").items()) {
    Columns later;
    for (const Json& row : rows) {
      later.emplace_back();
      for (const Json& v : row) later.back().push_back(to_number(v));
    }
    const level::Kinship k =
        level::compare_families(panel_of(earlier, periods), panel_of(later, periods), limits);
    out[name] = {{"portfolio_correlation", k.portfolio_correlation},
                 {"best_twin", k.best_twin},
                 {"share_with_twin", k.share_with_twin},
                 {"kin", k.kin}};
  }
  return {{"candidates", std::move(out)}};
}

}  // namespace

void add_level_kinds(std::vector<Kind>& kinds) {
  kinds.push_back({"account of alpha",
                   [](const Case& c) {
                     return c.has({"parameters", "events"});
                   },
                   account_case});
  kinds.push_back({"days that judge",
                   [](const Case& c) {
                     return c.has({"cases", "minimum"}) && c.wants("cases");
                   },
                   fresh_days_case});
  kinds.push_back({"search over tiles",
                   [](const Case& c) {
                     return c.has({"block_means", "flips"});
                   },
                   tiles_case});
  kinds.push_back({"what the market explains",
                   [](const Case& c) {
                     return c.has({"market", "exposure", "net_returns"});
                   },
                   market_adjusted_case});
  kinds.push_back({"published online rules",
                   [](const Case& c) {
                     return c.has({"p", "alpha", "lord_w0"});
                   },
                   published_rules_case});
  kinds.push_back({"kin",
                   [](const Case& c) {
                     return c.has({"earlier", "candidates"});
                   },
                   kin_case});
}

}  // namespace winnow::sweeps::verify
