// What the documents tell a reader to type works as it stands there, in their order.

#include <gtest/gtest.h>

#include <fstream>
#include <regex>

#include "tests/e2e/process.hpp"

namespace winnow::e2e {
namespace {

namespace fs = std::filesystem;

/// The lines of the ```sh blocks.
std::vector<std::string> commands_of(const fs::path& document) {
  std::vector<std::string> out;
  std::ifstream in(document);
  bool inside = false;
  for (std::string line; std::getline(in, line);) {
    if (line.starts_with("```")) {
      inside = line == "```sh";
    } else if (inside && !line.empty()) {
      out.push_back(line);
    }
  }
  return out;
}

/// Words as a shell would part them, as far as these documents go: blanks, and double quotes.
std::vector<std::string> words_of(const std::string& line) {
  static const std::regex word("\"([^\"]*)\"|(\\S+)");
  std::vector<std::string> out;
  for (std::sregex_iterator at(line.begin(), line.end(), word), end; at != end; ++at) {
    out.push_back((*at)[1].matched ? (*at)[1].str() : (*at)[2].str());
  }
  return out;
}

TEST(Docs, EveryCommandOfTheMetricsPageRuns) {
  const TemporaryFolder folder;
  const fs::path source = WINNOW_SOURCE_DIR;
  const auto commands = commands_of(source / "docs" / "METRICS.md");
  ASSERT_GE(commands.size(), 6u);
  std::string said;
  for (const std::string& line : commands) {
    auto words = words_of(line);
    ASSERT_EQ(words.at(0), "winnow") << line;
    words.erase(words.begin());
    for (std::string& word : words) {  // files are named as seen from the checkout
      if (word.find('/') != std::string::npos && fs::exists(source / word)) word = source / word;
    }
    const Ran ran = winnow(folder.path() / "home", words);
    EXPECT_EQ(ran.status, 0) << line << "\n" << ran.errors;
    said += ran.output;
  }
  for (const char* text : {"calendar: 24/7, 365 periods a year", "market_return_frac",
                           "holding doc-trender over the same days", "alpha_ann"}) {
    EXPECT_NE(said.find(text), std::string::npos) << text;
  }
}

}  // namespace
}  // namespace winnow::e2e
