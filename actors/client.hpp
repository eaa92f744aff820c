#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "actors/protocol.hpp"
#include "base/result.hpp"
#include "base/time.hpp"
#include "store/store.hpp"

namespace winnow::actors {

/// Purpose: a user's end of the conversation with a running coordinator.
/// Thread: one. Every call waits at most its patience; a coordinator that goes away meanwhile is
/// dialled again until then.
class Client {
 public:
  /// Fails: Unavailable if nobody answers within `patience`.
  static Result<std::unique_ptr<Client>> connect(const std::string& host, std::uint16_t port,
                                                 DurationNs patience);
  virtual ~Client() = default;

  /// Shows who asks from now on: `token` (empty: none, the connection's own credential counts) and
  /// the name the user gave as theirs (empty: none). Shown again to a coordinator that was away.
  /// Returns the principal in JSON. Fails: Refused (neither changes then), Unavailable.
  virtual Result<std::string> present(const Present& credential, DurationNs patience) = 0;

  /// While its strategies are put to the test, `on_checking` hears of it about once a second, and
  /// the patience begins anew. Fails: Refused, InvalidInput, Unavailable.
  virtual Result<Submitted> submit(const Submit& request, DurationNs patience,
                                   const std::function<void(const Checking&)>& on_checking) = 0;

  /// Calls `on_progress` with each report until the sweep is done or cancelled (returns the last),
  /// or `stop` says so (Cancelled). A coordinator that is away is waited for at most `patience`;
  /// the sweep is submitted again with `again` when it is back.
  virtual Result<Progress> watch(const std::string& sweep, const Submit& again,
                                 const std::function<void(const Progress&)>& on_progress,
                                 const std::function<bool()>& stop, DurationNs patience) = 0;

  /// The id of the sweep that goes on: the one named, unless extending it made another.
  virtual Result<std::string> control(const Control& request, DurationNs patience) = 0;

  /// The answer's JSON text. Once the patience is over the question is taken back. Fails: as the
  /// coordinator's handler, or Unavailable.
  virtual Result<std::string> query(std::string_view name, std::string_view args_json,
                                    DurationNs patience) = 0;
};

inline store::SweepState state_of(const Progress& progress) {
  return static_cast<store::SweepState>(progress.state);
}
/// Whether no more of it will come: it is done, cancelled, or its budget is spent.
bool has_ended(const Progress& progress);

/// `HOST:PORT` in parts. Fails: InvalidInput.
struct Endpoint {
  std::string host;
  std::uint16_t port = 0;
};
Result<Endpoint> parse_endpoint(std::string_view text);

}  // namespace winnow::actors
