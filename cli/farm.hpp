#pragma once

#include <functional>
#include <memory>
#include <string>

#include "actors/client.hpp"
#include "base/result.hpp"
#include "cli/app.hpp"
#include "cli/coordinator_note.hpp"
#include "cluster/local_farm.hpp"

namespace winnow::cli {

enum class Wait {
  UntilDone,
  No,  ///< submit only
};

/// How a sweep is to be run.
struct RunOptions {
  std::uint32_t nodes = 1;
  std::uint32_t workers = 0;  ///< a node; 0: as many as cores, shared between the nodes
  Wait wait = Wait::UntilDone;
};

/// What became of it.
struct RunSummary {
  actors::Submitted submitted;
  actors::Progress last;  ///< empty if nobody waited
  double wall_s = 0;      ///< from submission to the last acknowledged commit
};

/// Purpose: the coordinator a command speaks to: the one of --connect, the one that already serves
/// the home, or a local farm started for the command. Thread: one.
class FarmSession {
 public:
  /// `first` is what will be submitted: no farm is started for a sweep that cannot run.
  static Result<std::unique_ptr<FarmSession>> open(const Context& context,
                                                   const RunOptions& options,
                                                   const actors::Submit& first);

  /// A local farm for a sweep that the store knows already.
  static Result<std::unique_ptr<FarmSession>> open_own(const Context& context,
                                                       const RunOptions& options);

  actors::Client& client() { return *client_; }
  const std::string& endpoint() const { return endpoint_; }
  bool local() const { return farm_ != nullptr; }
  /// Whether this is the farm of the home that somebody else runs, and it has ended: a session of
  /// one's own goes on.
  bool was_left() const { return was_left_; }

  /// Submits, then watches until the end, keeping a local farm alive meanwhile. The stop signals
  /// end it with Cancelled; what is committed stays and the next run goes on from there.
  Result<RunSummary> run(const actors::Submit& submit, Wait wait,
                         const std::function<void(const actors::Progress&)>& on_progress);

  /// Watches a sweep that the farm works on already, as run() does.
  Result<RunSummary> follow(const std::string& sweep,
                            const std::function<void(const actors::Progress&)>& on_progress);

 private:
  Status start_own(const Context& context, const RunOptions& options);
  Result<RunSummary> watch(RunSummary summary, const actors::Submit& again,
                           const std::function<void(const actors::Progress&)>& on_progress);

  Result<actors::Submitted> submit_until_answered(const actors::Submit& submit);

  std::unique_ptr<cluster::LocalFarm> farm_;
  std::unique_ptr<actors::Client> client_;
  std::string endpoint_;
  bool quiet_ = false;
  std::filesystem::path note_;  ///< of somebody else's farm that this is
  bool was_left_ = false;
};

/// The client that --connect asks for, through the door if there is an identity. Fails:
/// InvalidInput, Unavailable.
Result<std::unique_ptr<actors::Client>> connect_client(const Context& context);

/// The coordinator of --connect, or the one that serves the home. Fails: as above; Unavailable if
/// neither is there.
Result<std::unique_ptr<actors::Client>> running_coordinator(const Context& context);

}  // namespace winnow::cli
