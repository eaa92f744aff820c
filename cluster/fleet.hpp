#pragma once

#include <sys/types.h>

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "base/time.hpp"

namespace winnow::cluster {

/// One process to be kept running: a node here, or an ssh to a node elsewhere.
struct FleetMember {
  std::string name;  ///< for its log's name and for people
  std::vector<std::string> argv;
};

/// Purpose: keeps a set of processes running until it is told to stop; one that ends is started
/// again, later each time it dies young. Their standard input is a pipe that ends with the owner,
/// however that ends, which tells `winnow node --until-eof` on a far machine to drain and leave.
/// Owner: a launcher's command. Thread: one.
class Fleet {
 public:
  static constexpr DurationNs kRestartMin = milliseconds(200);
  static constexpr DurationNs kRestartMax = seconds(30);
  /// One that lives shorter died young.
  static constexpr DurationNs kYoung = seconds(5);

  /// Fails: Io (no room for logs, no such program).
  static Result<std::unique_ptr<Fleet>> start(std::vector<FleetMember> members,
                                              const std::filesystem::path& logs);
  ~Fleet();  ///< stop(2 s)
  Fleet(const Fleet&) = delete;
  Fleet& operator=(const Fleet&) = delete;

  struct Member {
    FleetMember what;
    pid_t pid = -1;
    std::uint32_t restarts = 0;
    std::uint32_t young_deaths = 0;  ///< in a row
    MonoNs started;
    MonoNs again;  ///< when it is started next, if it does not run
  };
  const std::vector<Member>& members() const { return members_; }
  std::filesystem::path log_of(const Member& member) const;

  /// Reaps and restarts. To be called a few times a second. `died` hears of each death. Fails:
  /// Unavailable, with the end of a log, if all members keep dying young.
  Status supervise(MonoNs now, const std::function<void(const Member&)>& died);

  /// Ends their input and asks them to end; after `patience` they are ended.
  void stop(DurationNs patience);

 private:
  Fleet(std::vector<FleetMember> members, std::filesystem::path logs);
  Status launch(Member& member, MonoNs now);

  std::vector<Member> members_;
  std::filesystem::path logs_;
  int input_read_ = -1;   // what members read from
  int input_write_ = -1;  // held open while we live
};

}  // namespace winnow::cluster
