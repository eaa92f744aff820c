#include "sweeps/level/account.hpp"

#include <algorithm>
#include <cmath>

#include "base/check.hpp"
#include "base/numbers.hpp"

namespace winnow::sweeps::level {
namespace {

// Weights of looks are written with a few digits; their sum may miss one by its last bits.
constexpr double kSumSlack = 1e-12;

Status check_opening(const Opening& opening, double share_max) {
  if (!(opening.share >= 0 && opening.share <= share_max)) {
    return bad_input("share " + shortest_text(opening.share) + " is outside (0, " +
                     shortest_text(share_max) + "]");
  }
  double sum = 0;
  for (const double w : opening.weights) {
    if (!(w > 0 && w <= 1)) return bad_input("a look's weight is above 0 and at most 1");
    sum += w;
  }
  if (opening.weights.empty() || sum > 1 + kSumSlack) {
    return bad_input("the weights of the looks sum to " + shortest_text(sum) +
                     "; they must be there and sum to at most 1");
  }
  return {};
}

}  // namespace

Status check_account(const AccountParameters& p) {
  if (!(p.alpha > 0 && p.alpha < 1)) return bad_input("alpha is inside (0, 1)");
  if (p.openings < 4) return bad_input("an account declares at least 4 openings a year");
  if (!(p.level_max > 0 && p.level_max < 1)) return bad_input("the cap is inside (0, 1)");
  if (!(p.level_min >= 0 && p.level_min <= p.level_max)) {
    return bad_input("the floor is between 0 and the cap");
  }
  if (!(p.share_max > 0 && p.share_max <= 1)) return bad_input("max_share is inside (0, 1]");
  return {};
}

std::string_view state_name(HypothesisState state) {
  switch (state) {
    case HypothesisState::Open:
      return "OPEN";
    case HypothesisState::Converged:
      return "CONVERGED";
    case HypothesisState::NotPromoted:
      return "NOT_PROMOTED";
    case HypothesisState::Void:
      return "VOID";
  }
  return "";
}

Offer Account::available(double share, std::span<const std::string> related) const {
  WINNOW_REQUIRES(share >= 0 && share <= parameters_.share_max);
  if (left_ <= 0) return {};
  const double n = static_cast<double>(parameters_.openings);
  const double k = static_cast<double>(hypotheses_.size());
  double stake = share > 0 ? left_ * share : left_ / std::max(n - k, n / 2);
  double m = 1;
  for (const Hypothesis& h : hypotheses_) {
    const bool counts = h.state == HypothesisState::Converged &&
                        std::find(related.begin(), related.end(), h.id) == related.end();
    m += counts ? 1 : 0;
  }
  double level = stake * m / (1 + stake * m);
  if (level > parameters_.level_max) {
    level = parameters_.level_max;
    stake = level / ((1 - level) * m);
  }
  return level >= parameters_.level_min ? Offer{stake, level} : Offer{};
}

Result<Account::Opened> Account::open(const Opening& opening) {
  if (const Hypothesis* there = find(opening.id)) return Opened{there, true};
  WINNOW_TRY(check_opening(opening, parameters_.share_max));
  const Offer offer = available(opening.share, opening.related);
  if (offer.level == 0) {
    return Error(ErrorCode::Refused,
                 "the account is spent until 1 January: " + shortest_text(std::max(left_, 0.0)) +
                     " of " + shortest_text(parameters_.alpha) +
                     " is left, too little for a level of " + shortest_text(parameters_.level_min));
  }
  Hypothesis h;
  h.id = opening.id;
  h.index = hypotheses_.size() + 1;
  h.stake = offer.stake;
  h.level = offer.level;
  h.weights = opening.weights;
  h.related = opening.related;
  h.left_before = left_;
  for (const Hypothesis& other : hypotheses_) {
    const bool apart = std::find(h.related.begin(), h.related.end(), other.id) == h.related.end();
    h.promotions_before += other.state == HypothesisState::Converged && apart ? 1 : 0;
  }
  left_ -= offer.stake;
  WINNOW_CHECK(offer.stake > 0 && left_ >= 0);
  WINNOW_INVARIANT(h.level > 0 && h.level <= parameters_.level_max);
  hypotheses_.push_back(std::move(h));
  return Opened{&hypotheses_.back(), false};
}

Result<HypothesisState> Account::look(std::string_view id, double p) {
  Hypothesis* h = find_own(id);
  if (h == nullptr) return Error(ErrorCode::NotFound, "no hypothesis '" + std::string(id) + "'");
  if (!(p >= 0 && p <= 1)) return bad_input("p = " + shortest_text(p) + " is no probability");
  if (h->state != HypothesisState::Open) return h->state;
  WINNOW_INVARIANT(h->looks < h->weights.size());
  h->bound = h->level * h->weights[h->looks];
  ++h->looks;
  if (p <= h->bound) {
    h->state = HypothesisState::Converged;
    left_ += h->stake;
    WINNOW_INVARIANT(left_ <= parameters_.alpha * (1 + kSumSlack));
  } else if (h->looks == h->weights.size()) {
    h->state = HypothesisState::NotPromoted;
  }
  return h->state;
}

Status Account::void_promotion(std::string_view id) {
  Hypothesis* h = find_own(id);
  if (h == nullptr) return Error(ErrorCode::NotFound, "no hypothesis '" + std::string(id) + "'");
  if (h->state != HypothesisState::Converged) {
    return bad_input("hypothesis '" + h->id + "' is " + std::string(state_name(h->state)) +
                     "; only a CONVERGED one can be voided");
  }
  h->state = HypothesisState::Void;
  left_ -= h->stake;
  return {};
}

Hypothesis* Account::find_own(std::string_view id) {
  const auto at = std::find_if(hypotheses_.begin(), hypotheses_.end(),
                               [&](const Hypothesis& h) { return h.id == id; });
  return at == hypotheses_.end() ? nullptr : &*at;
}
const Hypothesis* Account::find(std::string_view id) const {
  const auto at = std::find_if(hypotheses_.begin(), hypotheses_.end(),
                               [&](const Hypothesis& h) { return h.id == id; });
  return at == hypotheses_.end() ? nullptr : &*at;
}

std::uint64_t Account::promotions() const {
  return static_cast<std::uint64_t>(
      std::count_if(hypotheses_.begin(), hypotheses_.end(),
                    [](const Hypothesis& h) { return h.state == HypothesisState::Converged; }));
}

}  // namespace winnow::sweeps::level
