#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace winnow::house {

/// Purpose: a fenced block of shell commands in a document, and what the document says they print.
///
/// How a document marks its blocks (the word after the fence):
///   sh                  run, in order, in one shell per document
///   sh needs-shared     run where the shared market data is, else passed over
///   sh no-run: REASON   not run; the reason is for the reader of the source
///   text output         what the block before it prints: each line must occur, in this order;
///                       `...` stands for anything within a line, or alone for any lines
/// Any other shell spelling (bash, console, ...) is an error, so that no block escapes by accident.
struct CommandBlock {
  enum class When { Always, WithSharedData, Never };
  When when = When::Always;
  std::size_t line = 0;  ///< of its first command, from 1
  std::string commands;
  std::vector<std::string> expected;  ///< lines of the `text output` block
  std::size_t expected_line = 0;
};

struct Document {
  std::vector<CommandBlock> blocks;
  std::vector<std::string> errors;  ///< "line N: ..."
};

Document read_document(std::string_view markdown);

/// The first expected line that `output` does not hold in order; empty if all are there.
std::string first_missing_line(const std::vector<std::string>& expected, std::string_view output);

}  // namespace winnow::house
