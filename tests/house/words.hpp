#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace winnow::house {

/// Purpose: an identifier in a line of code and what stands around it.
struct Word {
  std::string text;
  std::size_t begin = 0;  ///< column, from 0
  std::string qualifier;  ///< "std" of std::exp, "::" of ::time, empty without
  std::string before;     ///< the word before it, if only spaces are between
  bool member = false;    ///< after '.' or '->'
  bool called = false;    ///< '(' follows
};

/// The identifiers of a line whose comments and literals are blank.
std::vector<Word> words_in(std::string_view code_line);

/// Whether a word calls a free function of the global namespace or of std, as opposed to a member,
/// another namespace's function or a declaration.
bool calls_free_function(const Word& word);

/// Whether `text` holds `word` between characters that no identifier has.
bool holds_word(std::string_view text, std::string_view word);

}  // namespace winnow::house
