#include "base/instrument.hpp"

#include <gtest/gtest.h>

namespace winnow {
namespace {

struct Named {
  const char* name;
  const char* canonical;
  MarketKind kind;
};

TEST(Instrument, A14AliasesOfVenuesHaveOneCanonicalName) {
  using enum MarketKind;
  const Named names[] = {
      {"BTCUSDT", "BTC/USDT", Unsaid},
      {"btc-usdt", "BTC/USDT", Unsaid},
      {"BTC_USDT", "BTC/USDT", Unsaid},
      {"BTC/USDT", "BTC/USDT", Unsaid},
      {"BINANCE:BTCUSDT", "BTC/USDT", Unsaid},
      {"BTC/USDT:USDT", "BTC/USDT:USDT", Perpetual},
      {"BTCUSDT.P", "BTC/USDT:USDT", Perpetual},
      {"BINANCE:BTCUSDT.P", "BTC/USDT:USDT", Perpetual},
      {"BTCUSDT-PERP", "BTC/USDT:USDT", Perpetual},
      {"BTCUSDT_PERP", "BTC/USDT:USDT", Perpetual},
      {"BTCUSDTPERP", "BTC/USDT:USDT", Perpetual},
      {"BTC/USDT-PERP", "BTC/USDT:USDT", Perpetual},
      {"BTC-USDT-SWAP", "BTC/USDT:USDT", Perpetual},
      {"XBTUSDTM", "BTC/USDT:USDT", Perpetual},
      {"BTC-USD-SWAP", "BTC/USD:BTC", Perpetual},
      {"BTCUSD_PERP", "BTC/USD:BTC", Perpetual},
      {"BTC-PERPETUAL", "BTC/USD:BTC", Perpetual},
      {"PI_XBTUSD", "BTC/USD:BTC", Perpetual},
      {"XBTUSD", "BTC/USD", Unsaid},
      {"XXBTZUSD", "BTC/USD", Unsaid},
      {"XTZUSD", "XTZ/USD", Unsaid},
      {"tBTCUSD", "BTC/USD", Unsaid},
      {"tBTCUST", "BTC/USDT", Unsaid},
      {"BTC/USD:BTC-240628", "BTC/USD:BTC-240628", Future},
      {"BTCUSDT_240628", "BTC/USDT:USDT-240628", Future},
      {"BTC-29MAR24", "BTC/USD:BTC-29MAR24", Future},
      {"ETHBTC", "ETH/BTC", Unsaid},
      {"EURUSD", "EUR/USD", Unsaid},
  };
  for (const Named& n : names) {
    const auto parsed = parse_instrument(n.name);
    ASSERT_TRUE(parsed) << n.name;
    EXPECT_EQ(parsed->canonical(), n.canonical) << n.name;
    EXPECT_EQ(parsed->kind, n.kind) << n.name;
  }
  for (const char* name :
       {"AAPL", "SPY", "^GSPC", "", "ATOM", "USDT", "BTC/USDT:USDT-240628-70000-C"}) {
    EXPECT_FALSE(parse_instrument(name)) << name;
  }
  EXPECT_EQ(canonical_instrument("aapl"), "AAPL");
}

TEST(Instrument, A14SpotAndPerpetualAreNotTheSame) {
  EXPECT_TRUE(same_instrument("BTC/USDT:USDT", "BTCUSDT.P"));
  EXPECT_TRUE(same_instrument("BTCUSDT", "BTC-USDT-SWAP"));  // BTCUSDT does not say
  EXPECT_FALSE(same_instrument("BTC-USDT-SPOT", "BTC-USDT-SWAP"));
  EXPECT_FALSE(same_instrument("BTC-USD-SWAP", "BTC-USDT-SWAP"));
  EXPECT_FALSE(same_instrument("BTC/USD:USD", "BTC/USD:BTC"));
  EXPECT_FALSE(same_instrument("BTCUSDT_240628", "BTCUSDT.P"));
  EXPECT_FALSE(same_instrument("ETHUSDT", "BTCUSDT"));
  EXPECT_TRUE(same_instrument("brk.b", "BRK-B"));
  const std::string_view names[] = {"BTCUSDT", "BTC-USDT-SWAP", "ETHUSDT"};
  EXPECT_EQ(find_instrument(names, "BTC/USDT:USDT"), 1u);
  EXPECT_EQ(find_instrument(names, "BTC_USDT"), 0u);
  EXPECT_EQ(find_instrument(names, "ETHUSDT.P"), 2u);
  EXPECT_EQ(find_instrument(names, "SOLUSDT"), std::nullopt);
}

}  // namespace
}  // namespace winnow
