#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <type_traits>
#include <vector>

#include "base/time.hpp"
#include "engine/indicators/list.hpp"
#include "engine/lanes/full_simulator.hpp"
#include "engine/lanes/simulator.hpp"

namespace winnow::engine::lanes {

/// Bars a block summary (least and greatest value) covers.
inline constexpr std::size_t kBlockBars = 8;

/// Whether blocks in which no lane can act are skipped. Off only in tests: results are the same.
enum class Skip { No, Yes };

/// Purpose: the values of all columns in one tile of bars, with block summaries. Owner: one kernel
/// call.
template <class V>
class Tile {
 public:
  Tile(const Job& job, std::size_t tile_bars)
      : job_(job), bars_(tile_bars), maker_({&job.market, 1}) {
    for (std::size_t i = 0; i < job.spec_count; ++i) {
      columns_.push_back(maker_.make(job.specs[i]));
    }
    blocks_ = (bars_ + kBlockBars - 1) / kBlockBars;
    values_.resize(bars_ * job.spec_count);
    lows_.resize(blocks_ * (job.spec_count + 2));
    highs_.resize(lows_.size());
  }

  void move_to(std::size_t begin, std::size_t end) {
    begin_ = begin;
    end_ = end;
    for (std::size_t i = 0; i < columns_.size(); ++i) {
      double* values = values_.data() + i * bars_;
      columns_[i]->fill(begin, end, values);
      summarise(values, values, end - begin, &lows_[i * blocks_], &highs_[i * blocks_]);
    }
    const std::size_t market = columns_.size() * blocks_;
    summarise(job_.low + begin, job_.high + begin, end - begin, &lows_[market], &highs_[market]);
    if (!job_.full.watches_closes) return;
    const double* close = job_.close + begin;
    summarise(close, close, end - begin, &lows_[market + blocks_], &highs_[market + blocks_]);
  }

  std::size_t begin() const { return begin_; }
  std::size_t end() const { return end_; }
  std::size_t bars() const { return bars_; }
  std::size_t blocks() const { return blocks_; }
  const double* values(std::size_t column) const { return values_.data() + column * bars_; }
  const double* lows(std::size_t column) const { return lows_.data() + column * blocks_; }
  const double* highs(std::size_t column) const { return highs_.data() + column * blocks_; }
  const double* market_lows() const { return lows(columns_.size()); }
  const double* market_highs() const { return highs(columns_.size()); }
  const double* close_lows() const { return lows(columns_.size() + 1); }
  const double* close_highs() const { return highs(columns_.size() + 1); }

 private:
  // Of a block with a value that is not there yet nothing is known: it is always entered.
  static void summarise(const double* low, const double* high, std::size_t count, double* lows,
                        double* highs) {
    constexpr double inf = std::numeric_limits<double>::infinity();
    std::size_t b = 0;
    if (!(low[0] != low[0])) {  // what is missing is missing at the start
      for (; (b + 1) * kBlockBars <= count; ++b) {
        V least_of = V::load(low + b * kBlockBars);
        V most_of = V::load(high + b * kBlockBars);
        for (std::size_t i = V::kLanes; i < kBlockBars; i += V::kLanes) {
          least_of = smaller(least_of, V::load(low + b * kBlockBars + i));
          most_of = larger(most_of, V::load(high + b * kBlockBars + i));
        }
        lows[b] = least(least_of);
        highs[b] = most(most_of);
      }
    }
    for (; b * kBlockBars < count; ++b) {
      double least_of = inf;
      double most_of = -inf;
      bool missing = false;
      const std::size_t end = std::min(count, (b + 1) * kBlockBars);
      for (std::size_t i = b * kBlockBars; i < end; ++i) {
        missing = missing || low[i] != low[i];
        least_of = low[i] < least_of ? low[i] : least_of;
        most_of = high[i] > most_of ? high[i] : most_of;
      }
      lows[b] = missing ? -inf : least_of;
      highs[b] = missing ? inf : most_of;
    }
  }

  const Job& job_;
  const std::size_t bars_;
  std::size_t blocks_ = 0;
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
  ColumnMaker maker_;
  std::vector<std::unique_ptr<Column>> columns_;
  std::vector<double> values_;
  std::vector<double> lows_;
  std::vector<double> highs_;
};

/// What a group sees of a tile. Pointers count from the tile's first bar, or block.
template <class V, int kColumns>
struct GroupView {
  const double* values[kColumns][V::kLanes];  ///< for each column the lanes' own arrays
  const double* lows[kColumns];  ///< block summaries: one a block where the lanes share the column,
  const double* highs[kColumns];  ///< else packed, one a block and lane
  const double* market_low;
  const double* market_high;
  const double* market_lows;  ///< summaries of the two
  const double* market_highs;
  const double* close;  ///< and of the closes, where drawdown is taken at each
  const double* close_lows;
  const double* close_highs;
};

/// One bar, exactly. kShared: bit c says that all lanes share column c.
template <class V, int kColumns, unsigned kShared>
struct ExactBar {
  const GroupView<V, kColumns>& view;
  std::size_t i;
  V value(int c) const {
    if ((kShared >> c) & 1u) return V(view.values[c][0][i]);
    return V::gather(view.values[c], i);
  }
};

/// All bars of a block at once: each column lies between low and high.
template <class V, int kColumns, unsigned kShared>
struct BlockBar {
  const GroupView<V, kColumns>& view;
  std::size_t b;
  V low(int c) const { return summary(c, view.lows[c]); }
  V high(int c) const { return summary(c, view.highs[c]); }
  V summary(int c, const double* from) const {
    if ((kShared >> c) & 1u) return V(from[b]);
    return V::load(from + b * V::kLanes);
  }
};

inline double period_bars(const Job& job, std::size_t period) {
  const std::size_t first = period == 0 ? job.first : job.period_last[period - 1] + 1;
  return static_cast<double>(static_cast<std::int64_t>(job.period_last[period] + 1 - first));
}

/// Of the last period, for a day.
inline double period_borrow(const Job& job, std::size_t period) {
  if (!(job.full.borrow_ann > 0)) return 0;
  const std::int64_t* time = job.market.time_ns;
  const auto day = [&](std::size_t t) { return utc_day_of_ns(time[t]); };
  const std::size_t last = job.period_last[period];
  return borrow_share(job.full, period + 1 < job.periods ? day(last + 1) - day(last) : 1);
}

/// Purpose: runs all variants of a job: tiles of time outside, lane groups inside, so that a tile's
/// columns stay in the cache while every group passes over them. Owner: one kernel call.
template <class V, class Strategy, Skip kSkip,
          template <class, class, class> class Executor = Simulator>
class SweepWindow {
  static_assert(lanes::Strategy<Strategy, V>, "see the demands in lanes/contract.hpp");
  static constexpr int kColumns = Strategy::kColumns;
  static constexpr std::size_t kLanes = V::kLanes;
  using Sim = Executor<V, Strategy, NoRecorder>;
  using G = typename Sim::G;
  using View = GroupView<V, kColumns>;

 public:
  SweepWindow(const Job& job, std::size_t tile_bars)
      : job_(job), sim_(job, nullptr), tile_(job, tile_bars), groups_(job.slots / kLanes) {
    for (int c = 0; c < kColumns; ++c) {
      pack_[c].lows.resize(tile_.blocks() * kLanes);
      pack_[c].highs.resize(tile_.blocks() * kLanes);
    }
  }

  void run() {
    for (std::size_t g = 0; g < groups_.size(); ++g) sim_.start(groups_[g], g * kLanes);
    std::size_t period = 0;
    std::size_t funding = 0;
    for (std::size_t begin = job_.first; begin < job_.last; begin += tile_.bars()) {
      if (job_.stop != nullptr && job_.stop(job_.stop_with)) return;
      tile_.move_to(begin, std::min(job_.last, begin + tile_.bars()));
      for (auto& pack : pack_) pack.valid = false;
      std::size_t period_next = period;
      std::size_t funding_next = funding;
      for (std::size_t g = 0; g < groups_.size(); ++g) {
        period_next = period;
        funding_next = funding;
        run_tile(g, period_next, funding_next);
      }
      period = period_next;
      funding = funding_next;
    }
    for (std::size_t g = 0; g < groups_.size(); ++g) sim_.finish(groups_[g], g * kLanes);
  }

 private:
  void run_tile(std::size_t g, std::size_t& period, std::size_t& funding) {
    View view;
    view.market_low = job_.low + tile_.begin();
    view.market_high = job_.high + tile_.begin();
    view.market_lows = tile_.market_lows();
    view.market_highs = tile_.market_highs();
    view.close = job_.close + tile_.begin();
    view.close_lows = tile_.close_lows();
    view.close_highs = tile_.close_highs();
    const unsigned shared = bind(g * kLanes, view);
    dispatch<0>(shared, [&](auto tag) {
      advance<decltype(tag)::value>(groups_[g], view, g * kLanes, period, funding);
    });
  }

  // A loop of its own for each set of columns that the lanes of a group share. With three columns
  // or more, one for groups that share them all and one for the others.
  static constexpr unsigned kAll = (1u << kColumns) - 1;
  static constexpr bool kEachSet = kColumns <= 2;

  template <unsigned kShared, class F>
  static void dispatch(unsigned shared, F f) {
    if (shared == kShared) return f(std::integral_constant<unsigned, kShared>{});
    constexpr unsigned next = kEachSet ? kShared + 1 : kAll;
    if constexpr (kShared < kAll) dispatch<next>(shared, f);
  }

  // Fills the view; the result has a bit for each column that is bound as shared.
  unsigned bind(std::size_t slot, View& view) {
    unsigned shared = 0;
    for (int c = 0; c < kColumns; ++c) {
      const std::uint32_t* which = job_.columns + c * job_.slots + slot;
      if (std::equal(which + 1, which + kLanes, which)) shared |= 1u << c;
    }
    if (!kEachSet && shared != kAll) shared = 0;
    for (int c = 0; c < kColumns; ++c) {
      const std::uint32_t* which = job_.columns + c * job_.slots + slot;
      for (std::size_t lane = 0; lane < kLanes; ++lane) {
        view.values[c][lane] = tile_.values(which[lane]);
      }
      if ((shared >> c) & 1u) {
        view.lows[c] = tile_.lows(which[0]);
        view.highs[c] = tile_.highs(which[0]);
      } else {
        pack(pack_[c], which);
        view.lows[c] = pack_[c].lows.data();
        view.highs[c] = pack_[c].highs.data();
      }
    }
    return shared;
  }

  // Block summaries interleaved by lane. Groups come in an order in which neighbours use the same
  // columns, so the last pack is kept.
  struct Pack {
    bool valid = false;
    std::uint32_t which[kLanes] = {};
    std::vector<double> lows;
    std::vector<double> highs;
  };
  void pack(Pack& pack, const std::uint32_t* which) {
    if (pack.valid && std::equal(which, which + kLanes, pack.which)) return;
    pack.valid = true;
    std::copy(which, which + kLanes, pack.which);
    for (std::size_t lane = 0; lane < kLanes; ++lane) {
      const double* lows = tile_.lows(which[lane]);
      const double* highs = tile_.highs(which[lane]);
      for (std::size_t b = 0; b < tile_.blocks(); ++b) {
        pack.lows[b * kLanes + lane] = lows[b];
        pack.highs[b * kLanes + lane] = highs[b];
      }
    }
  }

  // i counts from the tile's first bar. Bars up to `stop` are ordinary: nothing happens there but
  // what a lane does by itself.
  template <unsigned kShared>
  [[gnu::noinline]] void advance(G& g, const View& view, std::size_t slot, std::size_t& period,
                                 std::size_t& funding) {
    const std::size_t begin = tile_.begin();
    const std::size_t count = tile_.end() - begin;
    std::size_t i = 0;
    std::size_t stop = next_stop(period, funding);
    for (;;) {
      bool scans = true;
      if constexpr (Sim::kFull) scans = g.busy == 0;
      if (scans) i = scan<kShared>(g, view, i, std::min(stop, until_deadline(g, begin, i)));
      const ExactBar<V, kColumns, kShared> bar{view, i};
      if (i < stop) {
        sim_.ordinary_bar(g, bar, begin + i);
      } else {
        if (i == count) return;
        special_bar(g, bar, begin + i, slot, period, funding);
        stop = next_stop(period, funding);
      }
      ++i;
    }
  }

  // The next bar with funding or the end of a period, or the end of the tile.
  std::size_t next_stop(std::size_t period, std::size_t funding) const {
    std::size_t stop = tile_.end();
    if (period < job_.periods) stop = std::min(stop, job_.period_last[period]);
    if (funding < job_.fundings) stop = std::min(stop, job_.funding[funding].bar);
    return stop - tile_.begin();
  }

  // Signed numbers: converting an unsigned one takes a branch.
  static std::size_t until_deadline(const G& g, std::size_t begin, std::size_t i) {
    const auto from = static_cast<std::int64_t>(begin);
    const double most = static_cast<double>(from + (std::int64_t{1} << 40));
    const double deadline = g.next_deadline < most ? g.next_deadline : most;
    return static_cast<std::size_t>(
        std::max(static_cast<std::int64_t>(deadline) - from, static_cast<std::int64_t>(i)));
  }

  template <class Bar>
  void special_bar(G& g, const Bar& bar, std::size_t t, std::size_t slot, std::size_t& period,
                   std::size_t& funding) const {
    if (funding < job_.fundings && job_.funding[funding].bar == t) {
      sim_.fund(g, t, job_.funding[funding++].rate_frac);
    }
    if (job_.period_last[period] != t) {
      sim_.special_bar(g, bar, t, slot, nullptr);
      return;
    }
    const PeriodEnd end{period, period_bars(job_, period), period_borrow(job_, period)};
    sim_.special_bar(g, bar, t, slot, &end);
    ++period;
  }

  // The first bar in [i, end) at which a lane could act, or end. What was learned by measuring
  // (dense mean reversion: an event in a group every 19 bars, some 200 cycles each): the search is
  // a quarter of the time, fills and tallies another, mispredicted branches most of the rest.
  // Searching bars or blocks without branches (a bit for each, then the first bit) was no faster:
  // what it saves in mispredictions it spends on bars nobody had to look at. Fewer events pay:
  // variants are ordered so that lanes act at the same bars (see LayoutMaker). What is copied here
  // must be copied into locals: members of a struct stay in memory (a fifth slower), and compilers
  // do not inline all of this by themselves.
  template <unsigned kShared>
  [[gnu::always_inline]] std::size_t scan(G& g, const View& in, std::size_t i,
                                          std::size_t end) const {
    using Exact = ExactBar<V, kColumns, kShared>;
    using Block = BlockBar<V, kColumns, kShared>;
    // Copies: stores to the group must not make the loops load these again.
    const View view = in;
    const auto rule = g.strategy.rule();
    const V side = Sim::wished(g);
    const V stop_low = g.stop_low;
    const V stop_high = g.stop_high;
    [[maybe_unused]] const bool tracks = job_.full.watches_closes;
    [[maybe_unused]] V close_low;
    [[maybe_unused]] V close_high;
    if constexpr (Sim::kFull) {
      close_low = g.close_low;
      close_high = g.close_high;
    }
    const auto due_in = [&](std::size_t b) {
      const Block bars{view, b};
      auto due = possible(rule(SeenBlock<V, Block>(bars)));
      if constexpr (Sim::kFull) {
        if (tracks) {
          due = due | (V(view.close_lows[b]) <= close_low) | (V(view.close_highs[b]) >= close_high);
        }
      }
      return due;
    };
    const auto due_at = [&](std::size_t t) {
      const Exact bar{view, t};
      auto due = rule(Seen<V, Exact>(bar, side));
      if constexpr (Sim::kFull) {
        if (tracks) due = due | (V(view.close[t]) <= close_low) | (V(view.close[t]) >= close_high);
      }
      return due;
    };
    if constexpr (Sim::kTrails) {
      return first_trailing(view, g.trail, stop_low, stop_high, due_in, due_at, i, end);
    } else {
      return first_asked(view, stop_low, stop_high, due_in, due_at, i, end);
    }
  }

  template <class DueIn, class DueAt>
  [[gnu::always_inline]] static std::size_t first_asked(const View& view, V stop_low, V stop_high,
                                                        const DueIn& due_in, const DueAt& due_at,
                                                        std::size_t i, std::size_t end) {
    const auto block_asks = [&](std::size_t b) {
      auto maybe = due_in(b);
      if constexpr (Sim::kLevels) {
        maybe =
            maybe | (V(view.market_lows[b]) <= stop_low) | (V(view.market_highs[b]) >= stop_high);
      }
      return maybe;
    };
    const auto bar_asks = [&](std::size_t t) {
      auto acts = due_at(t);
      if constexpr (Sim::kLevels) {
        acts = acts | (V(view.market_low[t]) <= stop_low) | (V(view.market_high[t]) >= stop_high);
      }
      return acts;
    };
    while (i < end) {
      std::size_t b = i / kBlockBars;
      if constexpr (kSkip == Skip::Yes) {
        const std::size_t blocks = (end + kBlockBars - 1) / kBlockBars;
        while (b < blocks && !any(block_asks(b))) ++b;
        i = std::max(i, b * kBlockBars);
      }
      const std::size_t block_end = std::min(end, (b + 1) * kBlockBars);
      for (; i < block_end; ++i) {
        if (any(bar_asks(i))) return i;
      }
    }
    return end;
  }

  // The same where stops follow prices: the best price is folded over what is passed by. Only whole
  // blocks are, since a position may have begun within one.
  template <class DueIn, class DueAt>
  static std::size_t first_trailing(const View& view, Trail<V>& of_group, V stop_low, V stop_high,
                                    const DueIn& due_in, const DueAt& due_at, std::size_t i,
                                    std::size_t end) {
    Trail<V> trail = of_group;
    const auto reached = [&](V low, V high, const Trail<V>& by) {
      return (low <= larger(stop_low, by.low())) | (high >= smaller(stop_high, by.high()));
    };
    while (i < end) {
      const std::size_t b = i / kBlockBars;
      const bool whole = i % kBlockBars == 0 && i + kBlockBars <= end;
      if (kSkip == Skip::Yes && whole) {
        const V low(view.market_lows[b]);
        const V high(view.market_highs[b]);
        Trail<V> after = trail;
        after.fold(low, high);
        if (!any(due_in(b) | reached(low, high, after))) {
          trail = after;
          i += kBlockBars;
          continue;
        }
      }
      const std::size_t block_end = std::min(end, (b + 1) * kBlockBars);
      for (; i < block_end; ++i) {
        const V low(view.market_low[i]);
        const V high(view.market_high[i]);
        if (any(due_at(i) | reached(low, high, trail))) {
          of_group = trail;
          return i;
        }
        trail.fold(low, high);
      }
    }
    of_group = trail;
    return end;
  }

  const Job& job_;
  Sim sim_;
  Tile<V> tile_;
  std::vector<G> groups_;
  Pack pack_[kColumns];
};

}  // namespace winnow::engine::lanes
