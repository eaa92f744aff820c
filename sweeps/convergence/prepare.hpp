#pragma once

#include <cstdint>
#include <vector>

#include "sweeps/convergence/options.hpp"
#include "sweeps/stats/panel.hpp"
#include "sweeps/stats/parallel.hpp"

namespace winnow::sweeps {

/// How a calendar of T periods is cut: `blocks` equal blocks of `length`, the newest at the end;
/// the oldest T - blocks * length periods are not in a block.
struct BlockCut {
  std::size_t blocks = 0;
  std::size_t length = 0;
};
BlockCut cut_blocks(std::size_t periods, std::size_t blocks_option);

/// Purpose: a family reduced to what the analysis of variance needs.
struct FamilyTable {
  BlockCut cut;
  std::uint64_t zero_variance = 0;
  std::uint64_t not_finite = 0;
  std::size_t distinct = 0;
  DedupeMode dedupe = DedupeMode::Exact;
  std::uint64_t unchecked_pairs = 0;
  /// sqrt(periods per year) * mean over a block of r / sd(r), [distinct variant][block].
  std::vector<double> block_means;
  /// Of each distinct variant, the lowest row of the panel that is it or a clone of it.
  std::vector<std::uint32_t> first_row;
  /// By period: mean over the distinct variants of r / sd(r).
  std::vector<double> period_mean_sd;
  double mean_correlation = 0;
  /// What the charge for gaps takes off every block mean, [distinct variant]; empty: nothing.
  std::vector<double> block_charge;
  double gap_loss_mean = 0;  ///< over the rows that are used
  double return_mean = 0;    ///< of a period, over the rows that are used
};

/// Excludes constant and non-finite rows, joins clones, standardises and cuts. The distinct
/// variants are in an order of their content, so that the order of the panel cannot change a bit.
FamilyTable prepare_family(const PanelView& panel, const ConvergenceOptions& options,
                           const ParallelFor& parallel);

}  // namespace winnow::sweeps
