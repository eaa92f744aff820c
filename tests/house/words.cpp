#include "tests/house/words.hpp"

#include <cctype>

namespace winnow::house {

namespace {

bool is_word(char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_'; }

/// The end of the text before column `end`, spaces skipped.
std::size_t skip_spaces_back(std::string_view line, std::size_t end) {
  while (end > 0 && line[end - 1] == ' ') --end;
  return end;
}

std::string word_ending_at(std::string_view line, std::size_t end) {
  std::size_t begin = end;
  while (begin > 0 && is_word(line[begin - 1])) --begin;
  return std::string(line.substr(begin, end - begin));
}

void look_back(std::string_view line, Word& word) {
  const std::size_t end = skip_spaces_back(line, word.begin);
  const std::string_view left = line.substr(0, end);
  if (left.ends_with("::")) {
    word.qualifier = word_ending_at(left, skip_spaces_back(left, end - 2));
    if (word.qualifier.empty()) word.qualifier = "::";
  } else if (left.ends_with(".") || left.ends_with("->")) {
    word.member = true;
  } else {
    word.before = word_ending_at(left, end);
  }
}

}  // namespace

std::vector<Word> words_in(std::string_view line) {
  std::vector<Word> words;
  for (std::size_t i = 0; i < line.size();) {
    if (!is_word(line[i])) {
      ++i;
      continue;
    }
    std::size_t end = i;
    while (end < line.size() && is_word(line[end])) ++end;
    Word word;
    word.text = line.substr(i, end - i);
    word.begin = i;
    std::size_t next = end;
    while (next < line.size() && line[next] == ' ') ++next;
    word.called = next < line.size() && line[next] == '(';
    look_back(line, word);
    words.push_back(std::move(word));
    i = end;
  }
  return words;
}

bool calls_free_function(const Word& word) {
  if (!word.called || word.member) return false;
  if (!word.qualifier.empty()) return word.qualifier == "std" || word.qualifier == "::";
  // After a type the name is being declared; after these it is being called.
  return word.before.empty() || word.before == "return" || word.before == "else" ||
         word.before == "do" || word.before == "case" || word.before == "not";
}

bool holds_word(std::string_view text, std::string_view word) {
  for (std::size_t at = text.find(word); at != std::string_view::npos;
       at = text.find(word, at + 1)) {
    const std::size_t end = at + word.size();
    const bool open = at == 0 || !is_word(text[at - 1]);
    if (open && (end == text.size() || !is_word(text[end]))) return true;
  }
  return false;
}

}  // namespace winnow::house
