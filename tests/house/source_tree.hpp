#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace winnow::house {

/// Purpose: one text file of the checkout, as it is and with what is not code blanked out.
struct SourceFile {
  std::string path;                     ///< from the root, with '/'
  std::string text;                     ///< as on disk
  std::vector<std::string> lines;       ///< of text, without line ends
  std::vector<std::string> code_lines;  ///< C++ only: comments and literals blanked, same columns
  std::vector<std::string> include_lines;  ///< C++ only: comments blanked, literals kept

  bool is_cpp() const;
  bool is_header() const;
  /// The first folder of the path; empty for a file in the root.
  std::string_view top() const;
};

/// Reads every text file below `root` but build outputs, version control and fetched packages.
std::vector<SourceFile> read_tree(const std::filesystem::path& root);

/// Makes a file of a text, for read_tree and for checks of given inputs.
SourceFile make_file(std::string path, std::string text);

/// Blanks comments (and, if told, string and character literals) of C++ with spaces; line ends and
/// columns stay.
enum class Literals { Keep, Blank };
std::string blank_comments(std::string_view text, Literals literals);

std::vector<std::string> split_lines(std::string_view text);

}  // namespace winnow::house
