// Segments that are filled to the last byte, side by side in the location space.
#include <gtest/gtest.h>

#include <array>
#include <cstring>
#include <memory>
#include <vector>

#include "storage/coins/segment_writer.h"
#include "storage/file/open_file_system.h"
#include "tests/support/temporary_directory.h"

namespace headrace::testing {
namespace {

// What one segment's file maps must not reach into the next segment, young, open or sealed.
TEST(FullSegments, LeaveTheirNeighboursAlone) {
  const TemporaryDirectory directory;
  const std::unique_ptr<FileSystem> files = OpenFileSystem().value();
  RecordSpace space;
  ASSERT_TRUE(space.Reserve(directory.path()).ok());
  SegmentWriter writer(&space, files.get(), directory.path(), 0);
  writer.set_next_serial(1);

  constexpr size_t kWords = 8;
  constexpr uint64_t kRecords = 2 * kSegmentBytes / (kWords * 8) + kSegmentBytes / (kWords * 8) / 8;
  std::vector<RecordLocation> locations(kRecords);
  RecordSpace::YoungChunk young;
  for (uint64_t number = 0; number < kRecords; ++number) {
    std::array<uint64_t, kWords> record;
    record.fill(number + 1);
    const ByteSpan bytes(reinterpret_cast<const uint8_t*>(record.data()), sizeof(record));
    ASSERT_TRUE(writer.Append(bytes, locations[number]).ok());
    // While the first is being filled young memory takes the id after it.
    if (number == 10) {
      young = space.TakeYoungChunk();
      std::memset(young.at, 0x5a, kYoungChunkBytes);
    }
  }
  ASSERT_TRUE(writer.Seal().ok());
  ASSERT_TRUE(writer.Settle(true, 0).value());

  for (uint32_t at = 0; at < kYoungChunkBytes; ++at) ASSERT_EQ(young.at[at], 0x5a) << at;
  for (uint64_t number = 0; number < kRecords; ++number) {
    std::array<uint64_t, kWords> record;
    ASSERT_EQ(space.CopyAnything(locations[number], record), sizeof(record));
    for (const uint64_t word : record) ASSERT_EQ(word, number + 1);
  }
  EXPECT_EQ(space.OldSegments().size(), 3u);
}

}  // namespace
}  // namespace headrace::testing
