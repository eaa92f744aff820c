# Compiler flags every room shares. Floating point is part of the result (law 1), so contraction is
# off everywhere and fast-math is never on.
if(NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE Release CACHE STRING "" FORCE)
endif()

# What one checkout compiled, another takes from the cache: paths count from the checkout, and a
# precompiled header by the sum beside it (winnow_pch_sum). Who edits, in the preset quick, tells
# ccache so once for all: ccache --set-config pch_external_checksum=true.
option(WINNOW_CCACHE "compile through ccache where it is installed" ON)
find_program(CCACHE_PROGRAM ccache)
if(CCACHE_PROGRAM AND WINNOW_CCACHE)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CMAKE_COMMAND} -E env CCACHE_BASEDIR=${CMAKE_SOURCE_DIR}
    CCACHE_NOHASHDIR=true CCACHE_SLOPPINESS=pch_defines,time_macros)
  if(NOT CMAKE_BUILD_TYPE STREQUAL "Quick")
    list(APPEND CMAKE_CXX_COMPILER_LAUNCHER CCACHE_PCH_EXTSUM=true)
  endif()
  list(APPEND CMAKE_CXX_COMPILER_LAUNCHER ${CCACHE_PROGRAM})
endif()

# Who only builds to run it can do nothing about a warning, and looking for them costs a tenth.
add_compile_options(-ffp-contract=off)
if(CMAKE_BUILD_TYPE STREQUAL "Release")
  add_compile_options(-w)
else()
  add_compile_options(-Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wno-sign-conversion)
endif()
# What the optimiser of GCC 12 believes of its own inlined std::string and std::variant is not so:
# all that it said of this kind here was looked at, and the sanitizers look for the rest.
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  add_compile_options(-Wno-array-bounds -Wno-maybe-uninitialized -Wno-restrict
    -Wno-stringop-overflow)
endif()
if(WINNOW_WERROR)
  add_compile_options(-Werror)
endif()
if(CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
  add_compile_options(-Wno-sign-conversion -Wno-shorten-64-to-32)
endif()
# A compiler that need not tidy up its memory is done a fifth sooner: a gigabyte for each of two.
cmake_host_system_information(RESULT winnow_memory_mib QUERY TOTAL_PHYSICAL_MEMORY)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND winnow_memory_mib GREATER 6000)
  add_compile_options("SHELL:--param ggc-min-heapsize=1000000")
endif()

set(CMAKE_CXX_FLAGS_RELEASE "-O2 -DNDEBUG")
set(CMAKE_CXX_FLAGS_RELWITHDEBINFO "-O2 -g1 -DNDEBUG")
set(CMAKE_CXX_FLAGS_DEBUG "-O1 -g1")
set(CMAKE_CXX_FLAGS_QUICK "-O0")
if(WINNOW_ASSERTS)
  string(REPLACE "-DNDEBUG" "" CMAKE_CXX_FLAGS_RELWITHDEBINFO "${CMAKE_CXX_FLAGS_RELWITHDEBINFO}")
  add_compile_definitions(_GLIBCXX_ASSERTIONS)
endif()
# In all rooms, or in those where they find something: the others are then compiled as in the preset
# relassert, and come out of the compiler cache.
set(winnow_sanitizer_flags -fsanitize=${WINNOW_SANITIZE} -fno-omit-frame-pointer)
if(WINNOW_SANITIZE STREQUAL "thread" AND CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  # Boost.Asio has fences, which the sanitizer does not follow, beside the locks that it does.
  list(APPEND winnow_sanitizer_flags -Wno-tsan)
endif()
if(WINNOW_SANITIZE)
  # Findings end the program through halt_on_error (cmake/sanitizers/defaults.cpp): suppressions
  # work only on checks that could go on.
  if(NOT WINNOW_SANITIZE_ROOMS)
    add_compile_options(${winnow_sanitizer_flags})
  endif()
  add_link_options(-fsanitize=${WINNOW_SANITIZE})
endif()

include(CheckLinkerFlag)
check_linker_flag(CXX "-fuse-ld=lld" WINNOW_HAVE_LLD)
if(WINNOW_HAVE_LLD)
  add_link_options(-fuse-ld=lld)
endif()
include_directories(${CMAKE_SOURCE_DIR})

find_package(Threads REQUIRED)
