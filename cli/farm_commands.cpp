#include <signal.h>
#include <unistd.h>

#include <charconv>
#include <nlohmann/json.hpp>
#include <thread>

#include "actors/client.hpp"
#include "actors/coordinator.hpp"
#include "actors/dataset_courier.hpp"
#include "actors/farm_metrics.hpp"
#include "actors/node.hpp"
#include "actors/query_desk.hpp"
#include "base/text.hpp"
#include "cli/app.hpp"
#include "cli/asker.hpp"
#include "cli/catalog.hpp"
#include "cli/door.hpp"
#include "cli/farm.hpp"
#include "cli/log.hpp"
#include "cli/progress.hpp"
#include "cli/stop_signals.hpp"
#include "cli/store_backup.hpp"
#include "cluster/local_farm.hpp"
#include "cluster/process.hpp"
#include "serve/board_cache.hpp"
#include "serve/exporter.hpp"
#include "serve/parallel.hpp"
#include "serve/query.hpp"
#include "store/store.hpp"

namespace winnow::cli {
namespace {

constexpr DurationNs kDrainPatience = seconds(20);
constexpr DurationNs kOrphanPatience = milliseconds(200);  // its coordinator ends as well
constexpr DurationNs kRestartPatience = seconds(5);
constexpr std::chrono::milliseconds kLookForStuckWork{250};

struct UpOptions {
  std::string listen = "127.0.0.1:7700";
  bool secure = false;
  std::string http;
  bool only_submitted = false;
  int ready_fd = -1;
  int owner_pid = 0;
};

struct NodeCommandOptions {
  std::string join;
  std::uint32_t workers = 0;
  std::string http;
  std::string farm;
  std::uint64_t data_limit_bytes = 0;
  actors::NodeLimits limits{.trial_seconds = 3600};
  int owner_pid = 0;
  bool until_eof = false;
};

/// Where a node keeps what the coordinator at `farm` has not acknowledged.
std::filesystem::path spool_folder(const std::filesystem::path& home, std::string farm) {
  for (char& c : farm) {
    const bool plain = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    if (!plain && c != '.' && c != '-') c = '_';
  }
  if (farm.starts_with('.')) farm[0] = '_';
  return home / "spool" / farm;
}

/// Serves the book at /metrics where --http says; nothing if it says nothing.
Result<std::unique_ptr<serve::Exporter>> serve_metrics(
    const std::string& http, const std::shared_ptr<actors::MetricsBook>& book) {
  if (http.empty()) return std::unique_ptr<serve::Exporter>();
  const auto endpoint = actors::parse_endpoint(http);
  if (!endpoint) return endpoint.error().within("--http");
  auto exporter = serve::Exporter::start(endpoint->host, endpoint->port, book);
  if (!exporter) return exporter.error().within("--http");
  log_info("metrics on http://" + endpoint->host + ":" + std::to_string((*exporter)->port()) +
           "/metrics");
  return exporter;
}

/// What one end of the door says of itself whenever the book is read: the coordinator's (`what` is
/// "door") or a node's ("path"). `end` outlives the reading; while it is null there is none.
template <class End>
void add_door_metrics(actors::MetricsBook& book, const std::string& what, const End* const& end) {
  const std::string name = "winnow_" + what;
  const std::string help =
      "Connections that the " + what +
      " ended: limit (of all, an address or an identity), handshake (no TLS 1.3), certificate "
      "(another authority, farm or role, expired, not valid yet), revoked, deadline, frame (not "
      "the farm's protocol), lost.";
  const auto by = [&](const char* reason) {
    return &book.counter(name + "_refused_total", help, {{"reason", reason}});
  };
  actors::Gauge& open = book.gauge(name + "_connections", "Connections of the " + what + " now.");
  actors::Counter& accepted =
      book.counter(name + "_accepted_total", "Connections that reached the " + what + ".");
  actors::Counter& authenticated =
      book.counter(name + "_authenticated_total", "Connections with a valid certificate.");
  book.before_reading([&end, &open, &accepted, &authenticated, limit = by("limit"),
                       handshake = by("handshake"), certificate = by("certificate"),
                       revoked = by("revoked"), deadline = by("deadline"), frame = by("frame"),
                       lost = by("lost")] {
    if (end == nullptr) return;
    const cluster::DoorCounts now = end->counts();
    open.set_count(now.open);
    accepted.raise_to(now.accepted);
    authenticated.raise_to(now.authenticated);
    limit->raise_to(now.turned_away + now.by_limit);
    handshake->raise_to(now.by_handshake);
    certificate->raise_to(now.by_certificate);
    revoked->raise_to(now.by_revocation);
    deadline->raise_to(now.by_deadline);
    frame->raise_to(now.by_frame);
    lost->raise_to(now.by_loss);
  });
}

/// A text of a question's arguments; empty if it is not there or no text.
std::string argument_text(const serve::Json& args, const char* key) {
  const auto found = args.find(key);
  return found != args.end() && found->is_string() ? found->get<std::string>() : "";
}

/// False if the process that asked for this one is already gone.
bool follow_owner(int owner_pid) { return owner_pid == 0 || cluster::end_with_owner(owner_pid); }

/// Sends this process SIGTERM when its standard input ends: a launcher on another machine has no
/// other way to say that it is gone.
void end_with_input() {
  std::thread([] {
    char byte = 0;
    ssize_t n = 0;
    do {
      n = ::read(STDIN_FILENO, &byte, 1);
    } while (n > 0 || (n < 0 && errno == EINTR));
    ::kill(::getpid(), SIGTERM);
  }).detach();
}

/// What the actors' library, the store and the desks of one process start at most. Threads that an
/// answer takes to compute with are no part of it: where there are none, it goes on alone.
constexpr std::uint32_t kCommonThreads = 23 + actors::QueryDesk::kThreads;

/// Purpose: what a coordinator of a home works on: its store and datasets, and the answers to
/// questions about them. Owner: run_up; the coordinator ends before it. Thread: answer(), any.
class HomeOfFarm {
 public:
  /// Fails: as Store::open, and as the folder of datasets.
  static Result<std::unique_ptr<HomeOfFarm>> open(const std::filesystem::path& home) {
    auto store = store::Store::open(home / "store");
    if (!store) return store.error();
    remove_unfinished_backups(home);
    auto datasets = open_datasets(home);
    if (!datasets) return datasets.error();
    return std::unique_ptr<HomeOfFarm>(
        new HomeOfFarm(home, *std::move(store), *std::move(datasets)));
  }

  const std::shared_ptr<actors::MetricsBook>& metrics() const { return metrics_; }
  /// Where metrics find the door, once there is one.
  void counts_door(const cluster::Door* door) { door_ = door; }

  actors::CoordinatorContext surroundings() {
    actors::CoordinatorContext out;
    out.store = store_.get();
    out.metrics = metrics_.get();
    out.data_dir = home_ / "data";
    out.catalog = [home = home_] { return make_catalog(home, config_dir()); };
    out.question_kind = [](std::string_view name) {
      using enum actors::QuestionCost;
      using enum actors::QuestionEffect;
      // It copies the store, and is there for whoever restores it, not for whoever asked.
      if (name == kBackupQuestion) return actors::QuestionKind{Heavy, Records};
      return serve::question_kind(name).value_or(actors::QuestionKind{Cheap, Reads});
    };
    out.query = [this](std::string_view name, std::string_view args,
                       const cluster::Principal& asker,
                       const std::stop_token& stop) { return answer(name, args, asker, stop); };
    return out;
  }

 private:
  HomeOfFarm(std::filesystem::path home, std::unique_ptr<store::Store> store,
             store::DatasetStore datasets)
      : home_(std::move(home)), store_(std::move(store)), datasets_(std::move(datasets)) {
    actors::add_process_metrics(*metrics_);
    actors::add_store_metrics(*metrics_, *store_);
    actors::add_budget_metrics(*metrics_, *store_);
    add_door_metrics(*metrics_, "door", door_);
  }

  Result<std::string> answer(std::string_view name, std::string_view args,
                             const cluster::Principal& asker, const std::stop_token& stop) {
    const auto parsed = parse_ordered_json(args);
    if (parsed.is_discarded()) {
      return Error(ErrorCode::InvalidInput, "the question's arguments are not JSON");
    }
    if (name == kBackupQuestion) {
      WINNOW_TRY(cluster::check_rights(asker, cluster::Rights::Operator, "make backups"));
      const auto made = make_backup(*store_, home_, argument_text(parsed, "name"));
      if (!made) return made.error();
      return json_text(serve::Json{{"backup", made->string()}});
    }
    const auto answer = serve::query({.store = store_.get(),
                                      .datasets = &datasets_,
                                      .verdicts = store_.get(),
                                      .parallel = serve::threads_for(),
                                      .boards = &boards_,
                                      .asker = asker,
                                      .stop = stop},
                                     name, parsed);
    if (!answer) return answer.error();
    return json_text(*answer);
  }

  std::filesystem::path home_;
  std::unique_ptr<store::Store> store_;
  store::DatasetStore datasets_;
  serve::BoardCache boards_;
  std::shared_ptr<actors::MetricsBook> metrics_ = std::make_shared<actors::MetricsBook>();
  const cluster::Door* door_ = nullptr;
};

/// Tells whoever started the coordinator where it listens. Fails: Io.
Status tell_ready(const Context& context, const UpOptions& options, const std::string& where,
                  std::uint16_t port) {
  if (options.ready_fd >= 0) {
    const std::string line = std::to_string(port) + "\n";
    if (::write(options.ready_fd, line.data(), line.size()) < 0) {
      return Error(ErrorCode::Io, "nobody reads where the coordinator listens");
    }
    ::close(options.ready_fd);
  } else if (!context.quiet) {
    std::printf("coordinator on %s\nworkers join with: winnow node --join %s --workers N\n",
                where.c_str(), where.c_str());
    std::fflush(stdout);
  }
  return {};
}

/// Opens everything, tells where, and serves until it is told to stop.
Status serve_farm(const Context& context, const UpOptions& options,
                  const actors::Endpoint& endpoint) {
  const bool guarded = options.secure || !is_loopback(endpoint.host);
  if (guarded) WINNOW_TRY(check_may_listen(context, endpoint.host));
  WINNOW_TRY(cluster::can_start_threads(kCommonThreads));
  const std::filesystem::path home = context.home();
  auto opened = HomeOfFarm::open(home);
  if (!opened) return opened.error();
  HomeOfFarm& own = **opened;

  actors::CoordinatorOptions farm;
  // Behind a door the coordinator itself stays on loopback.
  farm.host = guarded ? "127.0.0.1" : endpoint.host;
  farm.port = guarded ? std::uint16_t{0} : endpoint.port;
  farm.resume_all = !options.only_submitted;
  farm.instance = new_instance();
  farm.home = home;
  const auto peers = std::make_shared<cluster::DoorPeers>();
  farm.peers = peers;
  auto coordinator = actors::CoordinatorProcess::start(farm, own.surroundings());
  if (!coordinator) return coordinator.error();
  std::unique_ptr<cluster::Door> door;
  if (guarded) {
    auto made = open_door(context, endpoint, (*coordinator)->port(), peers);
    if (!made) return made.error();
    door = std::move(*made);
    own.counts_door(door.get());
  }
  const auto exporter = serve_metrics(options.http, own.metrics());
  if (!exporter) return exporter.error();
  const std::uint16_t port = guarded ? door->port() : (*coordinator)->port();
  const std::string where = endpoint.host + ":" + std::to_string(port);
  // One that ends with its owner, too: whoever joins it goes on alone when it is gone.
  WINNOW_TRY(advertise_coordinator(home, farm.host + ":" + std::to_string((*coordinator)->port()),
                                   farm.instance));
  log_info("coordinator on " + where + " with home " + home.string());
  WINNOW_TRY(tell_ready(context, options, where, port));
  wait_for_stop();
  withdraw_coordinator(home, farm.instance);
  coordinator->reset();
  return {};
}

int run_up(const Context& context, const UpOptions& options) {
  if (!follow_owner(options.owner_pid)) return kFailed;
  const auto endpoint = actors::parse_endpoint(options.listen);
  if (!endpoint) return fail(context, endpoint.error().within("--listen"));
  const Status served = serve_farm(context, options, *endpoint);
  return served ? kDone : fail(context, served.error());
}

int run_node(const Context& context, const NodeCommandOptions& options) {
  if (!follow_owner(options.owner_pid)) return kFailed;
  const auto join = join_address(context, options.join);
  if (!join) return fail(context, join.error());
  const auto endpoint = actors::parse_endpoint(*join);
  if (!endpoint) return fail(context, endpoint.error().within("--join"));
  actors::NodeOptions node;
  node.host = endpoint->host;
  node.port = endpoint->port;
  std::unique_ptr<cluster::DoorPath> path;
  if (const std::string identity = identity_file(context, endpoint->host); !identity.empty()) {
    if (const Status fits = check_role(identity, cluster::Role::Node); !fits) {
      return fail(context, fits.error());
    }
    auto opened = open_path(*endpoint, identity);
    if (!opened) return fail(context, opened.error());
    path = std::move(*opened);
    node.host = "127.0.0.1";
    node.port = path->port();
  }
  node.workers =
      options.workers > 0 ? options.workers : std::max(1u, std::thread::hardware_concurrency());
  if (const Status able = cluster::can_start_threads(kCommonThreads + node.workers); !able) {
    return fail(context, able.error());
  }
  node.spool = spool_folder(context.home(), options.farm.empty() ? *join : options.farm);
  node.run_folder = context.home() / "run";
  node.courier = std::make_shared<actors::DatasetCourier>(actors::CourierOptions{
      .data_dir = context.home() / "data", .limit_bytes = options.data_limit_bytes});
  const auto metrics = std::make_shared<actors::MetricsBook>();
  actors::add_process_metrics(*metrics);
  const cluster::DoorPath* const counted_path = path.get();
  add_door_metrics(*metrics, "path", counted_path);
  node.metrics = metrics.get();
  auto process = actors::NodeProcess::start(
      node,
      actors::make_engine_runner((context.home() / "data").string(), node.courier, options.limits));
  const auto exporter = serve_metrics(options.http, metrics);
  if (!exporter) return fail(context, exporter.error());
  if (options.until_eof) end_with_input();
  while (!stop_signal_came(kLookForStuckWork)) {
    if (!process->wants_restart()) continue;
    process->drain(kRestartPatience);
    const Status failed = cluster::start_anew();
    log_critical(failed.error().text());
    ::_exit(kFailed);  // the thread that is stuck would hold up any other end
  }
  process->drain(cluster::owner_is_gone() ? kOrphanPatience : kDrainPatience);
  // A thread that is stuck now would hold up the end as well.
  if (process->wants_restart()) ::_exit(kDone);
  return kDone;
}

int run_nodes(const Context& context) {
  auto client = running_coordinator(context);
  if (!client) return fail(context, client.error());
  auto text = (*client)->query("nodes", "{}", seconds(10));
  if (!text) return fail(context, text.error());
  if (context.json) {
    std::printf("%s\n", text->c_str());
    return kDone;
  }
  const auto nodes = parse_json(*text);
  std::printf("%-28s %8s %8s %12s %10s %14s\n", "node", "workers", "leases", "blocks_done",
              "work_s", "last_seen_ago");
  for (const auto& n : nodes) {
    std::printf("%-28s %8u %8u %12llu %10.1f %14s\n", n["name"].get<std::string>().c_str(),
                n["workers"].get<unsigned>(), n["leases"].get<unsigned>(),
                n["blocks_done"].get<unsigned long long>(), n["work_s"].get<double>(),
                short_duration(milliseconds(n["last_seen_ms_ago"].get<std::int64_t>())).c_str());
  }
  return kDone;
}

}  // namespace

void add_farm_commands(Command& app, Context& context) {
  add_demo_command(app, context);

  auto up_options = std::make_shared<UpOptions>();
  Command* up = add_command(app, context, "up", "run a coordinator in the foreground");
  up->add_option(
        "--listen", up_options->listen,
        "farm port; other addresses than loopback ask every peer for a certificate of `winnow "
        "cluster invite`; port 0 takes a free one")
      ->capture_default_str();
  up->add_flag("--secure", up_options->secure, "ask for certificates on loopback, too");
  up->add_option("--http", up_options->http,
                 "also serve Prometheus metrics at http://HOST:PORT/metrics; whoever reaches the "
                 "address can read them, so use 127.0.0.1 unless the network is trusted");
  up->add_flag("--only-submitted", up_options->only_submitted,
               "do not take up unfinished sweeps by itself, only those that are submitted");
  up->add_option("--ready-fd", up_options->ready_fd,
                 "write the port and a newline to this file descriptor once it accepts nodes");
  up->add_option("--owner-pid", up_options->owner_pid, "end when this parent process does");
  up->callback([&context, up_options] {
    context.stops = Stops::InOrder;
    context.run = [&context, up_options] { return run_up(context, *up_options); };
  });

  auto node_options = std::make_shared<NodeCommandOptions>();
  Command* node = add_command(app, context, "node", "run a worker node in the foreground");
  node->add_option("--join", node_options->join,
                   "the coordinator, HOST:PORT (default: the door that --identity names)");
  add_identity_option(*node, context);
  node->add_option("--workers", node_options->workers, "threads that compute (default: all cores)")
      ->in_range(1u, 4096u);
  node->add_option("--http", node_options->http,
                   "also serve Prometheus metrics at http://HOST:PORT/metrics; whoever reaches the "
                   "address can read them, so use 127.0.0.1 unless the network is trusted");
  node->add_option("--data-limit", node_options->data_limit_bytes,
                   "how much of the disk copies of datasets from the coordinator may take, such as "
                   "20GB; the least recently used go first (default: no limit)")
      ->as_size();
  node->add_option("--trial-seconds", node_options->limits.trial_seconds,
                   "processor time that any one trial gets here, in seconds; the sweep's own limit "
                   "holds if it is smaller; 0: none")
      ->in_range(0.0, 1e9)
      ->capture_default_str();
  node->add_option("--trial-memory-mb", node_options->limits.trial_memory_mb,
                   "memory that any one trial may need here, in MiB; the sweep's own limit holds "
                   "if it is smaller; 0: none")
      ->in_range(0.0, 1e9)
      ->capture_default_str();
  node->add_option(
          "--memory-mb", node_options->limits.memory_mb,
          "memory of the whole process, in MiB; batches wait for room or are made smaller, "
          "rather than be ended by the system (default: no limit)")
      ->check(natural_number(16));
  node->add_option("--farm", node_options->farm,
                   "name under which unacknowledged results are kept below HOME/spool (default: "
                   "the coordinator's address); a later node of the same name sends them");
  node->add_option("--owner-pid", node_options->owner_pid, "end when this parent process does");
  node->add_flag("--until-eof", node_options->until_eof,
                 "drain and end when standard input ends, as launchers elsewhere want it");
  node->callback([&context, node_options] {
    context.stops = Stops::InOrder;
    context.run = [&context, node_options] { return run_node(context, *node_options); };
  });

  Command* nodes = add_command(app, context, "nodes", "the nodes of a running farm");
  nodes->add_option("--connect", context.connect, "the coordinator, HOST:PORT");
  add_credential_options(*nodes, context);
  nodes->callback([&context] { context.run = [&context] { return run_nodes(context); }; });
}

}  // namespace winnow::cli
