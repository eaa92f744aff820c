#include "sweeps/level/account_state.hpp"

#include <algorithm>
#include <utility>

namespace winnow::sweeps::level {

std::int64_t OpenedHypothesis::next_look_days() const {
  if (in_account.state != HypothesisState::Open || in_account.looks >= claim.looks.size()) return 0;
  const LookDay& next = claim.looks[in_account.looks];
  return next.judged_days > 0 ? next.judged_days
                              : std::max(kJudgedDaysMin, day_count(claim.judged));
}

std::vector<DayRange> OpenedHypothesis::judged_so_far() const {
  std::vector<DayRange> out = claim.judged;
  if (looks.empty() || looks.back().to_day <= claim.window.end) return out;
  for (const DayRange& r : fresh_days({claim.window.end, looks.back().to_day}, claim.seen_later)) {
    out.push_back(r);
  }
  return joined(std::move(out));
}

bool OpenedHypothesis::seen_before(TimestampNs moment) const {
  if (!revealed_by.empty() && revealed < moment) return true;
  return in_account.state == HypothesisState::Converged && !looks.empty() &&
         looks.back().time < moment;
}

const OpenedHypothesis* AccountState::find(std::string_view id) const {
  for (const OpenedHypothesis& h : hypotheses) {
    if (h.claim.id == id) return &h;
  }
  return nullptr;
}

}  // namespace winnow::sweeps::level
