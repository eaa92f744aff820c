#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "actors/opening_price.hpp"
#include "actors/protocol.hpp"
#include "actors/search_keeper.hpp"
#include "actors/sweep_book.hpp"
#include "scheduler/scheduler.hpp"
#include "sweeps/plan.hpp"

namespace winnow::actors {

/// The plan that a request asks for; `catalog` with the profiles that come along laid over it.
/// Fails: as parse_spec and Plan::make.
Result<sweeps::Plan> plan_of(const Submit& request, sweeps::Catalog catalog);

/// A sweep the coordinator works on, or has worked on not long ago.
struct ActiveSweep {
  std::shared_ptr<const sweeps::Plan> plan;
  store::SweepMeta meta;
  std::vector<bool> committed;  ///< one a block
  std::uint64_t trials_committed = 0;
  std::vector<std::shared_ptr<SearchKeeper>> searches;  ///< one a segment, if they learn
  std::uint64_t used = 0;                               ///< rises with each find()

  /// Nothing happens to it any more unless it is asked for.
  bool at_rest() const {
    return meta.state == store::SweepState::Done || meta.state == store::SweepState::Cancelled;
  }
};

/// Purpose: sweeps between their text, their plan and the store.
/// Owner: the coordinator. Thread: one.
class SweepRegistry {
 public:
  SweepRegistry(SweepBook& book, std::function<sweeps::Catalog()> catalog)
      : book_(book), catalog_(std::move(catalog)) {}

  /// What a request asks for. Fails: as parse_spec and Plan::make.
  Result<sweeps::Plan> plan(const Submit& request) const {
    return plan_of(request, catalog_for(request));
  }
  /// In whose name a sweep is recorded, and whether it may show sealed days.
  struct Asker {
    std::string user;
    bool unseal = false;
  };
  /// Records a sweep, or finds the same one again. What it opens is opened, and the days that it
  /// will show are put down as shown, before anything of it is computed. Fails: Refused (a budget,
  /// an account that is spent), InvalidInput, Io, Corrupt.
  Result<ActiveSweep*> submit(sweeps::Plan plan, const Asker& asker, TimestampNs now);
  /// What submit() would take or refuse, its budgets and the user's included; nothing is recorded.
  /// Fails: as submit.
  Result<sweeps::Plan> preview(const Submit& request, const std::string& user);
  /// What submit() would open, and for what; nothing is recorded.
  /// One a segment, in the order of opening; none of a sweep that explores. Fails: as submit.
  Result<std::vector<OpeningPrice>> price(const sweeps::Plan& plan, const std::string& user,
                                          TimestampNs now) const;
  /// The stored sweeps that are not finished.
  Result<std::vector<ActiveSweep*>> load_unfinished();
  ActiveSweep* find(const std::string& id);
  /// The same, or one that was finished and forgotten, or in an earlier life. Fails: NotFound, Io,
  /// Corrupt.
  Result<ActiveSweep*> find_or_load(const std::string& id);
  /// More CPU time, or more trials of those the sweep already plans: the same sweep with a larger
  /// budget. More trials than that: a search of one segment that learns goes on in place; else the
  /// sweep with so many more samples, another one, whose first
  /// trials are this one's and are not counted again. Fails:
  /// Refused (a search whose points cannot be continued, no budget to extend), as submit.
  Result<ActiveSweep*> extend(ActiveSweep& sweep, const Control& more, const std::string& asker,
                              TimestampNs now);
  /// A cancelled sweep reserves nothing; whether there is room for it again. Fails: Refused (a
  /// budget of its user, or an asker who has one and is another), Io, Corrupt.
  Status may_go_on(const ActiveSweep& sweep, const std::string& asker) const {
    return check_more(asker, sweep, *sweep.plan);
  }
  /// Deletes its results and forgets it. Fails: Refused (it is running or paused), NotFound, Io.
  Status remove(const std::string& id, const std::string& user, TimestampNs now);
  /// Whether its state lets it be deleted. Fails: as remove.
  Status may_be_removed(const std::string& id) const;
  /// Who runs it: whom it is charged to. Fails: NotFound.
  Result<std::string> owner_of(const std::string& id) const;
  /// See SweepBook.
  Result<bool> checked(const Hash128& key) const { return book_.checked(key); }
  Status put_checked(const Hash128& key) { return book_.put_checked(key); }
  const std::map<std::string, ActiveSweep>& all() const { return sweeps_; }
  /// All but the `kept` that were used last of those at rest, oldest first: what may be forgotten.
  std::vector<std::string> rested(std::size_t kept) const;
  /// The store keeps it. Pointers to it are void.
  void forget(const std::string& id) { sweeps_.erase(id); }
  Status set_state(ActiveSweep& sweep, store::SweepState state, TimestampNs now);
  /// Counts a block's trials once.
  void count_committed(ActiveSweep& sweep, std::uint64_t block);

  /// So many of the first blocks hold at most so many trials.
  static std::uint64_t blocks_within(const sweeps::Plan& plan, std::uint64_t trials);
  /// Lets the searches of a sweep go on where a generation is committed. Blocks whose parameters
  /// are known from now on: they are on disk. Fails: Io, Corrupt, Refused (no valid point is left);
  /// called again it goes on.
  Result<std::vector<scheduler::BlockRange>> advance(ActiveSweep& sweep);

  /// The sweep as the scheduler wants it.
  static scheduler::SweepWork work_of(const ActiveSweep& sweep);

 private:
  Result<ActiveSweep*> load(store::SweepMeta meta);
  Result<ActiveSweep*> record(sweeps::Plan plan, const Asker& asker, TimestampNs now);
  // Days and openings (sweep_registry_open.cpp).
  /// The catalogue with what is known of days: which are sealed for this request.
  sweeps::Catalog catalog_for(const Submit& request) const;
  Status open_hypotheses(const sweeps::Plan& plan, const std::string& user, TimestampNs now);
  Status record_days(const sweeps::Plan& plan, const Asker& asker, TimestampNs now);
  /// What a plan asks to be opened, by segment, with the days that would judge it.
  Result<std::vector<sweeps::level::Claim>> claims_of(const sweeps::level::Documents& documents,
                                                      const sweeps::Plan& plan,
                                                      const std::string& user,
                                                      TimestampNs now) const;
  /// Sweeps of stores from before days were kept: what they hold counts as shown. Once a store.
  Status note_days_of_earlier_sweeps(sweeps::level::Documents& documents) const;
  Status extend_cpu(ActiveSweep& sweep, const Control& more, const std::string& asker);
  Status set_budget(ActiveSweep& sweep, std::uint64_t trials_max, double cpu_hours_max,
                    const std::string& asker);
  Status widen_budget(ActiveSweep& sweep, const sweeps::ResolvedSpec& asked,
                      const std::string& asker);
  Status grow(ActiveSweep& sweep, std::uint64_t samples, const std::string& asker);
  /// What must hold of a sweep that nobody submitted before.
  Status check_unknown(const sweeps::Plan& plan, const std::string& user) const;
  // Budgets of users (sweep_registry_budget.cpp).
  Status check_new(const std::string& user, const sweeps::Plan& plan) const;
  Status check_more(const std::string& asker, const ActiveSweep& sweep,
                    const sweeps::Plan& plan) const;
  Status check_limits(const std::string& user, const sweeps::Plan& plan,
                      const std::vector<bool>& committed) const;
  Result<std::vector<sweeps::TrialLimit>> limits_of(const std::string& user) const;
  Result<std::uint64_t> new_trials(const sweeps::Plan& plan, const std::vector<bool>& committed,
                                   const std::string& dataset) const;
  Status take_up_searches(ActiveSweep& sweep);
  Result<sweeps::Plan> with_rows_put_down(sweeps::Plan plan) const;
  Result<sweeps::Plan> earlier_plan(const sweeps::Plan& plan) const;
  Status check_warm_start(const sweeps::Plan& plan) const;
  Result<std::vector<sweeps::PriorResult>> prior_of(const sweeps::Plan& plan,
                                                    const sweeps::Segment& segment) const;
  Result<ActiveSweep*> adopt(sweeps::Plan plan, store::SweepMeta meta);

  SweepBook& book_;
  std::function<sweeps::Catalog()> catalog_;
  std::map<std::string, ActiveSweep> sweeps_;
  std::uint64_t uses_ = 0;
};

}  // namespace winnow::actors
