#include "serve/parallel.hpp"

#include <algorithm>
#include <atomic>
#include <system_error>
#include <thread>
#include <vector>

namespace winnow::serve {

sweeps::ParallelFor threads_for(std::size_t threads) {
  if (threads == 0) threads = std::max(1u, std::thread::hardware_concurrency());
  return [threads](std::size_t n, const std::function<void(std::size_t)>& body) {
    std::atomic<std::size_t> next{0};
    const auto work = [&] {
      for (std::size_t i = next.fetch_add(1); i < n; i = next.fetch_add(1)) body(i);
    };
    std::vector<std::jthread> others;
    try {
      for (std::size_t t = 1; t < std::min(threads, n); ++t) others.emplace_back(work);
    } catch (const std::system_error&) {
      // No more threads to be had: those that are here do it all.
    }
    work();
  };
}

}  // namespace winnow::serve
