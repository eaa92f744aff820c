#include "tests/house/source_tree.hpp"

#include <algorithm>
#include <array>
#include <fstream>
#include <iterator>

namespace winnow::house {

namespace {

namespace fs = std::filesystem;

bool skipped_folder(const std::string& name) {
  static constexpr std::array kSkipped = {"build", "node_modules", "dist", "__pycache__"};
  if (std::find(kSkipped.begin(), kSkipped.end(), name) != kSkipped.end()) return true;
  return name.size() > 1 && name[0] == '.' && name != ".ci";
}

bool is_text(std::string_view text) { return text.find('\0') == std::string_view::npos; }

bool is_word(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

/// Purpose: copies C++ text while blanking what is not code; one pass, no tokens kept.
class Blanker {
 public:
  Blanker(std::string_view text, Literals literals) : out_(text), literals_(literals) {}

  std::string finish() && {
    while (at_ < out_.size()) step();
    return std::move(out_);
  }

 private:
  char peek(std::size_t ahead = 0) const {
    return at_ + ahead < out_.size() ? out_[at_ + ahead] : '\0';
  }

  void blank_to(std::size_t end) {
    end = std::min(end, out_.size());
    for (; at_ < end; ++at_) {
      if (out_[at_] != '\n') out_[at_] = ' ';
    }
  }

  void pass_literal(std::size_t end) {
    end = std::min(end, out_.size());
    if (literals_ == Literals::Blank) {
      blank_to(end);
    } else {
      at_ = end;
    }
  }

  std::size_t end_of_quoted(char quote) const {
    std::size_t i = at_ + 1;
    while (i < out_.size() && out_[i] != quote && out_[i] != '\n') i += out_[i] == '\\' ? 2 : 1;
    return i + 1;
  }

  std::size_t end_of_raw() const {
    const std::size_t open = out_.find('(', at_);
    if (open == std::string::npos) return out_.size();
    const std::string close = ")" + out_.substr(at_ + 2, open - at_ - 2) + "\"";
    const std::size_t end = out_.find(close, open);
    return end == std::string::npos ? out_.size() : end + close.size();
  }

  void step() {
    const char c = peek();
    const bool after_word = at_ > 0 && is_word(out_[at_ - 1]);
    if (c == '/' && peek(1) == '/') {
      blank_to(out_.find('\n', at_));
    } else if (c == '/' && peek(1) == '*') {
      const std::size_t close = out_.find("*/", at_ + 2);
      blank_to(close == std::string::npos ? close : close + 2);
    } else if (c == 'R' && peek(1) == '"' && !after_word) {
      pass_literal(end_of_raw());
    } else if (c == '"') {
      pass_literal(end_of_quoted('"'));
    } else if (c == '\'' && !after_word) {  // after a word it separates digits
      pass_literal(end_of_quoted('\''));
    } else {
      ++at_;
    }
  }

  std::string out_;
  Literals literals_;
  std::size_t at_ = 0;
};

bool has_suffix(std::string_view path, std::string_view suffix) { return path.ends_with(suffix); }

}  // namespace

bool SourceFile::is_header() const { return has_suffix(path, ".hpp") || has_suffix(path, ".h"); }

bool SourceFile::is_cpp() const { return is_header() || has_suffix(path, ".cpp"); }

std::string_view SourceFile::top() const {
  const std::size_t slash = path.find('/');
  return slash == std::string::npos ? std::string_view{} : std::string_view(path).substr(0, slash);
}

std::vector<std::string> split_lines(std::string_view text) {
  std::vector<std::string> lines;
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    lines.emplace_back(text.substr(0, end));
    if (end == std::string_view::npos) break;
    text.remove_prefix(end + 1);
  }
  return lines;
}

std::string blank_comments(std::string_view text, Literals literals) {
  return Blanker(text, literals).finish();
}

SourceFile make_file(std::string path, std::string text) {
  SourceFile file;
  file.path = std::move(path);
  file.text = std::move(text);
  file.lines = split_lines(file.text);
  if (file.is_cpp()) {
    file.code_lines = split_lines(blank_comments(file.text, Literals::Blank));
    file.include_lines = split_lines(blank_comments(file.text, Literals::Keep));
  }
  return file;
}

std::vector<SourceFile> read_tree(const fs::path& root) {
  std::vector<SourceFile> files;
  for (auto it = fs::recursive_directory_iterator(root); it != fs::recursive_directory_iterator();
       ++it) {
    if (it->is_directory()) {
      if (skipped_folder(it->path().filename().string())) it.disable_recursion_pending();
      continue;
    }
    if (!it->is_regular_file() || it->is_symlink()) continue;
    std::ifstream in(it->path(), std::ios::binary);
    std::string text((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
    if (!in.bad() && is_text(text)) {
      files.push_back(make_file(fs::relative(it->path(), root).generic_string(), std::move(text)));
    }
  }
  std::sort(files.begin(), files.end(),
            [](const SourceFile& a, const SourceFile& b) { return a.path < b.path; });
  return files;
}

}  // namespace winnow::house
