#include "engine/indicators/list.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>

#include "tests/engine/support.hpp"

namespace winnow::engine {
namespace {

std::vector<double> values(const ColumnSpec& spec, const Bars& bars, std::size_t tile) {
  ColumnMaker maker({&bars, 1});
  const auto column = maker.make(spec);
  std::vector<double> out(bars.size);
  for (std::size_t t = 0; t < bars.size; t += tile) {
    column->fill(t, std::min(bars.size, t + tile), out.data() + t);
  }
  return out;
}

std::vector<double> values(const ColumnSpec& spec, std::span<const double> close,
                           std::int64_t ordinal, std::size_t tile) {
  const double* x = close.data();
  return values(spec, {.field = {x, x, x, x, x}, .size = close.size(), .ordinal_first = ordinal},
                tile);
}

constexpr ColumnSpec column_of(ColumnKind kind, int window) {
  return {.kind = kind, .window = window};
}

Bars bars_of(const MarketColumns& m) {
  return {.field = {m.open.data(), m.high.data(), m.low.data(), m.close.data(), m.volume.data()},
          .time_ns = m.time_ns.data(),
          .interval_ns = m.interval_ns,
          .size = m.size(),
          .ordinal_first = m.time_ns[0] / m.interval_ns};
}

constexpr ColumnKind kRolling[] = {ColumnKind::Sma, ColumnKind::ZScore, ColumnKind::Sd};

/// All of them.
const std::vector<ColumnKind> kKinds = [] {
  std::vector<ColumnKind> all;
  for (std::size_t k = 0; k < kIndicators.size(); ++k) all.push_back(static_cast<ColumnKind>(k));
  return all;
}();

TEST(RollingColumn, IsTheMeanAndZScoreOfItsWindow) {
  const MarketColumns m = test::random_market({.seed = 4, .bars = 900});
  for (const int w : {1, 2, 3, 4, 5, 7, 8, 31, 96, 500}) {
    const auto sma = values(column_of(ColumnKind::Sma, w), m.close, 12345, 256);
    const auto z = values(column_of(ColumnKind::ZScore, w), m.close, 12345, 256);
    for (std::size_t t = 0; t < m.size(); ++t) {
      const auto n = static_cast<std::size_t>(w);
      if (t + 1 < n) {
        EXPECT_TRUE(std::isnan(sma[t]));
        EXPECT_EQ(z[t], 0);
        continue;
      }
      long double sum = 0;
      for (std::size_t i = 0; i < n; ++i) sum += m.close[t - i];
      const auto mean = static_cast<double>(sum / w);
      long double squares = 0;
      for (std::size_t i = 0; i < n; ++i) squares += std::pow(m.close[t - i] - mean, 2);
      const auto sd = static_cast<double>(std::sqrt(squares / w));
      ASSERT_NEAR(sma[t], mean, 1e-12 * mean) << w << " " << t;
      if (w > 1) {
        ASSERT_NEAR(z[t], (m.close[t] - mean) / sd, 1e-9) << w << " " << t;
      }
    }
  }
}

TEST(RollingColumn, MoreHistoryOrOtherTilesChangeNoBit) {
  const MarketColumns m = test::random_market({.seed = 5, .bars = 1500});
  for (const ColumnKind kind : kRolling) {
    for (const int w : {2, 5, 17, 64, 250}) {
      const auto all = values(column_of(kind, w), m.close, 777, 1500);
      for (const std::size_t dropped : {1, 2, 63, 400}) {
        const auto later = values(column_of(kind, w), std::span(m.close).subspan(dropped),
                                  777 + static_cast<std::int64_t>(dropped), 64);
        const std::size_t warm = static_cast<std::size_t>(w) - 1;
        for (std::size_t i = warm; i < later.size(); ++i) {
          ASSERT_EQ(0, std::memcmp(&later[i], &all[i + dropped], 8)) << w << " " << dropped;
        }
      }
    }
  }
}

TEST(RollingColumn, DataThatEndsEarlierChangesNoBit) {
  const MarketColumns m = test::random_market({.seed = 6, .bars = 700});
  for (const ColumnKind kind : kRolling) {
    for (const int w : {2, 5, 17, 64, 250}) {
      const auto all = values(column_of(kind, w), m.close, 31, 256);
      for (std::size_t n = 400; n < 420; ++n) {
        const auto cut = values(column_of(kind, w), std::span(m.close).first(n), 31, 256);
        const std::size_t warm = static_cast<std::size_t>(w) - 1;
        ASSERT_EQ(0, std::memcmp(&cut[warm], &all[warm], (n - warm) * sizeof(double))) << w;
      }
    }
  }
}

TEST(RollingColumn, AFlatWindowHasNoZScoreAndAnExactMean) {
  for (const double px : {0.1, 100.0, 1e-7, 61234.56}) {
    std::vector<double> close(400, px);
    close[3] = px * 1.3;  // long before, inside an earlier block
    for (const int w : {3, 7, 50}) {
      const auto z = values(column_of(ColumnKind::ZScore, w), close, 5, 128);
      const auto sma = values(column_of(ColumnKind::Sma, w), close, 5, 128);
      for (std::size_t t = 120; t < close.size(); ++t) {
        ASSERT_EQ(z[t], 0);
        ASSERT_EQ(sma[t], px);
      }
    }
  }
}

TEST(RollingColumn, ErrorsDoNotGrowWithTime) {
  // A jump of twelve orders of magnitude would stay in a running sum forever.
  std::vector<double> close(5000, 1.0);
  for (std::size_t i = 0; i < close.size(); ++i) close[i] += 1e-6 * std::sin(double(i));
  close[100] = 1e12;
  const auto sma = values(column_of(ColumnKind::Sma, 20), close, 0, 512);
  for (std::size_t t = 4000; t < close.size(); ++t) {
    double sum = 0;
    for (std::size_t i = 0; i < 20; ++i) sum += close[t - i] - 1.0;
    ASSERT_NEAR(sma[t], 1.0 + sum / 20, 1e-15);
  }
}

// As a stepper asks: the data grows, and moves, between two bars.
TEST(Columns, DataThatGrowsBarByBarChangesNoBit) {
  const MarketColumns m = test::random_market({.seed = 8, .bars = 900, .gap_share = 0.01});
  for (const ColumnKind kind : kKinds) {
    for (const int w : {1, 2, 5, 17, 64}) {
      for (const int timeframe : {1, 4}) {
        const ColumnSpec spec{.kind = kind, .window = w, .timeframe = timeframe};
        const auto all = values(spec, bars_of(m), 256);
        MarketColumns growing;
        growing.interval_ns = m.interval_ns;
        Bars bars;
        ColumnMaker maker({&bars, 1});
        std::unique_ptr<Column> column;
        for (std::size_t t = 0; t < m.size(); ++t) {
          growing.time_ns.push_back(m.time_ns[t]);
          growing.open.push_back(m.open[t]);
          growing.high.push_back(m.high[t]);
          growing.low.push_back(m.low[t]);
          growing.close.push_back(m.close[t]);
          growing.volume.push_back(m.volume[t]);
          bars = bars_of(growing);
          if (column == nullptr) column = maker.make(spec);
          double value = 0;
          column->fill(t, t + 1, &value);
          ASSERT_EQ(0, std::memcmp(&value, &all[t], sizeof(double))) << w << " at " << t;
        }
      }
    }
  }
}

TEST(Columns, AreOfTheFieldThatIsAskedFor) {
  const MarketColumns m = test::random_market({.seed = 9, .bars = 50});
  const auto last = [&](Field field) {
    return values({.kind = ColumnKind::Sma, .field = field, .window = 1}, bars_of(m), 50).back();
  };
  EXPECT_EQ(last(Field::Open), m.open.back());
  EXPECT_EQ(last(Field::High), m.high.back());
  EXPECT_EQ(last(Field::Low), m.low.back());
  EXPECT_EQ(last(Field::Close), m.close.back());
  EXPECT_EQ(last(Field::Volume), m.volume.back());
}

TEST(Columns, AreOfTheLegThatIsAskedFor) {
  const MarketColumns a = test::random_market({.seed = 10, .bars = 40});
  const MarketColumns b = test::random_market({.seed = 11, .bars = 40});
  const Bars legs[] = {bars_of(a), bars_of(b)};
  ColumnMaker maker(legs);
  double value = 0;
  maker.make({.kind = ColumnKind::Sma, .leg = 1, .window = 1})->fill(39, 40, &value);
  EXPECT_EQ(value, b.close.back());
}

/// What a longer timeframe's last complete bar is, said another way: the bars of each interval that
/// lies whole in the past, of those that begin within the data.
double last_complete(const MarketColumns& m, std::size_t t, std::int64_t timeframe,
                     double (*of)(const MarketColumns&, std::size_t first, std::size_t last)) {
  const std::int64_t length = m.interval_ns * timeframe;
  const std::int64_t now = m.time_ns[t] + m.interval_ns;
  for (std::size_t i = t + 1; i-- > 0;) {
    const std::int64_t begin = m.time_ns[i] / length * length;
    if (begin + length > now) continue;
    if (begin < m.time_ns[0]) break;
    std::size_t first = i;
    while (first > 0 && m.time_ns[first - 1] >= begin) --first;
    return of(m, first, i);
  }
  return std::nan("");
}

TEST(Columns, OfALongerTimeframeAreOfItsLastCompleteBar) {
  const MarketColumns m = test::random_market({.seed = 12, .bars = 800, .gap_share = 0.02});
  using Of = double (*)(const MarketColumns&, std::size_t, std::size_t);
  const std::pair<Field, Of> fields[] = {
      {Field::Open, [](auto& c, std::size_t first, std::size_t) { return c.open[first]; }},
      {Field::Close, [](auto& c, std::size_t, std::size_t last) { return c.close[last]; }},
      {Field::High,
       [](auto& c, std::size_t first, std::size_t last) {
         return *std::max_element(&c.high[first], &c.high[last] + 1);
       }},
      {Field::Low,
       [](auto& c, std::size_t first, std::size_t last) {
         return *std::min_element(&c.low[first], &c.low[last] + 1);
       }},
      {Field::Volume, [](auto& c, std::size_t first, std::size_t last) {
         double sum = 0;
         for (std::size_t i = first; i <= last; ++i) sum += c.volume[i];
         return sum;
       }}};
  for (const int timeframe : {2, 3, 12, 288}) {
    for (const auto& [field, of] : fields) {
      const ColumnSpec spec{
          .kind = ColumnKind::Sma, .field = field, .window = 1, .timeframe = timeframe};
      const auto got = values(spec, bars_of(m), 100);
      for (std::size_t t = 0; t < m.size(); ++t) {
        const double want = last_complete(m, t, timeframe, of);
        if (std::isnan(want)) {
          ASSERT_TRUE(std::isnan(got[t])) << timeframe << " at " << t;
        } else {
          ASSERT_EQ(got[t], want) << timeframe << " at " << t;
        }
      }
    }
  }
}

// More history than the warm-up changes no bit, whatever the kind: where a window is split depends
// on its bars alone.
TEST(Columns, AreFullAfterTheirWarmUp) {
  const MarketColumns m = test::random_market({.seed = 13, .bars = 3'000});
  for (const ColumnKind kind : kKinds) {
    for (const int timeframe : {1, 2, 5, 24}) {
      for (const int w : {1, 3, 20}) {
        const ColumnSpec spec{.kind = kind, .window = w, .timeframe = timeframe};
        const std::size_t warm = warmup_bars(spec);
        if (warm + 100 > m.size()) continue;
        const auto all = values(spec, bars_of(m), 512);
        EXPECT_TRUE(warm == 0 || all[warm - 1] != all[warm - 1] || all[warm - 1] == 0 ||
                    timeframe > 1)
            << "full too early";
        for (std::size_t first = 0; first < 50; first += 7) {
          Bars later = bars_of(m);
          for (const double*& f : later.field) f += first;
          later.time_ns += first;
          later.size -= first;
          later.ordinal_first += static_cast<std::int64_t>(first);
          const auto part = values(spec, later, 512);
          EXPECT_EQ(0, std::memcmp(&part[warm], &all[first + warm],
                                   (part.size() - warm) * sizeof(double)))
              << static_cast<int>(kind) << " " << timeframe << " " << w << " from " << first;
        }
      }
    }
  }
}

// Written once more, from the formulas of the headers, without windows that are split.
long double plain_value(const MarketColumns& m, ColumnKind kind, std::size_t t, int w) {
  const auto close = [&](std::size_t i) { return static_cast<long double>(m.close[i]); };
  const auto n = static_cast<std::size_t>(w);
  const auto smoothed = [&](long double a, auto of, std::size_t last_back) {
    long double value = of(t - last_back);
    for (std::size_t back = last_back; back-- > 0;) value += a * (of(t - back) - value);
    return value;
  };
  const auto range = [&](std::size_t i) {
    return std::max<long double>(m.high[i], m.close[i - 1]) -
           std::min<long double>(m.low[i], m.close[i - 1]);
  };
  switch (kind) {
    case ColumnKind::Sma: {
      long double sum = 0;
      for (std::size_t i = 0; i < n; ++i) sum += close(t - i);
      return sum / w;
    }
    case ColumnKind::ZScore:
    case ColumnKind::Sd: {
      const long double mean = plain_value(m, ColumnKind::Sma, t, w);
      long double squares = 0;
      for (std::size_t i = 0; i < n; ++i) squares += (close(t - i) - mean) * (close(t - i) - mean);
      const long double sd = std::sqrt(squares / w);
      if (kind == ColumnKind::Sd) return sd;
      return sd > 1e-9L * mean ? (close(t) - mean) / sd : 0;
    }
    case ColumnKind::Wma: {
      long double sum = 0;
      long double weights = 0;
      for (std::size_t i = 0; i < n; ++i) {
        sum += static_cast<long double>(n - i) * close(t - i);
        weights += static_cast<long double>(n - i);
      }
      return sum / weights;
    }
    case ColumnKind::Ema:  // from the very first bar on, as libraries do
      return smoothed(2.0L / (w + 1), close, t);
    case ColumnKind::Wilder:
      return smoothed(1.0L / w, close, t);
    case ColumnKind::Highest:
      return *std::max_element(&m.close[t - n], &m.close[t]);
    case ColumnKind::Lowest:
      return *std::min_element(&m.close[t - n], &m.close[t]);
    case ColumnKind::Atr:
      return smoothed(1.0L / w, range, t - 1);
    case ColumnKind::Rsi: {
      const auto up = [&](std::size_t i) { return std::max(close(i) - close(i - 1), 0.0L); };
      const auto down = [&](std::size_t i) { return std::max(close(i - 1) - close(i), 0.0L); };
      const long double rises = smoothed(1.0L / w, up, t - 1);
      const long double falls = smoothed(1.0L / w, down, t - 1);
      return rises + falls > 0 ? 100 * rises / (rises + falls) : 50;
    }
  }
  return 0;
}

TEST(Columns, AreWhatTheirFormulasSay) {
  const MarketColumns m = test::random_market({.seed = 14, .bars = 1'500, .jump_share = 0.01});
  for (const ColumnKind kind : kKinds) {
    for (const int w : {1, 2, 7, 19, 30}) {
      const ColumnSpec spec{.kind = kind, .window = w};
      const auto got = values(spec, bars_of(m), 128);
      const std::size_t warm = warmup_bars(spec);
      ASSERT_LT(warm + 100, m.size());
      for (std::size_t t = warm; t < m.size(); t += 13) {
        const auto want = static_cast<double>(plain_value(m, kind, t, w));
        ASSERT_NEAR(got[t], want, 1e-12 * std::max(std::fabs(want), 1.0))
            << static_cast<int>(kind) << " of " << w << " at " << t;
      }
    }
  }
}

// What a batch says it takes counts windows that are longer than their parameter.
TEST(Columns, SayHowMuchTheyHold) {
  EXPECT_EQ(column_doubles({.kind = ColumnKind::Sma, .window = 96}, 1'000), 192u);
  EXPECT_EQ(column_doubles({.kind = ColumnKind::ZScore, .window = 96}, 1'000), 192u);
  EXPECT_GE(column_doubles({.kind = ColumnKind::Ema, .window = 100}, 1'000), 2u * 1'868);
  EXPECT_GE(column_doubles({.kind = ColumnKind::Rsi, .window = 14}, 1'000), 4u * 518);
  EXPECT_GE(column_doubles({.kind = ColumnKind::Sma, .window = 10, .timeframe = 4}, 100'000),
            6u * 25'000 + 50'000);
}

TEST(Columns, OfAFlatMarketAreDefined) {
  MarketColumns m = test::random_market({.seed = 15, .bars = 2'000});
  for (auto* column : {&m.open, &m.high, &m.low, &m.close}) {
    std::fill(column->begin(), column->end(), 61'234.56);
  }
  for (const ColumnKind kind : kKinds) {
    const ColumnSpec spec{.kind = kind, .window = 10};
    const double last = values(spec, bars_of(m), 128).back();
    const bool mean = kind == ColumnKind::Sma || kind == ColumnKind::Wma ||
                      kind == ColumnKind::Ema || kind == ColumnKind::Wilder ||
                      kind == ColumnKind::Highest || kind == ColumnKind::Lowest;
    EXPECT_EQ(last, mean ? 61'234.56 : kind == ColumnKind::Rsi ? 50 : 0) << static_cast<int>(kind);
  }
}

}  // namespace
}  // namespace winnow::engine
