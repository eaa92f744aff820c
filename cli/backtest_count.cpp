#include "cli/backtest_count.hpp"

#include "actors/protocol.hpp"
#include "cli/store_writer.hpp"

namespace winnow::cli {
namespace {

using Json = nlohmann::ordered_json;

// Whoever has the store for a moment (an answer that is kept, another backtest) is done by then.
constexpr DurationNs kCountPatience = seconds(10);

}  // namespace

Result<Json> count_backtest(const Context& context, const BacktestMade& made) {
  const Json args{{"key", made.key.hex()},
                  {"dataset_hash", made.dataset_hash},
                  {"family", made.family},
                  {"from_day", utc_day(made.from)},
                  {"to_day", utc_day(made.to - DurationNs{1}) + 1},
                  {"what", "backtest " + made.family},
                  {"unseal", made.unseal},
                  {"failed", has_failed(made.status)}};
  auto counted = answer_writing(context, actors::kBacktestCountQuestion, args, kCountPatience);
  if (counted.ok() || counted.error().code() == ErrorCode::InvalidInput) return counted;
  if (counted.error().code() == ErrorCode::Refused) return counted;
  return Error(ErrorCode::Refused,
               "the backtest is not shown, for it could not be counted in the ledger first: " +
                   counted.error().text());
}

}  // namespace winnow::cli
