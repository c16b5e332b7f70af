#include "engine/runtime/tbb_executor.h"

#include <atomic>
#include <thread>

#include "engine/runtime/component_thread.h"
#include "gtest/gtest.h"

namespace headrace {
namespace {

TEST(TbbExecutor, ParallelForCoversEveryIndexOnce) {
  auto executor = MakeTbbExecutor(2);
  for (size_t count : {0u, 1u, 2u, 7u, 1000u}) {
    for (size_t grain : {0u, 1u, 3u, 1000u, 2000u}) {
      std::vector<std::atomic<int>> hits(count);
      executor->ParallelFor(count, grain, [&](size_t begin, size_t end) {
        for (size_t i = begin; i < end; ++i) hits[i].fetch_add(1);
      });
      for (const auto& hit : hits) EXPECT_EQ(hit.load(), 1);
    }
  }
}

TEST(TbbExecutor, TokensFollowTheChosenSuccessor) {
  auto executor = MakeTbbExecutor(2);
  std::atomic<int> odd{0}, even{0};
  auto graph = executor->MakeGraph({
      {"split", 0, [](TaskToken token) { return static_cast<int>(*static_cast<int*>(token) % 2); }, {1, 2}},
      {"even", 1, [&](TaskToken) { return even.fetch_add(1), -1; }, {}},
      {"odd", 0, [&](TaskToken) { return odd.fetch_add(1), -1; }, {}},
  });
  std::vector<int> tokens(1001);
  for (int i = 0; i < 1001; ++i) tokens[i] = i;
  for (int& token : tokens) graph->Put(0, &token);
  graph->WaitUntilEmpty();
  EXPECT_EQ(even.load(), 501);
  EXPECT_EQ(odd.load(), 500);
}

TEST(TbbExecutor, FrontierWorkFinishesWhileTheBackgroundIsFlooded) {
  auto executor = MakeTbbExecutor(2);
  std::atomic<bool> release{false};
  auto graph = executor->MakeGraph({{"block",
                                     0,
                                     [&](TaskToken) {
                                       while (!release.load()) std::this_thread::yield();
                                       return -1;
                                     },
                                     {}}});
  int token = 0;
  for (int i = 0; i < 8; ++i) graph->Put(0, &token);
  std::atomic<int> sum{0};
  executor->ParallelFor(100, 1, [&](size_t begin, size_t end) { sum += static_cast<int>(end - begin); });
  EXPECT_EQ(sum.load(), 100);
  release = true;
  graph->WaitUntilEmpty();
}

TEST(ComponentThread, AStepAfterEveryRing) {
  FutexDoorbell doorbell;
  std::atomic<int> wanted{0}, done{0};
  ComponentThread thread("test", &doorbell, 60'000, [&] {
    if (done.load() == wanted.load()) return false;
    done.fetch_add(1);
    return true;
  });
  for (int i = 0; i < 1000; ++i) {
    wanted.fetch_add(1);
    doorbell.Ring();
    while (done.load() != wanted.load()) std::this_thread::yield();
  }
  thread.Stop();
  EXPECT_EQ(done.load(), 1000);
}

}  // namespace
}  // namespace headrace
