#include "store/reader_gate.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <thread>

namespace winnow::store {
namespace {

constexpr const char* kFile = "READERS";
constexpr std::chrono::milliseconds kPause{1};

}  // namespace

ReaderGate::ReaderGate(const std::filesystem::path& store, Side side) {
  const int create = side == Side::Writer ? O_CREAT : 0;
  fd_ = ::open((store / kFile).c_str(), O_RDONLY | O_CLOEXEC | create, 0644);
}

ReaderGate::~ReaderGate() {
  if (fd_ >= 0) ::close(fd_);
}

void ReaderGate::request() {
  // Never waits long: the writer holds its own lock only to see whether it gets it.
  if (fd_ >= 0) ::flock(fd_, LOCK_SH);
}

bool ReaderGate::requested() {
  if (fd_ < 0) return false;
  const std::scoped_lock lock(mutex_);
  if (::flock(fd_, LOCK_EX | LOCK_NB) == 0) {
    ::flock(fd_, LOCK_UN);
    asked_since_.reset();
    return false;
  }
  const auto now = std::chrono::steady_clock::now();
  if (!asked_since_) asked_since_ = now;
  return now - *asked_since_ < kPatience;
}

void ReaderGate::await_quiet() {
  while (requested()) std::this_thread::sleep_for(kPause);
}

}  // namespace winnow::store
