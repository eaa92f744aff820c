#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include <atomic>
#include <csignal>
#include <cstring>
#include <limits>
#include <thread>

#include "support.hpp"

namespace winnow::store::test {
namespace {

bool same_columns(const MarketView& a, const MarketView& b) {
  const auto equal = [](const auto& x, const auto& y) {
    return x.size() == y.size() &&
           (x.empty() || std::memcmp(x.data(), y.data(), x.size_bytes()) == 0);
  };
  return equal(a.time_ns, b.time_ns) && equal(a.open, b.open) && equal(a.high, b.high) &&
         equal(a.low, b.low) && equal(a.close, b.close) && equal(a.volume, b.volume) &&
         equal(a.funding, b.funding) && a.interval_ns == b.interval_ns;
}

TEST(DatasetStore, LoadsWhatWasPutBitForBitAlignedForVectors) {
  TempDir dir;
  const auto store = must(DatasetStore::open(dir / "data"));
  for (const std::size_t bars : {1u, 7u, 8u, 1000u}) {
    MarketColumns c = random_columns(bars, bars);
    c.funding = {{kStart, 0.0001}, {kStart + 8, -0.0002}};
    const std::string name = "d" + std::to_string(bars);
    const auto put = must(store.put(c.view(), meta_of(name)));
    EXPECT_EQ(put.kind, PutKind::Created);
    const Dataset loaded = must(store.load(name));
    EXPECT_TRUE(same_columns(loaded.view(), c.view()));
    for (const void* column : {static_cast<const void*>(loaded.view().time_ns.data()),
                               static_cast<const void*>(loaded.view().volume.data()),
                               static_cast<const void*>(loaded.view().funding.data())}) {
      EXPECT_EQ(reinterpret_cast<std::uintptr_t>(column) % 64, 0u);
    }
    EXPECT_EQ(loaded.manifest().bars, bars);
    EXPECT_EQ(loaded.manifest().funding_events, 2u);
    EXPECT_EQ(error_of(store.verify(name)), "");
  }
}

TEST(DatasetStore, ContentHashIsThatOfTheDocumentedBytes) {
  const MarketColumns c = random_columns(3, 1);
  std::string bytes = "winnow-columns-1\n";
  const std::int64_t facts[] = {c.interval_ns, 3, 0};
  bytes.append(reinterpret_cast<const char*>(facts), sizeof facts);
  bytes.append(reinterpret_cast<const char*>(c.time_ns.data()), 24);
  for (const auto* column : {&c.open, &c.high, &c.low, &c.close, &c.volume}) {
    bytes.append(reinterpret_cast<const char*>(column->data()), 24);
  }
  EXPECT_EQ(market_content_hash(c.view()), sha256_hex(bytes));
}

TEST(DatasetStore, SameBytesAreNoNewVersionOthersAreAndTheOldOneStaysByHash) {
  TempDir dir;
  const auto store = must(DatasetStore::open(dir / "data"));
  const MarketColumns a = random_columns(100, 1);
  const MarketColumns b = random_columns(120, 2);
  const auto first = must(store.put(a.view(), meta_of("x")));
  const auto before = contents(dir.path());
  EXPECT_EQ(must(store.put(a.view(), meta_of("x"))).kind, PutKind::Unchanged);
  EXPECT_EQ(contents(dir.path()), before);
  const Dataset held = must(store.load("x"));

  const auto second = must(store.put(b.view(), meta_of("x")));
  EXPECT_EQ(second.kind, PutKind::NewVersion);
  EXPECT_EQ(second.manifest.parent, first.manifest.content_hash);
  EXPECT_EQ(must(store.load("x")).view().size(), 120u);
  EXPECT_TRUE(same_columns(must(store.load(first.manifest.content_hash)).view(), a.view()));
  EXPECT_TRUE(
      same_columns(must(store.load(first.manifest.content_hash.substr(0, 12))).view(), a.view()));
  EXPECT_TRUE(same_columns(held.view(), a.view()));  // a reader keeps what it opened
  EXPECT_EQ(must(store.versions("x")).size(), 2u);
  EXPECT_EQ(must(store.list()).size(), 1u);
  // Back again: the name moves, nothing is written twice.
  EXPECT_EQ(must(store.put(a.view(), meta_of("x"))).manifest.content_hash,
            first.manifest.content_hash);
  EXPECT_EQ(must(store.load("x")).view().size(), 100u);
  EXPECT_EQ(must(store.versions("x")).size(), 2u);
}

TEST(DatasetStore, MissingNameIsAnsweredWithTheNearest) {
  TempDir dir;
  const auto store = must(DatasetStore::open(dir / "data"));
  EXPECT_NE(error_of(store.load("x")).find("there is none yet"), std::string::npos);
  const MarketColumns c = random_columns(5, 1);
  for (const char* name : {"btcusdt-5m", "ethusdt-5m", "zzz"})
    must(store.put(c.view(), meta_of(name)));
  const auto missing = store.load("btcusd-5m");
  ASSERT_FALSE(missing.ok());
  EXPECT_EQ(missing.error().code(), ErrorCode::NotFound);
  EXPECT_NE(missing.error().text().find("nearest of 3: btcusdt-5m, ethusdt-5m"), std::string::npos)
      << missing.error().text();
}

TEST(DatasetStore, NamesCannotLeaveTheFolder) {
  TempDir dir;
  const auto store = must(DatasetStore::open(dir / "data"));
  const MarketColumns c = random_columns(5, 1);
  for (const char* name : {"", "../x", "a/b", ".x", "-x", "a b", "x\n"}) {
    EXPECT_FALSE(store.put(c.view(), meta_of(name)).ok()) << name;
    EXPECT_FALSE(store.load(name).ok()) << name;
  }
  EXPECT_FALSE(std::filesystem::exists(dir / "data"));
}

TEST(DatasetStore, RefusesColumnsThatBreakAnInvariantAndWritesNothing) {
  TempDir dir;
  const auto store = must(DatasetStore::open(dir / "data"));
  const auto broken = [&](auto spoil) {
    MarketColumns c = random_columns(10, 3);
    spoil(c);
    return error_of(store.put(c.view(), meta_of("x")));
  };
  EXPECT_NE(broken([](auto& c) { c.time_ns[5] = c.time_ns[4]; }).find("bar 5"), std::string::npos);
  EXPECT_NE(broken([](auto& c) { c.high[3] = c.low[3] / 2; }).find("bar 3"), std::string::npos);
  EXPECT_NE(broken([](auto& c) { c.close[9] = std::nan(""); }).find("bar 9"), std::string::npos);
  EXPECT_NE(broken([](auto& c) { c.volume[0] = -1; }).find("bar 0"), std::string::npos);
  EXPECT_NE(broken([](auto& c) { c.open.pop_back(); }).find("length"), std::string::npos);
  EXPECT_NE(broken([](auto& c) { c.interval_ns = 0; }).find("interval"), std::string::npos);
  EXPECT_NE(broken([](auto& c) { c = {}; }).find("no bar"), std::string::npos);
  EXPECT_FALSE(std::filesystem::exists(dir / "data"));
}

TEST(DatasetStore, VerifyFindsAFlippedBitInEveryByteThatMatters) {
  TempDir dir;
  const auto store = must(DatasetStore::open(dir / "data"));
  const MarketColumns c = random_columns(9, 4);
  NewDataset meta = meta_of("x");
  const std::string raw = ohlcv_csv(c);
  meta.raw.push_back({"x.csv", "bars", raw});
  meta.faults.add(FaultKind::Gap, [] { return FaultSample{kStart, "x.csv:3", "text"}; });
  meta.repairs.push_back({"removed", kStart, "x.csv:2", "why"});
  meta.truth_json = R"({"edge": 1.5})";
  must(store.put(c.view(), meta));
  ASSERT_EQ(error_of(store.verify("x")), "");
  std::size_t flips = 0;
  for (const auto& [file, bytes] : contents(dir / "data")) {
    constexpr std::size_t kEach = 320;  // the header of a column file; then every third
    for (std::size_t at = 0; at < bytes.size(); at += at < kEach ? 1 : 3) {
      std::string flipped = bytes;
      flipped[at] = static_cast<char>(flipped[at] ^ 4);
      // Blanks between JSON tokens and the line end after the pointer carry no meaning.
      const bool blank = (bytes[at] == ' ' || bytes[at] == '\n') && file.find("names") == 0;
      if (blank) continue;
      write_file(dir / ("data/" + file), flipped);
      // zstd has bits that change nothing; then the original is still there, bit for bit.
      const bool harmless = file.find("raw") == 0 && store.raw_file(sha256_hex(raw)).ok();
      EXPECT_TRUE(!store.verify("x").ok() || harmless) << file << " byte " << at;
      ++flips;
    }
    write_file(dir / ("data/" + file), bytes);
  }
  EXPECT_GT(flips, 500u);
  EXPECT_EQ(error_of(store.verify("x")), "");
}

TEST(DatasetStore, LoadRefusesTruncatedColumns) {
  TempDir dir;
  const auto store = must(DatasetStore::open(dir / "data"));
  const auto put = must(store.put(random_columns(100, 5).view(), meta_of("x")));
  const auto file = dir / ("data/columns/" + put.manifest.content_hash + ".cols");
  const std::string bytes = read_file(file);
  for (const std::size_t size : {std::size_t{0}, std::size_t{100}, bytes.size() - 64}) {
    write_file(file, bytes.substr(0, size));
    const auto loaded = store.load("x");
    ASSERT_FALSE(loaded.ok()) << size;
    EXPECT_EQ(loaded.error().code(), ErrorCode::Corrupt);
  }
}

TEST(DatasetStore, F1F2LoadRefusesAFlippedBitInAnyColumnNamingTheFile) {
  TempDir dir;
  const auto store = must(DatasetStore::open(dir / "data"));
  MarketColumns c = random_columns(100, 5);
  c.funding = {{kStart, 0.0001}, {kStart + kMinute, -0.0002}};
  const auto put = must(store.put(c.view(), meta_of("x")));
  const auto file = dir / ("data/columns/" + put.manifest.content_hash + ".cols");
  const std::string bytes = read_file(file);
  must(store.load("x"));  // whole, so it could be remembered as such
  Rng rng(9);
  for (int k = 0; k < 400; ++k) {
    std::string flipped = bytes;
    const std::size_t at = rng.below(bytes.size());
    flipped[at] = static_cast<char>(flipped[at] ^ (1 << rng.below(8)));
    write_file(file, flipped);
    const auto loaded = store.load("x");
    ASSERT_FALSE(loaded.ok()) << at;
    EXPECT_EQ(loaded.error().code(), ErrorCode::Corrupt);
    EXPECT_NE(loaded.error().text().find(".cols"), std::string::npos) << loaded.error().text();
  }
  write_file(file, bytes);
  EXPECT_EQ(error_of(store.load("x")), "");
}

// A file whose checksums hold, but whose times lie where no arithmetic can go.
TEST(DatasetStore, F2TimesAndIntervalsFromAFileAreBounded) {
  TempDir dir;
  const auto store = must(DatasetStore::open(dir / "data"));
  const auto refused = [&](auto spoil) {
    MarketColumns c = random_columns(10, 3);
    c.funding = {{kStart, 0.0001}};
    const auto good = must(store.put(c.view(), meta_of("x")));
    spoil(c);
    const ColumnFile layout = layout_columns(c.view());
    std::string bytes;
    for (const std::string_view piece : layout.pieces) bytes += piece;
    const auto file = dir / ("data/columns/" + good.manifest.content_hash + ".cols");
    const std::string before = read_file(file);
    write_file(file, bytes);
    const auto loaded = store.load("x");
    write_file(file, before);
    return !loaded.ok() && loaded.error().code() == ErrorCode::Corrupt;
  };
  constexpr std::int64_t kFar = std::numeric_limits<std::int64_t>::max() - 9;
  EXPECT_TRUE(refused([](auto& c) { c.funding[0].time_ns = kFar; }));
  EXPECT_TRUE(refused([](auto& c) { c.funding[0].time_ns = -kStart; }));
  EXPECT_TRUE(refused([](auto& c) { c.time_ns[9] = kFar; }));
  EXPECT_TRUE(refused([](auto& c) { c.time_ns[0] = -1; }));
  EXPECT_TRUE(refused([](auto& c) { c.interval_ns = kFar; }));
  EXPECT_TRUE(refused([](auto& c) { c.close[4] = std::nan(""); }));
}

TEST(DatasetStore, OriginalsAreReadableAgain) {
  TempDir dir;
  const auto store = must(DatasetStore::open(dir / "data"));
  const std::string raw = gzip(ohlcv_csv(random_columns(500, 6)));
  write_file(dir / "a.csv.gz", raw);
  const auto outcome = must(import_dataset(store, request_of({dir / "a.csv.gz"}, "x")));
  ASSERT_EQ(outcome.manifest.raw_files.size(), 1u);
  EXPECT_EQ(must(store.raw_file(outcome.manifest.raw_files[0].sha256)), raw);
}

TEST(DatasetStore, ManifestSurvivesItsJson) {
  Manifest m;
  m.name = "x";
  m.content_hash = std::string(64, 'a');
  m.instrument = "I \"quoted\" \xc3\xa9";
  m.interval = seconds(300);
  m.format = "ohlcv";
  m.bars = 3;
  m.faults.rows_read = 7;
  m.faults.bars_missing = 2;
  m.faults.add(FaultKind::Outlier, [] { return FaultSample{kStart, "f:1", "t"}; });
  m.repairs.push_back({"moved", kStart, "f:9", "why"});
  m.raw_files.push_back({"f", "bars", std::string(64, 'b'), 12});
  m.notes = {"one", "two"};
  m.truth_json = R"({"a":[1,2.5]})";
  const std::string json = m.to_json();
  const Manifest back = must(Manifest::from_json(json));
  EXPECT_EQ(back.to_json(), json);
  EXPECT_EQ(back.truth_json, m.truth_json);
  EXPECT_EQ(back.faults[FaultKind::Outlier].count, 1u);
  EXPECT_FALSE(Manifest::from_json("{}").ok());
  EXPECT_FALSE(Manifest::from_json("\x01").ok());
}

/// Runs `body` in a child process and gives its exit status.
template <class Body>
int in_child(Body body) {
  const pid_t child = ::fork();
  if (child == 0) std::_Exit(body());
  int status = 0;
  ::waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

// A file size limit fails a write in the middle, as a full disk does. Every limit cuts elsewhere.
TEST(DatasetStore, FullDiskLeavesTheStoreAsItWas) {
  TempDir dir;
  const auto store = must(DatasetStore::open(dir / "data"));
  must(store.put(random_columns(50, 1).view(), meta_of("x")));
  const auto before = contents(dir / "data");
  std::signal(SIGXFSZ, SIG_IGN);
  const MarketColumns larger = random_columns(2000, 2);
  const std::string raw = ohlcv_csv(larger);
  for (const rlim_t limit : {10u, 1000u, 40'000u, 90'000u}) {
    const int status = in_child([&] {
      const rlimit cut{limit, limit};
      ::setrlimit(RLIMIT_FSIZE, &cut);
      NewDataset meta = meta_of("x");
      meta.raw.push_back({"raw.csv", "bars", raw});
      const auto put = store.put(larger.view(), meta);
      return !put.ok() && put.error().code() == ErrorCode::Io ? 7 : 1;
    });
    EXPECT_EQ(status, 7) << limit;
    EXPECT_EQ(contents(dir / "data"), before) << limit;
    EXPECT_EQ(error_of(store.verify("x")), "");
  }
}

TEST(DatasetStore, FullFileSystemIsAnIoErrorAndLeavesNothing) {
  TempDir dir;
  if (::mount("tmpfs", dir.path().c_str(), "tmpfs", 0, "size=200k") != 0) {
    GTEST_SKIP() << "needs the right to mount";
  }
  {
    const auto store = must(DatasetStore::open(dir / "data"));
    must(store.put(random_columns(50, 1).view(), meta_of("x")));
    const auto before = contents(dir / "data");
    const auto put = store.put(random_columns(20'000, 2).view(), meta_of("x"));
    ASSERT_FALSE(put.ok());
    EXPECT_EQ(put.error().code(), ErrorCode::Io);
    EXPECT_NE(put.error().text().find("No space left"), std::string::npos) << put.error().text();
    EXPECT_EQ(contents(dir / "data"), before);
    EXPECT_EQ(error_of(store.verify("x")), "");
  }
  ::umount(dir.path().c_str());
}

TEST(DatasetStore, WriterThatDiedLeavesNothingBehindForLong) {
  TempDir dir;
  const auto store = must(DatasetStore::open(dir / "data"));
  must(store.put(random_columns(5, 1).view(), meta_of("x")));
  write_file(dir / "data/tmp/123-0.tmp", "half");
  must(store.put(random_columns(6, 2).view(), meta_of("x")));
  EXPECT_TRUE(std::filesystem::is_empty(dir / "data/tmp"));
}

TEST(DatasetStore, ReadersSeeWholeVersionsWhileAWriterReplacesThem) {
  TempDir dir;
  const auto store = must(DatasetStore::open(dir / "data"));
  const MarketColumns versions[] = {random_columns(400, 1), random_columns(500, 2),
                                    random_columns(600, 3)};
  must(store.put(versions[0].view(), meta_of("x")));
  std::atomic<bool> done{false};
  std::atomic<int> torn{0};
  std::atomic<int> reads{0};
  std::vector<std::thread> readers;
  for (int r = 0; r < 2; ++r) {
    readers.emplace_back([&] {
      while (!done) {
        const auto loaded = store.load("x");
        const bool whole =
            loaded.ok() && market_content_hash(loaded->view()) == loaded->manifest().content_hash;
        torn += whole ? 0 : 1;
        ++reads;
      }
    });
  }
  for (int i = 1; i < 60 || reads < 20; ++i) must(store.put(versions[i % 3].view(), meta_of("x")));
  done = true;
  for (std::thread& t : readers) t.join();
  EXPECT_EQ(torn, 0);
}

TEST(DatasetStore, ExportReadsBackToTheSameContent) {
  TempDir dir;
  const auto store = must(DatasetStore::open(dir / "data"));
  MarketColumns c = random_columns(300, 8);
  c.close[7] = c.low[7] + (c.high[7] - c.low[7]) / 3;  // no short decimal
  c.funding = {{kStart + 1'000'000, 1.0 / 3}, {kStart + 3'000'000, -1e-9}};
  const auto put = must(store.put(c.view(), meta_of("x")));
  EXPECT_EQ(must(store.export_csv("x", dir / "x.csv")), 300u);
  EXPECT_EQ(must(store.export_funding_csv("x", dir / "f.csv")), 2u);
  must(import_dataset(store, request_of({dir / "x.csv"}, "y")));
  const auto back =
      must(import_dataset(store, request_of({dir / "f.csv"}, "y", format_of("funding"))));
  EXPECT_EQ(back.manifest.content_hash, put.manifest.content_hash);
  EXPECT_FALSE(store.export_csv("x", dir / "no/such/folder.csv").ok());
  EXPECT_FALSE(store.export_csv("x", dir.path()).ok());
}

}  // namespace
}  // namespace winnow::store::test
