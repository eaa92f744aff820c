#pragma once

#include <memory>
#include <utility>
#include <vector>

namespace winnow {

/// Numbers that are written before they are read: to zero a gigabyte first takes as long as to
/// fill it, and one thread does it.
template <class T>
struct UninitialisedAllocator : std::allocator<T> {
  template <class U>
  struct rebind {
    using other = UninitialisedAllocator<U>;
  };
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
