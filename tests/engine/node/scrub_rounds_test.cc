// The coin store is scrubbed while the node stands at the tip and has nothing else to do, and what it finds stops the
// node.
#include <chrono>
#include <filesystem>
#include <fstream>
#include <thread>

#include "tests/engine/node/node_fixture.h"

namespace headrace {
namespace {

using testing::NodeFixture;
using testing::TestNode;

class ScrubRoundsTest : public NodeFixture {
 protected:
  static constexpr int64_t kIntervalS = 7200;

  ScrubRoundsTest() {
    options_.peers = nullptr;
    options_.node.scrub_interval_ns = kIntervalS * 1'000'000'000;
  }
  // A node at the tip of its chain, which has published a checkpoint.
  std::unique_ptr<TestNode> StartAtTip() {
    auto node = std::make_unique<TestNode>(options_);
    for (const auto& block : chain_.blocks()) node->Offer(*block);
    node->RunUntilQuiet();
    node->PassTime(61);
    node->RunUntil([&] { return node->Status().coin_store.checkpoints != 0; });
    return node;
  }
  // As many seconds, each with some turns; the first failure ends them.
  static absl::Status Pass(TestNode& node, int64_t seconds) {
    for (int64_t second = 0; second < seconds; ++second) {
      node.PassTime(1);
      for (int turn = 0; turn < 3; ++turn) {
        const absl::StatusOr<bool> turned = node.Turn();
        if (!turned.ok()) return turned.status();
      }
    }
    return absl::OkStatus();
  }
  // The disk may need longer than the time that has passed by the node's clock.
  static void RunUntilRounds(TestNode& node, uint64_t rounds) {
    node.RunUntil([&] { return node.coins().counters().scrub_rounds == rounds; });
  }
  void EndInitialDownload(TestNode& node) { node.SetNow(int64_t{node.Status().applied_time_s} + 600); }
};

TEST_F(ScrubRoundsTest, ARoundComesAnHourAfterTheStartAndOneAfterEachInterval) {
  const std::unique_ptr<TestNode> node = StartAtTip();
  EndInitialDownload(*node);
  ASSERT_TRUE(Pass(*node, 3000).ok());
  EXPECT_EQ(node->coins().counters().scrub_bytes, 0u);
  ASSERT_TRUE(Pass(*node, 1500).ok());
  ASSERT_NO_FATAL_FAILURE(RunUntilRounds(*node, 1));
  const uint64_t bytes = node->coins().counters().scrub_bytes;
  EXPECT_GT(bytes, 0u);
  ASSERT_TRUE(Pass(*node, kIntervalS).ok());
  ASSERT_NO_FATAL_FAILURE(RunUntilRounds(*node, 2));
  EXPECT_EQ(node->coins().counters().scrub_bytes, 2 * bytes);
}

TEST_F(ScrubRoundsTest, NothingIsScrubbedBelowTheTip) {
  const std::unique_ptr<TestNode> node = StartAtTip();
  // The tip is years old: more blocks are on their way.
  ASSERT_TRUE(Pass(*node, 5000).ok());
  EXPECT_EQ(node->coins().counters().scrub_bytes, 0u);
}

TEST_F(ScrubRoundsTest, AnIntervalOfZeroIsNever) {
  options_.node.scrub_interval_ns = 0;
  const std::unique_ptr<TestNode> node = StartAtTip();
  EndInitialDownload(*node);
  ASSERT_TRUE(Pass(*node, 2 * kIntervalS).ok());
  EXPECT_EQ(node->coins().counters().scrub_bytes, 0u);
}

TEST_F(ScrubRoundsTest, WhatRotsStopsTheNodeWithASentence) {
  const std::unique_ptr<TestNode> node = StartAtTip();
  EndInitialDownload(*node);
  std::string path;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(directory_.path())) {
    if (entry.path().filename().string().starts_with("segment-")) path = entry.path().string();
  }
  ASSERT_FALSE(path.empty());
  {
    std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
    file.seekg(100);
    const auto byte = static_cast<char>(file.get() ^ 4);
    file.seekp(100);
    file.put(byte);
  }
  absl::Status status = Pass(*node, 5000);
  for (int waits = 0; status.ok() && waits < 100'000; ++waits) {
    std::this_thread::sleep_for(std::chrono::microseconds(100));
    status = node->Turn().status();
  }
  ASSERT_EQ(status.code(), absl::StatusCode::kDataLoss) << status;
  EXPECT_NE(status.message().find(path + " is damaged at byte 0"), absl::string_view::npos) << status;
  EXPECT_NE(status.message().find("-reindex-chainstate"), absl::string_view::npos) << status;
}

}  // namespace
}  // namespace headrace
