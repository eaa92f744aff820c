#include "tests/sim/world.hpp"

#include <algorithm>

namespace winnow::sim {

void World::push(std::int64_t at_ns, Process* process, std::function<void()> what) {
  queue_.push(
      {at_ns, next_order_++, process, process == nullptr ? 0 : process->life, std::move(what)});
}

bool World::step(std::int64_t end_ns) {
  for (;;) {
    if (queue_.empty() || queue_.top().at_ns > end_ns) return false;
    Event event = queue_.top();
    queue_.pop();
    now_ns_ = std::max(now_ns_, event.at_ns);
    if (event.process != nullptr) {
      if (!event.process->alive || event.process->life != event.life) continue;
      if (event.process->paused_until_ns > now_ns_) {
        event.at_ns = event.process->paused_until_ns;
        event.order = next_order_++;
        queue_.push(std::move(event));
        continue;
      }
    }
    ++steps_;
    event.what();
    return true;
  }
}

void World::note(const std::string& who, std::string_view what, std::uint64_t a, std::uint64_t b) {
  trace_ = mix64(trace_ ^ mix64(static_cast<std::uint64_t>(now_ns_)));
  for (const char c : what) trace_ = (trace_ ^ static_cast<std::uint8_t>(c)) * 0x100000001b3ull;
  trace_ = mix64(trace_ ^ mix64(a) ^ (b * 0x9e3779b97f4a7c15ull));
  if (print_) {
    std::printf("%12.6f s  %-12s %.*s %llu %llu\n", static_cast<double>(now_ns_) * 1e-9,
                who.c_str(), static_cast<int>(what.size()), what.data(),
                static_cast<unsigned long long>(a), static_cast<unsigned long long>(b));
  }
}

}  // namespace winnow::sim
