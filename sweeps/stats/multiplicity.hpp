#pragma once

#include <cstddef>
#include <span>
#include <vector>

namespace winnow::sweeps::stats {

/// Corrections of p-values for many tests. The first six control the probability of any false
/// rejection (for Sidak, HolmSidak, Hochberg and Hommel under independence or positive dependence),
/// the last three the false discovery rate.
enum class Correction {
  Bonferroni,
  Sidak,               ///< 1 - (1 - p)^m
  Holm,                ///< Holm 1979, step-down
  HolmSidak,           ///< Holm's steps with Sidak's levels
  Hochberg,            ///< Hochberg 1988 (Simes), step-up
  Hommel,              ///< Hommel 1988, closed Simes tests
  BenjaminiHochberg,   ///< 1995, step-up
  BenjaminiYekutieli,  ///< 2001, any dependence: factor sum 1/i
  TwoStageBh,          ///< Benjamini, Krieger and Yekutieli 2006 with the BH first stage, level .05
  HarveyLiuBhy,  ///< Harvey and Liu 2015: as BenjaminiYekutieli, but the largest p stays as it is
};

/// Adjusted p-values in the order of `p`: reject where adjusted <= alpha. `alpha` matters only to
/// TwoStageBh, whose first stage counts the true nulls at that level.
/// Requires: every p in [0, 1].
std::vector<double> adjust(Correction correction, std::span<const double> p, double alpha = 0.05);

/// Decisions in the order of `p`.
std::vector<bool> reject(Correction correction, std::span<const double> p, double alpha = 0.05);

}  // namespace winnow::sweeps::stats
