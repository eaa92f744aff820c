#include "sweeps/search/samplers.hpp"

#include <vector>

namespace winnow::sweeps {

// The list: a line for each, at its end a new one (checkpoints count places).
#define WINNOW_SAMPLERS(X) \
  X(kGridSampler)          \
  X(kRandomSampler)        \
  X(kSobolSampler)         \
  X(kLhsSampler)           \
  X(kTpeSampler)           \
  X(kCmaesSampler)         \
  X(kNsga2Sampler)

#define WINNOW_DECLARE(name) extern const SamplerDecl name;
#define WINNOW_ADDRESS(name) &name,

namespace search {
WINNOW_SAMPLERS(WINNOW_DECLARE)
}  // namespace search

std::span<const SamplerDecl* const> samplers() {
  using namespace search;
  static const SamplerDecl* const kAll[] = {WINNOW_SAMPLERS(WINNOW_ADDRESS)};
  return kAll;
}

std::string samplers_that(bool (*pick)(const SamplerDecl&), std::string_view last) {
  std::vector<std::string_view> names;
  for (const SamplerDecl* sampler : samplers()) {
    if (pick(*sampler)) names.push_back(sampler->name);
  }
  std::string out;
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (i > 0) out += i + 1 == names.size() ? last : std::string_view(", ");
    out += names[i];
  }
  return out;
}

}  // namespace winnow::sweeps
