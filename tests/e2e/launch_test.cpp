// Nodes brought to life by each launcher, with the real programs: ssh to a real sshd, sbatch to a
// real slurmctld and slurmd, systemd's own verifier. All of it on loopback, in a temporary folder.

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <pwd.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <map>
#include <random>
#include <set>

#include "tests/e2e/door_farm.hpp"
#include "tests/e2e/process.hpp"
#include "tests/e2e/tables.hpp"

namespace winnow::e2e {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

constexpr const char* kBinary = WINNOW_BINARY_DIR "/winnow";
const std::string kLaunchSweep = grid_sweep(
    "launched",
    {"lookback_bars: {int: [12, 96], step: 4}", "entry_z: {float: [1.0, 3.0], step: 0.25}"});

/// The program's file in PATH or where administrators' programs are; empty if it is not installed.
std::string find_program(const std::string& name) {
  const char* path = std::getenv("PATH");
  std::string folders = std::string(path != nullptr ? path : "") + ":/usr/sbin:/sbin:";
  for (std::size_t at = 0; (at = folders.find(':')) != std::string::npos;) {
    const fs::path file = fs::path(folders.substr(0, at)) / name;
    folders.erase(0, at + 1);
    if (::access(file.c_str(), X_OK) == 0) return file.string();
  }
  return "";
}

class Launch : public ::testing::Test {
 protected:
  void SetUp() override {
    make_market(home(), 60);
    write_text(home() / "sweep.yaml", kLaunchSweep);
    farm_ = std::make_unique<Coordinator>(home());
    ASSERT_NE(farm_->port(), 0) << farm_->process().errors();
  }
  fs::path home() const { return folder_.path() / "home"; }
  json nodes() const { return ask(home(), {"nodes", "--connect", farm_->endpoint()}); }
  bool joined(std::size_t count) const {
    return eventually(60, [&] { return nodes().size() == count; });
  }
  void run_a_sweep() const {
    const json done = ask(
        home(), {"sweep", "run", (home() / "sweep.yaml").string(), "--connect", farm_->endpoint()});
    EXPECT_EQ(done["state"], "done");
    EXPECT_EQ(done["trials_committed"], done["trials"]);
    EXPECT_GT(done["trials"], 300);
  }
  /// Every node that left so far took its leave, rather than being lost.
  void expect_orderly_goodbyes(std::size_t count) const {
    const std::string log = farm_->process().errors();
    std::size_t goodbyes = 0;
    for (std::size_t at = 0; (at = log.find("it said goodbye", at)) != std::string::npos; ++at) {
      ++goodbyes;
    }
    EXPECT_EQ(goodbyes, count) << log;
  }
  TemporaryFolder folder_;
  std::unique_ptr<Coordinator> farm_;
};

TEST_F(Launch, LocalNodesAreReplacedWhenTheyDieAndDrainAtTheEnd) {
  Process launcher(home(), winnow_argv(home(), {"launch", "local", "--join", farm_->endpoint(),
                                                "--nodes", "2", "--workers", "1"}));
  ASSERT_TRUE(joined(2)) << launcher.errors();
  run_a_sweep();
  const std::vector<pid_t> first = descendants(launcher.pid());
  ASSERT_EQ(first.size(), 2u);
  ::kill(first[0], SIGKILL);
  ASSERT_TRUE(eventually(30, [&] {
    const auto now = descendants(launcher.pid());
    return now.size() == 2 && std::find(now.begin(), now.end(), first[0]) == now.end() &&
           nodes().size() == 2;
  })) << launcher.errors();
  launcher.send(SIGTERM);
  EXPECT_EQ(launcher.wait(60), 0) << launcher.errors();
  EXPECT_TRUE(joined(0));
  expect_orderly_goodbyes(2);
}

TEST_F(Launch, LauncherThatIsKilledLeavesNoNodeBehind) {
  Process launcher(home(), winnow_argv(home(), {"launch", "local", "--join", farm_->endpoint(),
                                                "--nodes", "2", "--workers", "1"}));
  ASSERT_TRUE(joined(2)) << launcher.errors();
  launcher.send(SIGKILL);
  EXPECT_TRUE(joined(0)) << "a node outlived its launcher";
  expect_orderly_goodbyes(2);
}

TEST_F(Launch, UselessNodesEndTheLauncherWithTheirReason) {
  const Ran ran = winnow(home(), {"launch", "ssh", "--join", farm_->endpoint(), "--host",
                                  "127.0.0.1:1", "--workers", "1"});
  EXPECT_EQ(ran.status, 1);
  EXPECT_NE(ran.errors.find("dies as soon as it starts"), std::string::npos) << ran.errors;
}

// ---- ssh

/// An sshd of our own on loopback that lets in whoever runs the test, by a key made for it.
class OwnSshd {
 public:
  explicit OwnSshd(const fs::path& folder) : folder_(folder), port_(free_port()) {
    fs::create_directories(folder_);
    for (const char* name : {"host_key", "user_key"}) {
      Process keygen(folder_, {find_program("ssh-keygen"), "-q", "-t", "ed25519", "-N", "", "-f",
                               (folder_ / name).string()});
      if (keygen.wait(30) != 0) return;
    }
    if (::geteuid() == 0) fs::create_directories("/run/sshd");  // where it wants to be caged
    write_text(folder_ / "authorized", read_text(folder_ / "user_key.pub"));
    fs::permissions(folder_ / "authorized", fs::perms::owner_read | fs::perms::owner_write);
    write_text(folder_ / "sshd_config",
               "ListenAddress 127.0.0.1\nPort " + std::to_string(port_) + "\nHostKey " +
                   (folder_ / "host_key").string() + "\nAuthorizedKeysFile " +
                   (folder_ / "authorized").string() +
                   "\nStrictModes no\nUsePAM no\nPasswordAuthentication no\n"
                   "PermitRootLogin prohibit-password\nPidFile none\n");
    daemon_ = std::make_unique<Process>(
        folder_, std::vector<std::string>{find_program("sshd"), "-D", "-e", "-f",
                                          (folder_ / "sshd_config").string()});
  }
  int port() const { return port_; }
  std::string log() const { return daemon_ ? daemon_->errors() : "no keys"; }
  std::vector<std::string> client_options() const {
    return {"--ssh-option", "IdentityFile=" + (folder_ / "user_key").string(),
            "--ssh-option", "IdentitiesOnly=yes",
            "--ssh-option", "StrictHostKeyChecking=no",
            "--ssh-option", "UserKnownHostsFile=/dev/null"};
  }

 private:
  fs::path folder_;
  int port_ = 0;
  std::unique_ptr<Process> daemon_;
};

TEST_F(Launch, SshNodeIsReplacedWhenTheLineBreaksAndDrainsAtTheEnd) {
  for (const char* program : {"sshd", "ssh", "ssh-keygen"}) {
    if (find_program(program).empty()) GTEST_SKIP() << program << " is not installed";
  }
  OwnSshd sshd(folder_.path() / "sshd");
  std::vector<std::string> args{
      "launch",          "ssh",         "--join",
      farm_->endpoint(), "--host",      "127.0.0.1:" + std::to_string(sshd.port()),
      "--workers",       "1",           "--binary",
      kBinary,           "--node-home", home().string()};
  for (const std::string& option : sshd.client_options()) args.push_back(option);
  Process launcher(home(), winnow_argv(home(), args));
  ASSERT_TRUE(joined(1)) << launcher.errors() << sshd.log();
  const std::string first = nodes()[0]["name"];
  run_a_sweep();

  // The ssh here dies; the node there notices by its input, and a new one comes.
  const std::vector<pid_t> line = descendants(launcher.pid());
  ASSERT_EQ(line.size(), 1u);
  ::kill(line[0], SIGKILL);
  ASSERT_TRUE(eventually(60,
                         [&] {
                           const json all = nodes();
                           return all.size() == 1 && all[0]["name"] != first;
                         }))
      << nodes().dump() << launcher.errors() << sshd.log();
  launcher.send(SIGTERM);
  EXPECT_EQ(launcher.wait(60), 0) << launcher.errors();
  EXPECT_TRUE(joined(0)) << nodes().dump();
  expect_orderly_goodbyes(2);
}

// ---- Slurm

/// Why there can be no Slurm here; empty: there can.
std::string no_slurm() {
  for (const char* program : {"munged", "slurmctld", "slurmd", "sbatch", "scancel", "sinfo"}) {
    if (find_program(program).empty()) return std::string(program) + " is not installed";
  }
  return ::geteuid() == 0 ? "" : "slurmd wants to be root";
}

/// munged, slurmctld and slurmd of our own: one host, loopback, all files in `folder`.
class OwnSlurm {
 public:
  explicit OwnSlurm(const fs::path& folder) : folder_(folder) {
    for (const char* part : {"state", "spool", "log"}) fs::create_directories(folder_ / part);
    char host[256] = "localhost";
    (void)::gethostname(host, sizeof host - 1);
    host_ = std::string(host).substr(0, std::string(host).find('.'));
    write_config();
    ::setenv("SLURM_CONF", (folder_ / "slurm.conf").c_str(), 1);
    std::random_device device;
    std::string key;
    for (int i = 0; i < 128; ++i) key += static_cast<char>(device());
    write_text(folder_ / "munge.key", key);
    fs::permissions(folder_ / "munge.key", fs::perms::owner_read | fs::perms::owner_write);
    const auto file = [&](const char* name) { return (folder_ / name).string(); };
    start({find_program("munged"), "-F", "--key-file=" + file("munge.key"),
           "--socket=" + file("munge.sock"), "--pid-file=" + file("munge.pid"),
           "--log-file=" + file("munge.log"), "--seed-file=" + file("munge.seed"), "--force"});
    eventually(20, [&] { return fs::exists(folder_ / "munge.sock"); });
    start({find_program("slurmctld"), "-D", "-f", file("slurm.conf")});
    start({find_program("slurmd"), "-D", "-f", file("slurm.conf"), "-N", host_});
    ready_ = eventually(60, [&] { return tell({"sinfo", "-h", "-o", "%T"}).output == "idle\n"; });
  }
  ~OwnSlurm() {
    while (!daemons_.empty()) daemons_.pop_back();
    ::unsetenv("SLURM_CONF");
  }
  OwnSlurm(const OwnSlurm&) = delete;
  OwnSlurm& operator=(const OwnSlurm&) = delete;

  bool ready() const { return ready_; }
  std::string log() const {
    std::string text;
    for (const auto& daemon : daemons_) text += daemon->output() + daemon->errors();
    for (const char* part : {"ctld.log", "slurmd.log"}) text += read_text(folder_ / "log" / part);
    return text;
  }
  Ran tell(std::vector<std::string> argv) const {
    argv[0] = find_program(argv[0]);
    Process process(folder_, std::move(argv));
    const int status = process.wait(30);
    return {status, process.output(), process.errors()};
  }

 private:
  void start(std::vector<std::string> argv) {
    daemons_.push_back(std::make_unique<Process>(folder_, std::move(argv)));
  }
  void write_config() const {
    const std::string me = ::getpwuid(::geteuid())->pw_name;
    const std::string at = folder_.string();
    write_text(folder_ / "slurm.conf",
               "ClusterName=winnow\nSlurmctldHost=" + host_ + "(127.0.0.1)\nSlurmctldPort=" +
                   std::to_string(free_port()) + "\nSlurmdPort=" + std::to_string(free_port()) +
                   "\nCommunicationParameters=NoInAddrAny,NoCtldInAddrAny\nAuthType=auth/munge\n"
                   "AuthInfo=socket=" +
                   at + "/munge.sock\nCryptoType=crypto/munge\nSlurmUser=" + me + "\nSlurmdUser=" +
                   me + "\nStateSaveLocation=" + at + "/state\nSlurmdSpoolDir=" + at +
                   "/spool\nSlurmctldPidFile=" + at + "/ctld.pid\nSlurmdPidFile=" + at +
                   "/slurmd.pid\nSlurmctldLogFile=" + at + "/log/ctld.log\nSlurmdLogFile=" + at +
                   "/log/slurmd.log\nProctrackType=proctrack/linuxproc\nTaskPlugin=task/none\n"
                   "JobAcctGatherType=jobacct_gather/none\n"
                   "AccountingStorageType=accounting_storage/none\nSelectType=select/cons_tres\n"
                   "SelectTypeParameters=CR_CPU\nSchedulerType=sched/backfill\n"
                   "SlurmdParameters=config_overrides\nReturnToService=2\nNodeName=" +
                   host_ + " NodeAddr=127.0.0.1 CPUs=4 RealMemory=4000 State=UNKNOWN\n" +
                   "PartitionName=p Nodes=" + host_ +
                   " Default=YES MaxTime=INFINITE State=UP OverSubscribe=NO\n");
  }

  fs::path folder_;
  std::string host_;
  std::vector<std::unique_ptr<Process>> daemons_;
  bool ready_ = false;
};

TEST_F(Launch, SlurmRunsNodesAndCancellingTheJobDrainsThem) {
  if (const std::string why = no_slurm(); !why.empty()) GTEST_SKIP() << why;
  OwnSlurm slurm(folder_.path() / "slurm");
  ASSERT_TRUE(slurm.ready()) << slurm.log();
  const Ran launched =
      winnow(home(), {"launch", "slurm", "--join", farm_->endpoint(), "--nodes", "2", "--workers",
                      "1", "--partition", "p", "--binary", kBinary, "--node-home", home().string(),
                      "--log-folder", folder_.path().string(), "--json"});
  ASSERT_EQ(launched.status, 0) << launched.errors << slurm.log();
  const std::string job = json_of(launched)["job_id"];
  ASSERT_TRUE(joined(2)) << slurm.log();
  run_a_sweep();
  EXPECT_EQ(slurm.tell({"scancel", job}).status, 0);
  EXPECT_TRUE(joined(0)) << nodes().dump();
  expect_orderly_goodbyes(2);
}

// ---- through the door

/// Launched nodes that join over TLS, each with the identity it was given.
struct LaunchThroughDoor : DoorFarm {
  void run_a_sweep() {
    make_market(home, 60);
    const fs::path spec = folder.path() / "sweep.yaml";
    write_text(spec, kLaunchSweep);
    const Ran ran = ask_as("user", {"sweep", "run", spec.string(), "--quiet"});
    EXPECT_EQ(ran.status, 0) << ran.errors << up->errors();
    EXPECT_EQ(ask(home, {"sweep", "list"})["sweeps"][0]["state"], "done");
  }
  bool joined(std::size_t count) {
    return eventually(60, [&] { return nodes() == count; });
  }
};

TEST_F(LaunchThroughDoor, SshNodeCarriesItsIdentityAndWithoutItStaysOut) {
  for (const char* program : {"sshd", "ssh", "ssh-keygen"}) {
    if (find_program(program).empty()) GTEST_SKIP() << program << " is not installed";
  }
  OwnSshd sshd(folder.path() / "sshd");
  const auto launch = [&](const std::string& identity) {
    std::vector<std::string> args{
        "launch",    "ssh",         "--join",
        where(),     "--host",      "127.0.0.1:" + std::to_string(sshd.port()),
        "--workers", "1",           "--binary",
        kBinary,     "--node-home", (folder.path() / "there").string()};
    if (!identity.empty()) args.insert(args.end(), {"--identity", identity});
    for (const std::string& option : sshd.client_options()) args.push_back(option);
    return std::make_unique<Process>(folder.path() / "launcher",
                                     winnow_argv(folder.path() / "launcher", args));
  };
  const auto stranger = launch("");
  EXPECT_TRUE(
      eventually(60, [&] { return up->errors().find("no TLS handshake") != std::string::npos; }))
      << up->errors() << stranger->errors() << sshd.log();
  EXPECT_EQ(nodes(), 0u);
  stranger->send(SIGTERM);
  stranger->wait(60);

  const auto launcher = launch(file("node-1"));
  ASSERT_TRUE(joined(1)) << launcher->errors() << sshd.log();
  run_a_sweep();
  ASSERT_EQ(winnow(home, {"cluster", "revoke", "node-1"}).status, 0);
  EXPECT_TRUE(joined(0)) << "a revoked node works on";
  launcher->send(SIGTERM);
  EXPECT_NE(launcher->wait(60), -1);
}

TEST_F(LaunchThroughDoor, SshLauncherInvitesEachMachineAndRevokesItsEarlierIdentity) {
  for (const char* program : {"sshd", "ssh", "ssh-keygen"}) {
    if (find_program(program).empty()) GTEST_SKIP() << program << " is not installed";
  }
  OwnSshd sshd(folder.path() / "sshd");
  const fs::path identity = folder.path() / "there" / "its own" / "node.identity";
  const std::string name = "ssh-127.0.0.1-" + std::to_string(sshd.port());
  std::vector<std::string> args{
      "launch",    "ssh",         "--join",
      where(),     "--host",      "127.0.0.1:" + std::to_string(sshd.port()),
      "--workers", "1",           "--binary",
      kBinary,     "--node-home", (folder.path() / "there").string(),
      "--invite",  "--identity",  identity.string()};
  for (const std::string& option : sshd.client_options()) args.push_back(option);
  for (int launched = 1; launched <= 2; ++launched) {
    Process launcher(home, winnow_argv(home, args));
    ASSERT_TRUE(joined(1)) << launcher.errors() << sshd.log();
    if (launched == 1) run_a_sweep();
    EXPECT_EQ(fs::status(identity).permissions(), fs::perms::owner_read | fs::perms::owner_write);
    EXPECT_FALSE(fs::exists(identity.string() + ".new"));
    int valid = 0, revoked = 0;
    const json listed = ask(home, {"cluster", "list"});
    for (const json& one : listed.is_array() ? listed : listed["issued"]) {
      if (one["name"] != name) continue;
      ++(one["state"] == "revoked" ? revoked : valid);
    }
    EXPECT_EQ(valid, 1);
    EXPECT_EQ(revoked, launched - 1);
    launcher.send(SIGTERM);
    EXPECT_EQ(launcher.wait(60), 0) << launcher.errors();
    EXPECT_TRUE(joined(0));
  }
}

TEST_F(LaunchThroughDoor, SlurmNodesCarryTheirIdentity) {
  if (const std::string why = no_slurm(); !why.empty()) GTEST_SKIP() << why;
  OwnSlurm slurm(folder.path() / "slurm");
  ASSERT_TRUE(slurm.ready()) << slurm.log();
  const fs::path there = folder.path() / "there";
  const Ran launched = winnow(
      there, {"launch", "slurm", "--join", where(), "--nodes", "2", "--workers", "1", "--partition",
              "p", "--binary", kBinary, "--node-home", there.string(), "--identity", file("node-1"),
              "--log-folder", folder.path().string(), "--json"});
  ASSERT_EQ(launched.status, 0) << launched.errors << slurm.log();
  ASSERT_TRUE(joined(2)) << slurm.log() << up->errors();
  run_a_sweep();
  EXPECT_EQ(slurm.tell({"scancel", json_of(launched)["job_id"]}).status, 0);
  EXPECT_TRUE(joined(0));
}

TEST_F(LaunchThroughDoor, SlurmLauncherInvitesEachNodeOfTheArray) {
  if (const std::string why = no_slurm(); !why.empty()) GTEST_SKIP() << why;
  OwnSlurm slurm(folder.path() / "slurm");
  ASSERT_TRUE(slurm.ready()) << slurm.log();
  const fs::path there = folder.path() / "there";
  const fs::path shared = folder.path() / "its own";
  const auto launch = [&](const std::string& nodes) {
    return winnow(home, {"launch",
                         "slurm",
                         "--join",
                         where(),
                         "--nodes",
                         nodes,
                         "--workers",
                         "1",
                         "--partition",
                         "p",
                         "--binary",
                         kBinary,
                         "--node-home",
                         there.string(),
                         "--invite",
                         "--identity",
                         shared.string(),
                         "--log-folder",
                         folder.path().string(),
                         "--json"});
  };
  const auto states = [&] {
    std::map<std::string, std::size_t> counted;
    const json listed = ask(home, {"cluster", "list"});
    for (const json& one : listed.is_array() ? listed : listed["issued"]) {
      const std::string name = one["name"];
      if (name.starts_with("slurm-")) ++counted[one["state"].get<std::string>()];
    }
    return counted;
  };
  const auto mode = [](const fs::path& at) {
    return static_cast<unsigned>(fs::status(at).permissions());
  };
  const Ran first = launch("3");
  ASSERT_EQ(first.status, 0) << first.errors << slurm.log();
  ASSERT_TRUE(joined(3)) << slurm.log() << up->errors();
  EXPECT_EQ(states(), (std::map<std::string, std::size_t>{{"valid", 3}}));
  EXPECT_EQ(mode(shared), 0700u);
  std::set<std::string> keys;
  for (const char* file : {"1.identity", "2.identity", "3.identity"}) {
    EXPECT_EQ(mode(shared / file), 0600u) << file;
    keys.insert(read_text(shared / file));
  }
  EXPECT_EQ(keys.size(), 3u) << "two nodes share an identity";
  run_a_sweep();

  // One of them is shut out alone.
  ASSERT_EQ(winnow(home, {"cluster", "revoke", "slurm-2"}).status, 0);
  EXPECT_TRUE(joined(2)) << "a revoked node works on";
  EXPECT_EQ(slurm.tell({"scancel", json_of(first)["job_id"]}).status, 0);
  EXPECT_TRUE(joined(0));

  const Ran second = launch("2");
  ASSERT_EQ(second.status, 0) << second.errors << slurm.log();
  ASSERT_TRUE(joined(2)) << slurm.log() << up->errors();
  EXPECT_EQ(states(), (std::map<std::string, std::size_t>{{"revoked", 3}, {"valid", 2}}));
  EXPECT_FALSE(fs::exists(shared / "3.identity"));
  EXPECT_EQ(slurm.tell({"scancel", json_of(second)["job_id"]}).status, 0);
  EXPECT_TRUE(joined(0));

  // Keys are not put where others can enter, nor into a folder that nobody named.
  fs::permissions(shared, fs::perms::group_exec, fs::perm_options::add);
  const Ran open = launch("1");
  EXPECT_EQ(open.status, 3) << open.errors;
  EXPECT_NE(open.errors.find("chmod 700"), std::string::npos) << open.errors;
  const Ran nowhere =
      winnow(home, {"launch", "slurm", "--join", where(), "--nodes", "1", "--invite"});
  EXPECT_EQ(nowhere.status, 2) << nowhere.errors;
}

// ---- systemd

TEST_F(Launch, SystemdTakesTheUnitsAsTheyAre) {
  if (find_program("systemd-analyze").empty()) GTEST_SKIP() << "systemd is not installed";
  const fs::path coordinator = folder_.path() / "winnow-coordinator.service";
  const fs::path node = folder_.path() / "winnow-node.service";
  ASSERT_EQ(
      winnow(home(), {"launch", "systemd", "--binary", kBinary, "--out", coordinator.string()})
          .status,
      0);
  ASSERT_EQ(winnow(home(), {"launch", "systemd", "--binary", kBinary, "--join", "farm:7700",
                            "--identity", "/etc/winnow/a node", "--out", node.string()})
                .status,
            0);
  const fs::path packaged = folder_.path() / "winnow-set.service";
  ASSERT_EQ(winnow(home(), {"launch", "systemd", "--binary", kBinary, "--settings",
                            "/etc/winnow/node.conf", "--out", packaged.string()})
                .status,
            0);
  for (const fs::path& unit : {coordinator, node, packaged}) {
    Process verify(folder_.path(),
                   {find_program("systemd-analyze"), "verify", "--man=no", unit.string()});
    EXPECT_EQ(verify.wait(60), 0) << verify.errors();
    EXPECT_EQ(verify.errors(), "") << unit;
  }
  // The verifier does find faults.
  std::string broken = read_text(node);
  broken.replace(broken.find("ExecStart=/"), 11, "ExecStart=");
  write_text(node, broken);
  Process verify(folder_.path(),
                 {find_program("systemd-analyze"), "verify", "--man=no", node.string()});
  EXPECT_NE(verify.wait(60), 0);
}

}  // namespace
}  // namespace winnow::e2e
