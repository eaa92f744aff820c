#include "bench/search_functions.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>
#include <string_view>
#include <vector>

namespace {

using std::numbers::e;
using std::numbers::pi;

// Where the optimum of coordinate i lies, as a part of half the range: -0.5 to 0.5.
double offset(std::size_t i) { return static_cast<double>(i * 7 % 13) / 12 - 0.5; }

double sphere(const std::vector<double>& x) {
  double sum = 0;
  for (double v : x) sum += v * v;
  return sum;
}

double rosenbrock(const std::vector<double>& x) {
  double sum = 0;
  for (std::size_t i = 0; i + 1 < x.size(); ++i) {
    const double a = x[i] + 1;
    const double b = x[i + 1] + 1;
    sum += 100 * (b - a * a) * (b - a * a) + (1 - a) * (1 - a);
  }
  return sum;
}

double rastrigin(const std::vector<double>& x) {
  double sum = 0;
  for (double v : x) sum += v * v - 10 * std::cos(2 * pi * v) + 10;
  return sum;
}

double ackley(const std::vector<double>& x) {
  const auto n = static_cast<double>(x.size());
  double waves = 0;
  for (double v : x) waves += std::cos(2 * pi * v);
  return -20 * std::exp(-0.2 * std::sqrt(sphere(x) / n)) - std::exp(waves / n) + 20 + e;
}

double griewank(const std::vector<double>& x) {
  double product = 1;
  for (std::size_t i = 0; i < x.size(); ++i) {
    product *= std::cos(x[i] / std::sqrt(static_cast<double>(i + 1)));
  }
  return 1 + sphere(x) / 4000 - product;
}

double levy(const std::vector<double>& x) {
  const auto w = [&](std::size_t i) { return 1 + x[i] / 4; };
  double sum = std::pow(std::sin(pi * w(0)), 2);
  for (std::size_t i = 0; i + 1 < x.size(); ++i) {
    sum += std::pow(w(i) - 1, 2) * (1 + 10 * std::pow(std::sin(pi * w(i) + 1), 2));
  }
  const double last = w(x.size() - 1);
  return sum + std::pow(last - 1, 2) * (1 + std::pow(std::sin(2 * pi * last), 2));
}

// The last two are not shifted: their optima are off the middle by themselves.
double styblinski(const double* x, std::size_t n) {
  double sum = 0;
  for (std::size_t i = 0; i < n; ++i) {
    const double s = x[i] * x[i];
    sum += (s * s - 16 * s + 5 * x[i]) / 2 + 39.16616570377142;
  }
  return sum;
}

double schwefel(const double* x, std::size_t n) {
  double sum = 0;
  for (std::size_t i = 0; i < n; ++i) {
    sum += 418.9828872724339 - x[i] * std::sin(std::sqrt(std::abs(x[i])));
  }
  return sum;
}

// Two logarithmic floats, two integers, two categories of four, two floats.
double mixed(const double* x) {
  double loss = std::pow(std::log10(x[0]) + 3, 2) + std::pow(std::log10(x[1]) - 1, 2) / 2;
  loss += std::pow((x[2] - 37) / 20, 2) + std::pow((x[3] - 5) / 4, 2);
  constexpr double kFirst[] = {0.8, 0.3, 0, 1.5};
  constexpr double kSecond[] = {0.4, 1, 0.9, 0};
  loss += kFirst[static_cast<int>(x[4])] + kSecond[static_cast<int>(x[5])];
  return loss + std::pow(x[6] - 0.7, 2) * 4 + std::pow(x[7] - x[6] + 0.2, 2) * 4;
}

// x[0] chooses a branch of three; each has its own two parameters; two are shared.
double conditional(const double* x) {
  const int branch = static_cast<int>(x[0]);
  constexpr double kFloor[] = {0.5, 0, 0.2};
  constexpr double kBest[] = {0.2, 0.75, 0.5};
  const double a = x[1 + 2 * branch];
  const double b = x[2 + 2 * branch];
  return kFloor[branch] + 6 * std::pow(a - kBest[branch], 2) + 3 * std::pow(b - a * a, 2) +
         std::pow(x[7] - 0.3, 2) + std::abs(x[8] - 12) / 10;
}

}  // namespace

double winnow_bench_loss(const char* name, const double* x, std::size_t n) {
  const std::string_view f(name);
  if (f == "styblinski_tang") return styblinski(x, n);
  if (f == "schwefel") return schwefel(x, n);
  if (f == "mixed") return mixed(x);
  if (f == "conditional") return conditional(x);
  struct Shifted {
    std::string_view name;
    double half_range;
    double (*loss)(const std::vector<double>&);
  };
  constexpr Shifted kShifted[] = {{"sphere", 5.12, sphere},       {"rosenbrock", 2.048, rosenbrock},
                                  {"rastrigin", 5.12, rastrigin}, {"ackley", 32.768, ackley},
                                  {"griewank", 600, griewank},    {"levy", 10, levy}};
  for (const Shifted& s : kShifted) {
    if (s.name != f) continue;
    std::vector<double> at(x, x + n);
    for (std::size_t i = 0; i < n; ++i) at[i] -= offset(i) * s.half_range;
    return s.loss(at);
  }
  return std::numeric_limits<double>::quiet_NaN();
}

void winnow_bench_zdt(int number, const double* x, std::size_t n, double* losses) {
  double sum = 0;
  for (std::size_t i = 1; i < n; ++i) sum += x[i];
  const double g = 1 + 9 * sum / static_cast<double>(n - 1);
  const double ratio = x[0] / g;
  losses[0] = x[0];
  losses[1] = g * (number == 2 ? 1 - ratio * ratio : 1 - std::sqrt(ratio));
  if (number == 3) losses[1] -= x[0] * std::sin(10 * pi * x[0]);
}
