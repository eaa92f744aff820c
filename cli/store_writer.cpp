#include "cli/store_writer.hpp"

#include <chrono>
#include <string>
#include <thread>

#include "base/text.hpp"
#include "cli/asker.hpp"
#include "cli/door.hpp"
#include "cli/farm.hpp"
#include "serve/query.hpp"
#include "store/store.hpp"

namespace winnow::cli {
namespace {

using Json = nlohmann::ordered_json;

constexpr DurationNs kAnswerWithin = seconds(30);
constexpr std::chrono::milliseconds kStoreIsTakenPause{50};
constexpr std::size_t kWriterCacheBytes = std::size_t{8} << 20;

Result<Json> ask_coordinator(actors::Client& client, std::string_view question, const Json& args) {
  const auto text = client.query(question, json_text(args), kAnswerWithin);
  if (!text) return text.error();
  Json answer = parse_ordered_json(*text);
  if (answer.is_object()) return answer;
  return Error(ErrorCode::Corrupt,
               "the coordinator's answer to '" + std::string(question) + "' is not JSON");
}

}  // namespace

Result<Json> answer_writing(const Context& context, std::string_view question, const Json& args,
                            DurationNs patience) {
  if (!context.connect.empty()) {
    auto client = connect_client(context);
    if (!client) return client.error();
    return ask_coordinator(**client, question, args);
  }
  const MonoNs give_up = system_clock().mono() + patience;
  for (;;) {
    if (const auto found = advertised_coordinator(context.home())) {
      WINNOW_TRY(introduce(context, *found->client));
      return ask_coordinator(*found->client, question, args);
    }
    const auto store =
        store::Store::open(context.home() / "store", {.cache_bytes = kWriterCacheBytes});
    if (store.ok()) {
      const auto datasets = store::DatasetStore::open(context.home() / "data");
      auto who = asker(context);
      if (!who) return who.error();
      return serve::query({.store = store->get(),
                           .datasets = datasets ? &*datasets : nullptr,
                           .verdicts = store->get(),
                           .asker = *std::move(who)},
                          question, args);
    }
    if (store.error().code() != ErrorCode::Unavailable || system_clock().mono() > give_up) {
      return store.error();
    }
    std::this_thread::sleep_for(kStoreIsTakenPause);
  }
}

}  // namespace winnow::cli
