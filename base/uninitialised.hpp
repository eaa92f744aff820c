#pragma once

#include <cstddef>
#include <memory>
#include <utility>
#include <vector>

namespace winnow {

/// Memory of many numbers; a large one is asked for in large pages where the system has them. Fails
/// by std::bad_alloc.
void* allocate_numbers(std::size_t bytes);
void free_numbers(void* memory, std::size_t bytes) noexcept;

/// Numbers that are written before they are read: to zero a gigabyte first takes as long as to
/// fill it, one thread does it, and the system hands it out in 400,000 small pages.
template <class T>
struct UninitialisedAllocator : std::allocator<T> {
  static_assert(alignof(T) <= alignof(std::max_align_t));
  template <class U>
  struct rebind {
    using other = UninitialisedAllocator<U>;
  };
  T* allocate(std::size_t n) { return static_cast<T*>(allocate_numbers(n * sizeof(T))); }
  void deallocate(T* at, std::size_t n) noexcept { free_numbers(at, n * sizeof(T)); }
  template <class U, class... Args>
  void construct(U* at, Args&&... args) {
    if constexpr (sizeof...(Args) == 0) {
      ::new (static_cast<void*>(at)) U;
    } else {
      ::new (static_cast<void*>(at)) U(std::forward<Args>(args)...);
    }
  }
};
template <class T>
using Uninitialised = std::vector<T, UninitialisedAllocator<T>>;

}  // namespace winnow
