#include "cluster/launch.hpp"

#include <gtest/gtest.h>

#include "manifest_check.hpp"

namespace winnow::cluster {
namespace {

NodeLaunch node() { return {.binary = "winnow", .join = "farm:7700", .workers = 4}; }

TEST(LaunchCommand, NamesOnlyWhatIsAsked) {
  EXPECT_EQ(node_argv({.join = "h:1"}),
            (std::vector<std::string>{"winnow", "node", "--join", "h:1"}));
  NodeLaunch all = node();
  all.home = "/data/farm";
  all.identity = "/etc/winnow/node";
  EXPECT_EQ(node_argv(all),
            (std::vector<std::string>{"winnow", "node", "--join", "farm:7700", "--workers", "4",
                                      "--home", "/data/farm", "--identity", "/etc/winnow/node"}));
}

TEST(LaunchCommand, ShellSeesEachWordAsItIs) {
  const std::vector<std::string> words{"plain-word_1", "two words", "$HOME", "it's", "",
                                       "a;b",          "`x`"};
  EXPECT_EQ(shell_line(words), R"(plain-word_1 'two words' '$HOME' 'it'\''s' '' 'a;b' '`x`')");
}

TEST(LaunchHosts, ReadsUserPortWorkersAndComments) {
  const auto hosts = parse_hosts(
      "# the rack\nalpha\n  ops@beta:2222  workers=16 # big\n\ngamma.example.org:22\r\n", "hosts");
  ASSERT_TRUE(hosts.ok()) << hosts.error().text();
  ASSERT_EQ(hosts->size(), 3u);
  EXPECT_EQ((*hosts)[0].destination, "alpha");
  EXPECT_EQ((*hosts)[0].port, 0);
  EXPECT_EQ((*hosts)[1].destination, "ops@beta");
  EXPECT_EQ((*hosts)[1].port, 2222);
  EXPECT_EQ((*hosts)[1].workers, 16u);
  EXPECT_EQ((*hosts)[2].destination, "gamma.example.org");
}

TEST(LaunchHosts, RefusesWhatSshOrAShellWouldTakeForMore) {
  for (const char* bad : {"-oProxyCommand=x", "a b", "a workers=0", "a workers=many", "a:0",
                          "a:70000", "a;reboot", "$(x)", "a speed=9", "'", "@:", "\xff"}) {
    const auto hosts = parse_hosts(std::string("ok\n") + bad + "\n", "hosts.txt");
    ASSERT_FALSE(hosts.ok()) << bad;
    EXPECT_EQ(hosts.error().code(), ErrorCode::InvalidInput);
    EXPECT_NE(hosts.error().text().find("hosts.txt:2"), std::string::npos) << hosts.error().text();
  }
  const auto none = parse_hosts("# nobody\n\n", "hosts.txt");
  ASSERT_FALSE(none.ok());
  EXPECT_NE(none.error().text().find("hosts.txt"), std::string::npos);
}

TEST(LaunchSsh, FarEndEndsWithItsInput) {
  const SshHost host{.destination = "ops@beta", .port = 2222, .workers = 8};
  const std::vector<std::string> options{"-o", "IdentityFile=/k"};
  const auto argv = ssh_argv(host, node(), options);
  ASSERT_GE(argv.size(), 3u);
  EXPECT_EQ(argv[argv.size() - 3], "--");  // whatever follows is no option
  EXPECT_EQ(argv[argv.size() - 2], "ops@beta");
  EXPECT_EQ(argv.back(), "exec winnow node --join farm:7700 --workers 8 --until-eof");
  EXPECT_NE(std::find(argv.begin(), argv.end(), "IdentityFile=/k"), argv.end());
  EXPECT_NE(std::find(argv.begin(), argv.end(), "2222"), argv.end());
}

TEST(LaunchSlurm, ScriptIsAnArrayThatDrainsInTime) {
  SlurmLaunch launch{.node = node(), .nodes = 12, .partition = "short", .time_limit = "2:00:00"};
  launch.log_folder = "/var/log/winnow";
  const auto script = slurm_script(launch);
  ASSERT_TRUE(script.ok()) << script.error().text();
  for (const char* line :
       {"#!/bin/sh\n", "#SBATCH --array=1-12\n", "#SBATCH --cpus-per-task=4\n",
        "#SBATCH --partition=short\n", "#SBATCH --time=2:00:00\n", "#SBATCH --signal=B:TERM@60\n",
        "#SBATCH --output=/var/log/winnow/winnow-node-%A-%a.log\n",
        "\nexec winnow node --join farm:7700 --workers 4\n"}) {
    EXPECT_NE(script->find(line), std::string::npos) << line << "is not in\n" << *script;
  }
}

TEST(LaunchSlurm, EachNodeOfTheArrayReadsItsOwnIdentity) {
  SlurmLaunch launch{.node = node(), .nodes = 3};
  launch.node.identity = "/not/this";
  launch.identity_folder = "/shared/it's here";
  const auto script = slurm_script(launch);
  ASSERT_TRUE(script.ok()) << script.error().text();
  const std::string line = "--identity '/shared/it'\\''s here/'\"$SLURM_ARRAY_TASK_ID\".identity\n";
  EXPECT_TRUE(script->ends_with(line)) << *script;
  EXPECT_EQ(script->find("/not/this"), std::string::npos);
}

TEST(LaunchSlurm, RefusesWhatWouldBecomeAnotherDirective) {
  SlurmLaunch launch{.node = node()};
  launch.partition = "a\n#SBATCH --uid=0";
  EXPECT_EQ(slurm_script(launch).error().code(), ErrorCode::InvalidInput);
  launch.partition.clear();
  launch.time_limit = "1 --exclusive";
  EXPECT_EQ(slurm_script(launch).error().code(), ErrorCode::InvalidInput);
  launch.time_limit.clear();
  launch.nodes = 0;
  EXPECT_EQ(slurm_script(launch).error().code(), ErrorCode::InvalidInput);
}

TEST(LaunchKubernetes, ManifestHasOnlyFieldsOfTheApi) {
  const auto manifest = kubernetes_manifest({.image = "registry.example.org/winnow:0.1.0"});
  ASSERT_TRUE(manifest.ok()) << manifest.error().text();
  for (const std::string& fault : manifest_faults(*manifest)) ADD_FAILURE() << fault;
}

TEST(LaunchKubernetes, CheckFindsEachKindOfFault) {
  const std::string good = *kubernetes_manifest({.image = "winnow:1"});
  const auto faulty = [&](const std::string& from, const std::string& to) {
    std::string text = good;
    const auto at = text.find(from);
    EXPECT_NE(at, std::string::npos) << from;
    if (at != std::string::npos) text.replace(at, from.size(), to);
    return !manifest_faults(text).empty();
  };
  EXPECT_TRUE(faulty("replicas: 1", "replica: 1"));
  EXPECT_TRUE(faulty("replicas: 1", "replicas: one"));
  EXPECT_TRUE(faulty("replicas: 1", "replicas: \"1\""));
  EXPECT_TRUE(faulty("kind: Deployment", "kind: Deploiment"));
  EXPECT_TRUE(faulty("protocol: TCP", "protocol: tcp"));
  EXPECT_TRUE(faulty("runAsNonRoot: true", "runAsNonRoot: yes"));
  EXPECT_TRUE(faulty("  serviceName: winnow-coordinator\n", ""));
  EXPECT_TRUE(faulty("{name: home, mountPath", "{name: elsewhere, mountPath"));
  EXPECT_TRUE(
      faulty("      labels:\n        app: winnow-node", "      labels:\n        app: other"));
  EXPECT_FALSE(faulty("replicas: 1", "replicas: 1"));
}

TEST(LaunchKubernetes, RefusesWhatIsNoNameThere) {
  EXPECT_FALSE(kubernetes_manifest({.image = "a\nb"}).ok());
  EXPECT_FALSE(kubernetes_manifest({.image = ""}).ok());
  EXPECT_FALSE(kubernetes_manifest({.image = "a", .space = "Farm"}).ok());
  EXPECT_FALSE(kubernetes_manifest({.image = "a", .space = "-x"}).ok());
  EXPECT_FALSE(kubernetes_manifest({.image = "a", .nodes = 0}).ok());
}

TEST(LaunchSystemd, UnitsRestartAndGiveTimeToDrain) {
  SystemdLaunch launch;
  launch.node = node();
  launch.node.identity = "/etc/winnow/100% mine";
  const auto unit = systemd_unit(UnitRole::Node, launch);
  ASSERT_TRUE(unit.ok()) << unit.error().text();
  EXPECT_NE(unit->find("Restart=always\n"), std::string::npos);
  EXPECT_NE(unit->find("TimeoutStopSec=75\n"), std::string::npos);
  EXPECT_NE(unit->find(" --identity %d/identity\n"), std::string::npos) << *unit;
  EXPECT_NE(unit->find("LoadCredential=identity:/etc/winnow/100%% mine\n"), std::string::npos);
  const auto coordinator = systemd_unit(UnitRole::Coordinator, launch);
  ASSERT_TRUE(coordinator.ok());
  EXPECT_NE(coordinator->find("ExecStart=/usr/bin/winnow \"up\""), std::string::npos);
  launch.node.identity = "/etc/a\nExecStartPre=/bin/evil";
  EXPECT_EQ(systemd_unit(UnitRole::Node, launch).error().code(), ErrorCode::InvalidInput);
  launch.node.identity = "";
  launch.settings = "node.conf";
  EXPECT_EQ(systemd_unit(UnitRole::Node, launch).error().code(), ErrorCode::InvalidInput);
  launch.settings = "/etc/winnow/node.conf";
  const auto set = systemd_unit(UnitRole::Node, launch);
  ASSERT_TRUE(set.ok()) << set.error().text();
  EXPECT_NE(set->find("\"--join\" ${JOIN} \"--"), std::string::npos) << *set;
  EXPECT_NE(set->find(" $OPTIONS\nEnvironmentFile=/etc/winnow/node.conf\n"), std::string::npos);
  launch.settings = "";
  launch.binary = "winnow";
  EXPECT_EQ(systemd_unit(UnitRole::Node, launch).error().code(), ErrorCode::InvalidInput);
}

}  // namespace
}  // namespace winnow::cluster
