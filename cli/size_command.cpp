// How much of the equity to stake, from trades out of sample: `winnow size`.
#include <algorithm>
#include <charconv>
#include <cmath>
#include <memory>
#include <nlohmann/json.hpp>
#include <sstream>

#include "base/result.hpp"
#include "cli/app.hpp"
#include "cli/output.hpp"
#include "cli/read_file.hpp"
#include "cli/table.hpp"
#include "sweeps/stats/sizing.hpp"

namespace winnow::cli {
namespace {

using Json = nlohmann::ordered_json;
namespace stats = sweeps::stats;

constexpr std::size_t kTradesMin = 10;

struct SizeOptions {
  std::string file;
  double wealth_min = 0.7;
  double wealth_min_prob = 0.1;
  double target = 1.5;
  std::uint64_t horizon = 100;
  std::uint64_t seed = 1;
};

Error refused_line(const std::string& file, std::size_t line, const std::string& why) {
  return Error(ErrorCode::InvalidInput, file + ":" + std::to_string(line) + ": " + why);
}

std::vector<std::string> fields_of(const std::string& line) {
  std::vector<std::string> out;
  std::istringstream in(line);
  std::string field;
  while (std::getline(in, field, ',')) out.push_back(field);
  return out;
}

/// Where the columns that are needed stand in a file of `backtest --trades`.
struct TradeColumns {
  std::size_t qty = 0;
  std::size_t entry_px = 0;
  std::size_t pnl = 0;
  std::size_t count = 0;
};

Result<TradeColumns> trade_columns(const std::string& file, const std::string& head) {
  const std::vector<std::string> names = fields_of(head);
  TradeColumns out;
  out.count = names.size();
  for (const auto& [name, at] : {std::pair<std::string_view, std::size_t*>{"qty", &out.qty},
                                 {"entry_px", &out.entry_px},
                                 {"pnl", &out.pnl}}) {
    const auto found = std::find(names.begin(), names.end(), name);
    if (found == names.end()) {
      return refused_line(file, 1,
                          "no column is called " + std::string(name) +
                              "; a file of `winnow backtest --trades` is allowed, or any CSV with "
                              "qty, entry_px and pnl");
    }
    *at = static_cast<std::size_t>(found - names.begin());
  }
  return out;
}

/// Each trade as its pnl over what was staked.
Result<std::vector<double>> read_trades(const std::string& file) {
  const auto text = read_file(file, {.bytes_max = std::size_t{64} << 20});
  if (!text.ok()) return text.error();
  std::istringstream in(*text);
  std::string line;
  std::getline(in, line);
  const auto columns = trade_columns(file, line);
  if (!columns.ok()) return columns.error();
  std::vector<double> out;
  for (std::size_t number = 2; std::getline(in, line); ++number) {
    if (line.empty()) continue;
    const std::vector<std::string> fields = fields_of(line);
    if (fields.size() != columns->count) {
      return refused_line(file, number,
                          std::to_string(fields.size()) + " fields where " +
                              std::to_string(columns->count) + " belong");
    }
    double values[3];
    const std::size_t places[3] = {columns->qty, columns->entry_px, columns->pnl};
    for (int i = 0; i < 3; ++i) {
      const std::string& field = fields[places[i]];
      const char* const end = field.data() + field.size();
      const auto [stop, code] = std::from_chars(field.data(), end, values[i]);
      const bool good = code == std::errc{} && stop == end && std::isfinite(values[i]) &&
                        (i == 2 || values[i] > 0);
      if (!good) {
        return refused_line(file, number,
                            "'" + printable(field) + "' is no " +
                                (i == 2 ? "finite number" : "finite number above 0"));
      }
    }
    out.push_back(values[2] / (values[0] * values[1]));
  }
  if (out.size() < kTradesMin) {
    return Error(ErrorCode::InvalidInput, file + ": " + std::to_string(out.size()) +
                                              " trades say nothing about a fraction; at least " +
                                              std::to_string(kTradesMin) + " are needed");
  }
  return out;
}

Json number_or_null(double v) { return std::isfinite(v) ? Json(v) : Json(); }

Json size_json(const std::vector<double>& trades, const SizeOptions& o) {
  const std::vector<double> weights(trades.size(), 1 / static_cast<double>(trades.size()));
  const stats::Scenarios scenarios{trades, weights};
  const auto constrained =
      stats::kelly_risk_constrained(scenarios, o.wealth_min, o.wealth_min_prob);
  const stats::TradePaths paths{.horizon = o.horizon, .seed = o.seed};
  const auto target = stats::target_utility(trades, o.target, constrained.kelly, paths);
  const auto range = stats::kelly_interval(trades, paths);
  double mean = 0;
  for (const double r : trades) mean += r * weights[0];
  return {{"trades", trades.size()},
          {"mean_frac", mean},
          {"kelly",
           {{"exposure_frac", number_or_null(constrained.kelly)},
            {"growth", number_or_null(stats::log_growth(scenarios, constrained.kelly))},
            {"low", range.low},
            {"high", number_or_null(range.high)}}},
          {"half_kelly",
           {{"exposure_frac", number_or_null(constrained.kelly / 2)},
            {"growth", number_or_null(stats::log_growth(scenarios, constrained.kelly / 2))}}},
          {"risk_constrained",
           {{"exposure_frac", number_or_null(constrained.fraction)},
            {"growth", number_or_null(constrained.growth)},
            {"wealth_min_frac", o.wealth_min},
            {"wealth_min_prob", o.wealth_min_prob}}},
          {"target",
           {{"exposure_frac", target.fraction},
            {"probability", target.probability},
            {"wealth", o.target},
            {"horizon_trades", o.horizon}}}};
}

std::string row_number(const Json& v) { return v.is_null() ? "any" : short_number(v); }

std::string size_text(const Json& answer) {
  TextTable table(
      {{"size by", Align::Left}, {"exposure_frac"}, {"growth a trade"}, {"", Align::Left}});
  const Json& kelly = answer.at("kelly");
  table.add_row(
      {"log utility (Kelly)", row_number(kelly.at("exposure_frac")), row_number(kelly.at("growth")),
       "90% of resamples: " + row_number(kelly.at("low")) + " to " + row_number(kelly.at("high"))});
  const Json& half = answer.at("half_kelly");
  table.add_row(
      {"half of it", row_number(half.at("exposure_frac")), row_number(half.at("growth")), ""});
  const Json& risk = answer.at("risk_constrained");
  table.add_row({"risk-constrained Kelly", row_number(risk.at("exposure_frac")),
                 row_number(risk.at("growth")),
                 "P(wealth ever below " + row_number(risk.at("wealth_min_frac")) + ") at most " +
                     row_number(risk.at("wealth_min_prob"))});
  const Json& target = answer.at("target");
  table.add_row({"target utility", row_number(target.at("exposure_frac")), "",
                 "P(wealth reaches " + row_number(target.at("wealth")) + " in " +
                     std::to_string(target.at("horizon_trades").get<std::uint64_t>()) +
                     " trades) = " + row_number(target.at("probability"))});
  std::string out = std::to_string(answer.at("trades").get<std::size_t>()) + " trades, mean " +
                    row_number(answer.at("mean_frac")) + " of the stake\n";
  out += table.render(terminal_columns(1));
  if (kelly.at("low") == 0) {
    out += "The same trades drawn anew often have no edge at all: no fraction of them is safe.\n";
  }
  return out;
}

int run_size(const Context& context, const SizeOptions& o) {
  const auto trades = read_trades(o.file);
  if (!trades.ok()) return fail(context, trades.error());
  const Json answer = size_json(*trades, o);
  if (context.json) {
    print_json(answer);
  } else {
    write_stdout(size_text(answer));
  }
  return kDone;
}

}  // namespace

void add_size_command(Command& app, Context& context) {
  Command* command = add_command(
      app, context, "size",
      "how much of the equity to stake: Kelly, risk-constrained, target (docs/SIZING.md)");
  auto o = std::make_shared<SizeOptions>();
  command
      ->add_option("TRADES", o->file,
                   "CSV of closed trades out of sample, as `winnow backtest --trades` writes it")
      ->required();
  command
      ->add_option(
          "--wealth-min", o->wealth_min,
          "risk-constrained: share of the start that wealth shall stay above (default 0.7)")
      ->in_range(0.001, 0.999);
  command
      ->add_option("--wealth-min-prob", o->wealth_min_prob,
                   "with at most this probability of falling below it (default 0.1)")
      ->in_range(0.001, 0.999);
  command
      ->add_option("--target", o->target,
                   "target utility: wealth to reach, of the start (default 1.5)")
      ->in_range(1.0, 1e6);
  command->add_option("--horizon", o->horizon, "in so many trades (default 100)")
      ->in_range(1, 100'000);
  command->add_option("--seed", o->seed, "of all draws (default 1)")->check(natural_number(0));
  command->callback(
      [&context, o] { context.run = [&context, o] { return run_size(context, *o); }; });
}

}  // namespace winnow::cli
