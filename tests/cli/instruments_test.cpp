#include "cli/instruments.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>

namespace winnow::cli {
namespace {

namespace fs = std::filesystem;

TEST(FaultA12, TheProfileOfAnInstrumentIsDeclaredAndTheHomeMaySayOtherwise) {
  const fs::path home =
      fs::temp_directory_path() / ("winnow-instruments-" + std::to_string(::getpid()));
  fs::create_directories(home / "configs");
  const fs::path configs = WINNOW_SOURCE_DIR "/configs";
  EXPECT_EQ(*profile_for("BTCUSDT", home, configs), "binance-usdm");
  EXPECT_EQ(*profile_for("btc-usdt-swap", home, configs), "okx-swap");
  std::ofstream(home / "configs" / "instruments.yaml") << "BTCUSDT: binance-spot\n";
  EXPECT_EQ(*profile_for("BTC-USDT", home, configs), "binance-spot");
  EXPECT_EQ(*profile_for("ETHUSDT", home, configs), "binance-usdm");
  const auto none = profile_for("SIM", home, configs);
  ASSERT_FALSE(none.ok());
  EXPECT_EQ(none.error().code(), ErrorCode::InvalidInput);
  for (const char* const part : {"'SIM'", "binance-spot", "okx-swap", "--execution none"}) {
    EXPECT_NE(none.error().text().find(part), std::string::npos) << none.error().text();
  }
  std::ofstream(home / "configs" / "instruments.yaml") << "BTCUSDT: [a]\n";
  EXPECT_NE(profile_for("BTCUSDT", home, configs).error().text().find("instruments.yaml:1"),
            std::string::npos);
  std::error_code ec;
  fs::remove_all(home, ec);
}

}  // namespace
}  // namespace winnow::cli
