// What was opened and shown, beside the store: an older copy does not make it forget (law 3).
#include "store/record_file.hpp"

#include <fstream>
#include <sstream>

#include "store_fixture.hpp"

namespace winnow::store {
namespace {

namespace fs = std::filesystem;

void write_doc(Store& store, std::string_view kind, std::string_view key, const std::string& text) {
  must(store.update_document(kind, key, [&](const auto&) -> Result<std::string> { return text; }));
}

std::string doc(const Store& store, std::string_view kind, std::string_view key) {
  return must(store.document(kind, key)).value_or("nothing");
}

std::string record_text(const fs::path& dir) {
  std::ifstream in(record_file(dir), std::ios::binary);
  std::ostringstream out;
  out << in.rdbuf();
  return out.str();
}

void replace_record(const fs::path& dir, const std::string& text) {
  std::ofstream(record_file(dir), std::ios::binary | std::ios::trunc) << text;
}

std::string last_join(const Store& store) {
  const auto keys = must(store.document_keys(Store::kJoinKind));
  return keys.empty() ? "none" : doc(store, Store::kJoinKind, keys.back());
}

/// A store that was put back as it was before its account had two openings and a day was shown.
void put_back_older(const fs::path& dir) {
  const fs::path copy = dir.string() + "-older";
  {
    auto store = open_store(dir);
    write_doc(*store, "account", "2026/default", "one");
    must(store->backup(copy));
    write_doc(*store, "account", "2026/default", "one, two");
    write_doc(*store, "shown", "hash/1-2/broad/sweep 1", "{}");
    write_doc(*store, "plateau", "of no record", "x");
  }
  fs::remove_all(dir);
  fs::rename(copy, dir);
}

TEST(Record, AnOlderCopyOfTheStoreForgetsNothingThatWasOpenedOrShown) {
  TempDir temp;
  const fs::path dir = temp.path() / "store";
  put_back_older(dir);
  {
    // Whoever only reads is told so, too.
    const auto reader = open_store(dir, true);
    EXPECT_EQ(doc(*reader, "account", "2026/default"), "one, two");
    EXPECT_EQ(must(reader->document_keys("shown")).size(), 1u);
    const Status verified = reader->verify([](std::string_view) {});
    ASSERT_FALSE(verified.ok());
    EXPECT_NE(verified.error().text().find("openings and days shrank"), std::string::npos);
  }
  for (int opening = 0; opening < 2; ++opening) {
    const auto store = open_store(dir);
    EXPECT_EQ(doc(*store, "account", "2026/default"), "one, two");
    EXPECT_EQ(doc(*store, "shown", "hash/1-2/broad/sweep 1"), "{}");
    EXPECT_EQ(doc(*store, "plateau", "of no record"), "nothing");
    EXPECT_NE(last_join(*store).find("an older copy was put there"), std::string::npos);
    EXPECT_EQ(must(store->document_keys(Store::kJoinKind)).size(), 1u) << "said once";
  }
  // Without the record the store has it all the same now.
  fs::remove(record_file(dir));
  EXPECT_EQ(doc(*open_store(dir, true), "account", "2026/default"), "one, two");
}

TEST(Record, OneThatIsGoneIsMadeAgain) {
  TempDir temp;
  const fs::path dir = temp.path() / "store";
  { write_doc(*open_store(dir), "account", "2026/default", "one"); }
  const std::string before = record_text(dir);
  EXPECT_NE(before.find("2026/default"), std::string::npos);
  fs::remove(record_file(dir));
  { EXPECT_NE(last_join(*open_store(dir)).find("said less than the store"), std::string::npos); }
  EXPECT_EQ(record_text(dir), before);
}

TEST(Record, ACutLineIsTakenOffAndADamagedOneIsSaid) {
  TempDir temp;
  const fs::path dir = temp.path() / "store";
  {
    const auto store = open_store(dir);
    write_doc(*store, "account", "2026/default", "one");
    write_doc(*store, "account", "2026/agents", "two");
  }
  const std::string whole = record_text(dir);
  replace_record(dir, whole + "0123 [\"acc");
  { write_doc(*open_store(dir), "shown", "k", "{}"); }
  EXPECT_TRUE(record_text(dir).starts_with(whole)) << "what is whole stays";
  EXPECT_EQ(record_text(dir).find("0123 ["), std::string::npos);

  std::string damaged = record_text(dir);
  damaged[damaged.find("two")] = 'x';
  damaged += "cut";  // so that it is read from its start
  replace_record(dir, damaged);
  const auto tail = must(read_record(record_file(dir), 0));
  EXPECT_EQ(tail.damaged, 1u);
  EXPECT_EQ(tail.lines.size(), 2u);
}

TEST(Record, OfAnotherLedgerBringsItsDaysOnly) {
  TempDir temp;
  const fs::path mine = temp.path() / "mine";
  const fs::path theirs = temp.path() / "theirs";
  { write_doc(*open_store(mine), "account", "2026/default", "mine"); }
  {
    const auto store = open_store(theirs);
    write_doc(*store, "account", "2026/default", "theirs, which is longer");
    write_doc(*store, "seal", "hash/1-2/sweep 1", "{}");
  }
  fs::copy_file(record_file(theirs), record_file(mine), fs::copy_options::overwrite_existing);
  const auto store = open_store(mine);
  EXPECT_EQ(doc(*store, "account", "2026/default"), "mine");
  EXPECT_EQ(doc(*store, "seal", "hash/1-2/sweep 1"), "{}");
  EXPECT_NE(last_join(*store).find("that of another ledger"), std::string::npos);
  EXPECT_NE(record_text(mine).find("mine"), std::string::npos) << "it is of this store again";
}

}  // namespace
}  // namespace winnow::store
