#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "base/hash.hpp"
#include "base/time.hpp"
#include "engine/lanes/full_simulator.hpp"
#include "engine/lanes/simulator.hpp"
#include "engine/lanes/steps.hpp"
#include "engine/lanes/sweep_window.hpp"

namespace winnow::engine::lanes {

/// See Steps. One job's variants of a family.
template <class Strategy, template <class, class, class> class Executor, class Recorder>
class StepWindow final : public Steps {
  using V = Lane1;
  static_assert(lanes::Strategy<Strategy, V>, "see the demands in lanes/contract.hpp");
  static constexpr int kColumns = Strategy::kColumns;
  using Sim = Executor<V, Strategy, Recorder>;
  using G = typename Sim::G;
  using View = GroupView<V, kColumns>;
  using Bar = ExactBar<V, kColumns, (1u << kColumns) - 1>;

  /// A variant between two bars.
  struct Lane {
    G group;
    V wanted{0.0};
    Protect<V> protect{V(0.0), V(0.0), V(0.0), V(0.0)};
  };
  static_assert(std::is_trivially_copyable_v<Lane> && sizeof(Lane) % sizeof(double) == 0,
                "a state is written as numbers");

 public:
  /// The job and what it points to may grow, and move, between two runs.
  StepWindow(const Job& job, std::size_t tile_bars, Recorder recorder)
      : job_(job),
        recorder_(std::move(recorder)),
        sim_(job, &recorder_),
        tile_(job, tile_bars),
        at_(job.first) {
    lanes_.resize(job.slots);
    for (std::size_t slot = 0; slot < job.slots; ++slot) sim_.start(lanes_[slot].group, slot);
    first_ = day_first_ = static_cast<std::int64_t>(job.first);
  }

  void run_to(std::size_t end) override {
    while (at_ < end) {
      const std::size_t to = std::min(end, at_ + tile_.bars());
      tile_.move_to(at_, to);
      find_moments(at_, to);
      for (std::size_t slot = 0; slot < lanes_.size(); ++slot) step_tile(slot, to);
      at_ = to;
    }
  }

  void finish() override {
    const PeriodEnd end = period_end(at_, nullptr);
    for (std::size_t slot = 0; slot < lanes_.size(); ++slot) {
      close_bar(lanes_[slot].group, at_ - 1, slot, &end);
      sim_.finish(lanes_[slot].group, slot);
    }
  }

  StepView look(std::size_t slot) const override {
    const Lane& lane = lanes_[slot];
    const double stop = sim_.stop(lane.group).v;
    return {lane.group.cash.v, lane.group.qty.v,
            lane.group.side.v, sim_.wished(lane.group).v,
            lane.wanted.v,     stop,
            lane.protect};
  }

  void add_to(KeyHasher& hasher, std::size_t slot, std::size_t dropped) const override {
    Lane lane = lanes_[slot];
    lane.group.shift_bars(static_cast<double>(static_cast<std::int64_t>(dropped)));
    double numbers[sizeof(Lane) / sizeof(double)];
    std::memcpy(numbers, &lane, sizeof(Lane));
    for (const double x : numbers) hasher.add(x);
  }

  std::string save(std::size_t dropped) const override {
    const auto more = static_cast<std::int64_t>(dropped);
    const Head head{at_ + dropped, first_ + more, day_first_ + more, period_};
    std::string out(sizeof(Head) + lanes_.size() * sizeof(Lane), '\0');
    std::memcpy(out.data(), &head, sizeof(Head));
    for (std::size_t i = 0; i < lanes_.size(); ++i) {
      Lane lane = lanes_[i];
      lane.group.shift_bars(static_cast<double>(more));
      std::memcpy(out.data() + sizeof(Head) + i * sizeof(Lane), &lane, sizeof(Lane));
    }
    return out;
  }

  bool restore(std::string_view saved, std::size_t dropped) override {
    if (saved.size() != sizeof(Head) + lanes_.size() * sizeof(Lane)) return false;
    Head head;
    std::memcpy(&head, saved.data(), sizeof(Head));
    if (head.at < dropped || head.at - dropped != job_.market.size) return false;
    std::memcpy(lanes_.data(), saved.data() + sizeof(Head), lanes_.size() * sizeof(Lane));
    const auto back = static_cast<std::int64_t>(dropped);
    for (Lane& lane : lanes_) lane.group.shift_bars(-static_cast<double>(back));
    at_ = head.at - dropped;
    first_ = head.first - back;
    day_first_ = head.day_first - back;
    period_ = head.period;
    return true;
  }

 private:
  struct Head {
    std::uint64_t at;
    std::int64_t first;
    std::int64_t day_first;
    std::uint64_t period;
  };

  /// What the calendar says of a bar.
  struct Moment {
    bool day_begins = false;  // the bar before ended `ended`
    PeriodEnd ended;
    bool pays = false;
    double rate_frac = 0;
  };

  bool is_first(std::size_t t) const { return static_cast<std::int64_t>(t) == first_; }
  std::int64_t day_of(std::size_t t) const { return utc_day_of_ns(job_.market.time_ns[t]); }

  // The period that ends with the bar before `end`; `next` is the first bar after it, if there is
  // one.
  PeriodEnd period_end(std::size_t end, const std::size_t* next) const {
    PeriodEnd out;
    out.row = period_ % job_.periods;
    out.bars = static_cast<double>(static_cast<std::int64_t>(end) - day_first_);
    const std::int64_t days = next != nullptr ? day_of(*next) - day_of(end - 1) : 1;
    out.borrow = borrow_share(job_.full, days);
    return out;
  }

  void find_moments(std::size_t begin, std::size_t end) {
    moments_.assign(end - begin, {});
    std::int64_t day = day_of(is_first(begin) ? begin : begin - 1);
    for (std::size_t t = begin; t < end; ++t) {
      Moment& moment = moments_[t - begin];
      const std::int64_t now = day_of(t);
      if (now != day) {
        moment.day_begins = true;
        moment.ended = period_end(t, &t);
        ++period_;
        day_first_ = static_cast<std::int64_t>(t);
        day = now;
      }
      while (funding_ < job_.fundings && job_.funding[funding_].bar < t) ++funding_;
      if (funding_ < job_.fundings && job_.funding[funding_].bar == t) {
        moment.pays = true;
        moment.rate_frac = job_.funding[funding_].rate_frac;
      }
    }
  }

  void step_tile(std::size_t slot, std::size_t to) {
    View view{};
    for (int c = 0; c < kColumns; ++c) {
      view.values[c][0] = tile_.values(job_.columns[c * job_.slots + slot]);
    }
    Lane& lane = lanes_[slot];
    for (std::size_t t = at_; t < to; ++t)
      step(lane, Bar{view, t - at_}, t, slot, moments_[t - at_]);
  }

  void step(Lane& lane, const Bar& bar, std::size_t t, std::size_t slot, const Moment& moment) {
    G& g = lane.group;
    if (!is_first(t)) {
      close_bar(g, t - 1, slot, moment.day_begins ? &moment.ended : nullptr);
      sim_.settle(g, lane.wanted, AsRemembered<Strategy, V>{lane.protect}, t);
    }
    if (moment.pays) sim_.fund(g, t, moment.rate_frac);
    sim_.inside(g, t);
    const Seen<V, Bar> seen(bar, sim_.wished(g));
    lane.wanted = sim_.wish(g, seen, t);
    if constexpr (Strategy::kExits != Exits::None) lane.protect = g.strategy.protect(seen);
  }

  void close_bar(G& g, std::size_t t, std::size_t slot, const PeriodEnd* period) {
    sim_.book(g, t, slot, period);
    recorder_.bar_closed(t, sim_.equity(g, t).v, g.qty.v);
  }

  const Job& job_;
  Recorder recorder_;
  Sim sim_;
  Tile<V> tile_;
  std::vector<Lane> lanes_;
  std::vector<Moment> moments_;
  std::size_t at_;              // bars before it are stepped
  std::int64_t first_ = 0;      // bar that was stepped first; negative: it was dropped
  std::int64_t day_first_ = 0;  // first bar of the day that goes on; negative: it was dropped
  std::size_t period_ = 0;      // days that have ended
  std::size_t funding_ = 0;
};

}  // namespace winnow::engine::lanes
