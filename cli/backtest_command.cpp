#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <fstream>
#include <iterator>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "base/names.hpp"
#include "base/numbers.hpp"
#include "base/text.hpp"
#include "base/time.hpp"
#include "base/window_coverage.hpp"
#include "base/write_file.hpp"
#include "cli/app.hpp"
#include "cli/asker.hpp"
#include "cli/backtest_count.hpp"
#include "cli/catalog.hpp"
#include "cli/family_named.hpp"
#include "cli/instruments.hpp"
#include "cli/output.hpp"
#include "cli/read_file.hpp"
#include "cli/results.hpp"
#include "engine/detect.hpp"
#include "engine/engine.hpp"
#include "engine/shortfall.hpp"
#include "serve/report/backtest_plot.hpp"
#include "store/dataset_store.hpp"
#include "store/market_book.hpp"
#include "sweeps/execution_profile.hpp"
#include "sweeps/plan.hpp"

namespace winnow::cli {
namespace {

using Json = nlohmann::ordered_json;

struct BacktestOptions {
  std::string family;
  std::vector<std::string> params;
  std::string data;
  std::string execution;  ///< empty: what configs/instruments.yaml names
  std::vector<std::string> settings;
  std::string from;
  std::string to;
  std::string trades_file;
  std::string equity_file;
  std::string plot_file;
  bool check = false;
  bool unseal = false;
};

struct Assignment {
  std::string key;
  std::string value;
};
Result<Assignment> split_assignment(const std::string& text, std::string_view option) {
  const auto equals = text.find('=');
  if (equals == std::string::npos || equals == 0 || equals + 1 == text.size()) {
    return Error(ErrorCode::InvalidInput,
                 std::string(option) + " '" + text + "' must be KEY=VALUE");
  }
  return Assignment{text.substr(0, equals), text.substr(equals + 1)};
}

Result<double> to_number(const Assignment& a, std::string_view option) {
  double v = 0;
  const char* end = a.value.data() + a.value.size();
  const auto [at, error] = std::from_chars(a.value.data(), end, v);
  if (error != std::errc() || at != end || !std::isfinite(v)) {
    return Error(ErrorCode::InvalidInput,
                 std::string(option) + " " + a.key + ": '" + a.value + "' is not a finite number");
  }
  return v;
}

Result<std::vector<double>> read_params(const engine::FamilyDecl& family,
                                        const std::vector<std::string>& texts) {
  std::vector<double> values;
  std::vector<std::string> names;
  for (const engine::ParamDecl& p : family.params) {
    values.push_back(p.default_value);
    names.emplace_back(p.name);
  }
  std::vector<bool> given(values.size());
  for (const std::string& text : texts) {
    const auto assignment = split_assignment(text, "--param");
    if (!assignment.ok()) return assignment.error();
    const auto value = to_number(*assignment, "--param");
    if (!value.ok()) return value.error();
    const auto at = std::find(names.begin(), names.end(), assignment->key);
    if (at == names.end()) {
      return Error(ErrorCode::InvalidInput, "--param: " + std::string(family.name) +
                                                " has no parameter '" + assignment->key + "'" +
                                                did_you_mean(assignment->key, names));
    }
    const auto index = static_cast<std::size_t>(at - names.begin());
    if (given[index]) {
      return Error(ErrorCode::InvalidInput, "--param " + assignment->key + " is given twice");
    }
    given[index] = true;
    values[index] = *value;
  }
  WINNOW_TRY(engine::check_params(family, values));
  return values;
}

/// A name of configs/execution/ or a path to a profile.
Result<sweeps::ExecutionProfile> read_profile(const std::string& profile,
                                              std::string_view instrument) {
  std::filesystem::path path = config_dir() / "execution" / (profile + ".yaml");
  std::error_code ignored;
  if (!std::filesystem::exists(path, ignored)) {
    if (profile == "none") return sweeps::ExecutionProfile{};
    path = profile;
    if (!std::filesystem::exists(path, ignored)) {
      return Error(ErrorCode::NotFound, "no execution profile '" + profile + "' in " +
                                            (config_dir() / "execution").string() +
                                            ", nor a file of that name");
    }
  }
  auto text = read_file(path);
  if (!text.ok()) return text.error();
  auto whole = sweeps::parse_profile(*text, path.string());
  if (!whole.ok()) return whole.error();
  if (const Status own = check_own_name(*whole); !own.ok()) {
    return own.error().within(path.string());
  }
  if (const std::string note = whole->fallback_note(instrument); !note.empty()) {
    std::fprintf(stderr, "note: %s\n", note.c_str());
  }
  return whole;
}

/// Says on stderr how much of the window asked for has no data.
void say_coverage(const MarketView& market, const std::string& from, const std::string& to) {
  const TimestampNs first{market.time_ns.front()};
  const TimestampNs end{market.time_ns.back() + market.interval_ns};
  const auto time_of = [](const std::string& text, TimestampNs otherwise) {
    const auto time = parse_timestamp(text);
    return text.empty() || !time.ok() ? otherwise : *time;
  };
  const std::string note = window_coverage(time_of(from, first), time_of(to, end), first, end);
  if (!note.empty()) std::fprintf(stderr, "note: %s\n", note.c_str());
}

Status set_word(engine::ExecutionModel& model, const Assignment& a) {
  if (a.key == "sizing") {
    const auto sizing = engine::find_sizing(a.value);
    if (!sizing) {
      std::string names;
      for (const std::string_view name : engine::sizing_names()) {
        names += (names.empty() ? "" : ", ") + std::string(name);
      }
      return Error(ErrorCode::InvalidInput,
                   "--set sizing: '" + a.value + "' must be one of " + names);
    }
    engine::choose_sizing(model, *sizing);
    return {};
  }
  if (a.value != "true" && a.value != "false") {
    return Error(ErrorCode::InvalidInput,
                 "--set " + a.key + ": '" + a.value + "' must be true or false");
  }
  if (a.key == "funding") model.funding = a.value == "true";
  for (const engine::ExecutionRule& rule : engine::execution_rules()) {
    if (rule.name == a.key) rule.set(model, a.value == "true" ? 1 : 0);
  }
  return {};
}

const engine::ExecutionRule* find_rule(std::string_view name) {
  for (const engine::ExecutionRule& rule : engine::execution_rules()) {
    if (rule.name == name) return &rule;
  }
  return nullptr;
}

/// Changes one field. tick_px, lot_qty, qty_min and notional_min replace what all rules say of it.
Status apply_setting(engine::ExecutionModel& model, const std::string& text) {
  const auto a = split_assignment(text, "--set");
  if (!a.ok()) return a.error();
  const engine::ExecutionRule* rule = find_rule(a->key);
  if (a->key == "sizing" || a->key == "funding" || (rule != nullptr && rule->flag != nullptr)) {
    return set_word(model, *a);
  }
  struct Field {
    std::string_view name;
    double engine::ExecutionModel::*of_model;
    double engine::InstrumentRules::*of_rules;
  };
  using Model = engine::ExecutionModel;
  using Rules = engine::InstrumentRules;
  static constexpr Field kFields[] = {
      {"taker_fee_bps", &Model::taker_fee_bps, nullptr},
      {"maker_fee_bps", &Model::maker_fee_bps, nullptr},
      {"half_spread_bps", &Model::half_spread_bps, nullptr},
      {"half_spread_range_frac", &Model::half_spread_range_frac, nullptr},
      {"impact_bps", &Model::impact_bps, nullptr},
      {"participation_max_frac", &Model::participation_max_frac, nullptr},
      {"fixed_qty", &Model::fixed_qty, nullptr},
      {"initial_cash", &Model::initial_cash, nullptr},
      {"tick_px", nullptr, &Rules::tick_px},
      {"lot_qty", nullptr, &Rules::lot_qty},
      {"qty_min", nullptr, &Rules::qty_min},
      {"notional_min", nullptr, &Rules::notional_min},
  };
  const auto value = to_number(*a, "--set");
  if (rule != nullptr) {
    if (!value.ok()) return value.error();
    rule->set(model, *value);
    return {};
  }
  std::vector<std::string> names = {"sizing", "funding"};
  for (const engine::ExecutionRule& r : engine::execution_rules()) names.emplace_back(r.name);
  for (const Field& field : kFields) {
    names.emplace_back(field.name);
    if (field.name != a->key) continue;
    if (!value.ok()) return value.error();
    if (field.of_model != nullptr) {
      model.*field.of_model = *value;
      return {};
    }
    if (model.rules.empty()) model.rules.emplace_back();
    for (Rules& rules : model.rules) rules.*field.of_rules = *value;
    return {};
  }
  return Error(ErrorCode::InvalidInput,
               "--set: the execution model has no '" + a->key + "'" + did_you_mean(a->key, names));
}

Result<engine::Window> find_window(const MarketView& market, const BacktestOptions& options) {
  const auto bar_at = [&](const std::string& text, std::size_t otherwise) -> Result<std::size_t> {
    if (text.empty()) return otherwise;
    const auto time = parse_timestamp(text);
    if (!time.ok()) return time.error();
    const auto at = std::lower_bound(market.time_ns.begin(), market.time_ns.end(), time->ns);
    return static_cast<std::size_t>(at - market.time_ns.begin());
  };
  const auto first = bar_at(options.from, 0);
  if (!first.ok()) return first.error().within("--from");
  const auto last = bar_at(options.to, market.size());
  if (!last.ok()) return last.error().within("--to");
  if (*first >= *last) {
    return Error(ErrorCode::InvalidInput,
                 "no bars from " + (options.from.empty() ? "the start" : options.from) + " to " +
                     (options.to.empty() ? "the end" : options.to) + "; '" + options.data +
                     "' has bars from " + format_timestamp({market.time_ns.front()}) + " to " +
                     format_timestamp({market.time_ns.back()}));
  }
  return engine::Window{*first, *last};
}

std::string trades_csv(const engine::Backtest& backtest) {
  std::string csv = "entry_time_ns,exit_time_ns,side,qty,entry_px,exit_px,fees,funding,pnl\n";
  for (const engine::Trade& t : backtest.trades) {
    csv += std::to_string(t.entry_time_ns) + ',' + std::to_string(t.exit_time_ns) + ',';
    csv += t.side == engine::Side::Long ? "long" : "short";
    for (const double v : {t.qty, t.entry_px, t.exit_px, t.fees, t.funding, t.pnl}) {
      csv += ',' + shortest_text(v);
    }
    csv += '\n';
  }
  return csv;
}

std::string equity_csv(const engine::Backtest& backtest, const MarketView& market,
                       engine::Window window) {
  std::string csv = "time_ns,equity\n";
  for (std::size_t i = 0; i < backtest.equity.size(); ++i) {
    csv += std::to_string(market.time_ns[window.first + i]) + ',' +
           shortest_text(backtest.equity[i]) + '\n';
  }
  return csv;
}

/// Everything a backtest needs, read and checked.
struct BacktestInput {
  const engine::FamilyDecl* family = nullptr;
  std::vector<double> params;
  store::Dataset dataset;
  engine::ExecutionModel execution;
  std::string execution_hash;
  engine::Window window;
};

Result<BacktestInput> read_input(const Context& context, const BacktestOptions& options) {
  const auto family = family_named(options.family);
  if (!family.ok()) return family.error();
  auto params = read_params(**family, options.params);
  if (!params.ok()) return params.error();
  const auto datasets = store::DatasetStore::open(context.home() / "data");
  if (!datasets.ok()) return datasets.error();
  auto dataset = datasets->load(options.data);
  if (!dataset.ok()) return dataset.error();
  const std::string& instrument = dataset->manifest().instrument;
  std::string profile = options.execution;
  if (profile.empty()) {
    auto named = profile_for(instrument, context.home(), config_dir());
    if (!named.ok()) return named.error();
    profile = std::move(*named);
    std::fprintf(stderr, "execution %s, which configs/instruments.yaml names for %s\n",
                 profile.c_str(), terminal_text(instrument).c_str());
  }
  const auto read = read_profile(profile, instrument);
  if (!read.ok()) return read.error();
  engine::ExecutionModel execution = read->model(instrument);
  for (const std::string& setting : options.settings) {
    WINNOW_TRY(apply_setting(execution, setting));
  }
  WINNOW_TRY(engine::check_execution(execution));
  if (execution.maker_fee_bps < -sweeps::kMakerRebateBpsMax) {
    return Error(ErrorCode::InvalidInput,
                 "--set maker_fee_bps: a rebate of " + show_number(-execution.maker_fee_bps) +
                     " bps is more than any large venue has paid its makers, " +
                     show_number(sweeps::kMakerRebateBpsMax) + " bps");
  }
  // With a setting it is another profile: that of this instrument.
  const std::string execution_hash =
      options.settings.empty()
          ? sweeps::profile_hash(*read)
          : sweeps::profile_hash({.costs = execution, .rules = {{instrument, execution.rules}}});
  const auto window = find_window(dataset->view(), options);
  if (!window.ok()) return window.error();
  say_coverage(dataset->view(), options.from, options.to);
  return BacktestInput{
      *family, std::move(*params), std::move(*dataset), std::move(execution), execution_hash,
      *window};
}

/// What this answer is not true without: see shortfalls().
std::vector<std::string> shortfalls_of(const BacktestInput& input) {
  return engine::shortfalls(input.execution, input.dataset.view(), input.window,
                            input.dataset.manifest().name);
}

/// The key that the same variant has in a sweep on this window, and what else the ledger keeps.
Result<BacktestMade> made_of(const BacktestInput& input, const BacktestOptions& options) {
  const store::Manifest& manifest = input.dataset.manifest();
  sweeps::SingleTrial trial;
  trial.data.content_hash = manifest.content_hash;
  trial.data.first = manifest.first;
  trial.data.last = manifest.last;
  trial.data.interval = manifest.interval;
  trial.execution = input.execution;
  trial.from = manifest.first;
  trial.to = manifest.last + manifest.interval;
  for (const auto& [text, time] :
       {std::pair{&options.from, &trial.from}, std::pair{&options.to, &trial.to}}) {
    if (text->empty()) continue;
    const auto parsed = parse_timestamp(*text);
    if (!parsed.ok()) return parsed.error();
    *time = *parsed;
  }
  BacktestMade made;
  made.key = sweeps::single_ledger_key(trial, *input.family, input.params);
  made.dataset_hash = manifest.content_hash;
  made.family = input.family->name;
  made.unseal = options.unseal;
  made.from = std::max(trial.from, manifest.first);
  made.to = std::min(trial.to, manifest.last + manifest.interval);
  return made;
}

Json result_json(const BacktestInput& input, const BacktestOptions& options,
                 const engine::Backtest& backtest) {
  const MarketView& market = input.dataset.view();
  Json params = Json::object();
  for (std::size_t i = 0; i < input.params.size(); ++i) {
    params[std::string(input.family->params[i].name)] = input.params[i];
  }
  const engine::Calendar calendar = engine::calendar_of(market.time_ns, market.interval_ns);
  Json metrics = Json::object();
  for (std::size_t i = 0; i < backtest.metrics.size(); ++i) {
    metrics[std::string(engine::metric_decls()[i].name)] = backtest.metrics[i];
  }
  return {{"family", input.family->name},
          {"params", params},
          {"data", options.data},
          {"content_hash", input.dataset.manifest().content_hash},
          {"execution", input.execution.name},
          {"execution_hash", input.execution_hash},
          {"from", format_timestamp({market.time_ns[input.window.first]})},
          {"last_bar", format_timestamp({market.time_ns[input.window.last - 1]})},
          {"bars", backtest.equity.size()},
          {"days", backtest.returns.size()},
          {"open_qty", backtest.open_qty},
          {"calendar", calendar.name},
          {"periods_per_year", calendar.periods_per_year},
          {"warnings", shortfalls_of(input)},
          {"metrics", metrics}};
}

void print_text(const BacktestInput& input, const engine::Backtest& backtest) {
  const MarketView& market = input.dataset.view();
  std::printf("%s on %s, execution %s (%s), %zu bars from %s to %s\n",
              std::string(input.family->name).c_str(), input.dataset.manifest().name.c_str(),
              input.execution.name.c_str(), input.execution_hash.c_str(), backtest.equity.size(),
              format_timestamp({market.time_ns[input.window.first]}).c_str(),
              format_timestamp({market.time_ns[input.window.last - 1]}).c_str());
  const engine::Calendar calendar = engine::calendar_of(market.time_ns, market.interval_ns);
  std::printf("calendar: %s, %g periods a year\n", calendar.name.c_str(),
              calendar.periods_per_year);
  // Volatility has no divisor: it is missing only where every annual figure is.
  const auto volatility = static_cast<std::size_t>(engine::find_metric("vol_ann"));
  if (std::isnan(backtest.metrics[volatility])) {
    std::printf("annual figures are not measurable: shorter than %g days\n",
                engine::kAnnualDaysMin);
  }
  for (std::size_t i = 0; i < backtest.metrics.size(); ++i) {
    const engine::MetricDecl& m = engine::metric_decls()[i];
    const double v = backtest.metrics[i];
    std::printf("  %-20s %14s  %s\n", std::string(m.name).c_str(),
                std::isnan(v) ? "-" : show_rounded(v).c_str(), std::string(m.help).c_str());
  }
  if (backtest.open_qty != 0) {
    std::printf("  position still open at the end: %s\n", shortest_text(backtest.open_qty).c_str());
  }
}

/// Without an end a backtest takes the days that no import sealed. Fails: NotFound, Corrupt, Io.
Status leave_sealed_days_out(const Context& context, BacktestOptions& options) {
  if (options.unseal || !options.to.empty()) return {};
  const auto datasets = store::DatasetStore::open(context.home() / "data");
  if (!datasets.ok()) return datasets.error();
  const auto manifest = datasets->manifest(options.data);
  if (!manifest.ok()) return {};  // said where it is read
  const auto book = store::MarketBook::read(*datasets);
  if (!book.ok()) return book.error();
  const store::Market* market = book->of(manifest->content_hash);
  const bool cut = market != nullptr && market->sealed_from_day &&
                   *market->sealed_from_day > utc_day(manifest->first) &&
                   *market->sealed_from_day <= utc_day(manifest->last);
  if (!cut) return {};
  // Whoever begins in the seal asks for it, and is refused in those words.
  const auto begins = parse_timestamp(options.from);
  const bool inside =
      !options.from.empty() && begins.ok() && utc_day(*begins) >= *market->sealed_from_day;
  if (inside) return {};
  options.to = format_day(*market->sealed_from_day);
  std::fprintf(stderr,
               "note: the days from %s on are sealed, so it takes those before; --unseal shows "
               "them, on record\n",
               options.to.c_str());
  return {};
}

std::string plot_svg(const BacktestInput& input, const engine::Backtest& backtest) {
  const MarketView& market = input.dataset.view();
  const auto day = [&](std::size_t bar) { return format_day(utc_day_of_ns(market.time_ns[bar])); };
  const std::string title =
      std::string(input.family->name) + " on " + input.dataset.manifest().name;
  const std::string subtitle = "execution " + input.execution.name + ", " +
                               day(input.window.first) + " to " + day(input.window.last - 1);
  return serve::report::backtest_svg({.title = title,
                                      .subtitle = subtitle,
                                      .market = market,
                                      .window = input.window,
                                      .backtest = backtest,
                                      .initial_cash = input.execution.initial_cash});
}

/// The files that were asked for. Fails: Io.
Status write_files(const BacktestInput& input, const BacktestOptions& options,
                   const engine::Backtest& backtest) {
  const MarketView& market = input.dataset.view();
  if (!options.trades_file.empty()) {
    WINNOW_TRY(write_whole_file(options.trades_file, trades_csv(backtest)));
  }
  if (!options.equity_file.empty()) {
    WINNOW_TRY(write_whole_file(options.equity_file, equity_csv(backtest, market, input.window)));
  }
  if (options.plot_file.empty()) return {};
  return write_whole_file(options.plot_file, plot_svg(input, backtest));
}

int run_backtest_command(const Context& context, const BacktestOptions& asked) {
  BacktestOptions options = asked;
  const Status days = leave_sealed_days_out(context, options);
  if (!days.ok()) return fail(context, days.error());
  const auto input = read_input(context, options);
  if (!input.ok()) return fail(context, input.error());
  const MarketView& market = input->dataset.view();
  const auto backtest =
      engine::run_backtest(market, input->window, *input->family, input->params, input->execution);
  // What the input forbids was not run. Whatever was run counts before anybody sees it (law 3).
  const bool refused = !backtest.ok() && backtest.error().code() == ErrorCode::InvalidInput;
  if (refused) return fail(context, backtest.error());
  auto made = made_of(*input, options);
  if (!made.ok()) return fail(context, made.error());
  if (!backtest.ok()) made->status = TrialStatus::Failed;
  const auto counted = count_backtest(context, *made);
  if (!counted.ok()) return fail(context, counted.error());
  if (!backtest.ok()) return fail(context, backtest.error());
  const Status written = write_files(*input, options, *backtest);
  if (!written.ok()) return fail(context, written.error());
  if (options.check) {
    const auto found = engine::detect_faults(market, input->window, *input->family, input->params,
                                             input->execution);
    if (!found.ok()) return fail(context, found.error());
    if (!found->clean()) return fail(context, Error(ErrorCode::Internal, found->text));
    std::fprintf(stderr, "look-ahead and warm-up: %zu comparisons, clean\n", found->checks);
  }
  for (const std::string& text : shortfalls_of(*input)) {
    std::fprintf(stderr, "warning: %s\n", terminal_text(text).c_str());
  }
  if (context.json) {
    Json answer = result_json(*input, options, *backtest);
    answer["ledger_new"] = (*counted)["new"];
    answer["ledger_trials"] = (*counted)["ledger_trials"];
    print_json(answer);
  } else {
    print_text(*input, *backtest);
    std::printf("the ledger counts %s trials on this data, this one %s\n",
                json_text((*counted)["ledger_trials"]).c_str(),
                (*counted)["new"] == Json(true) ? "for the first time" : "not anew");
  }
  return kDone;
}

}  // namespace

void add_backtest_command(Command& app, Context& context) {
  Command* command =
      add_command(app, context, "backtest", "one variant: metrics, trades and equity");
  const auto options = std::make_shared<BacktestOptions>();
  command->add_option("--strategy", options->family, "strategy family")->required();
  command
      ->add_option("--param", options->params,
                   "KEY=VALUE, once a parameter; others keep their default")
      ->take_all();
  command->add_option("--data", options->data, "dataset")->required();
  command->add_option("--execution", options->execution,
                      "profile in configs/execution/ or a file; none: no costs (default: what "
                      "configs/instruments.yaml names for the instrument)");
  command
      ->add_option("--set", options->settings,
                   "KEY=VALUE of the execution model, as in a profile (taker_fee_bps=5)")
      ->take_all();
  command->add_option("--from", options->from, "first bar traded (UTC); earlier bars warm up");
  command->add_option("--to", options->to, "end of trading, exclusive (UTC)");
  command->add_option("--trades", options->trades_file, "write closed trades to this CSV file");
  command->add_option("--equity", options->equity_file,
                      "write equity at each bar's close to this CSV file (time: the bar's open)");
  command->add_option("--plot", options->plot_file,
                      "draw the price, the fills and the equity beside holding to this SVG file");
  add_user_option(*command, context);
  add_connect_option(*command, context);
  command->add_flag("--unseal", options->unseal,
                    "show days that are sealed, on record: they will not judge what was seen");
  command->add_flag("--check", options->check, "also run the look-ahead and warm-up detectors");
  command->callback([&context, options] {
    context.run = [&context, options] { return run_backtest_command(context, *options); };
  });
}

}  // namespace winnow::cli
