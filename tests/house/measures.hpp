#pragma once

#include <map>
#include <string>
#include <vector>

#include "tests/house/rules.hpp"

namespace winnow::house {

/// A function with a body; `lines` from its first to its closing brace.
struct FunctionSize {
  std::string path;
  std::string head;  ///< what stands before the brace, on one line
  std::size_t line = 0;
  std::size_t lines = 0;
};

/// A class, struct, union or enumeration that is defined in the file.
struct TypeSize {
  std::string path;
  std::string head;
  std::size_t line = 0;
};

/// Purpose: what is defined in a C++ file. Told by braces and what stands before them; functions
/// inside functions (lambdas, local types) belong to the outer one.
struct Outline {
  std::vector<FunctionSize> functions;
  std::vector<TypeSize> types;
};
Outline outline_of(const SourceFile& file);

/// Whether the comment above a type says what may be relied on: one of Purpose, Owner, Thread,
/// Invariants, Limits, Requires, Ensures, Fails.
bool has_contract(const SourceFile& file, const TypeSize& type);

/// Includes among files of ours, by name of the includer. A unit is a header with its source.
using IncludeGraph = std::map<std::string, std::vector<std::string>>;
IncludeGraph units_of(const std::vector<SourceFile>& product);
/// The same between folders.
IncludeGraph folders_of(const IncludeGraph& units);
/// Sets of more than one node that all reach one another, the largest first.
std::vector<std::vector<std::string>> cycles_in(const IncludeGraph& graph);

/// C++ of rooms, and of tests.
std::vector<SourceFile> product_of(const std::vector<SourceFile>& tree, const Rules& rules);
std::vector<SourceFile> tests_of(const std::vector<SourceFile>& tree);

/// What the house is like, as numbers that have goals. Requires: a tree with product and tests.
struct HouseMeasures {
  std::size_t functions = 0;
  std::size_t function_lines_p50 = 0, function_lines_p90 = 0, function_lines_p99 = 0;
  std::vector<FunctionSize> longest;  ///< first the longest
  std::string largest_file;
  std::size_t largest_file_lines = 0;
  std::vector<std::vector<std::string>> unit_cycles, folder_cycles;
  double contract_frac = 0;          ///< of types in headers
  double asserts_per_kilolines = 0;  ///< contracts checked, of product lines
  double tests_per_source = 0;       ///< lines
  std::size_t product_lines = 0;
};
HouseMeasures measure_house(const std::vector<SourceFile>& tree, const Rules& rules);

}  // namespace winnow::house
