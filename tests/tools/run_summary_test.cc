#include "tools/headraced/run_summary.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <nlohmann/json.hpp>

#include "tests/support/data.h"
#include "tests/support/process.h"
#include "tests/support/temporary_directory.h"
#include "tools/headraced/report_file.h"

namespace headrace {
namespace {

constexpr int64_t kSecond = 1'000'000'000;

PeerStatus Peer(uint64_t id, uint64_t blocks) {
  PeerStatus peer;
  peer.id = id;
  peer.address = "127.0.0.1:" + std::to_string(1000 + id);
  peer.user_agent = "/a\xff/";
  peer.blocks_received = blocks;
  peer.blocks_in_flight_max = 16;
  return peer;
}

NodeStatus StatusWith(uint32_t height, std::vector<PeerStatus> peers) {
  NodeStatus status;
  status.chain = "regtest";
  status.header_height = 100;
  status.applied_height = height;
  status.blocks_applied = height - 10;
  status.block_bytes = status.blocks_applied * 1'000'000;
  status.peers = std::move(peers);
  status.blocks_in_flight_max_per_peer = 16;
  return status;
}

TEST(RunSummaryTest, RatesEndWithTheLastBlockAndPeersThatLeftAreRemembered) {
  RunSummary summary;
  summary.Start(StatusWith(10, {}), 5 * kSecond);
  summary.Observe(StatusWith(50, {Peer(1, 30), Peer(2, 10), Peer(3, 0)}), ProcessUsage(), 10 * kSecond);
  summary.Observe(StatusWith(100, {Peer(2, 60)}), ProcessUsage(), 14 * kSecond);
  ProcessUsage usage;
  usage.cpu_seconds = 3.5;
  usage.resident_bytes_max = 1000;
  NodeStatus last = StatusWith(100, {});
  SpanLengths& windows = last.span_lengths[static_cast<size_t>(SpanKind::kResolve)];
  windows.count[SpanLengths::ClassOf(7'000'000)] = 3;
  windows.count[SpanLengths::ClassOf(1'500'000'000)] = 1;
  windows.longest_ns = 1'500'000'000;
  summary.Finish(last, usage, 100 * kSecond);

  const nlohmann::json json = nlohmann::json::parse(summary.ToJson());
  EXPECT_EQ(json["chain"], "regtest");
  EXPECT_EQ(json["start_height"], 10);
  EXPECT_EQ(json["height"], 100);
  EXPECT_EQ(json["blocks"], 90);
  EXPECT_DOUBLE_EQ(json["seconds"], 95);
  EXPECT_DOUBLE_EQ(json["sync_seconds"], 9) << "standing at the tip is not syncing";
  EXPECT_DOUBLE_EQ(json["megabytes_per_second"], 10);
  EXPECT_DOUBLE_EQ(json["cpu_seconds"], 3.5);
  EXPECT_EQ(json["blocks_in_flight_max_per_peer"], 16);
  EXPECT_EQ(json["stage_ms"].size(), 1u) << "stages that did nothing have no lengths";
  EXPECT_EQ(json["stage_ms"]["resolve"], nlohmann::json::parse(R"({"<=10": 3, ">1000": 1, "longest": 1500.0})"));
  ASSERT_EQ(json["peers"].size(), 2u) << "who gave and took nothing is left out";
  EXPECT_EQ(json["peers"][0]["blocks"], 30);
  EXPECT_NEAR(json["peers"][0]["share"].get<double>(), 1.0 / 3, 1e-9);
  EXPECT_EQ(json["peers"][1]["blocks"], 60);
  EXPECT_THAT(summary.ToText(), ::testing::HasSubstr("60 blocks (67 %)"));
}

// Each of its own moment, and their sums of the moment when they were largest.
TEST(RunSummaryTest, MemoryIsTheLargestThatWasSeen) {
  RunSummary summary;
  summary.Start(StatusWith(10, {}), 0);
  NodeStatus status = StatusWith(50, {});
  status.coin_store.memory = {
      .index_bytes = 1, .young_bytes = 50, .free_bytes = 2, .written_bytes = 3, .filling_bytes = 4, .copies_bytes = 5, .window_bytes = 6};
  status.block_memory = {.slab_bytes = 100, .working_bytes = 20, .pool_bytes = 7, .undo_bytes = 8};
  ProcessUsage usage;
  usage.anonymous_bytes = 500;
  summary.Observe(status, usage, kSecond);
  status.coin_store.memory = {.index_bytes = 10, .young_bytes = 20};
  status.block_memory = {.slab_bytes = 10, .working_bytes = 30, .pool_bytes = 70};
  usage.anonymous_bytes = 400;
  summary.Observe(status, usage, 2 * kSecond);
  summary.Finish(StatusWith(50, {}), ProcessUsage(), 3 * kSecond);
  const nlohmann::json json = nlohmann::json::parse(summary.ToJson());
  EXPECT_EQ(json["memory_anonymous_bytes_max"], 500);
  EXPECT_EQ(json["memory_bytes_max"]["coins"],
            nlohmann::json::parse(
                R"({"index": 10, "young": 50, "free": 2, "written": 3, "filling": 4, "copies": 5, "window": 6, "sum": 71})"));
  EXPECT_EQ(json["memory_bytes_max"]["blocks"],
            nlohmann::json::parse(R"({"slabs": 100, "working": 30, "pool": 70, "undo": 8, "sum": 135})"));
  EXPECT_EQ(json["memory_bytes_max"]["sum"], 206);
  EXPECT_EQ(json["memory_bytes_max"]["rest"], 294) << "of the moment when least of what there was had an owner";
}

TEST(RunSummaryTest, ColdReadsHaveTheirDepthAndRate) {
  RunSummary summary;
  summary.Start(StatusWith(10, {}), 0);
  NodeStatus status = StatusWith(50, {});
  status.coin_store.segment_bytes_written = 700;
  status.coin_store.image_bytes_written = 300;
  status.coin_store.disk_bytes = 900;
  status.block_bytes_written = 5000;
  status.coin_store.cold_reads = {.reads = 600, .pages = 800, .in_flight_max = 90, .busy_ns = 2'000'000'000, .waited_ns = 50'000'000'000};
  summary.Finish(status, ProcessUsage(), 3 * kSecond);
  const nlohmann::json json = nlohmann::json::parse(summary.ToJson());
  EXPECT_EQ(json["disk_bytes_written"], 6000);
  EXPECT_EQ(json["coin_store"], nlohmann::json::parse(R"({"segment_bytes_written": 700, "image_bytes_written": 300,
      "disk_bytes": 900, "cold_reads": {"reads": 600, "pages": 800, "in_flight_max": 90, "in_flight_average": 25.0,
      "seconds": 2.0, "reads_per_second": 300.0}})"));
}

TEST(RunSummaryTest, ARunThatDidNothingHasNoRates) {
  RunSummary summary;
  summary.Start(StatusWith(10, {}), 0);
  summary.Finish(StatusWith(10, {}), ProcessUsage(), 0);
  const nlohmann::json json = nlohmann::json::parse(summary.ToJson());
  EXPECT_EQ(json["megabytes_per_second"], 0);
  EXPECT_EQ(json["sync_seconds"], 0);
}

TEST(RunSummaryTest, TheFileIsWholeOrAbsent) {
  const testing::TemporaryDirectory directory;
  RunSummary summary;
  summary.Start(StatusWith(10, {}), 0);
  const std::string path = directory.path() + "/summary.json";
  ASSERT_TRUE(WriteReportFile(path, "summary file", summary.ToJson()).ok());
  EXPECT_EQ(testing::ReadJson(path)["height"], 10);
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(directory.path()), {}), 1) << "nothing is left beside it";
  const absl::Status refused = WriteReportFile(directory.path() + "/absent/summary.json", "summary file", summary.ToJson());
  EXPECT_THAT(std::string(refused.message()), ::testing::HasSubstr("absent/summary.json"));
}

TEST(ProcessUsageTest, ThisProcessUsesSomething) {
  const ProcessUsage usage = ReadProcessUsage();
  EXPECT_GT(usage.resident_bytes, 1'000'000u);
  EXPECT_GE(usage.resident_bytes_max, usage.resident_bytes);
  EXPECT_GT(usage.anonymous_bytes, 100'000u);
  EXPECT_LT(usage.anonymous_bytes, usage.resident_bytes) << "the program itself is a file";
  EXPECT_GT(usage.cpu_seconds, 0);
}

}  // namespace
}  // namespace headrace
