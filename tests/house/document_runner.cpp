// Runs the commands of a document as a new user would: document_runner DOCUMENT WINNOW_BINARY.
// They run in a temporary folder that looks like the checkout (links to it, with
// build/release/winnow being WINNOW_BINARY, which is also `winnow` on PATH), under an empty home.
#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>

#include "tests/house/document.hpp"

namespace {

namespace fs = std::filesystem;
using winnow::house::CommandBlock;
using winnow::house::Document;

constexpr const char* kTimeLimit_s = "1500";

std::string read_file(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

void write_file(const fs::path& path, const std::string& text) {
  std::ofstream(path, std::ios::binary) << text;
}

std::string quoted(const std::string& text) {
  std::string out = "'";
  for (const char c : text) out += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return out + "'";
}

/// The shared market data: $WINNOW_SHARED, else `shared` beside the checkout; empty without.
fs::path shared_data() {
  if (const char* told = std::getenv("WINNOW_SHARED"); told != nullptr && *told != '\0')
    return told;
  const fs::path beside = fs::path(WINNOW_SOURCE_DIR).parent_path() / "shared";
  return fs::exists(beside) ? beside : fs::path();
}

/// Purpose: the new user's machine. Owner: main.
class Sandbox {
 public:
  explicit Sandbox(const fs::path& binary) {
    std::string pattern = (fs::temp_directory_path() / "winnow-docs-XXXXXX").string();
    root_ = mkdtemp(pattern.data());
    for (const char* folder : {"home", "bin", "scripts", "checkout/build/release"}) {
      fs::create_directories(root_ / folder);
    }
    for (const auto& entry : fs::directory_iterator(WINNOW_SOURCE_DIR)) {
      const std::string name = entry.path().filename().string();
      if (name != "build" && name != ".git") fs::create_symlink(entry.path(), checkout() / name);
    }
    fs::create_symlink(binary, checkout() / "build/release/winnow");
    fs::create_symlink(binary, root_ / "bin/winnow");
    if (!shared_data().empty()) fs::create_symlink(shared_data(), root_ / "shared");
  }
  ~Sandbox() {
    std::error_code ignored;
    fs::remove_all(root_, ignored);
  }
  Sandbox(const Sandbox&) = delete;
  Sandbox& operator=(const Sandbox&) = delete;

  fs::path checkout() const { return root_ / "checkout"; }
  fs::path script(std::size_t i) const { return root_ / "scripts" / std::to_string(i); }
  fs::path output(std::size_t i) const { return script(i).string() + ".out"; }
  fs::path driver() const { return root_ / "scripts/driver"; }

  void enter_environment() const {
    const char* path = std::getenv("PATH");
    setenv("PATH", ((root_ / "bin").string() + ":" + (path != nullptr ? path : "")).c_str(), 1);
    setenv("HOME", (root_ / "home").c_str(), 1);
    setenv("WINNOW_HOME", (root_ / "home/winnow").c_str(), 1);
    if (!shared_data().empty()) setenv("WINNOW_SHARED", (root_ / "shared").c_str(), 1);
    if (chdir(checkout().c_str()) != 0) std::perror("chdir");
  }

 private:
  fs::path root_;
};

bool is_run(const CommandBlock& block) {
  if (block.when == CommandBlock::When::WithSharedData) return !shared_data().empty();
  return block.when == CommandBlock::When::Always;
}

/// Writes each block as a file whose line numbers are the document's, and the shell that runs them.
void write_scripts(const Document& document, const std::string& name, const Sandbox& sandbox) {
  std::string driver = "set -eE\nexec 9>&1\ntrap 'echo " + quoted(name).substr(1, name.size()) +
                       ":$LINENO: failed: $BASH_COMMAND >&9' ERR\n";
  for (std::size_t i = 0; i < document.blocks.size(); ++i) {
    const CommandBlock& block = document.blocks[i];
    const std::string at = name + ":" + std::to_string(block.line);
    if (!is_run(block)) {
      driver += "echo " + quoted("== " + at + " (not run here)") + "\n";
      continue;
    }
    write_file(sandbox.script(i), std::string(block.line - 1, '\n') + block.commands);
    driver += "echo " + quoted("== " + at) + "\n. " + quoted(sandbox.script(i).string()) + " > " +
              quoted(sandbox.output(i).string()) + " 2>&1\n";
  }
  write_file(sandbox.driver(), driver);
}

/// Runs the driver in a process group of its own, which ends with it.
int run_driver(const Sandbox& sandbox) {
  // What the document leaves behind becomes our child, so that its end can be waited for.
  prctl(PR_SET_CHILD_SUBREAPER, 1);
  const pid_t child = fork();
  if (child < 0) {
    std::perror("fork");
    return 1;
  }
  if (child == 0) {
    setpgid(0, 0);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (const int null = open("/dev/null", O_RDONLY); null >= 0) dup2(null, STDIN_FILENO);
    sandbox.enter_environment();
    execlp("timeout", "timeout", "--foreground", "--kill-after=10", kTimeLimit_s, "bash",
           sandbox.driver().c_str(), nullptr);
    std::perror("exec timeout");
    _exit(127);
  }
  setpgid(child, child);
  int status = 0;
  waitpid(child, &status, 0);
  kill(-child, SIGKILL);
  while (waitpid(-child, nullptr, 0) > 0) {
  }
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) {
    std::cerr << "usage: document_runner DOCUMENT WINNOW_BINARY\n";
    return 2;
  }
  const std::string name = fs::path(argv[1]).filename().string();
  const Document document = winnow::house::read_document(read_file(argv[1]));
  for (const std::string& error : document.errors) std::cout << name << " " << error << "\n";
  if (!document.errors.empty()) return 1;

  const Sandbox sandbox(fs::absolute(argv[2]));
  write_scripts(document, name, sandbox);
  const int status = run_driver(sandbox);
  bool good = status == 0;
  if (!good) std::cout << name << ": its commands ended with status " << status << "\n";
  for (std::size_t i = 0; i < document.blocks.size(); ++i) {
    const CommandBlock& block = document.blocks[i];
    if (!is_run(block)) continue;
    const std::string output = read_file(sandbox.output(i));
    std::cout << "-- printed by " << name << ":" << block.line << "\n" << output;
    if (status != 0) continue;
    const std::string missing = winnow::house::first_missing_line(block.expected, output);
    if (!missing.empty()) {
      good = false;
      std::cout << name << ":" << block.expected_line
                << ": the document promises this line, the commands did not print it: " << missing
                << "\n";
    }
  }
  return good ? 0 : 1;
}
