#include "base/uninitialised.hpp"

#include <sys/mman.h>

#include <cstdlib>
#include <new>

namespace winnow {
namespace {

constexpr std::size_t kLargePage = std::size_t{2} << 20;
constexpr std::size_t kLargeMin = 4 * kLargePage;

}  // namespace

void* allocate_numbers(std::size_t bytes) {
  if (bytes < kLargeMin) return ::operator new(bytes);
  const std::size_t whole = (bytes + kLargePage - 1) / kLargePage * kLargePage;
  void* memory = std::aligned_alloc(kLargePage, whole);
  if (memory == nullptr) throw std::bad_alloc();
  // Where there are none, small pages do.
  static_cast<void>(::madvise(memory, whole, MADV_HUGEPAGE));
  return memory;
}

void free_numbers(void* memory, std::size_t bytes) noexcept {
  if (bytes < kLargeMin) {
    ::operator delete(memory);
  } else {
    std::free(memory);
  }
}

}  // namespace winnow
