#include "store/data_report.hpp"
#include "support.hpp"

namespace winnow::store::test {
namespace {

class Catalogue : public testing::Test {
 protected:
  void put(const std::string& name, std::uint64_t seed, const std::string& raw = "r") {
    NewDataset meta = meta_of(name);
    meta.raw.push_back({"f.csv", "bars", raw});
    must(store_.put(random_columns(50, seed).view(), meta));
  }
  TempDir dir_;
  DatasetStore store_ = must(DatasetStore::open(dir_ / "data"));
};

TEST_F(Catalogue, C8RenameKeepsContentVersionsAndChain) {
  put("old", 1);
  put("old", 2);
  put("other", 3);
  const auto hash = must(store_.manifest("old")).content_hash;
  const auto parent = must(store_.manifest("old")).parent;
  EXPECT_EQ(error_of(store_.rename("old", "new")), "");
  EXPECT_FALSE(store_.manifest("old").ok());
  const auto moved = must(store_.manifest("new"));
  EXPECT_EQ(moved.content_hash, hash);
  EXPECT_EQ(moved.parent, parent);
  EXPECT_EQ(moved.notes.back(), "was named old");
  EXPECT_EQ(must(store_.versions("new")).size(), 2u);
  EXPECT_EQ(must(store_.load(parent)).view().size(), 50u);
  EXPECT_EQ(error_of(store_.verify("new")), "");
  EXPECT_NE(error_of(store_.rename("new", "other")).find("already"), std::string::npos);
  EXPECT_NE(error_of(store_.rename("nw", "x")).find("nearest"), std::string::npos);
  EXPECT_FALSE(store_.rename("new", "../x").ok());
}

TEST_F(Catalogue, C8DeleteTakesWhatNoOtherDatasetHas) {
  put("a", 1, "shared");
  put("a", 2, "own");
  put("b", 1, "shared");  // the same columns and file under another name
  const auto removed = must(store_.remove("a"));
  EXPECT_EQ(removed.versions, 2u);
  EXPECT_GT(removed.bytes, 0u);
  EXPECT_FALSE(store_.manifest("a").ok());
  EXPECT_EQ(error_of(store_.verify("b")), "");
  std::size_t columns = 0;
  for (const auto& [file, bytes] : contents(dir_ / "data")) {
    columns += file.ends_with(".cols") ? 1 : 0;
  }
  EXPECT_EQ(columns, 1u);
  EXPECT_FALSE(store_.remove("a").ok());
  must(store_.remove("b"));
  // Which market they were of is not forgotten.
  for (const auto& [file, bytes] : contents(dir_ / "data")) EXPECT_EQ(file.find("markets/"), 0u);
}

TEST_F(Catalogue, C8ADamagedDatasetCanBeDeleted) {
  put("a", 1);
  const auto hash = must(store_.manifest("a")).content_hash;
  write_file(dir_ / ("data/names/a/" + hash + ".json"), "{");
  must(store_.remove("a"));
  EXPECT_TRUE(store_.names().empty());
}

TEST_F(Catalogue, C8AllGapsAreWrittenNotTen) {
  MarketColumns c = random_columns(400, 5);
  MarketColumns holes;
  holes.interval_ns = c.interval_ns;
  for (std::size_t i = 0; i < 400; ++i) {
    if (i % 10 == 5 || i % 10 == 6) continue;
    holes.time_ns.push_back(c.time_ns[i]);
    for (auto [from, to] : {std::pair(&c.open, &holes.open), std::pair(&c.high, &holes.high),
                            std::pair(&c.low, &holes.low), std::pair(&c.close, &holes.close),
                            std::pair(&c.volume, &holes.volume)}) {
      to->push_back((*from)[i]);
    }
  }
  must(store_.put(holes.view(), meta_of("x")));
  EXPECT_EQ(must(store_.export_gaps_csv("x", dir_ / "g.csv")), 40u);
  const std::string text = read_file(dir_ / "g.csv");
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 41);
  EXPECT_NE(text.find("from,to,bars_missing,from_ns,to_ns\n"
                      "2023-01-01T00:25:00Z,2023-01-01T00:35:00Z,2,1672532700000000000,"),
            std::string::npos)
      << text.substr(0, 200);
}

// A manifest as version 1 of the program wrote it, before there were reports and appended versions.
TEST_F(Catalogue, ManifestsOfVersion1StayReadable) {
  const std::string golden =
      read_file(std::filesystem::path(WINNOW_SOURCE_DIR) / "tests/store_data/manifest_v1.json");
  const auto m = must(Manifest::from_json(golden));
  EXPECT_EQ(m.name, "golden");
  EXPECT_EQ(m.instrument, "BTCUSDT");
  EXPECT_GT(m.bars, 0u);
  EXPECT_GT(m.faults.total(), 0u);
  EXPECT_FALSE(m.repairs.empty());
}

}  // namespace
}  // namespace winnow::store::test
