#include <gtest/gtest.h>

#include <algorithm>
#include <map>

#include "serve/query.hpp"
#include "tests/serve/fixture.hpp"

namespace winnow::serve {
namespace {

using cluster::Rights;

/// Whether the question is refused for want of rights, whatever else is wrong with it.
bool lacks_rights(Home& home, const std::string& name, Rights rights, const Json& args = {}) {
  Sources sources = home.sources();
  sources.verdicts = &home.store();
  sources.asker = {.name = "kim", .rights = rights};
  const auto answer = query(sources, name, args.is_null() ? Json::object() : args);
  if (answer.ok()) return false;
  return answer.error().code() == ErrorCode::Refused &&
         answer.error().text().find("'kim' (") != std::string::npos;
}

TEST(QuestionRights, EachQuestionIsRefusedBelowItsRole) {
  Home home;
  const std::map<std::string, Rights> least{
      {"budget_set", Rights::Operator},    {"account_declare", Rights::Operator},
      {"reveal", Rights::Operator},        {"void", Rights::Operator},
      {"ledger_import", Rights::Operator}, {"backtest_count", Rights::Agent}};
  for (const std::string& name : query_names()) {
    const auto found = least.find(name);
    const Rights needed = found == least.end() ? Rights::Viewer : found->second;
    for (const Rights rights :
         {Rights::Viewer, Rights::Agent, Rights::Researcher, Rights::Operator}) {
      EXPECT_EQ(lacks_rights(home, name, rights), rights < needed)
          << name << " by " << cluster::rights_name(rights);
    }
  }
}

TEST(QuestionRights, AnAgentCountsBacktestsInItsNameAndSeesNoSealedDay) {
  Home home;
  const std::string hash = must(home.sources().datasets->manifest("alpha")).content_hash;
  Json args{{"key", LedgerKey{1, 2}.hex()},
            {"dataset_hash", hash},
            {"family", "mean_reversion"},
            {"from_day", 19358},
            {"to_day", 19400},
            {"what", "backtest mean_reversion"},
            {"user", "somebody-else"}};
  Sources agent = home.sources();
  agent.verdicts = &home.store();
  agent.asker = {.name = "scout", .rights = Rights::Agent};
  must(query(agent, "backtest_count", args));
  const Json lines = must(query(home.sources(), "ledger", {{"by", "user"}}))["lines"];
  ASSERT_EQ(lines.size(), 1u);
  EXPECT_EQ(lines[0]["user"], "scout");
  args["unseal"] = true;
  EXPECT_TRUE(lacks_rights(home, "backtest_count", Rights::Agent, args));
  EXPECT_FALSE(lacks_rights(home, "backtest_count", Rights::Researcher, args));
}

}  // namespace
}  // namespace winnow::serve
