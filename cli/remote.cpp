#include "cli/remote.hpp"

#include "base/check.hpp"
#include "base/text.hpp"
#include "cli/farm.hpp"

namespace winnow::cli {

// A convergence over a million trials takes seconds; a coordinator that is gone shows sooner.
constexpr DurationNs kAnswerPatience = seconds(120);

Result<nlohmann::ordered_json> remote_query(const Context& context, std::string_view name,
                                            const nlohmann::ordered_json& args) {
  WINNOW_REQUIRES(!context.connect.empty());
  auto client = connect_client(context);
  if (!client) return client.error();
  auto text = (*client)->query(name, json_text(args), kAnswerPatience);
  if (!text) return text.error();
  auto answer = parse_ordered_json(*text);
  if (answer.is_discarded()) {
    return Error(ErrorCode::Corrupt,
                 "the coordinator's answer to '" + std::string(name) + "' is not JSON");
  }
  return answer;
}

}  // namespace winnow::cli
