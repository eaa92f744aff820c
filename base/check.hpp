#pragma once

#include <source_location>

namespace winnow {

/// Says which contract is broken and where, and ends the process: a result that is wrong is worse
/// than none. A node's last words name the signal, and the farm quarantines what kills its nodes.
[[noreturn, gnu::cold]] void contract_broken(
    const char* contract, const char* condition,
    const std::source_location& where = std::source_location::current());

}  // namespace winnow

// Contracts. One that is broken is a mistake of ours; what comes from outside (files, frames,
// options, venues) is refused with an Error instead. All can stand in constexpr functions: where
// the compiler runs them, a broken one does not compile.
//
//   WINNOW_REQUIRES   what a caller has to see to, as the function's declaration says
//   WINNOW_ENSURES    what a function leaves behind, as its declaration says
//   WINNOW_INVARIANT  what holds of an object or a loop between its steps
//   WINNOW_CHECK      the same, in every build: where it costs nothing beside what it guards
//
// All but WINNOW_CHECK evaluate nothing where NDEBUG is defined (`./run`), but still have to
// compile there; tests run with them. A condition has no effects.
#define WINNOW_CHECKED(contract, ...) \
  (static_cast<bool>(__VA_ARGS__) ? void() : ::winnow::contract_broken(contract, #__VA_ARGS__))
#define WINNOW_UNCHECKED(...) static_cast<void>(sizeof(static_cast<bool>(__VA_ARGS__)))

#define WINNOW_CHECK(...) WINNOW_CHECKED("check", __VA_ARGS__)
#ifdef NDEBUG
#define WINNOW_REQUIRES(...) WINNOW_UNCHECKED(__VA_ARGS__)
#define WINNOW_ENSURES(...) WINNOW_UNCHECKED(__VA_ARGS__)
#define WINNOW_INVARIANT(...) WINNOW_UNCHECKED(__VA_ARGS__)
#else
#define WINNOW_REQUIRES(...) WINNOW_CHECKED("requirement", __VA_ARGS__)
#define WINNOW_ENSURES(...) WINNOW_CHECKED("promise", __VA_ARGS__)
#define WINNOW_INVARIANT(...) WINNOW_CHECKED("invariant", __VA_ARGS__)
#endif
