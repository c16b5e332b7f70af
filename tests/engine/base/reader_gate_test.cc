#include "engine/base/reader_gate.h"

#include <atomic>
#include <thread>
#include <vector>

#include "gtest/gtest.h"

namespace headrace {
namespace {

TEST(ReaderGate, ReadersSeeWholeChangesAndDoNotKeepTheWriterOut) {
  constexpr int kChanges = 2000;
  ReaderGate gate;
  int first = 0;
  int second = 0;
  std::atomic<bool> stop{false};
  std::atomic<int> torn{0};
  std::vector<std::thread> readers;
  for (int i = 0; i < 4; ++i) {
    readers.emplace_back([&] {
      while (!stop.load()) {
        const std::shared_lock lock(gate);
        if (first != second) torn.fetch_add(1);
      }
    });
  }
  // Ends only if the writer gets in although there is always a reader inside.
  for (int i = 0; i < kChanges; ++i) {
    const std::lock_guard lock(gate);
    ++first;
    ++second;
  }
  stop = true;
  for (std::thread& reader : readers) reader.join();
  EXPECT_EQ(torn.load(), 0);
  EXPECT_EQ(first, kChanges);
}

}  // namespace
}  // namespace headrace
