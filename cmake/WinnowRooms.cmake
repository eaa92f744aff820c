# The headers of the standard library that most files see, read once a target. A target adds what
# most of its own files see besides, as PCH <header>... of winnow_room and winnow_test.
option(WINNOW_PCH "precompile the headers that most files include" ON)
function(winnow_precompile target)
  if(WINNOW_PCH)
    target_precompile_headers(${target} PRIVATE
      ${CMAKE_SOURCE_DIR}/cmake/common_headers.hpp ${ARGN})
    winnow_pch_sum(${target} ${ARGN})
  endif()
endfunction()

# No two compilations of the same headers give the same precompiled file, so ccache would not know
# that another checkout's is as good. It takes our word for what is in it (pch_external_checksum):
# the headers' names, and the versions of all that they can come from.
file(SHA256 ${CMAKE_SOURCE_DIR}/cmake/common_headers.hpp winnow_pch_origin)
execute_process(COMMAND dpkg-query -W "-f=\${Package}=\${Version} " "*-dev"
  OUTPUT_VARIABLE found RESULT_VARIABLE failed ERROR_QUIET)
if(failed)
  set(winnow_pch_origin)
else()
  string(SHA256 found "${found}")
  list(APPEND winnow_pch_origin ${found} ${CMAKE_CXX_COMPILER_ID} ${CMAKE_CXX_COMPILER_VERSION})
endif()
function(winnow_pch_sum target)
  if(winnow_pch_origin)
    file(GENERATE OUTPUT ${CMAKE_CURRENT_BINARY_DIR}/CMakeFiles/${target}.dir/cmake_pch.hxx.gch.sum
      CONTENT "${winnow_pch_origin} ${ARGN}\n")
  endif()
endfunction()

# What starts once, asks or prints is compiled with -O1 where the rest is with -O2: a fifth less to
# compile, and no command takes longer for it. What computes, stores and schedules is never cold.
set(winnow_cold_options $<$<CONFIG:Release,RelWithDebInfo>:-O1>)
# The code of tests: what they test is optimised as it is for users.
set(winnow_test_options $<$<CONFIG:RelWithDebInfo>:-O1> $<$<CONFIG:RelWithDebInfo>:-g0>)

# Targets that add nothing, or all the same, share one precompilation: that of `owner`. Not in the
# preset quick, whose rooms differ in their optimisation.
file(CONFIGURE OUTPUT ${CMAKE_BINARY_DIR}/empty_main.cpp CONTENT "int main() { return 0; }\n")
add_library(winnow_common_headers STATIC EXCLUDE_FROM_ALL ${CMAKE_BINARY_DIR}/empty_main.cpp)
winnow_precompile(winnow_common_headers)
add_library(winnow_json_headers STATIC EXCLUDE_FROM_ALL ${CMAKE_BINARY_DIR}/empty_main.cpp)
winnow_precompile(winnow_json_headers <nlohmann/json.hpp>)
function(winnow_precompile_as owner target)
  get_target_property(is_sanitized ${target} WINNOW_SANITIZED)
  if(WINNOW_PCH AND NOT is_sanitized AND NOT CMAKE_BUILD_TYPE STREQUAL "Quick")
    target_precompile_headers(${target} REUSE_FROM ${owner})
  else()
    winnow_precompile(${target} ${ARGN})
  endif()
endfunction()

# Files of a room that are compiled as one: headers are read and templates made once for all of
# them, which halves what a build costs. Where files are edited one by one, in the presets quick and
# dev, each is compiled alone, and says there what it forgot to include. A united file stays below
# 20 s of processor time (tools/build_cost.sh). Two files of a room cannot both name a thing alike,
# in namespaces without a name either: what both need has one place.
option(WINNOW_UNITED "compile several files of a room at once" OFF)
set(winnow_united_bytes 40000)
if(WINNOW_UNITED AND CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  add_compile_options(-Wno-subobject-linkage)  # it takes an included file for a header
endif()
function(winnow_unite target out)
  if(NOT WINNOW_UNITED)
    set(${out} ${ARGN} PARENT_SCOPE)
    return()
  endif()
  set(units)
  set(content)
  set(bytes 0)
  set(count 0)
  foreach(source ${ARGN} END)
    set(size 0)
    set(alone)
    if(NOT source STREQUAL END)
      file(SIZE ${source} size)
      file(STRINGS ${source} alone REGEX "WINNOW_(SOURCE|BINARY|CONFIG)_DIR" LIMIT_COUNT 1)
    endif()
    if(alone)
      list(APPEND units ${source})
      continue()
    endif()
    math(EXPR sum "${bytes} + ${size}")
    if(content AND (source STREQUAL END OR sum GREATER winnow_united_bytes))
      set(unit ${CMAKE_CURRENT_BINARY_DIR}/united/${target}_${count}.cpp)
      file(CONFIGURE OUTPUT ${unit} CONTENT "${content}" @ONLY)
      list(APPEND units ${unit})
      math(EXPR count "${count} + 1")
      set(content)
      set(sum ${size})
    endif()
    set(bytes ${sum})
    if(NOT source STREQUAL END)
      cmake_path(RELATIVE_PATH source BASE_DIRECTORY ${CMAKE_SOURCE_DIR} OUTPUT_VARIABLE name)
      string(APPEND content "#include \"${name}\"\n")
    endif()
  endforeach()
  set(${out} ${units} PARENT_SCOPE)
endfunction()

# How many bytes of source a united file of this room has in the preset `release`, where nobody
# waits for one of them: more than elsewhere, where it is cheap for its size.
macro(winnow_united_in_release bytes)
  if(CMAKE_BUILD_TYPE STREQUAL "Release")
    set(winnow_united_bytes ${bytes})
  endif()
endmacro()

# Unites the files of `list`, those of each pattern apart.
function(winnow_unite_room target list)
  set(rest ${${list}})
  set(units)
  set(count 0)
  foreach(pattern ${ARGN})
    set(some ${rest})
    list(FILTER some INCLUDE REGEX "^${CMAKE_CURRENT_SOURCE_DIR}/${pattern}")
    list(FILTER rest EXCLUDE REGEX "^${CMAKE_CURRENT_SOURCE_DIR}/${pattern}")
    winnow_unite(${target}_together_${count} some ${some})
    list(APPEND units ${some})
    math(EXPR count "${count} + 1")
  endforeach()
  winnow_unite(${target} rest ${rest})
  set(${list} ${units} ${rest} PARENT_SCOPE)
endfunction()

# Compiles a room, or its tests, with the sanitizers where WINNOW_SANITIZE_ROOMS names it.
function(winnow_sanitize target room)
  if(WINNOW_SANITIZE AND room IN_LIST WINNOW_SANITIZE_ROOMS)
    target_compile_options(${target} PRIVATE ${winnow_sanitizer_flags})
    set_target_properties(${target} PROPERTIES WINNOW_SANITIZED ON)
  endif()
endfunction()

# Takes out of a list of files below `folder`, which may be relative to the checkout, what belongs
# to rooms inside it: folders with a build description of their own.
function(winnow_without_inner_rooms folder list)
  file(GLOB_RECURSE descriptions CONFIGURE_DEPENDS ${folder}/CMakeLists.txt)
  set(kept)
  foreach(file ${${list}})
    cmake_path(ABSOLUTE_PATH file BASE_DIRECTORY ${CMAKE_SOURCE_DIR} OUTPUT_VARIABLE whole)
    set(is_inner FALSE)
    foreach(description ${descriptions})
      cmake_path(GET description PARENT_PATH room)
      cmake_path(IS_PREFIX room ${whole} lies_there)
      if(lies_there AND NOT room STREQUAL folder)
        set(is_inner TRUE)
      endif()
    endforeach()
    if(NOT is_inner)
      list(APPEND kept ${file})
    endif()
  endforeach()
  set(${list} ${kept} PARENT_SCOPE)
endfunction()

# winnow_room(NAME [DEPS room...] [LIBS lib...] [PCH <header>...] [COLD regex...]
# [TOGETHER regex...] [BYTES n] [EXCLUDE regex...]): one static library per folder, of every .cpp
# below it but those of rooms inside it. A room inside a folder is called by its path, with `_` for
# `/`. DEPS are rooms below; a room that is not named cannot be linked. COLD are the files that need
# no speed. TOGETHER are those that see one slow library, a unit a pattern: its templates are made
# once for them. BYTES: see winnow_united_in_release. EXCLUDE are the files of other targets. All by
# their path in the room: where the checkout lies must not decide what is built.
function(winnow_room name)
  cmake_parse_arguments(ARG "" "BYTES" "DEPS;LIBS;EXCLUDE;PCH;COLD;TOGETHER" ${ARGN})
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/*.cpp)
  winnow_without_inner_rooms(${CMAKE_CURRENT_SOURCE_DIR} sources)
  foreach(pattern ${ARG_EXCLUDE})
    list(FILTER sources EXCLUDE REGEX "^${CMAKE_CURRENT_SOURCE_DIR}/${pattern}")
  endforeach()
  if(NOT sources)
    add_library(winnow_${name} INTERFACE)
    set(scope INTERFACE)
  else()
    set(cold)
    foreach(pattern ${ARG_COLD})
      set(some ${sources})
      list(FILTER some INCLUDE REGEX "^${CMAKE_CURRENT_SOURCE_DIR}/${pattern}")
      list(FILTER sources EXCLUDE REGEX "^${CMAKE_CURRENT_SOURCE_DIR}/${pattern}")
      list(APPEND cold ${some})
    endforeach()
    if(ARG_BYTES)
      winnow_united_in_release(${ARG_BYTES})
    endif()
    winnow_unite_room(${name} sources ${ARG_TOGETHER})
    winnow_unite_room(${name}_cold cold ${ARG_TOGETHER})
    set_property(SOURCE ${cold} APPEND PROPERTY COMPILE_OPTIONS ${winnow_cold_options})
    add_library(winnow_${name} STATIC ${sources} ${cold})
    winnow_sanitize(winnow_${name} ${name})
    if("${ARG_PCH}" STREQUAL "<nlohmann/json.hpp>")
      winnow_precompile_as(winnow_json_headers winnow_${name} ${ARG_PCH})
    elseif(ARG_PCH)
      winnow_precompile(winnow_${name} ${ARG_PCH})
    else()
      winnow_precompile_as(winnow_common_headers winnow_${name})
    endif()
    if(name MATCHES "^(base|engine|sweeps)$")
      target_compile_options(winnow_${name} PRIVATE $<$<CONFIG:Quick>:-O1>)
    endif()
    set(scope PUBLIC)
  endif()
  foreach(dep ${ARG_DEPS})
    target_link_libraries(winnow_${name} ${scope} winnow_${dep})
  endforeach()
  target_link_libraries(winnow_${name} ${scope} ${ARG_LIBS} Threads::Threads)
endfunction()

# Tells the sources that name them where this checkout and its build lie, and no others: what is
# compiled without knowing comes from the compiler cache in another checkout.
function(winnow_places)
  foreach(source ${ARGN})
    cmake_path(ABSOLUTE_PATH source BASE_DIRECTORY ${CMAKE_CURRENT_SOURCE_DIR})
    file(STRINGS ${source} found REGEX "WINNOW_(SOURCE|BINARY|CONFIG)_DIR" LIMIT_COUNT 1)
    if(found)
      set_property(SOURCE ${source} APPEND PROPERTY COMPILE_DEFINITIONS
        WINNOW_SOURCE_DIR="${CMAKE_SOURCE_DIR}" WINNOW_BINARY_DIR="${CMAKE_BINARY_DIR}"
        WINNOW_CONFIG_DIR="${CMAKE_SOURCE_DIR}/configs")
    endif()
  endforeach()
endfunction()

# winnow_test(NAME LABEL label [SANITIZED] [UNITED] [THREADED filter...] [DEPS room...]
# [LIBS lib...]): one GoogleTest binary of the .cpp files in the current folder; each TEST is a
# ctest entry under LABEL (unit, sim, e2e, slow). The target winnow_<label>_tests builds all
# binaries of a label. SANITIZED are those of what handles memory and bytes from outside:
# winnow_sanitized_tests builds them, and only they are unit tests of a build with sanitizers.
# Arithmetic alone finds there nothing that asserts miss; there, each binary is a few ctest entries
# of many tests: a process that the sanitizer starts costs half a second before its test. THREADED
# are the tests that start threads of ours, as GoogleTest's filter takes them: ThreadSanitizer runs
# these and no others, for whole farms take minutes under it, most of which is spent in libraries
# that it cannot see into. UNITED ones are compiled as rooms are (winnow_unite).
function(winnow_test name)
  cmake_parse_arguments(ARG "SANITIZED;UNITED" "LABEL;TIMEOUT" "DEPS;LIBS;SOURCES;THREADED" ${ARGN})
  if(ARG_SOURCES)
    set(sources ${ARG_SOURCES})
  else()
    file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/*.cpp)
  endif()
  if(NOT sources)
    return()
  endif()
  if(NOT ARG_TIMEOUT)
    set(ARG_TIMEOUT 120)
  endif()
  set(units ${sources})
  if(ARG_UNITED)
    winnow_unite(test_${name} units ${sources})
  endif()
  add_executable(winnow_test_${name} ${units})
  winnow_sanitize(winnow_test_${name} ${name})
  winnow_precompile_as(winnow_test_headers winnow_test_${name} <gtest/gtest.h>)
  target_compile_options(winnow_test_${name} PRIVATE ${winnow_test_options})
  foreach(dep ${ARG_DEPS})
    target_link_libraries(winnow_test_${name} PRIVATE winnow_${dep})
  endforeach()
  target_link_libraries(winnow_test_${name} PRIVATE ${ARG_LIBS} GTest::gtest GTest::gtest_main)
  winnow_places(${sources})
  winnow_sanitizer_defaults(winnow_test_${name})
  winnow_test_group(${ARG_LABEL} winnow_test_${name})
  set(properties LABELS ${ARG_LABEL} TIMEOUT ${ARG_TIMEOUT})
  if(ARG_LABEL STREQUAL "e2e")
    # Farms of real processes: one at a time, and counted as two of ctest's parallel tests.
    list(APPEND properties RESOURCE_LOCK winnow_farm PROCESSORS 2)
    if(TARGET winnow)
      add_dependencies(winnow_test_${name} winnow)
    endif()
  endif()
  if(WINNOW_SANITIZE_ROOMS AND NOT name IN_LIST WINNOW_SANITIZE_ROOMS)
    set(ARG_SANITIZED FALSE)
  elseif(WINNOW_SANITIZE_ROOMS)
    set(ARG_SANITIZED TRUE)
  endif()
  set(filter)
  if(WINNOW_SANITIZE STREQUAL "thread")
    if(NOT ARG_THREADED)
      set(ARG_SANITIZED FALSE)
    endif()
    list(JOIN ARG_THREADED ":" filter)
    set(filter --gtest_filter=${filter})
  endif()
  if(ARG_SANITIZED)
    winnow_test_group(sanitized winnow_test_${name})
  elseif(WINNOW_SANITIZE AND ARG_LABEL STREQUAL "unit")
    return()
  endif()
  if(WINNOW_SANITIZE AND ARG_LABEL STREQUAL "unit")
    set(shards 4)
    math(EXPR last "${shards} - 1")
    foreach(shard RANGE ${last})
      add_test(NAME ${name}/${shard} COMMAND winnow_test_${name} --gtest_brief=1 ${filter})
      set_tests_properties(${name}/${shard} PROPERTIES LABELS unit TIMEOUT 900
        ENVIRONMENT "GTEST_TOTAL_SHARDS=${shards};GTEST_SHARD_INDEX=${shard}")
    endforeach()
    return()
  endif()
  gtest_discover_tests(winnow_test_${name} DISCOVERY_TIMEOUT 60 PROPERTIES ${properties})
endfunction()

# winnow_test_group(LABEL target...): building winnow_<label>_tests builds these targets.
function(winnow_test_group label)
  if(NOT TARGET winnow_${label}_tests)
    add_custom_target(winnow_${label}_tests)
  endif()
  add_dependencies(winnow_${label}_tests ${ARGN})
endfunction()
foreach(label unit sim e2e slow sanitized)
  add_custom_target(winnow_${label}_tests)
endforeach()

# Gives an executable the sanitizers' options and suppressions as its own defaults, so that they
# hold under ctest, by hand and in child processes alike. Nothing without WINNOW_SANITIZE.
function(winnow_sanitizer_defaults target)
  if(WINNOW_SANITIZE)
    target_sources(${target} PRIVATE ${CMAKE_SOURCE_DIR}/cmake/sanitizers/defaults.cpp)
    set_property(SOURCE ${CMAKE_SOURCE_DIR}/cmake/sanitizers/defaults.cpp
      TARGET_DIRECTORY ${target} APPEND PROPERTY COMPILE_DEFINITIONS
      WINNOW_SUPPRESSIONS="${CMAKE_SOURCE_DIR}/cmake/sanitizers")
  endif()
endfunction()

function(winnow_finish)
  if(TARGET winnow)
    winnow_sanitizer_defaults(winnow)
  endif()
endfunction()
cmake_language(DEFER DIRECTORY ${CMAKE_SOURCE_DIR} CALL winnow_finish)
