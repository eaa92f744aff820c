#pragma once

#include <span>
#include <vector>

namespace winnow::sweeps::stats {

// Published rules for tests that come one after the other, to compare the account of alpha with
// (sweeps/level/account.hpp). Nothing that users see is decided by them.

struct OnlineTest {
  double level = 0;
  bool reject = false;
};

/// 0.07720838 ln(max(j, 2)) / (j exp(sqrt(ln j))), j from 1: the usual sequence for both rules.
double online_gamma(std::size_t j);

/// LOND (Javanmard and Montanari 2015): alpha gamma_j (rejections so far + 1).
std::vector<OnlineTest> lond(std::span<const double> p, double alpha);

/// LORD++ (Ramdas and others 2017), as in onlineFDR.
/// Requires: 0 < w0 <= alpha.
std::vector<OnlineTest> lord_plus_plus(std::span<const double> p, double alpha, double w0);

}  // namespace winnow::sweeps::stats
