#include "base/result_block.hpp"

#include <string_view>

namespace winnow {
namespace {

template <class T>
std::string_view bytes_of(const std::vector<T>& v) {
  return {reinterpret_cast<const char*>(v.data()), v.size() * sizeof(T)};
}

}  // namespace

Hash128 ResultBlock::content_hash() const {
  KeyHasher hasher("result-block");
  hasher.add(std::uint64_t{rows}).add(std::uint64_t{metric_count}).add(std::uint64_t{periods});
  hasher.add(hash128(bytes_of(keys))).add(hash128(bytes_of(status)));
  hasher.add(hash128(bytes_of(metrics))).add(hash128(bytes_of(returns)));
  for (const std::string& text : errors) hasher.add(text);
  // Blocks without exposures and points hash as they always did.
  if (!exposures.empty()) hasher.add("exposures").add(hash128(bytes_of(exposures)));
  if (point_steps > 0) {
    hasher.add(std::uint64_t{point_metrics}).add(std::uint64_t{point_steps});
    hasher.add(hash128(bytes_of(points)));
  }
  return hasher.finish();
}

}  // namespace winnow
