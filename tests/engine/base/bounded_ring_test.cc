// The bounded ring: order, fullness, ownership, and a stress of many producers and consumers.
#include "engine/base/bounded_ring.h"

#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <thread>
#include <vector>

namespace headrace {
namespace {

TEST(BoundedRing, KeepsOrderAndRefusesWhenFull) {
  BoundedRing<int> ring(4);
  EXPECT_EQ(ring.capacity(), 4u);
  EXPECT_FALSE(ring.TryPop());
  for (int lap = 0; lap < 10; ++lap) {
    for (int i = 0; i < 4; ++i) EXPECT_TRUE(ring.TryPush(lap * 4 + i));
    EXPECT_EQ(ring.size_hint(), 4u);
    EXPECT_FALSE(ring.TryPush(-1));
    for (int i = 0; i < 4; ++i) EXPECT_EQ(ring.TryPop(), lap * 4 + i);
    EXPECT_FALSE(ring.TryPop());
    EXPECT_EQ(ring.size_hint(), 0u);
  }
}

TEST(BoundedRing, RefusedValueIsUntouchedAndPoppedValueIsLetGo) {
  BoundedRing<std::shared_ptr<int>> ring(2);
  std::weak_ptr<int> first_seen;
  {
    auto first = std::make_shared<int>(1);
    first_seen = first;
    ASSERT_TRUE(ring.TryPush(std::move(first)));
  }
  ASSERT_TRUE(ring.TryPush(std::make_shared<int>(2)));
  auto refused = std::make_shared<int>(3);
  EXPECT_FALSE(ring.TryPush(std::move(refused)));
  ASSERT_NE(refused, nullptr);
  EXPECT_EQ(*refused, 3);
  ring.TryPop().reset();
  EXPECT_TRUE(first_seen.expired()) << "the emptied cell still holds the value";
}

TEST(BoundedRing, CapacityMustBeAPowerOfTwo) {
  EXPECT_DEATH(BoundedRing<int>(3), "Internal error");
  EXPECT_DEATH(BoundedRing<int>(1), "Internal error");
}

TEST(BoundedRing, ManyThreadsLoseAndDoubleNothing) {
  constexpr int kProducers = 3, kConsumers = 3;
  constexpr uint64_t kEach = 20'000;
  BoundedRing<std::unique_ptr<uint64_t>> ring(16);
  std::vector<std::atomic<uint8_t>> seen(kProducers * kEach);
  std::atomic<uint64_t> popped{0};
  std::atomic<bool> order_kept{true};
  std::vector<std::thread> threads;
  for (uint64_t producer = 0; producer < kProducers; ++producer) {
    threads.emplace_back([&, producer] {
      for (uint64_t i = 0; i < kEach; ++i) {
        auto value = std::make_unique<uint64_t>(producer * kEach + i);
        while (!ring.TryPush(std::move(value))) std::this_thread::yield();
      }
    });
  }
  for (int consumer = 0; consumer < kConsumers; ++consumer) {
    threads.emplace_back([&] {
      // What one consumer gets of one producer comes in that producer's order.
      int64_t last[kProducers] = {-1, -1, -1};
      while (popped.load() < kProducers * kEach) {
        auto value = ring.TryPop();
        if (!value) {
          std::this_thread::yield();
          continue;
        }
        popped.fetch_add(1);
        seen[**value].fetch_add(1);
        int64_t& before = last[**value / kEach];
        const auto position = static_cast<int64_t>(**value % kEach);
        if (position <= before) order_kept = false;
        before = position;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_TRUE(order_kept);
  for (const auto& count : seen) ASSERT_EQ(count.load(), 1);
}

}  // namespace
}  // namespace headrace
