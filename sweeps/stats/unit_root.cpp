#include "sweeps/stats/unit_root.hpp"

#include <algorithm>
#include <cmath>

#include "base/numbers.hpp"
#include "sweeps/stats/basic.hpp"
#include "sweeps/stats/dense.hpp"

namespace winnow::sweeps::stats {
namespace {

std::size_t term_count(Trend trend) {
  return trend == Trend::None ? 0 : (trend == Trend::Constant ? 1 : 2);
}

struct Regression {
  VectorXd beta;
  VectorXd residual;
  double rss = 0;
  MatrixXd inverse;  ///< (X'X)^-1

  double t(Index k) const {
    const double s2 = rss / static_cast<double>(residual.size() - beta.size());
    return beta(k) / std::sqrt(s2 * inverse(k, k));
  }
};

Regression regress(const VectorXd& y, const MatrixXd& x) {
  Regression r;
  const auto qr = x.householderQr();
  r.beta = qr.solve(y);
  r.residual = y - x * r.beta;
  r.rss = r.residual.squaredNorm();
  const MatrixXd upper = qr.matrixQR().topRows(x.cols()).triangularView<Eigen::Upper>();
  const MatrixXd root =
      upper.triangularView<Eigen::Upper>().solve(MatrixXd::Identity(x.cols(), x.cols()));
  r.inverse = root * root.transpose();
  return r;
}

/// Surfaces of MacKinnon (1994, tau; 2010, critical values) for one and two series.
struct MacKinnon {
  double tau_max, tau_min, tau_star;
  std::array<double, 3> small;
  std::array<double, 4> large;
  std::array<std::array<double, 4>, 3> critical;
};

const MacKinnon& mackinnon(Trend trend, std::size_t series) {
  static const MacKinnon kNone{kInf,
                               -19.04,
                               -1.04,
                               {0.6344, 1.2378, 0.032496},
                               {0.4797, 0.93557, -0.06999, 0.033066},
                               {{{-2.56574, -2.2358, -3.627, 0},
                                 {-1.94100, -0.2686, -3.365, 31.223},
                                 {-1.61682, 0.2656, -2.714, 25.364}}}};
  static const MacKinnon kConstant{2.74,
                                   -18.83,
                                   -1.61,
                                   {2.1659, 1.4412, 0.038269},
                                   {1.7339, 0.93202, -0.12745, -0.010368},
                                   {{{-3.43035, -6.5393, -16.786, -79.433},
                                     {-2.86154, -2.8903, -4.234, -40.040},
                                     {-2.56677, -1.5384, -2.809, 0}}}};
  static const MacKinnon kTrend{0.7,
                                -16.18,
                                -2.89,
                                {3.2512, 1.6047, 0.049588},
                                {2.5261, 0.61654, -0.37956, -0.060285},
                                {{{-3.95877, -9.0531, -28.428, -134.155},
                                  {-3.41049, -4.3904, -9.036, -45.374},
                                  {-3.12705, -2.5856, -3.925, -22.380}}}};
  static const MacKinnon kConstant2{0.92,
                                    -18.86,
                                    -2.62,
                                    {2.92, 1.5012, 0.039796},
                                    {2.1945, 0.64695, -0.29198, -0.042377},
                                    {{{-3.89644, -10.9519, -33.527, 0},
                                      {-3.33613, -6.1101, -6.823, 0},
                                      {-3.04445, -4.2412, -2.720, 0}}}};
  static const MacKinnon kTrend2{0.63,
                                 -21.15,
                                 -3.19,
                                 {3.6646, 1.5419, 0.036448},
                                 {2.85, 0.5272, -0.36622, -0.051695},
                                 {{{-4.32762, -15.4387, -35.679, 0},
                                   {-3.78057, -9.5106, -12.074, 0},
                                   {-3.49631, -7.0815, -7.538, 21.892}}}};
  if (series == 2) return trend == Trend::ConstantTrend ? kTrend2 : kConstant2;
  if (trend == Trend::None) return kNone;
  return trend == Trend::Constant ? kConstant : kTrend;
}

template <std::size_t N>
double polynomial(const std::array<double, N>& c, double x) {
  double v = 0;
  for (std::size_t i = N; i-- > 0;) v = v * x + c[i];
  return v;
}

double mackinnon_p(const MacKinnon& m, double statistic) {
  if (statistic > m.tau_max) return 1;
  if (statistic < m.tau_min) return 0;
  return normal_cdf(statistic <= m.tau_star ? polynomial(m.small, statistic)
                                            : polynomial(m.large, statistic));
}

std::array<double, 3> mackinnon_critical(const MacKinnon& m, double observations) {
  std::array<double, 3> out{};
  for (std::size_t i = 0; i < 3; ++i) out[i] = polynomial(m.critical[i], 1 / observations);
  return out;
}

/// The Dickey-Fuller regression with `lags`, dropping the first `skip` differences.
struct Design {
  VectorXd y;
  MatrixXd x;  ///< level, lagged differences, constant, trend
};

Design design(std::span<const double> x, Trend trend, std::size_t lags, std::size_t skip) {
  const std::size_t n = x.size() - 1 - skip;
  Design d{VectorXd(index(n)), MatrixXd(index(n), index(1 + lags + term_count(trend)))};
  for (std::size_t i = 0; i < n; ++i) {
    const std::size_t t = i + skip;  // of the difference x[t + 1] - x[t]
    d.y(index(i)) = x[t + 1] - x[t];
    d.x(index(i), 0) = x[t];
    for (std::size_t k = 1; k <= lags; ++k) d.x(index(i), index(k)) = x[t - k + 1] - x[t - k];
    if (trend != Trend::None) d.x(index(i), index(lags + 1)) = 1;
    if (trend == Trend::ConstantTrend) d.x(index(i), index(lags + 2)) = static_cast<double>(i + 1);
  }
  return d;
}

std::size_t choose_lags(std::span<const double> x, Trend trend, LagChoice::Rule rule) {
  const double n = static_cast<double>(x.size());
  const auto longest = static_cast<std::size_t>(std::ceil(12 * std::pow(n / 100, 0.25)));
  const std::size_t room = x.size() / 2 - term_count(trend) - 1;
  const std::size_t lags_max = std::min(longest, room);
  double best = kInf;
  std::size_t chosen = 0;
  for (std::size_t lags = 0; lags <= lags_max; ++lags) {
    const Design d = design(x, trend, lags, lags_max);
    const double m = static_cast<double>(d.y.size());
    const double parameters = static_cast<double>(d.x.cols());
    const double fit = m * (std::log(2 * M_PI) + std::log(regress(d.y, d.x).rss / m) + 1);
    const double criterion = fit + parameters * (rule == LagChoice::Rule::Aic ? 2 : std::log(m));
    if (criterion < best) {
      best = criterion;
      chosen = lags;
    }
  }
  return chosen;
}

/// Statistic and lags only.
UnitRootTest dickey_fuller_statistic(std::span<const double> x, Trend trend,
                                     const LagChoice& rule) {
  UnitRootTest r;
  const bool fixed = rule.rule == LagChoice::Rule::Fixed;
  if (x.size() < 8 + (fixed ? 2 * rule.lags : 0) || !(variance(x) > 0)) return r;
  r.lags = fixed ? rule.lags : choose_lags(x, trend, rule.rule);
  const Design d = design(x, trend, r.lags, r.lags);
  const double t = regress(d.y, d.x).t(0);
  r.statistic = std::isfinite(t) ? t : 0;
  r.observations = static_cast<std::size_t>(d.y.size());
  return r;
}

MatrixXd trend_matrix(std::size_t n, Trend trend) {
  MatrixXd m(index(n), index(term_count(trend)));
  for (std::size_t i = 0; i < n; ++i) {
    if (trend != Trend::None) m(index(i), 0) = 1;
    if (trend == Trend::ConstantTrend) m(index(i), 1) = static_cast<double>(i + 1);
  }
  return m;
}

}  // namespace

UnitRootTest dickey_fuller(std::span<const double> x, Trend trend, const LagChoice& lags) {
  UnitRootTest r = dickey_fuller_statistic(x, trend, lags);
  if (r.observations == 0) return r;
  const MacKinnon& m = mackinnon(trend, 1);
  r.p = mackinnon_p(m, r.statistic);
  r.critical = mackinnon_critical(m, static_cast<double>(r.observations));
  return r;
}

UnitRootTest engle_granger(std::span<const double> y, std::span<const double> x, Trend trend,
                           const LagChoice& lags) {
  if (x.size() < 8) return {};
  MatrixXd columns(index(x.size()), index(1 + term_count(trend)));
  columns.col(0) = vector_of(x);
  columns.rightCols(index(term_count(trend))) = trend_matrix(x.size(), trend);
  const VectorXd u = regress(vector_of(y), columns).residual;
  UnitRootTest r = dickey_fuller_statistic({u.data(), x.size()}, Trend::None, lags);
  if (r.observations == 0) return r;
  const MacKinnon& m = mackinnon(trend, 2);
  r.p = mackinnon_p(m, r.statistic);
  r.critical = mackinnon_critical(m, static_cast<double>(x.size() - 1));
  return r;
}

KpssTest kpss(std::span<const double> x, Trend trend, std::size_t lags) {
  KpssTest k;
  k.critical = trend == Trend::ConstantTrend ? std::array{0.119, 0.146, 0.176, 0.216}
                                             : std::array{0.347, 0.463, 0.574, 0.739};
  if (x.size() < 3 || !(variance(x) > 0)) return k;
  const VectorXd u = regress(vector_of(x), trend_matrix(x.size(), trend)).residual;
  const double n = static_cast<double>(x.size());
  double partial = 0;
  double eta = 0;
  for (double v : u) {
    partial += v;
    eta += partial * partial;
  }
  double spectrum = u.squaredNorm();
  for (std::size_t lag = 1; lag <= std::min(lags, x.size() - 1); ++lag) {
    const Index m = u.size() - index(lag);
    const double weight = 1 - static_cast<double>(lag) / static_cast<double>(lags + 1);
    spectrum += 2 * weight * u.tail(m).dot(u.head(m));
  }
  if (!(spectrum > 0)) return k;
  k.statistic = eta / (n * n) / (spectrum / n);
  constexpr std::array kP = {0.10, 0.05, 0.025, 0.01};
  k.p = k.statistic <= k.critical[0] ? kP[0] : kP[3];
  for (std::size_t i = 0; i < 3; ++i) {
    if (k.statistic < k.critical[i] || k.statistic > k.critical[i + 1]) continue;
    const double share = (k.statistic - k.critical[i]) / (k.critical[i + 1] - k.critical[i]);
    k.p = kP[i] + share * (kP[i + 1] - kP[i]);
  }
  return k;
}

std::size_t kpss_automatic_lags(std::span<const double> x) {
  const double n = static_cast<double>(x.size());
  const double m = mean(x);
  const auto window = static_cast<std::size_t>(std::pow(n, 2.0 / 9));
  const auto product = [&](std::size_t lag) {
    double sum = 0;
    for (std::size_t t = lag; t < x.size(); ++t) sum += (x[t] - m) * (x[t - lag] - m);
    return sum;
  };
  double s0 = product(0) / n;
  double s1 = 0;
  for (std::size_t i = 1; i <= window; ++i) {
    const double p = product(i) / (n / 2);
    s0 += p;
    s1 += static_cast<double>(i) * p;
  }
  const double gamma = 1.1447 * std::cbrt((s1 / s0) * (s1 / s0));
  return static_cast<std::size_t>(gamma * std::cbrt(n));
}

std::vector<double> autocorrelations(std::span<const double> x, std::size_t lags) {
  const double m = mean(x);
  std::vector<double> out;
  for (std::size_t lag = 0; lag <= lags; ++lag) {
    double sum = 0;
    for (std::size_t t = lag; t < x.size(); ++t) sum += (x[t] - m) * (x[t - lag] - m);
    out.push_back(sum);
  }
  for (std::size_t lag = lags + 1; lag-- > 0;) out[lag] /= out[0];
  return out;
}

PortmanteauTest ljung_box(std::span<const double> x, std::size_t lags) {
  const std::vector<double> r = autocorrelations(x, lags);
  const double n = static_cast<double>(x.size());
  PortmanteauTest t;
  for (std::size_t k = 1; k <= lags; ++k) t.statistic += r[k] * r[k] / (n - static_cast<double>(k));
  t.statistic *= n * (n + 2);
  t.p = chi2_sf(t.statistic, static_cast<double>(lags));
  return t;
}

HedgeRatio hedge_ratio(std::span<const double> y, std::span<const double> x) {
  const Line line = fit_line(x, y);
  std::vector<double> u;
  double rss = 0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    u.push_back(y[i] - line.intercept - line.slope * x[i]);
    rss += u.back() * u.back();
  }
  return {line.intercept, line.slope, line.r * line.r,
          std::sqrt(rss / (static_cast<double>(x.size()) - 2)), u.back() / stdev(u)};
}

MeanReversion fit_mean_reversion(std::span<const double> x, double dt) {
  MeanReversion m;
  const std::size_t n = x.size() - 1;
  MatrixXd columns(index(n), 2);
  VectorXd change(index(n));
  for (std::size_t i = 0; i < n; ++i) {
    columns(index(i), 0) = 1;
    columns(index(i), 1) = x[i];
    change(index(i)) = x[i + 1] - x[i];
  }
  const Regression r = regress(change, columns);
  m.a = r.beta(0);
  m.b = r.beta(1);
  m.t_b = r.t(1);
  m.residual_variance = r.rss / (static_cast<double>(n) - 2);
  m.half_life_linear = -std::log(2.0) / m.b * dt;
  m.half_life = kInf;
  if (!(m.b < 0 && m.b > -1)) return m;
  m.theta = -std::log1p(m.b) / dt;
  m.half_life = std::log(2.0) / m.theta;
  m.mu = -m.a / m.b;
  const double decay = 1 + m.b;
  m.sigma = std::sqrt(m.residual_variance * 2 * m.theta / (1 - decay * decay));
  m.stationary_sd = m.sigma / std::sqrt(2 * m.theta);
  return m;
}

}  // namespace winnow::sweeps::stats
