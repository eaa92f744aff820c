#include <algorithm>
#include <boost/serialization/vector.hpp>
#include <boost/serialization/version.hpp>
#include <cmath>
#include <numeric>
#include <stdexcept>

#include "base/det_math.hpp"
#include "sweeps/search/method.hpp"
#include "sweeps/stats/cma.hpp"

namespace winnow::sweeps::search {

/// What CMA-ES carries from generation to generation. Plain vectors, so that it can be saved.
struct CmaSnapshot {
  std::vector<double> mean, ps, pc, covariance;  // covariance row by row
  double sigma = 0;
  std::uint64_t updates = 0;  // since the restart
  std::uint64_t lambda = 0;
  std::uint64_t restarts = 0;
  std::uint64_t large_restarts = 0;
  std::uint64_t spent_small = 0, spent_large = 0;  // evaluations by regime
  bool small_regime = false;
  std::vector<double> best_losses;           // by update since the restart
  std::vector<std::vector<double>> latents;  // of trials told since the last update
  std::vector<Standing> standings;           // of these
  std::vector<std::vector<double>> choices;  // by category: the law over its choices
  template <class Archive>
  void serialize(Archive& a, unsigned version) {
    if (version > 1) throw std::runtime_error("cmaes state of version " + std::to_string(version));
    a& mean& ps& pc& covariance& sigma& updates& lambda& restarts& large_restarts;
    a& spent_small& spent_large& small_regime& best_losses& latents& standings& choices;
  }
};

}  // namespace winnow::sweeps::search

BOOST_CLASS_VERSION(winnow::sweeps::search::CmaSnapshot, 1)

namespace winnow::sweeps::search {
namespace {

constexpr double kSigmaStart = 1.0 / 6;
constexpr double kSigmaRestart = 0.3;
constexpr double kSigmaSmallest = 1e-10;
constexpr double kSigmaLargest = 2;
constexpr double kConditionMax = 1e14;
constexpr double kLossSpreadMin = 1e-12;
constexpr std::uint64_t kLambdaMax = 100'000;
constexpr int kInsideTries = 20;
// A stepped dimension's deviation stays at or above this part of a step, so that its neighbours
// stay in reach (the margin of Hamano and others 2022, without their change of the mean).
constexpr double kMarginSteps = 0.2;
constexpr double kChoiceRate = 0.2;
constexpr double kChoiceFloor = 0.1;  // of the uniform law
constexpr std::uint64_t kRestartSalt = 0x636d'6165'7331'0001ull;

/// Purpose: CMA-ES with negative weights (Hansen, tutorial 2016) on the unit cube, restarts by IPOP
/// (Auger and Hansen 2005) or BIPOP (Hansen 2009). Draws outside the cube are redrawn, at last
/// clamped. A population is made of whole generations of at least lambda rows; categories follow
/// the share that each choice has among the parents. Inactive values keep their drawn place.
class Cmaes final : public Method {
 public:
  Cmaes(const Space& space, const SearchOptions& options) : space_(space), options_(options) {
    for (std::size_t i = 0; i < space.size(); ++i) {
      if (space.category(i)) {
        const std::size_t choices = space.count(i);
        categories_.push_back(i);
        s_.choices.emplace_back(choices, 1 / static_cast<double>(choices));
      } else if (space.count(i) != 1) {
        numbers_.push_back(i);
      }
    }
    const std::size_t n = std::max<std::size_t>(numbers_.size(), 1);
    lambda_start_ = std::max<std::size_t>(
        options.population > 0 ? options.population : stats::cma_defaults(n).lambda, 4);
    s_.lambda = lambda_start_;
    start(std::vector<double>(numbers_.size(), 0.5), kSigmaStart);
  }

  void begin(std::uint64_t /*first_trial*/, std::size_t /*rows*/) override { open_.clear(); }

  void propose(std::uint64_t /*trial*/, Rng& rng, std::span<double> row) override {
    draw(rng);
    for (std::size_t i = 0; i < row.size(); ++i) row[i] = space_.from_unit(i, 0.5);
    for (std::size_t k = 0; k < numbers_.size(); ++k) {
      row[numbers_[k]] = space_.from_unit(numbers_[k], latent_[k]);
    }
    for (std::size_t k = 0; k < categories_.size(); ++k) {
      const auto& share = s_.choices[k];
      double left = rng.uniform();
      std::size_t c = 0;
      while (c + 1 < share.size() && left >= share[c]) left -= share[c++];
      row[categories_[k]] = static_cast<double>(c);
      latent_[numbers_.size() + k] = static_cast<double>(c);
    }
    space_.mask(row);
  }

  void accept(std::span<const double> /*row*/) override { open_.push_back(latent_); }

  void absorb(std::span<const Observation> generation, Origin origin) override {
    if (origin == Origin::WarmStart) {
      warm_start(generation);
      return;
    }
    for (std::size_t k = 0; k < generation.size(); ++k) {
      s_.latents.push_back(std::move(open_[k]));
      s_.standings.push_back(standing(*generation[k].outcome));
    }
    open_.clear();
    if (s_.latents.size() < s_.lambda) return;
    update();
    s_.latents.clear();
    s_.standings.clear();
  }

  void save(boost::archive::binary_oarchive& out) const override { out << s_; }
  void load(boost::archive::binary_iarchive& in) override {
    in >> s_;
    const std::size_t n = numbers_.size();
    const bool sound = s_.mean.size() == n && s_.ps.size() == n && s_.pc.size() == n &&
                       s_.covariance.size() == n * n && s_.choices.size() == categories_.size() &&
                       s_.latents.size() == s_.standings.size();
    if (!sound) throw std::runtime_error("cmaes state's size");
    decompose();
  }

 private:
  void start(std::vector<double> mean, double sigma) {
    const std::size_t n = numbers_.size();
    s_.mean = std::move(mean);
    s_.ps.assign(n, 0.0);
    s_.pc.assign(n, 0.0);
    s_.covariance.assign(n * n, 0.0);
    for (std::size_t k = 0; k < n; ++k) s_.covariance[k * n + k] = 1;
    s_.sigma = sigma;
    s_.updates = 0;
    s_.best_losses.clear();
    decompose();
  }

  // Basis and square roots of the eigenvalues; margins by coordinate.
  void decompose() {
    latent_.assign(numbers_.size() + categories_.size(), 0.0);
    if (numbers_.empty()) return;
    const std::size_t n = numbers_.size();
    stats::CmaBasis basis = stats::cma_basis(s_.covariance, n);
    sound_ = basis.sound && std::isfinite(s_.sigma);
    if (!sound_) return;
    basis_ = std::move(basis);
    draws_.scaled = basis_.vectors;
    for (std::size_t i = 0; i < n * n; ++i) draws_.scaled[i] *= basis_.roots[i / n];
    draws_.stretch.assign(n, s_.sigma);
    for (std::size_t k = 0; k < n; ++k) {
      const auto points = static_cast<double>(space_.count(numbers_[k]));
      if (points < 2) continue;
      const double deviation = s_.sigma * std::sqrt(s_.covariance[k * n + k]);
      draws_.stretch[k] *= std::max(1.0, kMarginSteps / points / deviation);
    }
  }

  void draw(Rng& rng) {
    const std::size_t n = numbers_.size();
    std::vector<double> z(n);
    const std::span numbers = std::span(latent_).first(n);
    for (int attempt = 0; n > 0 && attempt < kInsideTries; ++attempt) {
      for (double& v : z) v = det_normal(rng);
      if (stats::cma_draw(s_.mean, draws_, z, numbers) == stats::CmaDrawn::Inside) break;
    }
  }

  void update() {
    std::vector<std::size_t> order(s_.latents.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
      return s_.standings[a] < s_.standings[b];
    });
    const Standing& best = s_.standings[order.front()];
    const bool flat = !(best < s_.standings[order.back()]);
    (s_.small_regime ? s_.spent_small : s_.spent_large) += order.size();
    ++s_.updates;
    if (!numbers_.empty()) {
      if (flat) {
        s_.sigma *= 1.2;  // no direction to learn from: look wider
      } else {
        adapt(order);
      }
      s_.sigma = std::min(s_.sigma, kSigmaLargest);
      decompose();
    }
    if (!flat) learn_choices(order);
    s_.best_losses.push_back(best.group == 0 ? best.first : 0);
    if (!numbers_.empty() && (!sound_ || stuck(flat))) restart();
  }

  void adapt(const std::vector<std::size_t>& order) {
    std::vector<const double*> ranked;
    for (const std::size_t k : order) ranked.push_back(s_.latents[k].data());
    stats::cma_adapt(stats::cma_parameters(numbers_.size(), order.size()), stats::CmaLaw::Tutorial,
                     s_.updates, basis_, ranked, {s_.mean, s_.ps, s_.pc, s_.covariance, s_.sigma});
  }

  void learn_choices(const std::vector<std::size_t>& order) {
    const std::size_t parents = std::max<std::size_t>(order.size() / 2, 1);
    for (std::size_t k = 0; k < categories_.size(); ++k) {
      std::vector<double>& share = s_.choices[k];
      const double uniform = 1 / static_cast<double>(share.size());
      std::vector<double> among(share.size(), 0.0);
      for (std::size_t r = 0; r < parents; ++r) {
        const double c = s_.latents[order[r]][numbers_.size() + k];
        among[static_cast<std::size_t>(c)] += 1 / static_cast<double>(parents);
      }
      double sum = 0;
      for (std::size_t c = 0; c < share.size(); ++c) {
        share[c] = (1 - kChoiceRate) * share[c] + kChoiceRate * among[c];
        share[c] = std::max(share[c], kChoiceFloor * uniform);
        sum += share[c];
      }
      for (double& v : share) v /= sum;
    }
  }

  double widest() const { return *std::max_element(basis_.roots.begin(), basis_.roots.end()); }

  bool stuck(bool flat) const {
    if (options_.restarts == Restarts::None) return false;
    if (basis_.condition > kConditionMax || s_.sigma * widest() < kSigmaSmallest) return true;
    const std::size_t window = 10 + static_cast<std::size_t>(30 * numbers_.size() / s_.lambda);
    if (s_.best_losses.size() < window) return flat && s_.sigma >= kSigmaLargest;
    const auto from = s_.best_losses.end() - static_cast<std::ptrdiff_t>(window);
    const auto [low, high] = std::minmax_element(from, s_.best_losses.end());
    return *high - *low <= kLossSpreadMin * std::max(1.0, std::abs(*low));
  }

  void restart() {
    ++s_.restarts;
    Rng rng(options_.seed ^ kRestartSalt, s_.restarts);
    double sigma = kSigmaRestart;
    s_.small_regime = options_.restarts == Restarts::Bipop && s_.spent_small < s_.spent_large &&
                      s_.large_restarts > 0;
    const std::uint64_t large =
        std::min(lambda_start_ << std::min<std::uint64_t>(s_.large_restarts, 16), kLambdaMax);
    if (s_.small_regime) {
      const double u = rng.uniform();
      const double start = static_cast<double>(lambda_start_);
      const double ratio = std::max(0.5 * static_cast<double>(large) / start, 1.0);
      s_.lambda = static_cast<std::uint64_t>(start * det_pow(ratio, u * u));
      sigma *= det_pow(10.0, -2 * rng.uniform());
    } else {
      ++s_.large_restarts;
      s_.lambda =
          options_.restarts == Restarts::None ? lambda_start_ : std::min(large * 2, kLambdaMax);
    }
    std::vector<double> mean(numbers_.size());
    for (double& v : mean) v = rng.uniform();
    start(std::move(mean), sigma);
  }

  void warm_start(std::span<const Observation> trials) {
    std::vector<std::size_t> order;
    for (std::size_t k = 0; k < trials.size(); ++k) {
      if (standing(*trials[k].outcome).group == 0) order.push_back(k);
    }
    if (order.empty() || numbers_.empty()) return;
    std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
      return standing(*trials[a].outcome) < standing(*trials[b].outcome);
    });
    order.resize((order.size() + 9) / 10);
    std::vector<double> mean(numbers_.size(), 0.5);
    for (std::size_t k = 0; k < mean.size(); ++k) {
      double sum = 0;
      double used = 0;
      for (std::size_t t : order) {
        const double u = trials[t].unit[numbers_[k]];
        if (std::isnan(u)) continue;
        sum += u;
        ++used;
      }
      if (used > 0) mean[k] = sum / used;
    }
    start(std::move(mean), kSigmaStart);
  }

  const Space& space_;
  SearchOptions options_;
  std::vector<std::size_t> numbers_, categories_;
  std::uint64_t lambda_start_ = 0;
  CmaSnapshot s_;
  stats::CmaBasis basis_;
  stats::CmaLawOfDraws draws_;
  bool sound_ = true;
  std::vector<double> latent_;
  std::vector<std::vector<double>> open_;
};

}  // namespace

extern const SamplerDecl kCmaesSampler;
const SamplerDecl kCmaesSampler = {
    .name = "cmaes",
    .words = "CMA-ES",
    .learns = true,
    .make = method_of<Cmaes>,
};

}  // namespace winnow::sweeps::search
