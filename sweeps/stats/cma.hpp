#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace winnow::sweeps::stats {

/// Strategy parameters of CMA-ES (Hansen, The CMA Evolution Strategy: A Tutorial, 2016).
struct CmaParameters {
  std::size_t dimensions = 0;
  std::size_t lambda = 0;        ///< candidates a generation
  std::size_t mu = 0;            ///< parents
  std::vector<double> weights;   ///< of the best mu candidates, best first; they sum to 1
  std::vector<double> negative;  ///< sizes of the others' negative weights (equations 49 to 53)
  double mueff = 0;
  double mueff_minus = 0;  ///< of the negative raw weights
  double cc = 0, cs = 0, c1 = 0, cmu = 0;
  double damps = 0;
};
/// Table 1 of the tutorial: lambda = 4 + floor(3 ln n).
CmaParameters cma_defaults(std::size_t dimensions);
/// The same for a given number of candidates. Requires: dimensions >= 1, lambda >= 4.
CmaParameters cma_parameters(std::size_t dimensions, std::size_t lambda);
/// Expected length of a standard normal vector: Hansen's approximation, and exact.
double cma_chi_approx(std::size_t dimensions);
double cma_chi_exact(std::size_t dimensions);

/// How the step size answers to its path, and when the path of the mean stands still.
enum class CmaLaw : std::uint8_t {
  Tutorial,  ///< |ps| against its expected length, as the tutorial has it: what a search runs
  Compact,   ///< |ps|^2 / n, as Hansen's compact program (purecma), whose traces are published
};

/// What one update changes, wherever it is kept. Of the dimension, the covariance its square.
struct CmaMoments {
  std::span<double> mean, ps, pc, covariance;
  double& sigma;
};
/// Eigenvectors of the covariance before the update, and the roots of its eigenvalues.
struct CmaBasis {
  std::vector<double> vectors;  ///< one after the other
  std::vector<double> roots;
  double condition = 1;  ///< largest eigenvalue over the smallest
  bool sound = false;    ///< there are such, all above 0; else none of these is to be trusted
};
/// Of a covariance of n rows. Requires: n >= 1.
CmaBasis cma_basis(std::span<const double> covariance, std::size_t n);

/// The law of a candidate: mean + stretch times (basis times roots times z), by coordinate.
struct CmaLawOfDraws {
  std::vector<double> scaled;  ///< eigenvectors times their roots, one after the other
  std::vector<double> stretch;
};
enum class CmaDrawn : std::uint8_t {
  Inside,
  Clamped,  ///< it lay outside of the unit cube
};
/// The candidate of standard normal numbers `z`, clamped to the unit cube, to `out`.
CmaDrawn cma_draw(std::span<const double> mean, const CmaLawOfDraws& law, std::span<const double> z,
                  std::span<double> out);
/// One update by ranked candidates, best first, each of the dimension; `updates` counts this one.
/// Requires: as many candidates as weights, positive and negative.
void cma_adapt(const CmaParameters& parameters, CmaLaw law, std::uint64_t updates,
               const CmaBasis& basis, std::span<const double* const> ranked, CmaMoments moments);

}  // namespace winnow::sweeps::stats
