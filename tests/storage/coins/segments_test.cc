// Segments that are filled to the last byte, side by side in the location space; and the memory of those that end before it.
#include <gtest/gtest.h>
#include <sys/mman.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <deque>
#include <memory>
#include <vector>

#include "storage/coins/segment_writer.h"
#include "storage/file/open_file_system.h"
#include "tests/support/temporary_directory.h"

namespace headrace::testing {
namespace {

// A space with a writer of its own.
class SegmentsTest : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(space_.Reserve(directory_.path()).ok());
    writer_.set_next_serial(1);
  }

  const TemporaryDirectory directory_;
  const std::unique_ptr<FileSystem> files_ = OpenFileSystem().value();
  RecordSpace space_;
  SegmentWriter writer_{&space_, files_.get(), directory_.path(), 0};
};
class FullSegments : public SegmentsTest {};
class EndedSegments : public SegmentsTest {};

// What one segment's file maps must not reach into the next segment, young, open or sealed.
TEST_F(FullSegments, LeaveTheirNeighboursAlone) {
  constexpr size_t kWords = 8;
  constexpr uint64_t kRecords = 2 * kSegmentBytes / (kWords * 8) + kSegmentBytes / (kWords * 8) / 8;
  std::vector<RecordLocation> locations(kRecords);
  RecordSpace::YoungChunk young;
  for (uint64_t number = 0; number < kRecords; ++number) {
    std::array<uint64_t, kWords> record;
    record.fill(number + 1);
    const ByteSpan bytes(reinterpret_cast<const uint8_t*>(record.data()), sizeof(record));
    ASSERT_TRUE(writer_.Append(bytes, locations[number]).ok());
    // While the first is being filled young memory takes the id after it.
    if (number == 10) {
      young = space_.TakeYoungChunk();
      std::memset(young.at, 0x5a, kYoungChunkBytes);
    }
  }
  ASSERT_TRUE(writer_.Seal().ok());
  ASSERT_TRUE(writer_.Settle(true, 0).value());

  for (uint32_t at = 0; at < kYoungChunkBytes; ++at) ASSERT_EQ(young.at[at], 0x5a) << at;
  for (uint64_t number = 0; number < kRecords; ++number) {
    std::array<uint64_t, kWords> record;
    ASSERT_EQ(space_.CopyAnything(locations[number], record), sizeof(record));
    for (const uint64_t word : record) ASSERT_EQ(word, number + 1);
  }
  EXPECT_EQ(space_.OldSegments().size(), 3u);
}

// Pages of a range that are in memory.
uint64_t ResidentPages(uint8_t* at, uint64_t bytes) {
  std::vector<unsigned char> states(bytes / kPageBytes);
  EXPECT_EQ(mincore(at, bytes, states.data()), 0);
  return static_cast<uint64_t>(std::count_if(states.begin(), states.end(), [](unsigned char state) { return state & 1; }));
}

// A huge page is memory to its end, however little of it was written; here a huge page's worth is written instead, as not
// every system has them.
TEST_F(EndedSegments, KeepNoMemoryBehindTheirLastPage) {
  const std::vector<uint8_t> record(1000, 0x77);
  RecordLocation location = 0;
  for (int number = 0; number < 300; ++number) ASSERT_TRUE(writer_.Append(record, location).ok());
  uint8_t* const base = space_.WritableBase(SegmentOf(location));
  const uint64_t body_bytes = RoundUpToPage(OffsetOf(location) + record.size());
  uint8_t* const beyond = base + body_bytes;
  const uint64_t beyond_bytes = ReservedMemory::kAlignment - body_bytes;
  std::memset(beyond, 0, beyond_bytes);
  ASSERT_EQ(ResidentPages(beyond, beyond_bytes), beyond_bytes / kPageBytes);
  ASSERT_TRUE(writer_.Seal().ok());
  EXPECT_EQ(ResidentPages(beyond, beyond_bytes), 0u);
  // Kept in memory, and then mapped.
  ASSERT_TRUE(writer_.Settle(true, kSegmentBytes).value());
  EXPECT_EQ(space_.written_bytes(), body_bytes);
  EXPECT_EQ(ResidentPages(base, kSegmentBytes), body_bytes / kPageBytes);
  ASSERT_TRUE(writer_.Settle(true, 0).value());
  EXPECT_EQ(ResidentPages(beyond, beyond_bytes), 0u);
  std::array<uint64_t, 125> words;
  ASSERT_EQ(space_.CopyAnything(location, words), record.size());
  EXPECT_EQ(std::memcmp(words.data(), record.data(), record.size()), 0);
}

// A sync of the main chain ends some thousands of segments, of which a few hundred are there at a time.
TEST_F(EndedSegments, LeaveTheirIdsToTheNext) {
  // One that a manifest names; those below it are free, and nothing was ever kept for them.
  space_.Publish(space_.Claim(4), SegmentKind::kSealed);
  std::deque<uint32_t> alive;
  uint32_t highest = 0;
  for (uint64_t round = 0; round < 200; ++round) {
    RecordLocation location = 0;
    const std::vector<uint64_t> record(16, round + 1);
    const ByteSpan bytes(reinterpret_cast<const uint8_t*>(record.data()), record.size() * sizeof(uint64_t));
    ASSERT_TRUE(writer_.Append(bytes, location).ok());
    ASSERT_TRUE(writer_.Seal().ok());
    ASSERT_TRUE(writer_.Settle(true, 0).value());
    const uint32_t id = SegmentOf(location);
    ASSERT_EQ(std::count(alive.begin(), alive.end(), id), 0);
    alive.push_back(id);
    highest = std::max(highest, id);
    std::vector<uint64_t> found(record.size());
    ASSERT_EQ(space_.CopyAnything(location, found), bytes.size());
    ASSERT_EQ(found, record);
    if (alive.size() < 5) continue;
    space_.Release(alive.front());
    alive.pop_front();
  }
  EXPECT_EQ(highest, 6u) << "five at a time, beside the one that was there";
}

}  // namespace
}  // namespace headrace::testing
