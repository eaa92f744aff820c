#include "cluster/token.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <fstream>
#include <sstream>

#include "cluster/authority.hpp"
#include "tests/cluster/folder.hpp"

namespace winnow::cluster {
namespace {

namespace fs = std::filesystem;
const TimestampNs kNow{1'800'000'000'000'000'000};

TokenBook::Made made(const fs::path& home, Rights rights, const std::string& name,
                     DurationNs valid_for = days(1)) {
  auto made = TokenBook(home).create({rights, name, valid_for}, kNow);
  EXPECT_TRUE(made) << made.error().text();
  return *std::move(made);
}

std::string text_of(const fs::path& file) {
  std::ifstream in(file);
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

TEST(Tokens, TellTheirHolderAndNothingElseDoes) {
  const Folder home;
  const auto scout = made(home.path, Rights::Agent, "scout");
  const auto boss = made(home.path, Rights::Operator, "ann");
  EXPECT_TRUE(scout.text.starts_with("wn_agent_" + scout.token.id + "_"));
  TokenReader reader(home.path);
  const auto who = reader.find(scout.text, kNow);
  ASSERT_TRUE(who) << who.error().text();
  EXPECT_EQ(who->name, "scout");
  EXPECT_EQ(who->rights, Rights::Agent);
  EXPECT_EQ(who->credential, Credential::Token);
  EXPECT_EQ(who->token_id, scout.token.id);

  std::string changed = scout.text;
  changed.back() = changed.back() == '0' ? '1' : '0';
  std::string raised = scout.text;  // the role in the text counts for nothing
  raised.replace(0, 9, "wn_operator_");
  std::string mixed = "wn_agent_" + boss.token.id + scout.text.substr(scout.text.rfind('_'));
  for (const std::string& wrong :
       {std::string(), std::string("x"), changed, mixed, scout.text + "0", scout.text.substr(1),
        scout.token.secret_sha256, "wn_agent_" + scout.token.id + "_" + scout.token.secret_sha256,
        std::string(100'000, '_')}) {
    const auto nobody = reader.find(wrong, kNow);
    ASSERT_FALSE(nobody.ok()) << wrong.substr(0, 100);
    EXPECT_EQ(nobody.error().code(), ErrorCode::Refused);
    EXPECT_EQ(nobody.error().text(), reader.find("y", kNow).error().text())
        << "what is wrong with it is nobody's business";
  }
  const auto still = reader.find(raised, kNow);
  ASSERT_TRUE(still);
  EXPECT_EQ(still->rights, Rights::Agent);
}

TEST(Tokens, AreKeptWithoutTheirSecretsForTheirOwnerAlone) {
  const Folder home;
  const auto token = made(home.path, Rights::Viewer, "");
  EXPECT_EQ(token.token.name, "viewer-" + token.token.id);
  const fs::path file = Authority::folder_of(home.path) / "tokens";
  struct stat info {};
  ASSERT_EQ(::stat(file.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0600u);
  const std::string secret = token.text.substr(token.text.rfind('_') + 1);
  EXPECT_EQ(text_of(file).find(secret), std::string::npos);
  EXPECT_FALSE(Authority::exists(home.path)) << "a token makes no authority";
}

TEST(Tokens, EndByTimeAndByRevocationAtOnce) {
  const Folder home;
  TokenReader reader(home.path);
  EXPECT_FALSE(reader.find("wn_agent_0_0", kNow).ok()) << "of a home without tokens";
  const auto brief = made(home.path, Rights::Agent, "brief", seconds(10));
  const auto first = made(home.path, Rights::Agent, "scout");
  const auto second = made(home.path, Rights::Researcher, "scout");
  ASSERT_TRUE(reader.find(brief.text, kNow));
  EXPECT_EQ(reader.find(brief.text, kNow + seconds(10)).error().code(), ErrorCode::Refused);
  EXPECT_EQ(reader.check(brief.token.id, kNow + seconds(10)).error().code(), ErrorCode::Refused);
  ASSERT_TRUE(reader.find(first.text, kNow));
  TokenBook book(home.path);
  EXPECT_EQ(*book.revoke("scout", kNow), (std::vector{first.token.id, second.token.id}));
  for (const auto& token : {first, second}) {
    const Status gone = reader.check(token.token.id, kNow);
    ASSERT_FALSE(gone);
    EXPECT_NE(gone.error().text().find("was revoked"), std::string::npos);
    EXPECT_FALSE(reader.find(token.text, kNow).ok());
  }
  ASSERT_TRUE(reader.find(brief.text, kNow)) << "others stand";
  EXPECT_EQ(book.revoke("scout", kNow).error().code(), ErrorCode::NotFound);
  EXPECT_EQ(book.revoke("", kNow).error().code(), ErrorCode::NotFound);
}

TEST(Tokens, AFileThatCannotBeReadLetsNobodyIn) {
  const Folder home;
  const auto token = made(home.path, Rights::Operator, "ann");
  TokenReader reader(home.path);
  ASSERT_TRUE(reader.find(token.text, kNow));
  const fs::path file = Authority::folder_of(home.path) / "tokens";
  const std::string whole = text_of(file);
  for (const std::string& damaged :
       {whole.substr(0, whole.size() / 2), "root " + whole, whole + "x\n"}) {
    std::ofstream(file) << damaged;
    const auto nobody = reader.find(token.text, kNow);
    ASSERT_FALSE(nobody.ok());
    EXPECT_EQ(nobody.error().code(), ErrorCode::Corrupt);
    EXPECT_NE(nobody.error().text().find("line "), std::string::npos) << nobody.error().text();
  }
  std::ofstream(file) << whole;
  EXPECT_TRUE(reader.find(token.text, kNow));
}

TEST(Tokens, TheirUseIsPutDownOnceAMinute) {
  const Folder home;
  const auto token = made(home.path, Rights::Agent, "scout");
  TokenReader reader(home.path);
  ASSERT_TRUE(reader.find(token.text, kNow + seconds(5)));
  const auto last_used = [&] { return (*TokenBook(home.path).list())[0].last_used; };
  EXPECT_EQ(last_used(), TimestampNs{});
  reader.keep_uses(kNow + seconds(6));
  EXPECT_EQ(last_used(), kNow + seconds(5));
  ASSERT_TRUE(reader.use(token.token.id, kNow + seconds(30)));
  ASSERT_TRUE(reader.check(token.token.id, kNow + seconds(50)));
  reader.keep_uses(kNow + seconds(31));
  EXPECT_EQ(last_used(), kNow + seconds(5)) << "the disk is spared";
  reader.keep_uses(kNow + seconds(70));
  EXPECT_EQ(last_used(), kNow + seconds(30));
}

TEST(Tokens, NamesSpansAndNumbersHaveLimits) {
  const Folder home;
  TokenBook book(home.path);
  for (const char* name : {"a b", "-x", "new\nline", "\x1b[2J"}) {
    EXPECT_EQ(book.create({.name = name}, kNow).error().code(), ErrorCode::InvalidInput) << name;
  }
  EXPECT_FALSE(book.create({.name = "a", .valid_for = days(kTokenDaysMax + 1)}, kNow).ok());
  EXPECT_FALSE(book.create({.name = "a", .valid_for = DurationNs{0}}, kNow).ok());
  std::string lines;
  const auto one = made(home.path, Rights::Viewer, "one", seconds(1));
  const fs::path file = Authority::folder_of(home.path) / "tokens";
  const std::string record = text_of(file).substr(8);
  for (std::size_t i = 1; i < kTokensMax; ++i) {
    std::string id = std::to_string(i);
    lines += std::string(8 - id.size(), '0') + id + record;
  }
  std::ofstream(file, std::ios::app) << lines;
  EXPECT_EQ(book.create({.name = "more"}, kNow).error().code(), ErrorCode::Refused);
  EXPECT_TRUE(book.create({.name = "more"}, kNow + seconds(2))) << "the ended make room";
}

}  // namespace
}  // namespace winnow::cluster
