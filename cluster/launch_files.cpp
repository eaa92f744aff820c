#include <algorithm>
#include <cctype>
#include <filesystem>

#include "cluster/array_invites.hpp"
#include "cluster/launch.hpp"

namespace winnow::cluster {
namespace {

// What a node needs to finish and hand in what it runs; `winnow node` itself gives up after it.
constexpr int kDrainSeconds = 60;

Error not_allowed(std::string_view what, std::string_view value, std::string_view allowed) {
  return Error(ErrorCode::InvalidInput, std::string(what) + " '" + std::string(value) +
                                            "'; allowed: " + std::string(allowed));
}

bool is_word(std::string_view text, std::string_view more) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [&](unsigned char c) {
    return std::isalnum(c) != 0 || more.find(static_cast<char>(c)) != std::string_view::npos;
  });
}

/// A name as Kubernetes takes it (RFC 1123 label).
bool is_label(std::string_view text) {
  return is_word(text, "-") && text.size() <= 63 && text.front() != '-' && text.back() != '-' &&
         std::none_of(text.begin(), text.end(),
                      [](unsigned char c) { return std::isupper(c) != 0; });
}

// What systemd puts there from a file of settings. No HOST:PORT is spelt so.
constexpr std::string_view kJoinSetting = "${JOIN}";

/// A word of a unit file's command line: systemd's own quoting, `%` and `$` doubled.
std::string unit_word(const std::string& word) {
  if (word == kJoinSetting) return word;
  std::string out = "\"";
  for (const char c : word) {
    if (c == '"' || c == '\\') out += '\\';
    if (c == '%' || c == '$') out += c;
    out += c;
  }
  return out + "\"";
}

std::string unit_line(std::span<const std::string> argv) {
  std::string line = argv[0];
  for (const std::string& word : argv.subspan(1)) line += " " + unit_word(word);
  return line;
}

/// A path that ends a unit file's line, with the specifiers' sign doubled.
std::string unit_path(const std::string& path) {
  std::string out;
  for (const char c : path) out += c == '%' ? "%%" : std::string(1, c);
  return out;
}

bool is_unit_path(const std::string& path) {
  return std::filesystem::path(path).is_absolute() &&
         std::none_of(path.begin(), path.end(), [](unsigned char c) { return c < ' '; });
}

std::string container(std::string_view name, const KubernetesLaunch& launch,
                      std::span<const std::string> args) {
  std::string text = "        - name: " + std::string(name) + "\n          image: \"" +
                     launch.image + "\"\n          args:\n";
  for (const std::string& arg : args) text += "            - \"" + arg + "\"\n";
  text += R"(          securityContext:
            allowPrivilegeEscalation: false
            readOnlyRootFilesystem: true
            capabilities:
              drop: ["ALL"]
)";
  return text;
}

std::string pod_head(std::string_view app) {
  return R"(  selector:
    matchLabels:
      app: )" +
         std::string(app) + R"(
  template:
    metadata:
      labels:
        app: )" +
         std::string(app) + R"(
    spec:
      automountServiceAccountToken: false
      terminationGracePeriodSeconds: )" +
         std::to_string(kDrainSeconds + 15) + R"(
      securityContext:
        runAsNonRoot: true
        runAsUser: 10001
        runAsGroup: 10001
        fsGroup: 10001
)";
}

std::string resources(const std::string& cpu, std::uint32_t memory_mib) {
  const std::string both = "cpu: \"" + cpu + "\", memory: \"" + std::to_string(memory_mib) + "Mi\"";
  return "          resources:\n            requests: {" + both + "}\n            limits: {" +
         both + "}\n";
}

std::string head_of(std::string_view api, std::string_view kind, std::string_view name,
                    std::string_view space) {
  return "---\napiVersion: " + std::string(api) + "\nkind: " + std::string(kind) +
         "\nmetadata:\n  name: " + std::string(name) + "\n  namespace: " + std::string(space) +
         "\nspec:\n";
}

std::string coordinator_manifest(const KubernetesLaunch& launch) {
  constexpr std::uint32_t kCoordinatorMemoryMib = 4096;
  const std::vector<std::string> args{"up", "--listen", "0.0.0.0:7700", "--home",
                                      "/var/lib/winnow"};
  return head_of("v1", "Service", "winnow-coordinator", launch.space) +
         R"(  selector:
    app: winnow-coordinator
  ports:
    - name: farm
      port: 7700
      targetPort: 7700
      protocol: TCP
)" + head_of("apps/v1", "StatefulSet", "winnow-coordinator", launch.space) +
         "  serviceName: winnow-coordinator\n  replicas: 1\n" + pod_head("winnow-coordinator") +
         R"(      initContainers:
        - name: identity
          image: ")" +
         launch.image + R"("
          command:
            - sh
            - -c
            - >-
              umask 077; mkdir -p /var/lib/winnow/cluster;
              cp -nL /identity/* /var/lib/winnow/cluster/
          volumeMounts:
            - {name: home, mountPath: /var/lib/winnow}
            - {name: identity, mountPath: /identity, readOnly: true}
      containers:
)" + container("coordinator", launch, args) +
         R"(          ports:
            - {name: farm, containerPort: 7700, protocol: TCP}
          readinessProbe:
            tcpSocket: {port: farm}
            periodSeconds: 5
          volumeMounts:
            - {name: home, mountPath: /var/lib/winnow}
)" + resources("2", kCoordinatorMemoryMib) +
         R"(      volumes:
        - name: identity
          secret: {secretName: winnow-cluster, defaultMode: 256}
  volumeClaimTemplates:
    - metadata:
        name: home
      spec:
        accessModes: ["ReadWriteOnce"]
        resources:
          requests: {storage: ")" +
         std::to_string(launch.storage_gib) + "Gi\"}\n";
}

std::string nodes_manifest(const KubernetesLaunch& launch) {
  const std::vector<std::string> args = node_argv({.binary = "winnow",
                                                   .join = "winnow-coordinator:7700",
                                                   .workers = launch.workers,
                                                   .home = "/var/lib/winnow",
                                                   .identity = "/identity/identity"});
  return head_of("apps/v1", "Deployment", "winnow-node", launch.space) +
         "  replicas: " + std::to_string(launch.nodes) + "\n" + pod_head("winnow-node") +
         "      containers:\n" + container("node", launch, std::span(args).subspan(1)) +
         R"(          volumeMounts:
            - {name: home, mountPath: /var/lib/winnow}
            - {name: identity, mountPath: /identity, readOnly: true}
)" + resources(std::to_string(launch.workers), launch.memory_mib) +
         R"(      volumes:
        - name: home
          emptyDir: {}
        - name: identity
          secret: {secretName: winnow-node, defaultMode: 256}
)";
}

}  // namespace

Result<std::string> slurm_script(const SlurmLaunch& launch) {
  if (launch.nodes < 1 || launch.nodes > 10'000) {
    return not_allowed("--nodes", std::to_string(launch.nodes), "1 to 10000");
  }
  if (!launch.partition.empty() && !is_word(launch.partition, "-_.,")) {
    return not_allowed("--partition", launch.partition, "letters, digits, '-', '_', '.', ','");
  }
  if (!launch.time_limit.empty() && !is_word(launch.time_limit, ":-")) {
    return not_allowed("--time", launch.time_limit, "as for sbatch: minutes, H:MM:SS, D-HH:MM:SS");
  }
  NodeLaunch node = launch.node;
  node.workers = std::max(1u, node.workers);
  std::string script = "#!/bin/sh\n#SBATCH --job-name=winnow-node\n";
  const auto directive = [&](const std::string& text) { script += "#SBATCH " + text + "\n"; };
  directive("--array=1-" + std::to_string(launch.nodes));
  directive("--ntasks=1");
  directive("--cpus-per-task=" + std::to_string(node.workers));
  if (!launch.partition.empty()) directive("--partition=" + launch.partition);
  if (!launch.time_limit.empty()) directive("--time=" + launch.time_limit);
  // A node that is told in time finishes what it runs and leaves; what it cannot finish is run
  // elsewhere at once.
  directive("--signal=B:TERM@" + std::to_string(kDrainSeconds));
  directive("--requeue");
  const std::string log =
      launch.log_folder.empty() ? "/dev/null" : launch.log_folder + "/winnow-node-%A-%a.log";
  directive("--output=" + log);
  directive("--error=" + log);
  std::string own;
  if (!launch.identity_folder.empty()) {
    node.identity.clear();
    const std::string folder = launch.identity_folder + "/";
    own = " --identity " + shell_line({&folder, 1}) + array_identity("\"$SLURM_ARRAY_TASK_ID\"");
  }
  return script + "exec " + shell_line(node_argv(node)) + own + "\n";
}

Result<std::string> kubernetes_manifest(const KubernetesLaunch& launch) {
  if (!is_word(launch.image, "-_./:@")) {
    return not_allowed("--image", launch.image, "[REGISTRY/]NAME[:TAG][@DIGEST]");
  }
  if (!is_label(launch.space)) {
    return not_allowed("--namespace", launch.space, "lower-case letters, digits and '-'");
  }
  if (launch.nodes < 1 || launch.nodes > 5000) {
    return not_allowed("--nodes", std::to_string(launch.nodes), "1 to 5000");
  }
  return R"(# A Winnow farm. Its secrets are made once, from a home with `winnow cluster init`:
#   kubectl -n SPACE create secret generic winnow-cluster --from-file=HOME/cluster
#   winnow cluster invite kubernetes --out identity
#   kubectl -n SPACE create secret generic winnow-node --from-file=identity
# Sweeps are submitted through `kubectl -n SPACE port-forward svc/winnow-coordinator 7700`.
)" + coordinator_manifest(launch) +
         nodes_manifest(launch);
}

Result<std::string> systemd_unit(UnitRole role, const SystemdLaunch& launch) {
  if (!std::filesystem::path(launch.binary).is_absolute() || !is_word(launch.binary, "-_./+")) {
    return not_allowed("--binary", launch.binary,
                       "an absolute path of letters, digits, '-', '_', '.', '+'");
  }
  for (const auto& [option, path] :
       {std::pair("--identity", launch.node.identity), std::pair("--settings", launch.settings)}) {
    if (!path.empty() && !is_unit_path(path)) {
      return not_allowed(option, path, "an absolute path on one line");
    }
  }
  const bool coordinator = role == UnitRole::Coordinator;
  std::vector<std::string> argv;
  if (coordinator) {
    argv = {launch.binary, "up", "--listen", launch.listen, "--home", "/var/lib/winnow"};
  } else {
    NodeLaunch node = launch.node;
    node.binary = launch.binary;
    if (node.home.empty()) node.home = "/var/lib/winnow-node";
    node.identity.clear();
    if (!launch.settings.empty()) node.join = kJoinSetting;
    argv = node_argv(node);
  }
  const bool is_set = !coordinator && !launch.settings.empty();
  const std::string more = is_set ? " $OPTIONS" : "";
  const std::string settings = is_set ? "\nEnvironmentFile=" + unit_path(launch.settings) : "";
  // The file is root's alone; systemd hands it to the unit's own user, in memory.
  const std::string& identity = launch.node.identity;
  const bool carries = !coordinator && !identity.empty();
  const std::string credential = carries ? "\nLoadCredential=identity:" + unit_path(identity) : "";
  const std::string where = carries ? " --identity %d/identity" : "";
  const std::string state = coordinator ? "winnow" : "winnow-node";
  return "[Unit]\nDescription=Winnow " + std::string(coordinator ? "coordinator" : "worker node") +
         "\nWants=network-online.target\nAfter=network-online.target\n\n[Service]\nExecStart=" +
         unit_line(argv) + where + more + settings + credential + R"(
Restart=always
RestartSec=2
KillSignal=SIGTERM
KillMode=mixed
TimeoutStopSec=)" +
         std::to_string(kDrainSeconds + 15) + "\nDynamicUser=yes\nStateDirectory=" + state + R"(
StateDirectoryMode=0700
LimitNOFILE=65536
NoNewPrivileges=yes
PrivateTmp=yes
PrivateDevices=yes
ProtectSystem=strict
ProtectHome=yes
ProtectKernelTunables=yes
ProtectKernelModules=yes
ProtectControlGroups=yes
RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX
RestrictNamespaces=yes
RestrictRealtime=yes
LockPersonality=yes
SystemCallArchitectures=native
CapabilityBoundingSet=
UMask=0077

[Install]
WantedBy=multi-user.target
)";
}

}  // namespace winnow::cluster
