#include "sweeps/risk/policy.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

#include "base/names.hpp"
#include "sweeps/stats/basic.hpp"

namespace winnow::sweeps::risk {
namespace {

struct RuleName {
  std::string_view name;
  LossFrom from;
  FlatUntil until;
};
constexpr std::array<RuleName, 4> kRules = {{
    {"day_stop", LossFrom::DayStart, FlatUntil::NextDay},
    {"month_stop", LossFrom::MonthStart, FlatUntil::NextMonth},
    {"month_kill", LossFrom::MonthStart, FlatUntil::Never},
    {"drawdown_kill", LossFrom::Peak, FlatUntil::Never},
}};

Result<Rule> parse_rule(std::string_view text) {
  std::vector<std::string> names;
  for (const RuleName& r : kRules) names.emplace_back(r.name);
  const auto equals = text.find('=');
  const std::string_view name = text.substr(0, equals);
  const auto* found =
      std::find_if(kRules.begin(), kRules.end(), [&](const RuleName& r) { return r.name == name; });
  if (found == kRules.end()) {
    return Error(ErrorCode::InvalidInput, "policy: there is no rule " + show_text(name) +
                                              did_you_mean(name, names) + "; allowed: none, " +
                                              join_names(names));
  }
  double value = 0;
  bool read = equals != std::string_view::npos;
  if (read) {
    const char* begin = text.data() + equals + 1;
    const char* end = text.data() + text.size();
    const auto [at, error] = std::from_chars(begin, end, value);
    read = error == std::errc() && at == end;
  }
  if (!read || !(value > 0) || !(value < 1)) {
    return Error(ErrorCode::InvalidInput, "policy " + show_text(text) +
                                              ": the loss must be a fraction between 0 and 1, as " +
                                              "in " + std::string(name) + "=0.03");
  }
  return Rule{found->from, value, found->until};
}

}  // namespace

Result<Policy> parse_policy(std::string_view text) {
  Policy out{.name = std::string(text), .rules = {}};
  if (text == "none") return out;
  constexpr std::size_t kRulesMax = 8;
  for (std::size_t at = 0; at <= text.size();) {
    const std::size_t end = std::min(text.find('+', at), text.size());
    const auto rule = parse_rule(text.substr(at, end - at));
    if (!rule.ok()) return rule.error();
    out.rules.push_back(*rule);
    if (out.rules.size() > kRulesMax) {
      return Error(ErrorCode::InvalidInput, "policy " + show_text(text) + " has more than " +
                                                std::to_string(kRulesMax) + " rules");
    }
    at = end + 1;
  }
  return out;
}

std::vector<Policy> default_policies() {
  std::vector<Policy> out;
  for (const char* text : {"none", "day_stop=0.01", "day_stop=0.03", "drawdown_kill=0.05",
                           "drawdown_kill=0.15", "month_kill=0.05"}) {
    out.push_back(*parse_policy(text));
  }
  return out;
}

double PolicyWalk::step(std::size_t day, Month month) {
  if (month == Month::New) {
    month_start_ = equity_;
    if (out_ == Out::Month) out_ = Out::No;
  }
  if (out_ == Out::Day) out_ = Out::No;
  day_start_ = equity_;
  if (out_ != Out::No) {
    ++days_out_;
    end_day();
    return 1;
  }
  if (!(equity_ > 0)) {  // ruined: there is nothing left to stop
    end_day();
    return 1;
  }
  if (may_trigger(day)) {
    const double growth = walk_bars(day);
    end_day();
    return growth;
  }
  lowest_ = std::min(lowest_, equity_ * days_.low[day]);
  drawdown_ = std::max({drawdown_, days_.fall[day], 1 - equity_ * days_.low[day] / peak_});
  peak_ = std::max(peak_, equity_ * days_.high[day]);
  equity_ *= days_.growth[day];
  end_day();
  return days_.growth[day];
}

// True if some rule could be met in the day: exact for losses from its start and the month's, and
// never false where a fall from the peak is.
bool PolicyWalk::may_trigger(std::size_t day) const {
  const double low = equity_ * days_.low[day];
  for (const Rule& rule : policy_.rules) {
    double reference = day_start_;
    if (rule.from == LossFrom::MonthStart) reference = month_start_;
    if (rule.from == LossFrom::Peak) reference = std::max(peak_, equity_ * days_.high[day]);
    if (low <= reference * (1 - rule.loss_frac)) return true;
  }
  return false;
}

double PolicyWalk::walk_bars(std::size_t day) {
  const double start = equity_;
  for (std::size_t b = days_.first[day]; b < days_.first[day + 1]; ++b) {
    note(start * days_.level[b]);
    Out met = Out::No;
    for (const Rule& rule : policy_.rules) {
      double reference = day_start_;
      if (rule.from == LossFrom::MonthStart) reference = month_start_;
      if (rule.from == LossFrom::Peak) reference = peak_;
      if (equity_ > reference * (1 - rule.loss_frac)) continue;
      const Out out = rule.until == FlatUntil::NextDay     ? Out::Day
                      : rule.until == FlatUntil::NextMonth ? Out::Month
                                                           : Out::Forever;
      met = std::max(met, out);
    }
    if (met == Out::No) continue;
    ++triggers_;
    out_ = met;
    note(equity_ * (1 - days_.exit_cost[b]));
    break;
  }
  return start > 0 ? equity_ / start : 1;
}

void PolicyWalk::note(double level) {
  equity_ = level;
  peak_ = std::max(peak_, equity_);
  lowest_ = std::min(lowest_, equity_);
  drawdown_ = std::max(drawdown_, 1 - equity_ / peak_);
}

void PolicyWalk::end_day() {
  underwater_ = equity_ < end_peak_ ? underwater_ + 1 : 0;
  longest_ = std::max(longest_, underwater_);
  end_peak_ = std::max(end_peak_, equity_);
}

PolicyHistory apply_policy(const DayBars& days, const Policy& policy, double periods_per_year) {
  PolicyHistory out;
  PolicyWalk walk(days, policy);
  for (std::size_t d = 0; d < days.days(); ++d) {
    const bool fresh = d == 0 || days.month[d] != days.month[d - 1];
    const auto month = fresh ? PolicyWalk::Month::New : PolicyWalk::Month::Same;
    out.returns.push_back(walk.step(d, month) - 1);
  }
  out.total_return_frac = walk.equity() - 1;
  const bool varies = out.returns.size() > 1 && stats::stdev(out.returns) > 0;
  out.sharpe_ann = varies ? stats::sharpe(out.returns) * std::sqrt(periods_per_year) : std::nan("");
  out.drawdown_frac = walk.drawdown();
  out.triggers = walk.triggers();
  out.days_out = walk.days_out();
  return out;
}

}  // namespace winnow::sweeps::risk
