#include <boost/serialization/vector.hpp>
#include <cmath>

#include "sweeps/search/method.hpp"
#include "sweeps/search/sampler.hpp"

namespace winnow::sweeps::search {
namespace {

/// Purpose: samplers that learn nothing. Random; Sobol points in order, those that a constraint
/// refuses left out; a Latin hypercube over each generation, a refused row's later draws at random.
class Plain final : public Method {
 public:
  Plain(const Space& space, const SearchOptions& options) : space_(space), options_(options) {}

  void begin(std::uint64_t first_trial, std::size_t rows) override {
    first_trial_ = first_trial;
    rows_ = rows;
    open_next_ = next_;
    last_trial_ = ~std::uint64_t{0};
  }

  void propose(std::uint64_t trial, Rng& rng, std::span<double> row) override {
    const bool again = trial == last_trial_;
    last_trial_ = trial;
    const std::uint64_t point = open_next_++ % kSobolPointsMax;
    for (std::size_t i = 0; i < row.size(); ++i) {
      double u = rng.uniform();
      if (options_.method == SearchMethod::Sobol) u = sobol(point, i);
      if (options_.method == SearchMethod::Lhs && !again) {
        u = latin_hypercube(options_.seed, first_trial_, rows_, trial - first_trial_, i);
      }
      row[i] = space_.from_unit(i, u);
    }
    space_.mask(row);
  }

  void absorb(std::span<const Observation> /*generation*/, Origin origin) override {
    if (origin == Origin::Own) next_ = open_next_;
  }

  void save(boost::archive::binary_oarchive& out) const override { out << next_; }
  void load(boost::archive::binary_iarchive& in) override { in >> next_; }

 private:
  const Space& space_;
  SearchOptions options_;
  std::uint64_t next_ = 0;  // Sobol point, at the last generation's end
  std::uint64_t open_next_ = 0;
  std::uint64_t first_trial_ = 0;
  std::uint64_t last_trial_ = 0;
  std::size_t rows_ = 0;
};

}  // namespace

extern const SamplerDecl kGridSampler, kRandomSampler, kSobolSampler, kLhsSampler;
const SamplerDecl kGridSampler = {.name = "grid",
                                  .words = "grid: every combination",
                                  .enumerates = true,
                                  .fidelity = false,
                                  .shares = true};
const SamplerDecl kRandomSampler = {
    .name = "random", .words = "random", .seeded = true, .extends = true, .make = method_of<Plain>};
const SamplerDecl kSobolSampler = {.name = "sobol",
                                   .words = "Sobol sequence",
                                   .extends = true,
                                   .shares = true,
                                   .dimensions_max = kSobolDimensionsMax,
                                   .make = method_of<Plain>};
const SamplerDecl kLhsSampler = {
    .name = "lhs", .words = "Latin hypercube", .seeded = true, .make = method_of<Plain>};

}  // namespace winnow::sweeps::search
