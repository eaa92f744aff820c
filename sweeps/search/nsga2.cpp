#include <algorithm>
#include <boost/serialization/vector.hpp>
#include <boost/serialization/version.hpp>
#include <cmath>
#include <limits>
#include <numeric>
#include <stdexcept>

#include "base/det_math.hpp"
#include "sweeps/search/method.hpp"
#include "sweeps/search/nondominated.hpp"

namespace winnow::sweeps::search {

/// One of the population. Namespace scope, so that the archive's version can be named.
struct NsgaMember {
  std::vector<double> unit;  // NaN where inactive
  std::vector<double> losses;
  double violation = 0;
  std::uint32_t front = 0;
  double crowding = 0;
  template <class Archive>
  void serialize(Archive& a, unsigned version) {
    if (version > 1) throw std::runtime_error("nsga2 state of version " + std::to_string(version));
    a& unit& losses& violation& front& crowding;
  }
};

}  // namespace winnow::sweeps::search

BOOST_CLASS_VERSION(winnow::sweeps::search::NsgaMember, 1)

namespace winnow::sweeps::search {
namespace {

constexpr std::size_t kPopulation = 50;
constexpr std::size_t kPartMin = 512;
// Children for a row that constraints refuse; then random rows.
constexpr std::size_t kChildTries = 100;
constexpr double kCrossoverRate = 0.9;
constexpr double kCrossoverEta = 15;
constexpr double kMutationEta = 20;

/// Purpose: NSGA-II (Deb and others 2002): binary tournaments, simulated binary crossover,
/// polynomial mutation, survival by front and crowding distance, constraints by Deb's rules. A
/// trial that failed never survives; a pruned one counts as infeasible after every other.
class Nsga2 final : public Method {
 public:
  Nsga2(const Space& space, const SearchOptions& options)
      : space_(space), size_(options.population > 0 ? options.population : kPopulation) {}

  void begin(std::uint64_t /*first_trial*/, std::size_t /*rows*/) override {
    last_trial_ = ~std::uint64_t{0};
  }

  void propose(std::uint64_t trial, Rng& rng, std::span<double> row) override {
    tries_ = trial == last_trial_ ? tries_ + 1 : 0;
    last_trial_ = trial;
    const std::size_t d = row.size();
    if (seen_ < size_ || members_.size() < 2 || tries_ >= kChildTries) {
      for (std::size_t i = 0; i < d; ++i) row[i] = space_.from_unit(i, rng.uniform());
      space_.mask(row);
      return;
    }
    const NsgaMember& a = tournament(rng);
    const NsgaMember& b = tournament(rng);
    const bool cross = rng.uniform() < kCrossoverRate;
    for (std::size_t i = 0; i < d; ++i) {
      const double u = child(i, a.unit[i], b.unit[i], cross, rng);
      row[i] = space_.from_unit(i, mutate(i, u, rng));
    }
    space_.mask(row);
  }

  void absorb(std::span<const Observation> generation, Origin /*origin*/) override {
    for (const Observation& o : generation) {
      ++seen_;
      const Standing s = standing(*o.outcome);
      if (s.group == kGroupFailed) continue;
      double violation = std::max(0.0, o.outcome->violation);
      if (s.group == 1) violation = std::numeric_limits<double>::max();
      members_.push_back({{o.unit.begin(), o.unit.end()}, o.outcome->losses, violation, 0, 0});
      // Sorting is quadratic: a huge generation is taken in parts.
      if (members_.size() >= size_ + std::max(size_, kPartMin)) survive();
    }
    survive();
  }

  void save(boost::archive::binary_oarchive& out) const override { out << seen_ << members_; }
  void load(boost::archive::binary_iarchive& in) override {
    in >> seen_ >> members_;
    for (const NsgaMember& m : members_) {
      if (m.unit.size() != space_.size()) throw std::runtime_error("nsga2 state's size");
    }
  }

 private:
  const NsgaMember& tournament(Rng& rng) const {
    const NsgaMember& a = members_[rng.below(members_.size())];
    const NsgaMember& b = members_[rng.below(members_.size())];
    if (a.front != b.front) return a.front < b.front ? a : b;
    return a.crowding >= b.crowding ? a : b;
  }

  double child(std::size_t i, double a, double b, bool cross, Rng& rng) const {
    const double pick = rng.uniform();
    if (std::isnan(a) && std::isnan(b)) return pick;
    if (std::isnan(a) || std::isnan(b)) return std::isnan(a) ? b : a;
    if (space_.category(i)) return cross && pick < 0.5 ? b : a;
    if (!cross || pick < 0.5 || a == b) return a;
    const double u = rng.uniform();
    const double power = 1 / (kCrossoverEta + 1);
    const double beta = u <= 0.5 ? det_pow(2 * u, power) : det_pow(1 / (2 * (1 - u)), power);
    const double side = rng.uniform() < 0.5 ? 1 : -1;
    return std::clamp(0.5 * (a + b + side * beta * (a - b)), 0.0, 1.0);
  }

  double mutate(std::size_t i, double u, Rng& rng) const {
    const double rate = 1 / static_cast<double>(space_.size());
    if (rng.uniform() >= rate) return u;
    const double r = rng.uniform();
    if (space_.category(i)) return r;
    const double power = 1 / (kMutationEta + 1);
    const double delta = r < 0.5 ? det_pow(2 * r, power) - 1 : 1 - det_pow(2 * (1 - r), power);
    // A step of a coarse dimension is never out of reach.
    const auto points = static_cast<double>(space_.count(i));
    const double step = points > 1 ? (delta < 0 ? -1 : 1) * 0.5 / points : 0;
    return std::clamp(u + delta + step, 0.0, 1.0);
  }

  void survive() {
    std::vector<Merit> merits;
    for (const NsgaMember& m : members_) merits.push_back({m.losses, m.violation});
    const auto fronts = nondominated_fronts(merits);
    std::vector<NsgaMember> next;
    for (std::size_t f = 0; f < fronts.size() && next.size() < size_; ++f) {
      const auto distance = crowding_distances(merits, fronts[f]);
      std::vector<std::size_t> order(fronts[f].size());
      std::iota(order.begin(), order.end(), std::size_t{0});
      std::stable_sort(order.begin(), order.end(),
                       [&](std::size_t a, std::size_t b) { return distance[a] > distance[b]; });
      for (std::size_t k : order) {
        if (next.size() == size_) break;
        next.push_back(std::move(members_[fronts[f][k]]));
        next.back().front = static_cast<std::uint32_t>(f);
        next.back().crowding = distance[k];
      }
    }
    members_ = std::move(next);
  }

  const Space& space_;
  std::size_t size_;
  std::uint64_t seen_ = 0;
  std::uint64_t last_trial_ = 0;
  std::size_t tries_ = 0;
  std::vector<NsgaMember> members_;
};

}  // namespace

extern const SamplerDecl kNsga2Sampler;
const SamplerDecl kNsga2Sampler = {
    .name = "nsga2",
    .words = "NSGA-II",
    .learns = true,
    .objectives_min = 2,
    .objectives_max = 16,
    .fidelity = false,
    .whole_generation = true,
    .make = method_of<Nsga2>,
};

}  // namespace winnow::sweeps::search
