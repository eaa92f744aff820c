#include <algorithm>
#include <chrono>
#include <map>
#include <optional>

#include "actors/farm_metrics.hpp"
#include "sweeps/user_budget.hpp"

namespace winnow::actors {
namespace {

// The ledger has a line a sweep, family and dataset; budgets do not change by the second.
constexpr std::chrono::seconds kReadAgainAfter{10};
constexpr double kNearFrac = 0.9;

/// All limits of all users together.
struct Budgets {
  std::uint64_t within = 0, near = 0, spent = 0, unreadable = 0;
  std::uint64_t trials_limit = 0, trials_spent = 0;
  double spent_frac_max = 0;

  void add(const sweeps::TrialLimit& limit, std::uint64_t trials) {
    trials_limit += limit.trials;
    trials_spent += trials;
    const double frac =
        limit.trials == 0 ? 1.0 : static_cast<double>(trials) / static_cast<double>(limit.trials);
    spent_frac_max = std::max(spent_frac_max, frac);
    ++(frac >= 1 ? spent : frac >= kNearFrac ? near : within);
  }
};

Result<Budgets> read_budgets(const store::Store& store) {
  Budgets out;
  const auto users = store.document_keys(sweeps::kUserBudgetKind);
  if (!users) return users.error();
  if (users->empty()) return out;
  const auto entries = store.ledger_entries();
  if (!entries) return entries.error();
  // By user, then by dataset; all together under the empty name.
  std::map<std::string, std::map<std::string, std::uint64_t>> trials;
  for (const store::LedgerEntry& entry : *entries) {
    trials[entry.user][entry.dataset_hash] += entry.trials;
    trials[entry.user][""] += entry.trials;
  }
  for (const std::string& user : *users) {
    const auto text = store.document(sweeps::kUserBudgetKind, user);
    if (!text) return text.error();
    const auto limits = sweeps::limits_from_json(text->value_or("[]"), user);
    if (!limits) {
      ++out.unreadable;
      continue;
    }
    for (const auto& limit : *limits) out.add(limit, trials[user][limit.dataset_hash]);
  }
  return out;
}

Gauge& limits_in(MetricsBook& book, const std::string& state) {
  return book.gauge("winnow_budget_limits",
                    "Limits of users' budgets by how much is spent: within, near (nine tenths), "
                    "spent, unreadable (nothing is let through).",
                    {{"state", state}});
}

/// Purpose: the gauges, read again now and then. Thread: the book's reader, one at a time.
class BudgetGauges {
 public:
  BudgetGauges(MetricsBook& book, const store::Store& store)
      : store_(store),
        within_(limits_in(book, "within")),
        near_(limits_in(book, "near")),
        spent_(limits_in(book, "spent")),
        unreadable_(limits_in(book, "unreadable")),
        trials_limit_(
            book.gauge("winnow_budget_trials_limit", "New trials that all limits together allow.")),
        trials_spent_(book.gauge("winnow_budget_trials_spent",
                                 "New trials that count against those limits, by the ledger.")),
        frac_max_(book.gauge("winnow_budget_spent_frac_max",
                             "The largest part of any limit that is spent.")) {}

  void read() {
    const auto now = std::chrono::steady_clock::now();
    if (read_at_ && now - *read_at_ < kReadAgainAfter) return;
    read_at_ = now;
    const auto budgets = read_budgets(store_);
    if (!budgets) return;  // the store says so itself; the last values stay
    within_.set_count(budgets->within);
    near_.set_count(budgets->near);
    spent_.set_count(budgets->spent);
    unreadable_.set_count(budgets->unreadable);
    trials_limit_.set_count(budgets->trials_limit);
    trials_spent_.set_count(budgets->trials_spent);
    frac_max_.set(budgets->spent_frac_max);
  }

 private:
  const store::Store& store_;
  std::optional<std::chrono::steady_clock::time_point> read_at_;
  Gauge &within_, &near_, &spent_, &unreadable_, &trials_limit_, &trials_spent_, &frac_max_;
};

}  // namespace

void add_budget_metrics(MetricsBook& book, const store::Store& store) {
  book.before_reading([gauges = std::make_shared<BudgetGauges>(book, store)] { gauges->read(); });
}

}  // namespace winnow::actors
