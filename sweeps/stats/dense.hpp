#pragma once

#include <Eigen/Dense>
#include <cstddef>
#include <span>

namespace winnow::sweeps::stats {

// Eigen's names in the files of this folder that solve equations. It is slow to compile: what
// decomposes a matrix stands in few files, and no header of another folder includes this one.
using Eigen::Index;
using Eigen::MatrixXd;
using Eigen::VectorXd;

inline Index index(std::size_t i) { return static_cast<Index>(i); }

inline VectorXd vector_of(std::span<const double> x) {
  return Eigen::Map<const VectorXd>(x.data(), index(x.size()));
}

}  // namespace winnow::sweeps::stats
