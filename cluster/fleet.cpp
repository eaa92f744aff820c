#include "cluster/fleet.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "cluster/process.hpp"

namespace winnow::cluster {
namespace {

// So many deaths in a row of every member, and it is not the weather.
constexpr std::uint32_t kYoungDeathsMax = 5;

}  // namespace

Fleet::Fleet(std::vector<FleetMember> members, std::filesystem::path logs)
    : logs_(std::move(logs)) {
  for (FleetMember& member : members) members_.emplace_back().what = std::move(member);
}

Result<std::unique_ptr<Fleet>> Fleet::start(std::vector<FleetMember> members,
                                            const std::filesystem::path& logs) {
  std::error_code ec;
  std::filesystem::create_directories(logs, ec);
  if (ec) return Error(ErrorCode::Io, "cannot make " + logs.string() + ": " + ec.message());
  auto fleet = std::unique_ptr<Fleet>(new Fleet(std::move(members), logs));
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) {
    return Error(ErrorCode::Io, std::string("pipe: ") + std::strerror(errno));
  }
  fleet->input_read_ = ends[0];
  fleet->input_write_ = ends[1];
  for (Member& member : fleet->members_) {
    WINNOW_TRY(fleet->launch(member, system_clock().mono()));
  }
  return fleet;
}

Fleet::~Fleet() {
  stop(seconds(2));
  if (input_read_ >= 0) ::close(input_read_);
}

std::filesystem::path Fleet::log_of(const Member& member) const {
  return logs_ / (member.what.name + ".log");
}

Status Fleet::launch(Member& member, MonoNs now) {
  const auto pid =
      spawn({.argv = member.what.argv, .log = log_of(member), .input_fd = input_read_});
  if (!pid) return pid.error();
  member.pid = *pid;
  member.started = now;
  return {};
}

Status Fleet::supervise(MonoNs now, const std::function<void(const Member&)>& died) {
  for (Member& member : members_) {
    if (member.pid > 0 && !has_ended(member.pid)) {
      if (now - member.started >= kYoung) member.young_deaths = 0;
      continue;
    }
    if (member.pid > 0) {
      member.pid = -1;
      if (now - member.started < kYoung) ++member.young_deaths;
      DurationNs pause = kRestartMin;
      for (std::uint32_t i = 1; i < member.young_deaths && pause < kRestartMax; ++i) {
        pause = DurationNs{pause.ns * 2};
      }
      member.again = now + std::min(pause, kRestartMax);
      died(member);
    }
    if (now < member.again) continue;
    ++member.restarts;
    WINNOW_TRY(launch(member, now));
  }
  const bool hopeless =
      !members_.empty() && std::all_of(members_.begin(), members_.end(), [](const Member& m) {
        return m.young_deaths >= kYoungDeathsMax;
      });
  if (!hopeless) return {};
  const Member& first = members_.front();
  return Error(ErrorCode::Unavailable,
               first.what.name + " dies as soon as it starts, as do all others; its log, " +
                   log_of(first).string() + ", ends with:\n" + last_lines(log_of(first)));
}

void Fleet::stop(DurationNs patience) {
  if (input_write_ >= 0) ::close(std::exchange(input_write_, -1));
  std::vector<pid_t> pids;
  for (Member& member : members_) pids.push_back(std::exchange(member.pid, -1));
  end_all(pids, patience);
}

}  // namespace winnow::cluster
