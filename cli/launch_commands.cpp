#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <fstream>
#include <nlohmann/json.hpp>
#include <thread>

#include "actors/client.hpp"
#include "base/write_file.hpp"
#include "cli/app.hpp"
#include "cli/catalog.hpp"
#include "cli/output.hpp"
#include "cli/stop_signals.hpp"
#include "cluster/array_invites.hpp"
#include "cluster/authority.hpp"
#include "cluster/fleet.hpp"
#include "cluster/identity.hpp"
#include "cluster/launch.hpp"
#include "cluster/local_farm.hpp"
#include "cluster/process.hpp"

namespace winnow::cli {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

constexpr DurationNs kStopPatience = seconds(60);
constexpr std::chrono::milliseconds kSuperviseEvery{100};

struct LaunchOptions {
  cluster::NodeLaunch node;
  std::uint32_t nodes = 1;
  std::string hosts_file;
  std::vector<std::string> hosts;
  std::vector<std::string> ssh_options;
  cluster::SlurmLaunch slurm;
  cluster::KubernetesLaunch kubernetes;
  cluster::SystemdLaunch systemd;
  std::string out;
  bool print_only = false;
  bool invite = false;
  std::string invite_name = "slurm";
};

Status check_join(const std::string& join) {
  const auto endpoint = actors::parse_endpoint(join);
  return endpoint ? Status() : Status(endpoint.error().within("--join"));
}

/// Where an identity is carried to.
struct Far {
  cluster::SshHost host;
  std::vector<std::string> options;
  std::string identity;  ///< its file there
};

/// Runs the ssh that writes `text` to the machine's identity file.
Status write_far(const Context& context, const Far& far, const std::string& text) {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return Error(ErrorCode::Io, "no pipe for ssh");
  const fs::path log = context.home() / "logs" / ("carry-" + std::to_string(::getpid()) + ".log");
  std::error_code ec;
  fs::create_directories(log.parent_path(), ec);
  const auto pid =
      cluster::spawn({.argv = cluster::ssh_carry_argv(far.host, far.identity, far.options),
                      .log = log,
                      .input_fd = ends[0]});
  ::close(ends[0]);
  // A pipe takes 64 KiB at once, an identity is a tenth of it.
  const bool written =
      ::write(ends[1], text.data(), text.size()) == static_cast<std::ptrdiff_t>(text.size());
  ::close(ends[1]);
  if (!pid) return pid.error();
  const int status = cluster::wait_for(*pid);
  const std::string said = cluster::last_lines(log);
  fs::remove(log, ec);
  if (written && status == 0) return {};
  return Error(ErrorCode::Unavailable, far.host.destination + ": the identity did not reach " +
                                           far.identity + " there: " + said);
}

/// Gives the machine an identity of its own, made for it; its earlier ones are revoked.
Status invite(const Context& context, cluster::Authority& authority, const Far& far) {
  std::string name = "ssh-" + far.host.destination;
  if (far.host.port != 0) name += "-" + std::to_string(far.host.port);
  std::replace(name.begin(), name.end(), '@', '-');
  const TimestampNs now = system_clock().now();
  const auto before = authority.issued();
  if (!before) return before.error();
  auto identity = authority.issue({.role = cluster::Role::Node, .name = name, .door = ""}, now);
  if (!identity) return identity.error();
  WINNOW_TRY(write_far(context, far, cluster::identity_text(*identity)));
  for (const cluster::Issued& one : *before) {
    if (one.name != name || one.revoked || one.valid_until <= now) continue;
    const auto revoked = authority.revoke(one.serial, now);
    if (!revoked) return revoked.error();
  }
  return {};
}

/// Keeps the members running in the foreground until SIGINT, SIGTERM or SIGHUP.
int keep_running(const Context& context, std::vector<cluster::FleetMember> members) {
  hold_stop_signals();
  auto fleet = cluster::Fleet::start(std::move(members), context.home() / "logs");
  if (!fleet) return fail(context, fleet.error());
  if (!context.quiet) {
    std::printf("%zu nodes started; logs in %s; Ctrl-C drains and ends them\n",
                (*fleet)->members().size(), (context.home() / "logs").c_str());
    std::fflush(stdout);
  }
  while (!stop_signal_came(kSuperviseEvery)) {
    const Status running =
        (*fleet)->supervise(system_clock().mono(), [&](const cluster::Fleet::Member& member) {
          std::fprintf(stderr, "%s ended (restart %u); its log: %s\n", member.what.name.c_str(),
                       member.restarts + 1, (*fleet)->log_of(member).c_str());
        });
    if (!running) {
      (*fleet)->stop(kStopPatience);
      return fail(context, running.error());
    }
  }
  (*fleet)->stop(kStopPatience);
  return kDone;
}

int launch_local(const Context& context, const LaunchOptions& options) {
  if (const Status join = check_join(options.node.join); !join) return fail(context, join.error());
  std::vector<cluster::FleetMember> members;
  cluster::NodeLaunch node = options.node;
  node.binary = cluster::own_binary().string();
  node.home = fs::absolute(context.home()).string();
  for (std::uint32_t i = 1; i <= options.nodes; ++i) {
    auto argv = cluster::node_argv(node);
    argv.emplace_back("--until-eof");
    members.push_back({"local-node-" + std::to_string(i), std::move(argv)});
  }
  return keep_running(context, std::move(members));
}

int launch_ssh(const Context& context, const LaunchOptions& options) {
  if (const Status join = check_join(options.node.join); !join) return fail(context, join.error());
  std::vector<cluster::SshHost> hosts;
  const auto add = [&](std::string_view text, const std::string& where) -> Status {
    auto parsed = cluster::parse_hosts(text, where);
    if (!parsed) return parsed.error();
    hosts.insert(hosts.end(), parsed->begin(), parsed->end());
    return {};
  };
  for (const std::string& host : options.hosts) {
    if (const Status ok = add(host, "--host"); !ok) return fail(context, ok.error());
  }
  if (!options.hosts_file.empty()) {
    const auto text = read_file(options.hosts_file);
    if (!text) return fail(context, text.error());
    if (const Status ok = add(*text, options.hosts_file); !ok) return fail(context, ok.error());
  }
  if (hosts.empty()) {
    return fail(context, Error(ErrorCode::InvalidInput, "name machines with --host or --hosts"));
  }
  std::vector<std::string> ssh_options;
  for (const std::string& option : options.ssh_options) {
    ssh_options.insert(ssh_options.end(), {"-o", option});
  }
  if (options.invite && !options.print_only) {
    if (options.node.identity.empty()) {
      return fail(context, Error(ErrorCode::InvalidInput,
                                 "--invite: say with --identity what file to write there"));
    }
    auto authority = cluster::Authority::open(context.home());
    if (!authority) return fail(context, authority.error());
    for (const cluster::SshHost& host : hosts) {
      const Status there = invite(context, *authority, {host, ssh_options, options.node.identity});
      if (!there) return fail(context, there.error());
    }
  }
  std::vector<cluster::FleetMember> members;
  for (std::size_t i = 0; i < hosts.size(); ++i) {
    members.push_back({"ssh-" + std::to_string(i + 1) + "-" + hosts[i].destination,
                       cluster::ssh_argv(hosts[i], options.node, ssh_options)});
  }
  if (options.print_only) {
    for (const auto& member : members) {
      std::printf("%s\n", cluster::shell_line(member.argv).c_str());
    }
    return kDone;
  }
  return keep_running(context, std::move(members));
}

/// To --out, or to standard output.
int write_text(const Context& context, const std::string& out, const std::string& text) {
  if (out.empty()) {
    write_stdout(text);
    return kDone;
  }
  if (const Status written = write_whole_file(out, text); !written) {
    return fail(context, written.error());
  }
  if (context.json) {
    print_json(json{{"out", out}, {"bytes", text.size()}}, -1);
  } else if (!context.quiet) {
    std::printf("wrote %s\n", out.c_str());
  }
  return kDone;
}

/// One identity a node of the array, in the folder that the cluster's machines share.
Status invite_nodes(const Context& context, const LaunchOptions& options,
                    const std::string& folder) {
  auto authority = cluster::Authority::open(context.home());
  if (!authority) return authority.error();
  return cluster::invite_array(
      *authority, {.name = options.invite_name, .nodes = options.nodes, .folder = folder},
      system_clock().now());
}

int launch_slurm(const Context& context, const LaunchOptions& options) {
  if (const Status join = check_join(options.node.join); !join) return fail(context, join.error());
  cluster::SlurmLaunch slurm = options.slurm;
  slurm.node = options.node;
  slurm.nodes = options.nodes;
  if (options.invite) {
    if (options.node.identity.empty()) {
      return fail(context, Error(ErrorCode::InvalidInput,
                                 "--invite: say with --identity what folder the nodes share"));
    }
    slurm.identity_folder = fs::absolute(options.node.identity).lexically_normal().string();
  }
  const auto script = cluster::slurm_script(slurm);
  if (!script) return fail(context, script.error());
  if (options.invite && !options.print_only) {
    if (const Status made = invite_nodes(context, options, slurm.identity_folder); !made) {
      return fail(context, made.error());
    }
  }
  if (options.print_only || !options.out.empty()) {
    return write_text(context, options.out, *script);
  }
  const fs::path folder = context.home() / "launch";
  std::error_code ec;
  fs::create_directories(folder, ec);
  const fs::path file = folder / "slurm-node.sh";
  const fs::path log = folder / ("sbatch-" + std::to_string(::getpid()) + ".out");
  if (const Status written = write_whole_file(file, *script); !written) {
    return fail(context, written.error());
  }
  const auto pid = cluster::spawn({.argv = {"sbatch", "--parsable", file.string()}, .log = log});
  if (!pid) return fail(context, pid.error().within("is Slurm's client installed?"));
  const int status = cluster::wait_for(*pid);
  std::string answer = cluster::last_lines(log);
  while (!answer.empty() && answer.back() == '\n') answer.pop_back();
  fs::remove(log, ec);
  if (status != 0) return fail(context, Error(ErrorCode::Unavailable, "sbatch: " + answer));
  if (context.json) {
    print_json(json{{"job_id", answer}, {"nodes", options.nodes}}, -1);
  } else if (!context.quiet) {
    std::printf("job %s: %u nodes; `scancel %s` drains and ends them\n", answer.c_str(),
                options.nodes, answer.c_str());
  }
  return kDone;
}

int launch_kubernetes(const Context& context, const LaunchOptions& options) {
  cluster::KubernetesLaunch launch = options.kubernetes;
  launch.nodes = options.nodes;
  if (options.node.workers > 0) launch.workers = options.node.workers;
  const auto text = cluster::kubernetes_manifest(launch);
  if (!text) return fail(context, text.error());
  return write_text(context, options.out, *text);
}

int launch_systemd(const Context& context, const LaunchOptions& options) {
  cluster::SystemdLaunch launch = options.systemd;
  launch.node = options.node;
  const bool is_set = !launch.settings.empty();
  const bool node = is_set || !options.node.join.empty();
  if (node && !is_set) {
    if (const Status ok = check_join(options.node.join); !ok) return fail(context, ok.error());
  }
  const auto text = cluster::systemd_unit(
      node ? cluster::UnitRole::Node : cluster::UnitRole::Coordinator, launch);
  if (!text) return fail(context, text.error());
  return write_text(context, options.out, *text);
}

using Launcher = int (*)(const Context&, const LaunchOptions&);

using SharedLaunch = std::shared_ptr<LaunchOptions>;

Command* add_launcher(Command& group, Context& context, const SharedLaunch& options,
                      const std::string& name, const std::string& help, Launcher launcher) {
  Command* command = add_command(group, context, name, help);
  command->callback([&context, options, launcher] {
    context.run = [&context, options, launcher] { return launcher(context, *options); };
  });
  return command;
}

void add_nodes(Command& command, LaunchOptions& options) {
  command.add_option("--nodes", options.nodes, "how many nodes")
      ->in_range(1u, 10'000u)
      ->capture_default_str();
}

void add_out(Command& command, LaunchOptions& options) {
  command.add_option("--out", options.out, "file to write (default: standard output)");
}

void add_node_options(Command& command, LaunchOptions& options) {
  command
      .add_option("--join", options.node.join, "the coordinator as a node reaches it, HOST:PORT")
      ->required();
  command.add_option("--workers", options.node.workers, "threads that compute, a node")
      ->in_range(1u, 4096u);
  command.add_option("--identity", options.node.identity,
                     "file of `winnow cluster invite`, where the node runs");
}

void add_ssh(Command& group, Context& context, const SharedLaunch& options) {
  Command* ssh = add_launcher(group, context, options, "ssh",
                              "a node on each of some machines over ssh, kept running until Ctrl-C",
                              launch_ssh);
  add_node_options(*ssh, *options);
  ssh->add_option("--host", options->hosts, "a machine, [USER@]HOST[:PORT]; again for each");
  ssh->add_option("--hosts", options->hosts_file,
                  "file with a machine a line: [USER@]HOST[:PORT] [workers=N]");
  ssh->add_option("--binary", options->node.binary, "winnow on those machines")
      ->capture_default_str();
  ssh->add_option("--node-home", options->node.home, "a node's home on those machines");
  ssh->add_option("--ssh-option", options->ssh_options,
                  "an option for ssh, NAME=VALUE; again each");
  ssh->add_flag("--invite", options->invite,
                "make an identity for each machine with this home's authority, revoke its earlier "
                "ones and write it to --identity there, readable for its owner alone");
  ssh->add_flag("--print", options->print_only, "print the commands and run none");
}

void add_slurm(Command& group, Context& context, const SharedLaunch& options) {
  Command* slurm = add_launcher(group, context, options, "slurm",
                                "submit nodes as an array job with sbatch", launch_slurm);
  add_node_options(*slurm, *options);
  add_nodes(*slurm, *options);
  slurm->add_option("--partition", options->slurm.partition, "partition of the cluster");
  slurm->add_option("--time", options->slurm.time_limit, "time limit, as for sbatch");
  slurm->add_option("--log-folder", options->slurm.log_folder, "folder for the nodes' output");
  slurm->add_option("--binary", options->node.binary, "winnow on the cluster's machines")
      ->capture_default_str();
  slurm->add_option("--node-home", options->node.home, "a node's home there");
  slurm->add_flag("--invite", options->invite,
                  "make an identity for each node with this home's authority, in the folder "
                  "--identity, which the machines share; revoke the earlier ones of that name");
  slurm
      ->add_option("--invite-name", options->invite_name,
                   "with --invite: nodes are called NAME-1, NAME-2, ...; two arrays at a time need "
                   "two names")
      ->capture_default_str();
  slurm->add_flag("--print", options->print_only, "print the batch script and submit nothing");
  add_out(*slurm, *options);
}

void add_kubernetes(Command& group, Context& context, const SharedLaunch& options) {
  Command* kubernetes =
      add_launcher(group, context, options, "kubernetes",
                   "write manifests of a coordinator and nodes", launch_kubernetes);
  cluster::KubernetesLaunch& launch = options->kubernetes;
  add_nodes(*kubernetes, *options);
  kubernetes->add_option("--image", launch.image, "container image with winnow in PATH")
      ->required();
  kubernetes->add_option("--workers", options->node.workers, "threads and CPUs, a node")
      ->in_range(1u, 4096u);
  kubernetes->add_option("--namespace", launch.space, "namespace")->capture_default_str();
  kubernetes->add_option("--memory-mib", launch.memory_mib, "memory, a node")
      ->in_range(256u, 1'048'576u)
      ->capture_default_str();
  kubernetes->add_option("--storage-gib", launch.storage_gib, "the coordinator's volume")
      ->in_range(1u, 65'536u)
      ->capture_default_str();
  add_out(*kubernetes, *options);
}

void add_systemd(Command& group, Context& context, const SharedLaunch& options) {
  Command* systemd = add_launcher(
      group, context, options, "systemd",
      "write a service unit: of a node with --join or --settings, else of a coordinator",
      launch_systemd);
  Option* const join =
      systemd->add_option("--join", options->node.join, "the coordinator as the node reaches it");
  systemd
      ->add_option("--settings", options->systemd.settings,
                   "instead of --join, a file on the node's machine: a line JOIN=HOST:PORT and, "
                   "with more options of `winnow node`, a line OPTIONS=...")
      ->excludes(join);
  systemd->add_option("--workers", options->node.workers, "threads that compute, a node")
      ->in_range(1u, 4096u);
  systemd->add_option("--identity", options->node.identity,
                      "the node's identity file, root's alone: systemd hands it to the unit");
  systemd->add_option("--listen", options->systemd.listen, "the coordinator's farm port")
      ->capture_default_str();
  systemd->add_option("--binary", options->systemd.binary, "absolute path of winnow")
      ->capture_default_str();
  add_out(*systemd, *options);
}

}  // namespace

void add_launch_commands(Command& app, Context& context) {
  Command* group = app.add_subcommand("launch", "bring worker nodes to life, here or elsewhere");
  group->require_subcommand();
  const auto options = std::make_shared<LaunchOptions>();
  Command* local = add_launcher(*group, context, options, "local",
                                "nodes on this machine, kept running until Ctrl-C", launch_local);
  add_node_options(*local, *options);
  add_nodes(*local, *options);
  add_ssh(*group, context, options);
  add_slurm(*group, context, options);
  add_kubernetes(*group, context, options);
  add_systemd(*group, context, options);
}

}  // namespace winnow::cli
