// Documents are read and run as document.hpp says.
#include "tests/house/document.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <filesystem>
#include <fstream>

namespace winnow::house {
namespace {

namespace fs = std::filesystem;
using When = CommandBlock::When;

TEST(Document, ShellBlocksAreReadWithTheirLines) {
  const Document document = read_document(
      "# Title\n\n```sh\na\nb\n```\n\n```yaml\nx: 1\n```\n```sh needs-shared\nc\n```\n"
      "```sh no-run: builds for minutes\nd\n```\n");
  EXPECT_TRUE(document.errors.empty());
  ASSERT_EQ(document.blocks.size(), 3u);
  EXPECT_EQ(document.blocks[0].commands, "a\nb\n");
  EXPECT_EQ(document.blocks[0].line, 4u);
  EXPECT_EQ(document.blocks[0].when, When::Always);
  EXPECT_EQ(document.blocks[1].when, When::WithSharedData);
  EXPECT_EQ(document.blocks[2].when, When::Never);
}

TEST(Document, BlocksThatWouldEscapeAreErrors) {
  EXPECT_EQ(read_document("```bash\na\n```\n").errors.size(), 1u);
  EXPECT_EQ(read_document("```console\n$ a\n```\n").errors.size(), 1u);
  EXPECT_EQ(read_document("```sh norun\na\n```\n").errors.size(), 1u);
  EXPECT_EQ(read_document("```sh no-run\na\n```\n").errors,
            std::vector<std::string>{"line 1: 'sh no-run' needs its reason: 'sh no-run: REASON'"});
  EXPECT_EQ(read_document("x\n```sh\na\n").errors,
            std::vector<std::string>{"line 2: the block that starts here does not end"});
  EXPECT_EQ(read_document("```text output\na\n```\n").errors.size(), 1u);
}

TEST(Document, ExpectedLinesMatchInOrderWithDots) {
  const std::string output = "trials 10,000 in 3.2 s\nbest 1.8\n  done\n";
  EXPECT_EQ(first_missing_line({"trials ... in ... s", "...", "done"}, output), "");
  EXPECT_EQ(first_missing_line({"done", "best ..."}, output), "best ...");
  EXPECT_EQ(first_missing_line({"best"}, output), "best");
  EXPECT_EQ(first_missing_line({"trials ... in ... min"}, output), "trials ... in ... min");
}

/// Runs the runner on a document whose `winnow` is `echo`; gives its status and what it printed.
std::pair<int, std::string> run_document(const std::string& markdown) {
  std::string folder = (fs::temp_directory_path() / "winnow-document-XXXXXX").string();
  mkdtemp(folder.data());
  const fs::path file = fs::path(folder) / "GUIDE.md";
  std::ofstream(file) << markdown;
  const std::string command =
      std::string(WINNOW_DOCUMENT_RUNNER) + " " + file.string() + " /bin/echo 2>&1";
  std::FILE* pipe = popen(command.c_str(), "r");
  std::string printed;
  std::array<char, 4096> buffer{};
  while (const std::size_t n = fread(buffer.data(), 1, buffer.size(), pipe)) {
    printed.append(buffer.data(), n);
  }
  const int status = pclose(pipe);
  fs::remove_all(folder);
  return {status, printed};
}

TEST(DocumentRunner, BlocksShareAShellAHomeAndTheBinary) {
  const auto [status, printed] = run_document(
      "```sh\nid=$(winnow sweep)\nbuild/release/winnow x > file.txt\n```\n"
      "```sh\ntest \"$id\" = sweep && test -f file.txt && test -f CMakeLists.txt\n"
      "test ! -e \"$WINNOW_HOME\" && echo all good\n```\n```text output\nall ...\n```\n");
  EXPECT_EQ(status, 0) << printed;
  EXPECT_FALSE(fs::exists(WINNOW_SOURCE_DIR "/file.txt"));
}

TEST(DocumentRunner, FailingCommandIsNamedByTheDocumentsLine) {
  const auto [status, printed] = run_document("# A\n\n```sh\ntrue\nfalse\necho never\n```\n");
  EXPECT_NE(status, 0);
  EXPECT_NE(printed.find("GUIDE.md:5: failed: false"), std::string::npos) << printed;
  EXPECT_EQ(printed.find("never"), std::string::npos) << printed;
}

TEST(DocumentRunner, PromisedOutputThatIsMissingFails) {
  const auto [status, printed] = run_document("```sh\nwinnow 1 2\n```\n```text output\n1 3\n```\n");
  EXPECT_NE(status, 0);
  EXPECT_NE(printed.find("GUIDE.md:5: the document promises"), std::string::npos) << printed;
}

TEST(DocumentRunner, BackgroundProcessesEndWithTheDocument) {
  const auto [status, printed] = run_document("```sh\nsleep 1000 &\necho pid $!\n```\n");
  ASSERT_EQ(status, 0) << printed;
  const std::size_t at = printed.find("pid ");
  ASSERT_NE(at, std::string::npos) << printed;
  const std::string pid = std::to_string(std::stol(printed.substr(at + 4)));
  std::ifstream state("/proc/" + pid + "/stat");
  std::string id, name, letter;
  const bool gone = !(state >> id >> name >> letter) || letter == "Z" || letter == "X";
  EXPECT_TRUE(gone) << "process " << pid << " still runs in state " << letter;
}

TEST(DocumentRunner, BlocksMarkedNotToRunAreNotRun) {
  const auto [status, printed] = run_document("```sh no-run: it would fail\nfalse\n```\n");
  EXPECT_EQ(status, 0) << printed;
}

}  // namespace
}  // namespace winnow::house
