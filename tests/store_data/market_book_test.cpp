#include "store/market_book.hpp"

#include <chrono>

#include "store/dataset_shipment.hpp"
#include "store/market_shelf.hpp"
#include "support.hpp"

namespace winnow::store::test {
namespace {

namespace fs = std::filesystem;

constexpr std::int64_t kFirstDay = 19'358;  // of kStart

/// Hourly bars; markets of one seed are one market.
MarketColumns market_columns(std::uint64_t seed, std::size_t days) {
  return random_columns(24 * days, seed, 60);
}

MarketColumns by_day(const MarketColumns& of) {
  MarketColumns out;
  out.interval_ns = 24 * 60 * kMinute;
  for (std::size_t i = 0; i + 24 <= of.size(); i += 24) {
    out.time_ns.push_back(of.time_ns[i]);
    out.open.push_back(of.open[i]);
    out.close.push_back(of.close[i + 23]);
    out.high.push_back(*std::max_element(&of.high[i], &of.high[i] + 24));
    out.low.push_back(*std::min_element(&of.low[i], &of.low[i] + 24));
    out.volume.push_back(1);
  }
  return out;
}

class Markets : public testing::Test {
 protected:
  Result<PutOutcome> put(const std::string& name, const MarketColumns& columns,
                         const SealRequest& seal = {}, const std::string& instrument = "BTCUSDT") {
    NewDataset meta = meta_of(name);
    meta.instrument = instrument;
    meta.seal = seal;
    return store_.put(columns.view(), meta);
  }
  static SealRequest usual() { return {.rule = SealRule::Usual, .asked = {}, .by = "ann"}; }
  static SealRequest asked(const std::string& text) {
    SealRequest out = must(parse_seal(text));
    out.by = "ann";
    return out;
  }
  std::string hash(const std::string& name) { return must(store_.manifest(name)).content_hash; }
  MarketBook book() { return must(MarketBook::read(store_)); }
  std::optional<std::int64_t> sealed(const std::string& name) {
    return book().of(hash(name))->sealed_from_day;
  }

  TempDir dir_;
  DatasetStore store_ = must(DatasetStore::open(dir_ / "data"));
};

TEST_F(Markets, ACopyACutAndAnotherIntervalAreOneMarketWithTheEarliestAsItsId) {
  const MarketColumns of = market_columns(1, 200);
  must(put("first", of));
  const std::string id = hash("first");
  MarketColumns moved = of;
  moved.close[777] += 0.01;
  moved.high[777] += 0.01;
  MarketColumns cut = of;
  for (auto* column : {&cut.open, &cut.high, &cut.low, &cut.close, &cut.volume}) {
    column->erase(column->begin());
  }
  cut.time_ns.erase(cut.time_ns.begin());
  must(put("tick", moved, {}, "OTHER"));
  must(put("cut", cut, {}, "NAMES"));
  const PutOutcome daily = must(put("daily", by_day(of), {}, "STILL"));
  EXPECT_TRUE(daily.market.known);
  EXPECT_EQ(daily.market.id, id);
  EXPECT_EQ(daily.market.members, (std::vector<std::string>{"first", "tick", "cut"}));
  must(put("stranger", market_columns(2, 200)));  // of the same instrument

  const MarketBook b = book();
  ASSERT_EQ(b.markets().size(), 2u);
  const Market& market = b.markets()[0];
  EXPECT_EQ(market.id, id);
  ASSERT_EQ(market.members.size(), 4u);
  EXPECT_EQ(market.first_day, kFirstDay);
  EXPECT_EQ(market.last_day, kFirstDay + 199);
  for (const char* name : {"first", "tick", "cut", "daily"}) {
    EXPECT_EQ(b.id_of(hash(name)), id);
    EXPECT_EQ(b.of(hash(name))->member(hash(name))->name, name);
  }
  EXPECT_EQ(b.id_of(hash("stranger")), hash("stranger"));
  EXPECT_FALSE(b.same_market(id, hash("stranger")));
  EXPECT_EQ(b.of(std::string(64, '0')), nullptr);
  EXPECT_EQ(b.id_of("unheard"), "unheard");

  const auto likenesses_of_daily = must(likenesses(store_, hash("daily")));
  ASSERT_EQ(likenesses_of_daily.size(), 3u);
  ASSERT_TRUE(likenesses_of_daily[0].likeness);
  EXPECT_EQ(likenesses_of_daily[0].likeness->by, LikenessBy::Days);
  EXPECT_EQ(likenesses_of_daily[0].likeness->agreed_frac(), 1);
  EXPECT_GE(likenesses_of_daily[0].likeness->days, 190u);
}

TEST_F(Markets, ADatasetThatIsGoneIsStillItsMarket) {
  const MarketColumns of = market_columns(1, 100);
  must(put("first", of));
  const std::string id = hash("first");
  ASSERT_EQ(error_of(store_.rename("first", "renamed")), "");
  EXPECT_EQ(book().of(id)->members[0].name, "renamed");
  must(store_.remove("renamed"));
  ASSERT_NE(book().of(id), nullptr);
  EXPECT_TRUE(book().of(id)->members[0].gone);
  EXPECT_EQ(book().of(id)->members[0].name, "first");
  const PutOutcome again = must(put("again", by_day(of), {}, "NAMELESS"));
  EXPECT_EQ(again.market.id, id);
  EXPECT_TRUE(again.market.known);
  EXPECT_EQ(again.market.members, (std::vector<std::string>{id}));
  must(put("back", of));  // the same bytes
  EXPECT_FALSE(book().of(id)->members[0].gone);
  EXPECT_EQ(book().of(id)->members.size(), 2u);
}

TEST_F(Markets, OneThatJoinsTwoMarketsKeepsTheOlderId) {
  const MarketColumns of = market_columns(1, 300);
  const auto part = [&](std::size_t from, std::size_t to) {
    MarketColumns out;
    out.interval_ns = of.interval_ns;
    for (std::size_t i = from * 24; i < to * 24; ++i) {
      out.time_ns.push_back(of.time_ns[i]);
      out.open.push_back(of.open[i]);
      out.high.push_back(of.high[i]);
      out.low.push_back(of.low[i]);
      out.close.push_back(of.close[i]);
      out.volume.push_back(of.volume[i]);
    }
    return out;
  };
  must(put("late", part(200, 300), {}, "AAA"));
  must(put("early", part(0, 100), asked("2023-03-01"), "BBB"));
  EXPECT_EQ(book().markets().size(), 2u);
  must(put("whole", of, usual(), "CCC"));
  const MarketBook b = book();
  ASSERT_EQ(b.markets().size(), 1u);
  EXPECT_EQ(b.markets()[0].id, hash("late"));
  EXPECT_EQ(b.of(hash("whole"))->member(hash("whole"))->links.size(), 2u);
  // The seal of one is the seal of all.
  EXPECT_EQ(b.markets()[0].sealed_from_day, kFirstDay + 59);
}

TEST_F(Markets, ASealTravelsWithACopy) {
  const MarketColumns of = market_columns(1, 500);
  must(put("long", of, usual()));
  must(put("daily", by_day(of)));  // sealed as its market is, by no import of its own
  must(put("open", market_columns(2, 100)));
  DatasetStore there = must(DatasetStore::open(dir_ / "there"));
  const auto ship = [&](const std::string& name) {
    const DatasetOrigin origin = must(DatasetOrigin::open(store_, hash(name)));
    PartialDataset copy = must(PartialDataset::open(there, origin.shipment()));
    for (const std::uint32_t i : std::vector(copy.missing())) {
      EXPECT_TRUE(copy.put(i, must(origin.chunk(i))).ok());
    }
    must(copy.finish());
    return must(MarketBook::read(there)).of(hash(name))->sealed_from_day;
  };
  EXPECT_EQ(ship("daily"), kFirstDay + 200);
  EXPECT_EQ(ship("long"), kFirstDay + 200);
  EXPECT_EQ(ship("open"), std::nullopt);
  const MarketBook book = must(MarketBook::read(there));
  EXPECT_EQ(book.markets().size(), 2u);
  EXPECT_EQ(book.of(hash("long"))->seal.asked, "sealed where it came from");
  // A copy that goes leaves the seal, and a later import of the market has it.
  ASSERT_TRUE(ShippedCopies(there).drop(hash("long")).ok());
  EXPECT_EQ(must(MarketBook::read(there)).of(hash("long"))->sealed_from_day, kFirstDay + 200);
}

TEST_F(Markets, AnImportSealsTheLastSixtyPercentOfALongNewMarketOnly) {
  const MarketColumns of = market_columns(1, 500);
  const PutOutcome first = must(put("long", of, usual()));
  EXPECT_TRUE(first.market.sealed_now);
  EXPECT_EQ(first.market.sealed_from_day, kFirstDay + 200);
  const Market market = *book().of(hash("long"));
  EXPECT_FALSE(market.sealed(kFirstDay + 199));
  EXPECT_TRUE(market.sealed(kFirstDay + 200));
  EXPECT_TRUE(market.sealed(kFirstDay + 5'000));  // of what is appended later
  EXPECT_EQ(market.seal, (SealEntry{kFirstDay + 200, "usual", "ann", kNow}));

  // Another interval, a longer history, another name: the seal is the market's.
  const PutOutcome daily = must(put("daily", by_day(of), usual(), "ELSE"));
  EXPECT_FALSE(daily.market.sealed_now);
  EXPECT_EQ(daily.market.sealed_from_day, kFirstDay + 200);
  must(put("long", market_columns(1, 900), usual()));
  EXPECT_EQ(sealed("long"), kFirstDay + 200);

  must(put("short", market_columns(2, 299), usual()));
  EXPECT_EQ(sealed("short"), std::nullopt);
  must(put("simulated", market_columns(3, 500)));
  EXPECT_EQ(sealed("simulated"), std::nullopt);
}

TEST_F(Markets, AHistoryThatWasTriedOutInPartIsSealedWhenTheWholeComes) {
  must(put("taste", market_columns(1, 100), usual()));
  EXPECT_TRUE(must(put("whole", market_columns(1, 500), usual())).market.sealed_now);
  EXPECT_EQ(sealed("taste"), kFirstDay + 200);
  // What grows day by day is not: its days were there to be seen.
  must(put("grows", market_columns(2, 299), usual()));
  must(put("grows", market_columns(2, 301), usual()));
  EXPECT_EQ(sealed("grows"), std::nullopt);
  // What was left open on purpose stays open.
  must(put("open", market_columns(3, 100), asked("none")));
  must(put("open", market_columns(3, 500), usual()));
  EXPECT_EQ(sealed("open"), std::nullopt);
}

TEST_F(Markets, ASealIsNeverLiftedOrBegunLater) {
  const MarketColumns of = market_columns(1, 400);
  must(put("x", of, asked("0.5")));
  EXPECT_EQ(sealed("x"), kFirstDay + 200);
  const auto before = contents(dir_ / "data");
  for (const char* later : {"none", "0.3", "2023-08-01"}) {
    const auto refused = put("again", by_day(of), asked(later));
    ASSERT_FALSE(refused.ok()) << later;
    EXPECT_EQ(refused.error().code(), ErrorCode::Refused);
    EXPECT_NE(refused.error().text().find("from 2023-07-20 on are sealed"), std::string::npos)
        << refused.error().text();
    EXPECT_FALSE(put("x", of, asked(later)).ok());  // the very same bytes
  }
  EXPECT_EQ(contents(dir_ / "data"), before) << "a refused import left something";
  must(store_.remove("x"));
  EXPECT_FALSE(put("x", of, asked("none")).ok()) << "deleting lifts a seal";

  EXPECT_TRUE(must(put("again", by_day(of), asked("2023-06-01"))).market.sealed_now);
  EXPECT_EQ(sealed("again"), kFirstDay + 151);
  EXPECT_EQ(must(put("again", by_day(of), asked("0.99"))).kind, PutKind::Unchanged);
  EXPECT_EQ(sealed("again"), kFirstDay + 4);
  const Market market = *book().of(hash("again"));
  EXPECT_EQ(market.members[1].seals.size(), 2u) << "every decision stays on record";
  EXPECT_EQ(market.seal.asked, "0.99");
}

TEST_F(Markets, ASealThatIsNoneOfTheFormsIsNamed) {
  for (const char* bad : {"", "0", "1", "-0.5", "nan", "60%", "no", "2023-13-01", "0.5x"}) {
    const auto request = parse_seal(bad);
    ASSERT_FALSE(request.ok()) << bad;
    EXPECT_NE(request.error().text().find("'" + std::string(bad) + "'"), std::string::npos);
    EXPECT_NE(request.error().text().find("2023-06-01"), std::string::npos);
  }
  EXPECT_NE(error_of(parse_seal("2023-06-01T12:00")).find("whole UTC days"), std::string::npos);
  EXPECT_EQ(must(parse_seal("2023-01-01")).from_day, kFirstDay);
}

TEST_F(Markets, DatasetsFromBeforeAreFoundWithoutASealAndWrittenByTheNextImport) {
  must(put("old", market_columns(1, 400), usual()));
  must(put("old-daily", by_day(market_columns(1, 400)), usual()));
  fs::remove_all(dir_ / "data" / "markets");
  const MarketBook b = book();
  ASSERT_EQ(b.markets().size(), 1u);
  EXPECT_TRUE(b.markets()[0].members[0].found);
  EXPECT_EQ(b.markets()[0].sealed_from_day, std::nullopt);
  EXPECT_FALSE(fs::exists(dir_ / "data" / "markets")) << "a reader wrote";

  const PutOutcome next = must(put("new", market_columns(1, 800), usual()));
  EXPECT_TRUE(next.market.known);
  EXPECT_EQ(next.market.id, b.markets()[0].id);
  EXPECT_EQ(next.market.sealed_from_day, std::nullopt) << "what an old home holds counts as shown";
  const MarketBook after = book();
  EXPECT_EQ(after.markets()[0].members.size(), 3u);
  EXPECT_EQ(std::distance(fs::directory_iterator(dir_ / "data" / "markets"), {}), 6);
  // A damaged dataset is known by its name until it is whole again.
  fs::remove_all(dir_ / "data" / "markets");
  fs::remove(store_.columns_file(hash("new")));
  EXPECT_EQ(book().markets().size(), 1u);
  must(put("fourth", market_columns(9, 50), {}, "ELSE"));
  EXPECT_FALSE(fs::exists(dir_ / "data" / "markets" / (hash("new") + ".json")));
  EXPECT_EQ(book().markets().size(), 2u);
}

TEST_F(Markets, DamageIsNamedAndNeverReadAsNoSeal) {
  must(put("x", market_columns(1, 400), usual()));
  const fs::path record = dir_ / "data" / "markets" / (hash("x") + ".json");
  const fs::path print = dir_ / "data" / "markets" / (hash("x") + ".print");
  const std::string whole = read_file(record);
  for (const std::size_t at : {std::size_t{2}, std::size_t{30}, whole.size() / 2}) {
    std::string damaged = whole;
    damaged[at] ^= 1;
    write_file(record, damaged);
    const auto read = MarketBook::read(store_);
    ASSERT_FALSE(read.ok()) << at;
    EXPECT_EQ(read.error().code(), ErrorCode::Corrupt);
    EXPECT_NE(read.error().text().find(record.string()), std::string::npos);
    EXPECT_FALSE(put("y", market_columns(2, 10)).ok());
  }
  write_file(record, whole.substr(0, 10));
  EXPECT_FALSE(MarketBook::read(store_).ok());
  write_file(record, whole);
  EXPECT_EQ(sealed("x"), kFirstDay + 160);

  const std::string packed = read_file(print);
  write_file(print, packed.substr(0, packed.size() / 2));
  EXPECT_TRUE(MarketBook::read(store_).ok());  // prices are not read
  EXPECT_NE(error_of(put("y", market_columns(2, 400))).find(print.string()), std::string::npos);
  write_file(print, pack_print({}, std::string(64, 'a')));
  EXPECT_NE(error_of(put("y", market_columns(2, 400))).find("no print of dataset"),
            std::string::npos);
  fs::remove(print);
  must(put("y", by_day(market_columns(1, 400))));  // by its name
  EXPECT_EQ(book().markets().size(), 1u);
}

TEST(MarketRecordText, EverythingComesBack) {
  MarketRecord record{.number = 7,
                      .content_hash = std::string(64, 'c'),
                      .name = "n\xc3\xa4me",
                      .instrument = "BTC/USDT",
                      .interval = {kMinute},
                      .first_day = -3,
                      .last_day = 20'000,
                      .created = kNow,
                      .found = true,
                      .links = {},
                      .seals = {{std::nullopt, "none", "ann", kNow}, {5, "0.5", "", {1}}}};
  record.links.push_back({std::string(64, 'd'),
                          {.same = true,
                           .by = LikenessBy::Correlation,
                           .days = 40,
                           .days_agreed = 3,
                           .steps = 999,
                           .correlation = 0.987654321,
                           .lag_hours = -9}});
  const MarketRecord back = must(MarketRecord::from_text(record.to_text()));
  EXPECT_EQ(back.to_text(), record.to_text());
  EXPECT_EQ(back.seals, record.seals);
  EXPECT_EQ(back.links[0].likeness.correlation, 0.987654321);
  EXPECT_EQ(back.links[0].likeness.by, LikenessBy::Correlation);
  const MarketPrint print{kMinute, {{1, -2}, {3, 4}}, {{60, 1.5F}}};
  EXPECT_EQ(must(unpack_print(pack_print(print, "x"), "x")), print);
}

TEST_F(Markets, TheBookOfTwoHundredDatasetsIsReadInMilliseconds) {
  fs::create_directories(dir_ / "data/markets");
  std::string before;
  for (std::uint64_t i = 1; i <= 200; ++i) {
    MarketRecord record{.number = i,
                        .content_hash = sha256_hex(std::to_string(i)),
                        .name = "d" + std::to_string(i),
                        .instrument = "BTCUSDT",
                        .interval = {kMinute},
                        .first_day = kFirstDay,
                        .last_day = kFirstDay + 700,
                        .created = kNow,
                        .links = {},
                        .seals = {}};
    if (i % 2 == 0) record.links.push_back({before, {.same = true, .correlation = {}}});
    before = record.content_hash;
    const fs::path name = dir_ / ("data/names/" + record.name);
    fs::create_directories(name);
    write_file(name / (record.content_hash + ".json"), "not read");
    write_file(name / "current", record.content_hash + "\n");
    write_file(dir_ / ("data/markets/" + record.content_hash + ".json"), record.to_text());
  }
  double best = 1e9;
  for (int turn = 0; turn < 5; ++turn) {
    const auto start = std::chrono::steady_clock::now();
    EXPECT_EQ(book().markets().size(), 100u);
    best = std::min(
        best, std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start)
                  .count());
  }
  std::printf("200 datasets in %.2f ms\n", best);
  EXPECT_LT(best, 200);  // some 6 where nothing else runs
}

/// Files of the real markets, where they are; else the test has nothing to say.
class RealMarkets : public Markets {
 protected:
  static fs::path data(const char* file) {
    const char* variable = std::getenv("WINNOW_SHARED");
    const fs::path shared = variable != nullptr
                                ? fs::path(variable)
                                : fs::path(WINNOW_SOURCE_DIR).parent_path() / "shared";
    return shared / "data" / file;
  }
  void SetUp() override {
    if (!fs::exists(data("binance-perp-5m-cyft"))) GTEST_SKIP() << "no market data here";
  }
  MarketPrint print(const std::string& name, const char* file) {
    const fs::path path = data(file);
    ImportRequest request = request_of({path}, name);
    request.layout = *find_layout("ohlcv");
    request.instrument = name;
    request.last_bar = LastBar::Drop;
    must(import_dataset(store_, request));
    return print_market(must(store_.load(name)).view());
  }
};

TEST_F(RealMarkets, TheFiguresOfTheDesignAreReached) {
  const std::string folder = "binance-perp-5m-cyft/";
  const MarketPrint btc = print("AA", (folder + "BTCUSDT-PERP-5m-futures.csv.gz").c_str());
  const MarketPrint btc_hourly = print("BB", (folder + "BTCUSDT-PERP-1h-futures.csv.gz").c_str());
  const MarketPrint btc_mark = print("CC", (folder + "BTCUSDT-PERP-8h-mark.csv.gz").c_str());
  const MarketPrint eth = print("DD", (folder + "ETHUSDT-PERP-5m-futures.csv.gz").c_str());
  const auto compare = [&](const char* what, const MarketPrint& a, const MarketPrint& b) {
    const auto start = std::chrono::steady_clock::now();
    const MarketLikeness like = compare_markets({a, "A"}, {b, "B"});
    const std::chrono::duration<double, std::milli> took = std::chrono::steady_clock::now() - start;
    std::printf("%s: %u of %u days (%.1f%%), correlation %.3f of %u at %d h, %.2f ms\n", what,
                like.days_agreed, like.days, 100 * like.agreed_frac(), like.correlation.value_or(0),
                like.steps, like.lag_hours, took.count());
    return like;
  };
  const MarketLikeness copy = compare("5m, 1h", btc, btc_hourly);
  EXPECT_TRUE(copy.same);
  EXPECT_GE(copy.agreed_frac(), 0.998);
  const MarketLikeness mark = compare("last, mark", btc, btc_mark);
  EXPECT_TRUE(mark.same);
  const MarketLikeness other = compare("BTC, ETH", btc, eth);
  EXPECT_FALSE(other.same);
  EXPECT_LT(other.agreed_frac(), 0.02);
  ASSERT_TRUE(other.correlation);
  EXPECT_NEAR(*other.correlation, 0.82, 0.03);
  // The day cut one hour later.
  MarketColumns cut;
  const Dataset hourly = must(store_.load("BB"));
  cut.interval_ns = 24 * 60 * kMinute;
  for (std::size_t i = 1; i + 24 <= hourly.view().size(); i += 24) {
    cut.time_ns.push_back(hourly.view().time_ns[i]);
    for (auto* column : {&cut.open, &cut.high, &cut.low, &cut.close}) {
      column->push_back(hourly.view().close[i + 23]);
    }
    cut.volume.push_back(0);
  }
  const MarketLikeness later = compare("day cut an hour later", btc, print_market(cut.view()));
  EXPECT_TRUE(later.same);
  EXPECT_LT(later.agreed_frac(), 0.05);
  EXPECT_GT(*later.correlation, 0.999);
  const MarketPrint minute = print("EE", "binance-perp-1m-dcatp/BTCUSDT-PERP-1m-futures.csv.gz");
  EXPECT_EQ(compare("2023-24, 2025", btc, minute).by, LikenessBy::Name);
  const MarketPrint eth_minute =
      print("FF", "binance-perp-1m-dcatp/ETHUSDT-PERP-1m-futures.csv.gz");
  EXPECT_FALSE(compare("1m BTC, ETH", minute, eth_minute).same);
  EXPECT_EQ(book().markets().size(), 4u);  // names differ here: only figures join
}

}  // namespace
}  // namespace winnow::store::test
