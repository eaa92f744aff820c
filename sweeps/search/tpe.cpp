#include "sweeps/search/tpe.hpp"

#include <algorithm>
#include <boost/serialization/vector.hpp>
#include <boost/serialization/version.hpp>
#include <cmath>
#include <limits>
#include <stdexcept>

#include "sweeps/search/method.hpp"
#include "sweeps/stats/parzen.hpp"

namespace winnow::sweeps::search {

/// What is saved; all else follows from it.
struct TpeState {
  std::vector<double> unit;  // [trial][dimension], NaN where inactive
  std::vector<Standing> standings;
  template <class Archive>
  void serialize(Archive& a, unsigned version) {
    if (version > 1) throw std::runtime_error("tpe state of version " + std::to_string(version));
    a& unit& standings;
  }
};

}  // namespace winnow::sweeps::search

BOOST_CLASS_VERSION(winnow::sweeps::search::TpeState, 1)

namespace winnow::sweeps::search {
namespace {

// Above so many observations the other trials are read from histograms.
constexpr std::size_t kDirectMax = 128;
// The model's draws for a row that constraints refuse; then random ones.
constexpr std::size_t kModelTries = 100;
// The good trials are among the best 25 and a trial never rises again, so these suffice.
constexpr std::size_t kBestKept = 32;

/// Counts and sums of ages by choice of a category.
struct Choices {
  std::vector<std::int64_t> count, ages;
};

/// Purpose: tree-structured Parzen estimator (Bergstra and others 2011), each dimension apart, with
/// the conventions of stats/parzen.hpp. A trial that failed is among the others, never among the
/// good. Rows of an open generation count as others, so that a generation spreads out.
/// Cost: of a row, independent of the number of trials told; memory 8 bytes a value.
class Tpe final : public Method {
 public:
  Tpe(const Space& space, const SearchOptions& options)
      : space_(space), options_(options), dims_(space.size()) {
    for (std::size_t i = 0; i < dims_.size(); ++i) {
      if (space.category(i)) {
        dims_[i].others.count.assign(space.count(i), 0);
        dims_[i].others.ages.assign(space.count(i), 0);
      } else {
        dims_[i].histogram = Histogram(space.count(i));
      }
    }
  }

  void begin(std::uint64_t /*first_trial*/, std::size_t rows) override {
    spread_ = rows > 1;
    last_trial_ = ~std::uint64_t{0};
    liars_.clear();
    const std::size_t good = stats::tpe_good_count(usable_);
    good_.assign(best_.begin(), best_.begin() + static_cast<std::ptrdiff_t>(good));
    std::sort(good_.begin(), good_.end());
    modelled_ = usable_ >= std::max<std::size_t>(options_.startup, 1);
    if (!modelled_) return;
    for (std::uint32_t t : good_) shift(unit_of(t), t, -1);
    direct_ = count() - good_.size() + rows <= kDirectMax;
    for (std::size_t i = 0; i < dims_.size(); ++i) fit_good(i);
    if (direct_) fit_others();
  }

  void propose(std::uint64_t trial, Rng& rng, std::span<double> row) override {
    tries_ = trial == last_trial_ ? tries_ + 1 : 0;
    last_trial_ = trial;
    const bool modelled = modelled_ && tries_ < kModelTries;
    for (std::size_t i = 0; i < row.size(); ++i) {
      if (!space_.active(i, row)) {
        row[i] = std::numeric_limits<double>::quiet_NaN();
      } else if (space_.count(i) == 1) {
        row[i] = space_.from_unit(i, 0.5);
      } else if (!modelled) {
        row[i] = space_.from_unit(i, rng.uniform());
      } else {
        row[i] = space_.category(i) ? choose(i, rng) : number(i, rng);
      }
    }
  }

  void accept(std::span<const double> row) override {
    if (!modelled_ || !spread_) return;
    for (std::size_t i = 0; i < row.size(); ++i) {
      liars_.push_back(std::isnan(row[i]) ? row[i] : space_.to_unit(i, row[i]));
    }
    const std::size_t k = liars_.size() / row.size() - 1;
    shift(std::span(liars_).last(row.size()), count() + k, 1);
    if (direct_) fit_others();
  }

  void end() override {
    if (!modelled_) return;
    const std::size_t d = dims_.size();
    for (std::size_t k = 0; k * d < liars_.size(); ++k) {
      shift(std::span(liars_).subspan(k * d, d), count() + k, -1);
    }
    liars_.clear();
    for (std::uint32_t t : good_) shift(unit_of(t), t, 1);
  }

  void absorb(std::span<const Observation> generation, Origin /*origin*/) override {
    for (const Observation& o : generation) {
      state_.unit.insert(state_.unit.end(), o.unit.begin(), o.unit.end());
      state_.standings.push_back(standing(*o.outcome));
      learn(static_cast<std::uint32_t>(count() - 1));
    }
  }

  void save(boost::archive::binary_oarchive& out) const override { out << state_; }
  void load(boost::archive::binary_iarchive& in) override {
    in >> state_;
    if (state_.unit.size() != count() * dims_.size()) throw std::runtime_error("tpe state's size");
    for (std::size_t t = 0; t < count(); ++t) learn(static_cast<std::uint32_t>(t));
  }

 private:
  struct Model {
    Histogram histogram;  // of numbers; without the good ones while a generation is made
    Choices others;       // of a category, likewise
    Kernels good, rest;
    std::vector<double> good_share;  // of a category, by choice
  };

  std::size_t count() const { return state_.standings.size(); }
  std::span<const double> unit_of(std::size_t t) const {
    return std::span(state_.unit).subspan(t * dims_.size(), dims_.size());
  }
  std::size_t choice_of(std::size_t i, double u) const {
    return static_cast<std::size_t>(space_.from_unit(i, u));
  }

  void learn(std::uint32_t t) {
    shift(unit_of(t), t, 1);
    const Standing& s = state_.standings[t];
    if (s.group == kGroupFailed) return;
    ++usable_;
    const auto worse = [&](const Standing& a, std::uint32_t b) { return a < state_.standings[b]; };
    best_.insert(std::upper_bound(best_.begin(), best_.end(), s, worse), t);
    if (best_.size() > kBestKept) best_.pop_back();
  }

  void shift(std::span<const double> unit, std::uint64_t age, int sign) {
    const auto a = static_cast<std::int64_t>(age);
    for (std::size_t i = 0; i < dims_.size(); ++i) {
      if (std::isnan(unit[i])) continue;
      if (space_.category(i)) {
        const std::size_t c = choice_of(i, unit[i]);
        dims_[i].others.count[c] += sign;
        dims_[i].others.ages[c] += sign * a;
      } else if (sign > 0) {
        dims_[i].histogram.add(unit[i], a);
      } else {
        dims_[i].histogram.remove(unit[i], a);
      }
    }
  }

  void fit_good(std::size_t i) {
    column_.clear();
    for (std::uint32_t t : good_) {
      const double u = unit_of(t)[i];
      if (!std::isnan(u)) column_.push_back(u);
    }
    if (!space_.category(i)) {
      weights_.assign(column_.size(), 1.0);
      dims_[i].good.fit(column_, weights_, space_.count(i));
      return;
    }
    std::vector<double> counted(space_.count(i), 0.0);
    for (double u : column_) ++counted[choice_of(i, u)];
    dims_[i].good_share = stats::tpe_choice_shares(counted, static_cast<double>(column_.size()));
  }

  void fit_others() {
    for (std::size_t i = 0; i < dims_.size(); ++i) {
      if (space_.category(i)) continue;
      column_.clear();
      auto good = good_.begin();
      for (std::size_t t = 0; t < count(); ++t) {
        if (good != good_.end() && *good == t) {
          ++good;
        } else if (const double u = unit_of(t)[i]; !std::isnan(u)) {
          column_.push_back(u);
        }
      }
      for (std::size_t k = i; k < liars_.size(); k += dims_.size()) {
        if (!std::isnan(liars_[k])) column_.push_back(liars_[k]);
      }
      dims_[i].rest.fit(column_, stats::tpe_weights(column_.size()), space_.count(i));
    }
  }

  double number(std::size_t i, Rng& rng) const {
    const Model& m = dims_[i];
    const std::uint64_t total = count() + liars_.size() / dims_.size();
    double best = -1;
    double best_u = 0.5;
    for (std::size_t k = 0; k < options_.candidates; ++k) {
      double u = m.good.draw(rng);
      if (const auto points = static_cast<double>(space_.count(i)); points > 0) {
        u = (std::min(std::floor(u * points), points - 1) + 0.5) / points;
      }
      const double ratio = m.good(u) / (direct_ ? m.rest(u) : m.histogram(u, total));
      if (ratio > best) {
        best = ratio;
        best_u = u;
      }
    }
    return space_.from_unit(i, best_u);
  }

  double choose(std::size_t i, Rng& rng) const {
    const Model& m = dims_[i];
    const double base = 1 / static_cast<double>(count() + 1);
    const double slope = (1 - base) * base;
    std::vector<double> weight;
    double observations = 0;
    for (std::size_t c = 0; c < m.others.count.size(); ++c) {
      const auto n = static_cast<double>(m.others.count[c]);
      weight.push_back(base * n + slope * static_cast<double>(m.others.ages[c]));
      observations += n;
    }
    const std::vector<double> rest = stats::tpe_choice_shares(weight, observations);
    double best = -1;
    std::size_t choice = 0;
    for (std::size_t k = 0; k < options_.candidates; ++k) {
      double left = rng.uniform();
      std::size_t c = 0;
      while (c + 1 < rest.size() && left >= m.good_share[c]) left -= m.good_share[c++];
      if (const double ratio = m.good_share[c] / rest[c]; ratio > best) {
        best = ratio;
        choice = c;
      }
    }
    return static_cast<double>(choice);
  }

  const Space& space_;
  SearchOptions options_;
  TpeState state_;
  std::vector<Model> dims_;
  std::vector<std::uint32_t> best_;  // trials, best first
  std::size_t usable_ = 0;
  // Of the open generation.
  std::vector<std::uint32_t> good_;
  std::vector<double> liars_;
  std::vector<double> column_, weights_;
  std::uint64_t last_trial_ = 0;
  std::size_t tries_ = 0;
  bool modelled_ = false, direct_ = false, spread_ = false;
};

}  // namespace

extern const SamplerDecl kTpeSampler;
const SamplerDecl kTpeSampler = {
    .name = "tpe",
    .words = "tpe",
    .learns = true,
    .make = method_of<Tpe>,
};

}  // namespace winnow::sweeps::search
