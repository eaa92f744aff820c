#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>

#include "cluster/door/peers.hpp"
#include "scheduler/scheduler.hpp"

namespace winnow::actors {

struct CoordinatorOptions {
  std::string host = "127.0.0.1";  ///< loopback only: there the kernel says who is at the other end
  std::uint16_t port = 0;          ///< 0: any free one
  /// Who comes through the door in front of the port; others are processes of this machine, known
  /// by their accounts.
  std::shared_ptr<const cluster::DoorPeers> peers;
  bool resume_all = true;  ///< take up every unfinished sweep of the store at start; else a
                           ///< sweep goes on when it is submitted again
  scheduler::Options scheduling;
  std::string instance = {};        ///< the answer to kInstanceQuestion: which coordinator this is
  std::filesystem::path home = {};  ///< whose tokens count (cluster/token.hpp); empty: none
};

}  // namespace winnow::actors
