// What is made at first use is whole for every thread that uses it, also for those that come later and were told by
// nobody. In a process of its own, where nothing was used before.

#include <atomic>
#include <cstdlib>
#include <thread>
#include <vector>

#include "engine/crypto/muhash.h"
#include "engine/crypto/sha256.h"
#include "engine/crypto/signing.h"
#include "gtest/gtest.h"
#include "tests/stress/stress_size.h"

namespace headrace::testing {
namespace {

// Every lazily made table of engine/crypto.
void UseCrypto() {
  const std::vector<uint8_t> bytes(200, 1);
  Sha256d(bytes);
  SecretKey secret{};
  secret[31] = 1;
  PublicKeyOf(secret, true);
  MuHash set;
  set.Insert(bytes);
  set.Finish();
}

// Returns whether the second thread came after the first had used everything.
bool UseOneAfterTheOther() {
  // Relaxed: time passes between the two, and nothing else is known. A thread sanitizer report ends the process with
  // another status.
  std::atomic<bool> is_used{false};
  const StressDeadline deadline;
  bool came_after = false;
  std::thread first([&] {
    UseCrypto();
    is_used.store(true, std::memory_order_relaxed);
  });
  std::thread second([&] {
    came_after = deadline.Await([&] { return is_used.load(std::memory_order_relaxed); });
    UseCrypto();
  });
  first.join();
  second.join();
  return came_after;
}

TEST(FirstUseStress, WhatOneThreadMadeAnotherSeesWhole) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_EXIT(std::exit(UseOneAfterTheOther() ? 0 : 1), ::testing::ExitedWithCode(0), "");
}

}  // namespace
}  // namespace headrace::testing
