#include "cluster/last_words.hpp"

#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cstring>
#include <fstream>

namespace winnow::cluster {
namespace {

namespace fs = std::filesystem;

constexpr std::array kCrashes{SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT};
constexpr const char* kPrefix = "last_words.";

// All that a signal handler may use: no allocation, no lock.
std::array<char, 4096> file_name{};
std::array<struct sigaction, kCrashes.size()> before{};
std::atomic<std::uint64_t> own_session = 0;
static_assert(std::atomic<std::uint64_t>::is_always_lock_free);

std::size_t put_number(std::uint64_t n, char* into) {
  std::array<char, 20> digits{};
  std::size_t count = 0;
  do {
    digits[count++] = static_cast<char>('0' + n % 10);
    n /= 10;
  } while (n > 0);
  for (std::size_t i = 0; i < count; ++i) into[i] = digits[count - 1 - i];
  into[count] = '\n';
  return count + 1;
}

void on_crash(int signal) {
  for (std::size_t i = 0; i < kCrashes.size(); ++i) {
    (void)::sigaction(kCrashes[i], &before[i], nullptr);
  }
  const int fd = ::open(file_name.data(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (fd >= 0) {
    std::array<char, 48> text{};
    std::size_t size = put_number(own_session.load(), text.data());
    size += put_number(static_cast<std::uint64_t>(signal), text.data() + size);
    (void)!::write(fd, text.data(), size);
    (void)::close(fd);
  }
  (void)::raise(signal);  // delivered when this returns
}

}  // namespace

Status leave_last_words(const fs::path& folder) {
  std::error_code ec;
  fs::create_directories(folder, ec);
  if (ec) return Error(ErrorCode::Io, folder.string() + ": " + ec.message());
  const std::string name = (folder / (kPrefix + std::to_string(::getpid()))).string();
  if (name.size() >= file_name.size()) {
    return Error(ErrorCode::Io, folder.string() + ": the name is too long");
  }
  std::memcpy(file_name.data(), name.c_str(), name.size() + 1);
  struct sigaction act {};
  act.sa_handler = on_crash;
  (void)::sigemptyset(&act.sa_mask);
  for (std::size_t i = 0; i < kCrashes.size(); ++i) {
    (void)::sigaction(kCrashes[i], &act, &before[i]);
  }
  return {};
}

void say_as(std::uint64_t session) { own_session = session; }

std::optional<LastWords> take_last_words(const fs::path& folder) {
  std::error_code ec;
  for (const auto& entry : fs::directory_iterator(folder, ec)) {
    if (!entry.path().filename().string().starts_with(kPrefix)) continue;
    LastWords words;
    int signal = 0;
    const bool whole = static_cast<bool>(std::ifstream(entry.path()) >> words.session >> signal);
    // Whoever removes it has it: several processes may share the folder.
    if (!fs::remove(entry.path(), ec) || !whole) continue;
    const char* name = ::sigabbrev_np(signal);
    words.text = "signal " + std::to_string(signal) + ", SIG" + (name == nullptr ? "?" : name);
    // The one signal that says more than that the program is wrong.
    if (signal == SIGBUS) words.text += ": a mapped file was cut, or its disk cannot be read";
    return words;
  }
  return std::nullopt;
}

}  // namespace winnow::cluster
