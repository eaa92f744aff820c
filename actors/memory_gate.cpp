#include "actors/memory_gate.hpp"

#include <chrono>
#include <fstream>
#include <string>
#include <utility>

namespace winnow::actors {
namespace {

// While the process is above its limit for reasons of its own (results that wait for a coordinator,
// say), what frees memory sends no signal here.
constexpr std::chrono::milliseconds kLookAgain{50};

std::string mib(std::uint64_t bytes) {
  return std::to_string((bytes + (std::uint64_t{1} << 20) - 1) >> 20) + " MiB";
}

}  // namespace

std::uint64_t anonymous_bytes() {
  std::ifstream status("/proc/self/status");
  std::string word;
  while (status >> word) {
    std::uint64_t kib = 0;
    if (word == "RssAnon:" && status >> kib) return kib << 10;
  }
  return 0;
}

MemoryGate::MemoryGate(std::uint64_t bytes_max, std::function<void()> relieve,
                       std::function<std::uint64_t()> used)
    : bytes_max_(bytes_max),
      relieve_(std::move(relieve)),
      used_(used ? std::move(used) : anonymous_bytes) {
  if (bytes_max_ > 0) at_rest_ = used_();
}

bool MemoryGate::could_fit(std::uint64_t bytes) const {
  return bytes_max_ == 0 || (at_rest_ < bytes_max_ && bytes <= bytes_max_ - at_rest_);
}

Result<MemoryGate::Hold> MemoryGate::acquire(std::uint64_t bytes, std::stop_token stop) {
  if (bytes_max_ == 0) return Hold(nullptr, 0);
  if (!could_fit(bytes)) {
    return Error(ErrorCode::Refused, "a computation needs " + mib(bytes) +
                                         ", more than --memory-mb leaves: " + mib(bytes_max_) +
                                         ", of which the node itself takes " + mib(at_rest_));
  }
  std::unique_lock lock(mutex_);
  bool relieved = false;
  for (;;) {
    if (stop.stop_requested()) return Error(ErrorCode::Cancelled, "the node stops");
    if (held_ + bytes + at_rest_ <= bytes_max_) {
      // What others hold may not be allocated yet; what is allocated may not be held any more.
      if (held_ == 0 || used_() + bytes <= bytes_max_) break;
      if (relieve_ && !std::exchange(relieved, true)) {
        relieve_();
        continue;
      }
    }
    ++waiting_;
    wake_.wait_for(lock, stop, kLookAgain, [] { return false; });
    --waiting_;
  }
  if (relieve_ && !relieved && used_() + bytes > bytes_max_) relieve_();
  held_ += bytes;
  return Hold(this, bytes);
}

void MemoryGate::release(std::uint64_t bytes) {
  {
    const std::lock_guard lock(mutex_);
    held_ -= bytes;
  }
  wake_.notify_all();
}

}  // namespace winnow::actors
