// What a crash tore at the end of a block file, when the next process writes there.
#include <fstream>

#include "tests/storage/blocks/store_fixture.h"

namespace headrace::testing {
namespace {

class TornFramesTest : public StoreTest {
 protected:
  static void AppendTo(const std::string& path, ByteSpan bytes) {
    std::ofstream out(path, std::ios::binary | std::ios::app);
    out.write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
    ASSERT_TRUE(out.good());
  }

  // Adds the block that follows `parent`, with its record, and makes both durable.
  BlockHeader AddAndSync(FlatBlockStore& store, BlockRecordId id, const BlockHeader& parent, size_t block_bytes) {
    BlockRecord record;
    record.header = Header(parent.Hash(), id);
    record.data = store.AppendBlock(Block(record.header, block_bytes)).value();
    record.transaction_count = 1;
    EXPECT_TRUE(store.PutRecord(id, record).ok());
    EXPECT_TRUE(store.Sync().ok());
    return record.header;
  }
};

// The page with one frame's header was lost, and the file's new size with the end of the next frame. A file that grows
// again would complete that second one with zeros, and a start after another crash would take it for a block that
// nobody recorded.
TEST_F(TornFramesTest, AreNotMetBehindTheFramesOfTheNextStart) {
  constexpr size_t kLostBytes = 400;
  constexpr uint32_t kTornBlockBytes = 5000;
  BlockHeader tip;
  {
    auto store = Open(Home()).value();
    tip = AddAndSync(*store, 1, genesis_, 200);
  }
  AppendTo(Home() + "/blk00000.dat", std::vector<uint8_t>(kLostBytes));
  uint8_t frame_header[kFrameHeaderBytes];
  StoreFrameHeader(frame_header, kTestMagic, kTornBlockBytes);
  AppendTo(Home() + "/blk00000.dat", frame_header);
  AppendTo(Home() + "/blk00000.dat",
           Block(Header(tip.Hash(), 77), kTornBlockBytes)->bytes().first(kTornBlockBytes / 2));

  auto store = Open(Home()).value();
  EXPECT_TRUE(store->recovered_blocks().empty()) << "no frame is whole";
  // Shorter than what was lost: the torn frame would stand behind it.
  tip = AddAndSync(*store, 2, tip, kLostBytes / 2);
  const std::string killed = CopyOf(Home());
  ASSERT_GT(std::filesystem::file_size(killed + "/blk00000.dat"), 200 + kLostBytes + kTornBlockBytes + 100)
      << "the file must have grown over what was torn";

  const auto revived = Open(killed).value();
  ASSERT_EQ(revived->records().size(), 3u);
  EXPECT_EQ(revived->records()[2].header, tip);
  EXPECT_TRUE(revived->recovered_blocks().empty());
  // And the next one stands right behind the last.
  const BlockPosition last = revived->records()[2].data;
  const BlockPosition next = revived->AppendBlock(Block(Header(tip.Hash(), 3), 300)).value();
  EXPECT_EQ(next.offset, last.offset + last.size + kFrameHeaderBytes);
}

}  // namespace
}  // namespace headrace::testing
