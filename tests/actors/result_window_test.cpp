#include "actors/result_window.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <latch>
#include <thread>
#include <vector>

namespace winnow::actors {
namespace {

TEST(ResultWindow, LetsInWhileThereIsRoomAndAgainWhenThereIs) {
  ResultWindow window(100);
  window.enter(60);
  window.enter(60);  // there was room when it came
  std::atomic<bool> in = false;
  std::jthread third([&] {
    window.enter(60);
    in = true;
  });
  // Both are sent now and not acknowledged: that changes nothing.
  window.handed_over(60, 60);
  window.handed_over(60, 120);
  EXPECT_FALSE(in.load());
  window.under_way(60);  // the first is acknowledged
  third.join();
  EXPECT_TRUE(in.load());
}

TEST(ResultWindow, WhatIsLetInNeverPassesItsLimitByMoreThanABlock) {
  constexpr std::size_t kWorkers = 4;
  constexpr std::size_t kBytes = 10;
  constexpr std::size_t kMax = 55;
  constexpr int kBlocks = 500;
  ResultWindow window(kMax);
  std::atomic<std::size_t> sent = 0;
  std::atomic<std::size_t> most = 0;
  std::vector<std::jthread> workers;
  for (std::size_t w = 0; w < kWorkers; ++w) {
    workers.emplace_back([&] {
      for (int b = 0; b < kBlocks; ++b) {
        window.enter(kBytes);
        const std::size_t now = sent += kBytes;
        for (std::size_t seen = most; now > seen && !most.compare_exchange_weak(seen, now);) {
        }
      }
    });
  }
  // The core and the coordinator in one: every block is handed over and acknowledged at once.
  for (std::size_t done = 0; done < kWorkers * kBlocks;) {
    if (sent.load() == 0) {
      std::this_thread::yield();
      continue;
    }
    sent -= kBytes;
    window.handed_over(kBytes, 0);
    ++done;
  }
  workers.clear();
  EXPECT_LT(most.load(), kMax + kBytes);
  EXPECT_EQ(sent.load(), 0u);
}

TEST(ResultWindow, NobodyWaitsForANodeThatLeaves) {
  ResultWindow window(10);
  window.enter(10);
  std::latch ended(2);
  std::jthread a([&] {
    window.enter(10);
    ended.count_down();
  });
  std::jthread b([&] {
    window.enter(10);
    ended.count_down();
  });
  window.open_for_good();
  ended.wait();
  SUCCEED();
}

}  // namespace
}  // namespace winnow::actors
