#include "child.hpp"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <iostream>

#include "crash_script.hpp"
#include "golden_store.hpp"
#include "store/ledger_head.hpp"
#include "store_fixture.hpp"

namespace winnow::store {
namespace {

// One write a line: a kill between lines loses none that was sent.
void say(const std::string& text) {
  const std::string out = text + "\n";
  if (::write(STDOUT_FILENO, out.data(), out.size()) < 0) std::_Exit(3);
}

// Tries to open for writing and says how that went.
int open_for_writing(const std::string& dir) {
  auto store = Store::open(dir);
  say(store.ok() ? "opened" : store.error().text());
  return store.ok() ? 0 : 1;
}

// Says what a read-only store holds: one line a committed block of the sweep.
int read_blocks(const std::string& dir, const std::string& sweep) {
  StoreOptions options;
  options.read_only = true;
  auto store = Store::open(dir, options);
  if (!store.ok()) {
    say(store.error().text());
    return 1;
  }
  const SweepMeta meta = must((*store)->sweep(sweep)).value();
  const std::vector<bool> flags = must((*store)->committed(sweep, meta.blocks));
  for (std::uint64_t b = 0; b < flags.size(); ++b) {
    if (!flags[b]) continue;
    const ResultBlock block =
        must((*store)->read_block(sweep, b, {.keys = true, .metrics = true, .returns = true}));
    say(std::to_string(b) + " " + block.content_hash().hex());
  }
  say("ledger " + std::to_string(must((*store)->ledger()).at(0).trials));
  return 0;
}

// Writes a growing head over and over; says each count once it is there.
int write_heads(const std::string& file, std::uint64_t trials) {
  const LedgerBirth birth{"0123456789abcdef0123456789abcdef", {1}};
  std::vector<LedgerEntry> entries(400);
  for (std::size_t i = 0; i < entries.size(); ++i) entries[i].user = "user " + std::to_string(i);
  for (;; ++trials) {
    for (LedgerEntry& entry : entries) entry.trials = entry.executions = trials;
    const Status written = write_ledger_head(file, ledger_head_text(birth, entries), HeadSync::Yes);
    if (!written.ok()) {
      say("error " + written.error().text());
      return 1;
    }
    say("written " + std::to_string(trials));
  }
}

}  // namespace

int child_main(const std::vector<std::string>& arguments) {
  const std::string& kind = arguments.at(0);
  if (kind == "open") return open_for_writing(arguments.at(1));
  if (kind == "read") return read_blocks(arguments.at(1), arguments.at(2));
  if (kind == "head") return write_heads(arguments.at(1), std::stoull(arguments.at(2)));
  if (kind == "delete") return delete_until_killed(arguments.at(1), say);
  if (kind == "commit") {
    return commit_until_killed(arguments.at(1), std::stoull(arguments.at(2)), say);
  }
  if (kind == "golden") {  // tests/store/golden/make.sh
    make_golden_store(arguments.at(1));
    return 0;
  }
  if (kind == "describe") {
    std::cout << describe_store(arguments.at(1));
    return 0;
  }
  return 2;
}

Child::Child(const std::vector<std::string>& arguments) {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) std::abort();
  const std::string self = std::filesystem::read_symlink("/proc/self/exe").string();
  std::vector<std::string> words = {self, "--child"};
  words.insert(words.end(), arguments.begin(), arguments.end());
  std::vector<char*> argv;
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  pid_ = ::fork();
  if (pid_ == 0) {
    ::dup2(ends[1], STDOUT_FILENO);
    ::execv(self.c_str(), argv.data());
    std::_Exit(127);
  }
  ::close(ends[1]);
  output_ = ends[0];
}

Child::~Child() {
  if (pid_ > 0) {
    kill_now();
    wait();
  }
  ::close(output_);
}

std::string Child::line() {
  for (;;) {
    if (const auto end = buffer_.find('\n'); end != std::string::npos) {
      std::string out = buffer_.substr(0, end);
      buffer_.erase(0, end + 1);
      return out;
    }
    char bytes[4096];
    const ssize_t n = ::read(output_, bytes, sizeof bytes);
    if (n > 0) {
      buffer_.append(bytes, static_cast<std::size_t>(n));
    } else if (n == 0 || errno != EINTR) {
      return {};
    }
  }
}

void Child::kill_now() { ::kill(pid_, SIGKILL); }

std::vector<std::string> Child::rest() {
  std::vector<std::string> out;
  for (std::string text = line(); !text.empty(); text = line()) out.push_back(std::move(text));
  return out;
}

int Child::wait() {
  int status = 0;
  while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
  }
  pid_ = -1;
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

}  // namespace winnow::store

int main(int argc, char** argv) {
  if (argc > 2 && std::string(argv[1]) == "--child") {
    return winnow::store::child_main({argv + 2, argv + argc});
  }
  ::testing::InitGoogleTest(&argc, argv);
  return RUN_ALL_TESTS();
}
