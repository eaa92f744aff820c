#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"

namespace winnow::cluster {

/// How a node is started where it will run; paths are that machine's.
struct NodeLaunch {
  std::string binary = "winnow";
  std::string join = "";      ///< HOST:PORT as that machine reaches it
  std::uint32_t workers = 0;  ///< 0: all cores
  std::string home = "";      ///< empty: that machine's default
  std::string identity = "";  ///< file of `winnow cluster invite`; empty: none
};

/// Its command line.
std::vector<std::string> node_argv(const NodeLaunch& node);

/// As one line of a POSIX shell, each word quoted where it needs to be.
std::string shell_line(std::span<const std::string> argv);

/// A machine to reach by ssh: `[USER@]HOST[:PORT] [workers=N]`.
struct SshHost {
  std::string destination;  ///< USER@HOST or HOST
  std::uint16_t port = 0;   ///< 0: ssh's own choice
  std::uint32_t workers = 0;
};
/// Lines of a hosts file; `#` begins a comment. Fails: InvalidInput naming `file` and the line.
Result<std::vector<SshHost>> parse_hosts(std::string_view text, std::string_view file);

/// The ssh that runs a node on `host` until its input ends. `options` are more of ssh's own.
std::vector<std::string> ssh_argv(const SshHost& host, const NodeLaunch& node,
                                  std::span<const std::string> options);

/// The ssh that writes its input to the file `identity` on `host`, which only its owner can read,
/// in one step.
std::vector<std::string> ssh_carry_argv(const SshHost& host, const std::string& identity,
                                        std::span<const std::string> options);

struct SlurmLaunch {
  NodeLaunch node;  ///< workers: also the CPUs a task asks for; 0: one
  std::uint32_t nodes = 1;
  std::string partition = "";   ///< empty: the cluster's default
  std::string time_limit = "";  ///< as sbatch's --time; empty: the partition's
  std::string log_folder = "";  ///< empty: output is dropped
  /// Of invite_array(), where the nodes run: each reads its own. Empty: what `node` says.
  std::string identity_folder = "";
};
/// A batch script: an array of nodes, each told to drain a minute before its time is over.
Result<std::string> slurm_script(const SlurmLaunch& launch);

struct KubernetesLaunch {
  std::string image;
  std::string space = "winnow";  ///< namespace
  std::uint32_t nodes = 2;
  std::uint32_t workers = 2;  ///< a node; also its CPU request and limit
  std::uint32_t memory_mib = 2048;
  std::uint32_t storage_gib = 50;  ///< of the coordinator's home
};
/// A coordinator with a home on a volume, its service, and nodes; the identities come from secrets
/// `winnow-cluster` and `winnow-node`. Fails: InvalidInput.
Result<std::string> kubernetes_manifest(const KubernetesLaunch& launch);

enum class UnitRole { Coordinator, Node };
struct SystemdLaunch {
  std::string binary = "/usr/bin/winnow";  ///< where the Debian package has it
  std::string listen = "127.0.0.1:7700";   ///< coordinator
  NodeLaunch node;                         ///< node
  /// Node: a file that says `JOIN=HOST:PORT` and, if it likes, more options as `OPTIONS=...`, so
  /// that one unit serves every machine; `node.join` then says nothing. Empty: none.
  std::string settings;
};
/// A systemd service unit. Fails: InvalidInput (a path that is not absolute).
Result<std::string> systemd_unit(UnitRole role, const SystemdLaunch& launch);

}  // namespace winnow::cluster
