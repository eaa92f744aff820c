#include "sweeps/convergence/prepare.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <string_view>

#include "base/hash.hpp"
#include "sweeps/convergence/dedupe.hpp"
#include "sweeps/convergence/kernels.hpp"

namespace winnow::sweeps {
namespace {

constexpr std::size_t kRowsPerTask = 2048;
constexpr std::size_t kSlotsMax = 128;
// A row whose spread is below this share of its largest value is constant but for rounding.
constexpr double kConstantFrac = 1e-10;
constexpr double kNormMin = 1e-30;

enum class RowKind : std::uint8_t { Usable, Constant, NotFinite };

struct Row {
  Hash128 content;
  RowMoments moments;
  std::uint32_t index = 0;
  RowKind kind = RowKind::Usable;
};

template <class Real>
RowMoments moments_of(const Real* row, std::size_t periods) {
  const double n = static_cast<double>(periods);
  RowMoments m;
  m.mean = sums(row, periods, 0).sum / n;
  const double norm = std::sqrt(sums(row, periods, m.mean).square);
  if (!std::isfinite(m.mean) || !std::isfinite(norm)) {
    m.inverse_norm = -1;
  } else if (norm < kNormMin || norm <= kConstantFrac * std::sqrt(n) * std::abs(m.mean)) {
    m.inverse_norm = 0;
  } else {
    m.inverse_norm = 1 / norm;
  }
  return m;
}

template <class Real>
std::vector<Row> describe_rows(const PanelView& panel, const ParallelFor& parallel) {
  const std::size_t n = panel.variants();
  const std::size_t periods = panel.periods();
  std::vector<Row> rows(n);
  parallel((n + kRowsPerTask - 1) / kRowsPerTask, [&](std::size_t task) {
    for (std::size_t i = task * kRowsPerTask; i < std::min(n, (task + 1) * kRowsPerTask); ++i) {
      const Real* data = panel.row<Real>(i);
      Row& row = rows[i];
      row.index = static_cast<std::uint32_t>(i);
      row.moments = moments_of(data, periods);
      row.kind = row.moments.inverse_norm < 0    ? RowKind::NotFinite
                 : row.moments.inverse_norm == 0 ? RowKind::Constant
                                                 : RowKind::Usable;
      if (row.kind == RowKind::Usable) {
        row.content =
            hash128(std::string_view(reinterpret_cast<const char*>(data), periods * sizeof(Real)));
      }
    }
  });
  return rows;
}

/// One distinct variant: rows [first, last) of the member list.
struct Group {
  std::uint32_t first = 0;
  std::uint32_t last = 0;
};

/// Rows with equal bytes once, with their count; in content order.
struct UniqueRows {
  std::vector<std::uint32_t> index;
  std::vector<RowMoments> moments;
  std::vector<double> count;
  std::vector<double> loss;  ///< in a gap: mean over the rows; empty: none
};

UniqueRows unique_rows(std::vector<Row>& rows, std::span<const double> gap_loss) {
  std::sort(rows.begin(), rows.end(), [](const Row& a, const Row& b) {
    return a.content != b.content ? a.content < b.content : a.index < b.index;
  });
  UniqueRows u;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    if (i > 0 && rows[i].content == rows[i - 1].content) {
      u.count.back() += 1;
      if (!gap_loss.empty()) {
        u.loss.back() += (gap_loss[rows[i].index] - u.loss.back()) / u.count.back();
      }
      continue;
    }
    if (!gap_loss.empty()) u.loss.push_back(gap_loss[rows[i].index]);
    u.index.push_back(rows[i].index);
    u.moments.push_back(rows[i].moments);
    u.count.push_back(1);
  }
  return u;
}

/// Members sorted by group, groups in content order.
std::vector<Group> group_members(const std::vector<std::uint32_t>& root,
                                 std::vector<std::uint32_t>& members) {
  members.resize(root.size());
  std::iota(members.begin(), members.end(), 0u);
  std::sort(members.begin(), members.end(), [&](std::uint32_t a, std::uint32_t b) {
    return root[a] != root[b] ? root[a] < root[b] : a < b;
  });
  std::vector<Group> groups;
  for (std::uint32_t i = 0; i < members.size(); ++i) {
    if (i == 0 || root[members[i]] != root[members[i - 1]]) groups.push_back({i, i});
    groups.back().last = i + 1;
  }
  return groups;
}

/// What a slot of groups adds up.
struct Slot {
  std::vector<double> period_sum;  ///< sum over variants of r / sd
  double mean_sum = 0;             ///< sum over variants of mean / sd
  std::size_t degenerate = 0;      ///< chains of clones that average to nothing
};

template <class Real>
class TableBuilder {
 public:
  TableBuilder(const PanelView& rows, const UniqueRows& unique, const BlockCut& cut,
               const ConvergenceOptions& options)
      : rows_(rows),
        unique_(unique),
        cut_(cut),
        scale_(std::sqrt(options.periods_per_year)),
        rate_(options.gap_rate_year / options.periods_per_year),
        least_sd_(options.stress_sd) {}

  /// Writes the block means of one group; false if its average does not move.
  bool add(const Group& group, std::span<const std::uint32_t> members, std::span<double> means,
           Slot& slot, std::vector<double>& buffer) const {
    if (group.last - group.first == 1) {
      const std::uint32_t i = members[group.first];
      emit(rows_.row<Real>(i), unique_.moments[i], means, slot);
      return true;
    }
    std::fill(buffer.begin(), buffer.end(), 0.0);
    double count = 0;
    for (std::uint32_t k = group.first; k < group.last; ++k) {
      const std::uint32_t i = members[k];
      add_scaled(rows_.row<Real>(i), unique_.count[i] / sd(unique_.moments[i]), buffer);
      count += unique_.count[i];
    }
    for (double& v : buffer) v /= count;
    const RowMoments m = moments_of(buffer.data(), buffer.size());
    if (m.inverse_norm <= 0) return false;
    emit(buffer.data(), m, means, slot);
    return true;
  }

  /// What the charge for gaps takes off the block means of one group, which add() took. A loss is
  /// at least that of the worst day to expect.
  double charge(const Group& group, std::span<const std::uint32_t> members,
                std::vector<double>& buffer) const {
    double loss = 0;
    double count = 0;
    for (std::uint32_t k = group.first; k < group.last; ++k) {
      const std::uint32_t i = members[k];
      loss += unique_.count[i] * std::max(unique_.loss[i] / sd(unique_.moments[i]), least_sd_);
      count += unique_.count[i];
    }
    double sds = loss / count;
    // add() left the average of a group of several in the buffer: its own sd is near one.
    if (group.last - group.first > 1) sds /= sd(moments_of(buffer.data(), buffer.size()));
    return scale_ * rate_ * sds;
  }

 private:
  double sd(const RowMoments& m) const {
    return 1 / (m.inverse_norm * std::sqrt(static_cast<double>(rows_.periods()) - 1));
  }

  template <class T>
  void emit(const T* row, const RowMoments& m, std::span<double> means, Slot& slot) const {
    const double inverse_sd = 1 / sd(m);
    const std::size_t first = rows_.periods() - cut_.blocks * cut_.length;
    for (std::size_t b = 0; b < cut_.blocks; ++b) {
      const double sum = sums(row + first + b * cut_.length, cut_.length, 0).sum;
      means[b] = scale_ * (sum / static_cast<double>(cut_.length)) * inverse_sd;
    }
    add_scaled(row, inverse_sd, slot.period_sum);
    slot.mean_sum += m.mean * inverse_sd;
  }

  const PanelView& rows_;
  const UniqueRows& unique_;
  BlockCut cut_;
  double scale_;
  double rate_;
  double least_sd_;
};

/// Mean of the correlations over all pairs, from the length of the sum of unit vectors.
double mean_correlation(std::span<const double> period_sum, double mean_sum, std::size_t distinct) {
  if (distinct < 2) return 0;
  const double n = static_cast<double>(distinct);
  const double t = static_cast<double>(period_sum.size());
  double square = 0;
  for (double s : period_sum) square += (s - mean_sum) * (s - mean_sum);
  return (square / (t - 1) - n) / (n * (n - 1));
}

template <class Real>
void fill_table(const PanelView& panel, std::vector<Row> rows, const ConvergenceOptions& options,
                const ParallelFor& parallel, FamilyTable& table) {
  const UniqueRows unique = unique_rows(rows, options.gap_loss);
  rows = {};
  const PanelView view = panel.subset(unique.index);
  const DedupeInput link_input{.rows = &view, .moments = unique.moments};
  const DedupeOutput links = link_clones(link_input, parallel);
  table.dedupe = links.mode;
  table.unchecked_pairs = links.unchecked_pairs;
  std::vector<std::uint32_t> members;
  const std::vector<Group> groups = group_members(links.root, members);

  const std::size_t blocks = table.cut.blocks;
  const std::size_t slots = std::min(kSlotsMax, groups.size());
  table.block_means.assign(groups.size() * blocks, 0.0);
  std::vector<Slot> slot(slots);
  std::vector<std::uint8_t> kept(groups.size(), 1);
  const TableBuilder<Real> builder(view, unique, table.cut, options);
  if (!unique.loss.empty()) table.block_charge.assign(groups.size(), 0.0);
  parallel(slots, [&](std::size_t s) {
    slot[s].period_sum.assign(panel.periods(), 0.0);
    std::vector<double> buffer(panel.periods());
    for (std::size_t g = groups.size() * s / slots; g < groups.size() * (s + 1) / slots; ++g) {
      const std::span<double> means(&table.block_means[g * blocks], blocks);
      if (!builder.add(groups[g], members, means, slot[s], buffer)) {
        kept[g] = 0;
      } else if (!table.block_charge.empty()) {
        table.block_charge[g] = builder.charge(groups[g], members, buffer);
      }
    }
  });
  std::size_t distinct = 0;
  for (std::size_t g = 0; g < groups.size(); ++g) {
    if (kept[g] == 0) continue;
    if (distinct != g) {
      if (!table.block_charge.empty()) table.block_charge[distinct] = table.block_charge[g];
      std::copy_n(&table.block_means[g * blocks], blocks, &table.block_means[distinct * blocks]);
    }
    std::uint32_t lowest = unique.index[members[groups[g].first]];
    for (std::uint32_t i = groups[g].first; i < groups[g].last; ++i) {
      lowest = std::min(lowest, unique.index[members[i]]);
    }
    table.first_row.push_back(lowest);
    ++distinct;
  }
  table.zero_variance += groups.size() - distinct;
  table.distinct = distinct;
  table.block_means.resize(distinct * blocks);
  if (!table.block_charge.empty()) table.block_charge.resize(distinct);
  table.period_mean_sd.assign(panel.periods(), 0.0);
  double mean_sum = 0;
  for (const Slot& part : slot) {
    for (std::size_t t = 0; t < panel.periods(); ++t) table.period_mean_sd[t] += part.period_sum[t];
    mean_sum += part.mean_sum;
  }
  table.mean_correlation = mean_correlation(table.period_mean_sd, mean_sum, distinct);
  for (double& v : table.period_mean_sd)
    v /= static_cast<double>(std::max<std::size_t>(1, distinct));
}

template <class Real>
FamilyTable prepare(const PanelView& panel, const ConvergenceOptions& options,
                    const ParallelFor& parallel) {
  FamilyTable table;
  table.cut = cut_blocks(panel.periods(), options.blocks);
  if (panel.periods() < 2 || table.cut.length == 0) return table;
  std::vector<Row> rows = describe_rows<Real>(panel, parallel);
  std::erase_if(rows, [&](const Row& row) {
    table.zero_variance += row.kind == RowKind::Constant ? 1 : 0;
    table.not_finite += row.kind == RowKind::NotFinite ? 1 : 0;
    return row.kind != RowKind::Usable;
  });
  for (const Row& row : rows) {
    const double n = static_cast<double>(rows.size());
    table.return_mean += row.moments.mean / n;
    if (!options.gap_loss.empty()) table.gap_loss_mean += options.gap_loss[row.index] / n;
  }
  if (!rows.empty()) fill_table<Real>(panel, std::move(rows), options, parallel, table);
  return table;
}

}  // namespace

BlockCut cut_blocks(std::size_t periods, std::size_t blocks_option) {
  BlockCut cut;
  cut.blocks = blocks_option != 0
                   ? blocks_option
                   : std::min<std::size_t>(20, std::max<std::size_t>(6, periods / 10));
  cut.length = periods / cut.blocks;
  return cut;
}

FamilyTable prepare_family(const PanelView& panel, const ConvergenceOptions& options,
                           const ParallelFor& parallel) {
  return panel.is_double() ? prepare<double>(panel, options, parallel)
                           : prepare<float>(panel, options, parallel);
}

}  // namespace winnow::sweeps
