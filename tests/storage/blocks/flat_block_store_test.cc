// The store against a model, over restarts, and against damage at every place of a small directory.
#include "storage/blocks/flat_block_store.h"

#include <algorithm>
#include <thread>

#include "tests/storage/blocks/store_fixture.h"
#include "tests/support/node/short_memory_file_system.h"

namespace headrace::testing {
namespace {

bool Same(const absl::StatusOr<SharedBytes>& got, ByteSpan want) {
  return got.ok() && std::equal(got->bytes.begin(), got->bytes.end(), want.begin(), want.end());
}

class FlatBlockStoreTest : public StoreTest {
 protected:
  struct Stored {
    BlockRecord record;
    SlabRef block;
    std::vector<uint8_t> undo;
  };

  // Adds a child of the last record with a block and an undo record.
  void Add(FlatBlockStore& store, std::vector<Stored>& chain, size_t block_bytes, size_t undo_bytes) {
    Stored stored;
    const BlockHeader& parent = chain.empty() ? genesis_ : chain.back().record.header;
    stored.record.header = Header(parent.Hash(), static_cast<uint32_t>(chain.size() + 1));
    stored.block = Block(stored.record.header, block_bytes);
    stored.undo = Bytes(undo_bytes);
    stored.record.data = store.AppendBlock(stored.block).value();
    stored.record.undo = store.AppendUndo(stored.record.header.Hash(), stored.undo).value();
    stored.record.status = kBlockScriptsVerified | kBlockApplied;
    stored.record.transaction_count = static_cast<uint32_t>(chain.size()) + 3;
    chain.push_back(stored);
    ASSERT_TRUE(store.PutRecord(static_cast<BlockRecordId>(chain.size()), stored.record).ok());
  }

  void ExpectHolds(const FlatBlockStore& store, const std::vector<Stored>& chain, bool records = true) {
    if (records) {
      ASSERT_EQ(store.records().size(), chain.size() + 1);
    }
    for (size_t i = 0; i < chain.size(); ++i) {
      const BlockRecord& want = chain[i].record;
      ASSERT_TRUE(Same(store.Map(want.data), chain[i].block->bytes())) << i;
      ASSERT_TRUE(Same(store.ReadUndo(want.undo, want.header.Hash()), chain[i].undo)) << i;
      if (!records) continue;
      const BlockRecord& got = store.records()[i + 1];
      ASSERT_TRUE(got.header == want.header && got.data == want.data && got.undo == want.undo &&
                  got.status == want.status && got.transaction_count == want.transaction_count);
    }
  }
};

TEST_F(FlatBlockStoreTest, ANewStoreHoldsGenesisAlone) {
  const auto store = Open(Home()).value();
  ASSERT_EQ(store->records().size(), 1u);
  EXPECT_EQ(store->records()[0].header, genesis_);
  EXPECT_FALSE(store->records()[0].data.exists());
  EXPECT_TRUE(store->Sync().ok());
}

TEST_F(FlatBlockStoreTest, RandomOperationsMatchAModelOverRestartsAndKills) {
  file_bytes_max_ = 300'000;
  std::vector<Stored> chain;
  std::string home = Home();
  for (int life = 0; life < 12; ++life) {
    auto store = Open(home).value();
    ExpectHolds(*store, chain);
    EXPECT_TRUE(store->recovered_blocks().empty());
    for (int i = 0; i < 150; ++i) {
      const size_t block_bytes = random_() % 10 == 0 ? 81 + random_() % 150'000 : 81 + random_() % 800;
      Add(*store, chain, block_bytes, 1 + random_() % 3000);
      if (random_() % 5 == 0) {
        const size_t changed = random_() % chain.size();
        chain[changed].record.status ^= kBlockInvalid;
        ASSERT_TRUE(store->PutRecord(static_cast<BlockRecordId>(changed + 1), chain[changed].record).ok());
      }
      const Stored& probe = chain[random_() % chain.size()];
      ASSERT_TRUE(Same(store->Map(probe.record.data), probe.block->bytes()));
      ASSERT_TRUE(Same(store->ReadUndo(probe.record.undo, probe.record.header.Hash()), probe.undo));
      if (random_() % 40 == 0) {
        ASSERT_TRUE(store->Sync().ok());
      }
    }
    ExpectHolds(*store, chain, false);
    if (life % 3 == 0) {
      ASSERT_TRUE(store->Sync().ok());
      home = CopyOf(home);
    }
  }
  EXPECT_TRUE(std::filesystem::exists(home + "/blk00005.dat"));
}

TEST_F(FlatBlockStoreTest, AKillAtAnyMomentLeavesNoRecordOfWhatIsNotThere) {
  file_bytes_max_ = 400'000;
  std::vector<Stored> chain;
  auto store = Open(Home()).value();
  size_t kept = 0;
  for (int kill = 0; kill < 40; ++kill) {
    for (uint64_t i = 0; i < random_() % 40; ++i) Add(*store, chain, 81 + random_() % 60'000, 1 + random_() % 3000);
    // Files are copied one after another while writes go on: the copy may miss a frame that its index names, as after
    // a power failure, but never one that a sync promised.
    const size_t promised = kill % 4 == 0 ? chain.size() : 0;
    if (promised != 0) {
      ASSERT_TRUE(store->Sync().ok());
    }
    const std::string copy = CopyOf(Home());
    const auto revived = Open(copy);
    ASSERT_TRUE(revived.ok()) << revived.status();
    ASSERT_GE((*revived)->records().size(), promised + 1);
    for (size_t id = 1; id < (*revived)->records().size(); ++id) {
      const BlockRecord& record = (*revived)->records()[id];
      ASSERT_TRUE(record.header == chain[id - 1].record.header);
      ASSERT_TRUE(id > promised || (record.data.exists() && record.undo.exists()));
      if (!record.data.exists() || !record.undo.exists()) continue;
      ASSERT_TRUE(Same((*revived)->Map(record.data), chain[id - 1].block->bytes()));
      ASSERT_TRUE(Same((*revived)->ReadUndo(record.undo, record.header.Hash()), chain[id - 1].undo));
      ++kept;
    }
    std::filesystem::remove_all(copy);
  }
  EXPECT_GT(kept, 0u);
}

TEST_F(FlatBlockStoreTest, AnUndoRecordMayBeLargerThanAFile) {
  file_bytes_max_ = 300'000;
  std::vector<Stored> chain;
  for (const bool is_cut : {false, true}) {
    auto store = Open(Home()).value();
    ExpectHolds(*store, chain);
    if (is_cut) Add(*store, chain, 200, 299'990);
    Add(*store, chain, 500, 10);
    Add(*store, chain, 500, 900'000);
    Add(*store, chain, 500, 20);
    ASSERT_TRUE(store->Sync().ok());
    ExpectHolds(*store, chain, false);
  }
  ExpectHolds(*Open(Home()).value(), chain);
}

TEST_F(FlatBlockStoreTest, UndoRecordsThatWaitForTheDiskAreCounted) {
  std::vector<Stored> chain;
  ShortMemoryFileSystem files(OpenFileSystem().value());
  FlatBlockStore::Options options = Options(Home());
  options.queued_bytes_max = 64 << 20;
  const auto store = FlatBlockStore::Open(files, options).value();
  EXPECT_EQ(store->undo_queue_bytes(), 0u);
  files.HoldAll(true);
  Add(*store, chain, 900'000, 700'000);
  EXPECT_GE(store->undo_queue_bytes(), 700'000u);
  EXPECT_LT(store->undo_queue_bytes(), 900'000u) << "blocks are counted by those who hold them";
  files.HoldAll(false);
  ASSERT_TRUE(store->Sync().ok());
  EXPECT_EQ(store->undo_queue_bytes(), 0u);
}

TEST_F(FlatBlockStoreTest, ACleanCloseGivesTheReserveBack) {
  std::vector<Stored> chain;
  {
    auto store = Open(Home()).value();
    Add(*store, chain, 1000, 50);
    EXPECT_EQ(std::filesystem::file_size(Home() + "/blk00000.dat"), FrameWriter::kPreallocateBytes);
  }
  EXPECT_EQ(std::filesystem::file_size(Home() + "/blk00000.dat"), 1008u);
  EXPECT_EQ(std::filesystem::file_size(Home() + "/rev00000.dat"), 62u);
  EXPECT_EQ(std::filesystem::file_size(Home() + "/index.dat"), 4096u + 2 * 128);
}

TEST_F(FlatBlockStoreTest, AFrameOnDiskIsMagicLengthBlock) {
  std::vector<Stored> chain;
  {
    auto store = Open(Home()).value();
    Add(*store, chain, 500, 10);
    Add(*store, chain, 81, 1);
  }
  const std::vector<uint8_t> file = files_->ReadWholeFile(Home() + "/blk00000.dat", 1 << 20).value();
  std::vector<uint8_t> want;
  for (const Stored& stored : chain) {
    want.insert(want.end(), kTestMagic.begin(), kTestMagic.end());
    want.resize(want.size() + 4);
    StoreLittle(&want[want.size() - 4], static_cast<uint32_t>(stored.block->size()));
    want.insert(want.end(), stored.block->bytes().begin(), stored.block->bytes().end());
  }
  EXPECT_EQ(file, want);
}

TEST_F(FlatBlockStoreTest, BlocksWithoutRecordsAreFoundAfterAKill) {
  std::vector<Stored> chain;
  std::vector<SlabRef> orphans;
  auto store = Open(Home()).value();
  for (int i = 0; i < 5; ++i) Add(*store, chain, 200, 20);
  ASSERT_TRUE(store->Sync().ok());
  std::vector<BlockPosition> positions;
  for (uint32_t i = 0; i < 7; ++i) {
    orphans.push_back(Block(Header(genesis_.Hash(), 1000 + i), 300 + 100'000 * (i % 2)));
    positions.push_back(store->AppendBlock(orphans.back()).value());
  }
  while (store->bytes_written() == 0) ASSERT_TRUE(store->Poll().ok());
  ASSERT_TRUE(store->Sync().ok());

  const std::string copy = CopyOf(Home());
  auto revived = Open(copy).value();
  ExpectHolds(*revived, chain);
  ASSERT_EQ(revived->recovered_blocks().size(), orphans.size());
  for (size_t i = 0; i < orphans.size(); ++i) {
    const RecoveredBlock& found = revived->recovered_blocks()[i];
    EXPECT_EQ(found.position, positions[i]);
    EXPECT_EQ(found.hash, BlockHeader::Load(orphans[i]->bytes().data()).Hash());
    EXPECT_TRUE(Same(revived->Map(found.position), orphans[i]->bytes()));
  }
  const BlockPosition next = revived->AppendBlock(Block(genesis_, 100)).value();
  EXPECT_EQ(next.offset, positions.back().offset + positions.back().size + kFrameHeaderBytes);
}

TEST_F(FlatBlockStoreTest, WithoutAnIndexEveryBlockIsFoundAgain) {
  file_bytes_max_ = 5000;
  std::vector<Stored> chain;
  {
    auto store = Open(Home()).value();
    for (int i = 0; i < 40; ++i) Add(*store, chain, 400, 20);
  }
  ASSERT_TRUE(files_->Remove(Home() + "/index.dat").ok());
  auto store = Open(Home()).value();
  ASSERT_EQ(store->recovered_blocks().size(), chain.size());
  for (size_t i = 0; i < chain.size(); ++i) {
    EXPECT_EQ(store->recovered_blocks()[i].position, chain[i].record.data);
    EXPECT_EQ(store->recovered_blocks()[i].hash, chain[i].record.header.Hash());
  }
}

// Whoever takes the blocks up may fail or be told to stop half-way, with only the last of them named in the index. The next start must
// find all of them again, not just those behind the last one.
TEST_F(FlatBlockStoreTest, RecoveredBlocksThatWereNotTakenUpAreFoundAgain) {
  std::vector<Stored> chain;
  {
    auto store = Open(Home()).value();
    for (int i = 0; i < 10; ++i) Add(*store, chain, 400, 20);
  }
  ASSERT_TRUE(files_->Remove(Home() + "/index.dat").ok());
  for (int start = 0; start < 3; ++start) {
    auto store = Open(Home()).value();
    // The last one has a record since the first start, and is known by it.
    ASSERT_EQ(store->recovered_blocks().size(), chain.size() - (start == 0 ? 0 : 1)) << "start " << start;
    for (size_t i = 0; i < chain.size(); ++i) {
      BlockRecord record;
      record.header = chain[i].record.header;
      if (i + 1 == chain.size()) record.data = chain[i].record.data;
      ASSERT_TRUE(store->PutRecord(static_cast<BlockRecordId>(i + 1), record).ok());
    }
  }
  {
    auto store = Open(Home()).value();
    ASSERT_EQ(store->recovered_blocks().size(), chain.size() - 1);
    for (size_t i = 0; i < chain.size(); ++i) {
      BlockRecord record = chain[i].record;
      record.undo = {};
      ASSERT_TRUE(store->PutRecord(static_cast<BlockRecordId>(i + 1), record).ok());
    }
    ASSERT_TRUE(store->ForgetStrays().ok());
  }
  EXPECT_TRUE(Open(Home()).value()->recovered_blocks().empty()) << "taken up, and then the index names them";
}

// A link to itself stands for every failure that is not "no such file".
TEST_F(FlatBlockStoreTest, AnIndexThatCannotBeOpenedForNowIsNotReplaced) {
  std::vector<Stored> chain;
  {
    auto store = Open(Home()).value();
    for (int i = 0; i < 10; ++i) Add(*store, chain, 400, 20);
  }
  const std::string index = Home() + "/index.dat";
  const std::string kept = directory_.File("kept");
  std::filesystem::rename(index, kept);
  std::filesystem::create_symlink(index, index);
  ExpectNames(Open(Home()).status(), index);
  EXPECT_TRUE(std::filesystem::is_symlink(index)) << "nothing was put in its place";
  std::filesystem::remove(index);
  std::filesystem::rename(kept, index);
  ExpectHolds(*Open(Home()).value(), chain);
}

TEST_F(FlatBlockStoreTest, ReadingBlockFilesCanBeStopped) {
  std::vector<Stored> chain;
  {
    auto store = Open(Home()).value();
    for (int i = 0; i < 10; ++i) Add(*store, chain, 400, 20);
  }
  ASSERT_TRUE(files_->Remove(Home() + "/index.dat").ok());
  FlatBlockStore::Options options = Options(Home());
  options.on_scan = [](const BlockScanProgress&) { return false; };
  EXPECT_TRUE(absl::IsCancelled(FlatBlockStore::Open(*files_, options).status()));
  EXPECT_EQ(Open(Home()).value()->recovered_blocks().size(), chain.size()) << "and nothing is lost by it";
}

TEST_F(FlatBlockStoreTest, ABlockFileCutAnywhereBehindTheSyncPointLosesOnlyWhatIsGone) {
  std::vector<Stored> chain;
  {
    auto store = Open(Home()).value();
    for (int i = 0; i < 3; ++i) Add(*store, chain, 90 + i, 5);
  }
  // An index whose sync points promise nothing: what stands in it was never synced.
  const auto nothing = EncodeSyncPoint({});
  {
    const FileRef index = files_->Open(Home() + "/index.dat", OpenMode::kReadWrite).value();
    for (const uint64_t offset : kSyncPointOffsets) ASSERT_TRUE(files_->WriteAt(index, offset, nothing).ok());
  }
  const uint64_t size = std::filesystem::file_size(Home() + "/blk00000.dat");
  size_t cases = 0;
  for (uint64_t cut = 0; cut <= size; ++cut, ++cases) {
    const std::string copy = CopyOf(Home());
    std::filesystem::resize_file(copy + "/blk00000.dat", cut);
    auto store = Open(copy);
    ASSERT_TRUE(store.ok()) << cut << " " << store.status();
    ASSERT_EQ((*store)->records().size(), chain.size() + 1);
    // No record names what was never synced; what is whole is found by its frame.
    std::vector<RecoveredBlock> recovered((*store)->recovered_blocks().begin(), (*store)->recovered_blocks().end());
    for (size_t i = 0; i < chain.size(); ++i) {
      const BlockRecord& record = (*store)->records()[i + 1];
      ASSERT_FALSE(record.data.exists()) << cut;
      ASSERT_EQ(record.status & kBlockApplied, 0u);
      if (chain[i].record.data.offset + chain[i].record.data.size > cut) continue;
      ASSERT_FALSE(recovered.empty()) << cut;
      ASSERT_EQ(recovered.front().hash, chain[i].record.header.Hash());
      ASSERT_TRUE(Same((*store)->Map(recovered.front().position), chain[i].block->bytes()));
      recovered.erase(recovered.begin());
    }
    ASSERT_TRUE(recovered.empty()) << cut;
    const SlabRef block = Block(genesis_, 100);
    ASSERT_TRUE(Same((*store)->Map((*store)->AppendBlock(block).value()), block->bytes()));
    store->reset();
    ASSERT_TRUE(Open(copy).ok());
    std::filesystem::remove_all(copy);
  }
  std::printf("cut at %zu places\n", cases);
}

TEST_F(FlatBlockStoreTest, TheIndexCutAnywhereIsCutBackOrRefused) {
  std::vector<Stored> chain;
  auto store = Open(Home()).value();
  for (int i = 0; i < 3; ++i) Add(*store, chain, 100, 5);
  ASSERT_TRUE(store->Sync().ok());
  for (int i = 0; i < 3; ++i) Add(*store, chain, 100, 5);
  store.reset();
  // Back to the sync after the first three.
  {
    const FileRef index = files_->Open(Home() + "/index.dat", OpenMode::kReadWrite).value();
    for (const uint64_t offset : kSyncPointOffsets) {
      const auto point = EncodeSyncPoint({9, 4, {0, 324}, {0, 51}});
      ASSERT_TRUE(files_->WriteAt(index, offset, point).ok());
    }
  }
  const uint64_t size = std::filesystem::file_size(Home() + "/index.dat");
  ASSERT_EQ(size, 4096u + 7 * 128);
  for (uint64_t cut = 0; cut <= size; cut += cut < 4000 ? 500 : 1) {
    const std::string copy = CopyOf(Home());
    std::filesystem::resize_file(copy + "/index.dat", cut);
    const auto opened = Open(copy);
    if (cut < 4096 + 4 * 128) {
      ASSERT_TRUE(absl::IsDataLoss(opened.status())) << cut << opened.status();
      ExpectNames(opened.status(), "index.dat");
      ExpectNames(opened.status(), "-reindex");
    } else {
      ASSERT_TRUE(opened.ok()) << cut << opened.status();
      const size_t kept = (cut - 4096) / 128;
      ASSERT_EQ((*opened)->records().size(), kept);
      // The blocks behind the sync point are found by their frames, whether or not their records are there.
      ASSERT_EQ((*opened)->recovered_blocks().size(), 3u);
    }
    std::filesystem::remove_all(copy);
  }
}

// Two places are written in turn, so that a sync point that cannot be read leaves the one before it.
// After a power failure the medium may show a record that an earlier start had cut off: whole, with the right number, of a header
// that meanwhile has another one.
TEST_F(FlatBlockStoreTest, ARecordOfAHeaderThatIsThereAlreadyIsNoRecord) {
  constexpr BlockRecordId kCount = 8;
  std::vector<BlockHeader> headers = {genesis_};
  {
    const auto store = Open(Home()).value();
    ASSERT_TRUE(store->PutRecord(0, {.header = genesis_}).ok());
    for (BlockRecordId id = 1; id < kCount; ++id) {
      headers.push_back(Header(headers.back().Hash(), id));
      ASSERT_TRUE(store->PutRecord(id, {.header = headers.back()}).ok());
    }
  }
  for (const BlockRecordId repeated : {BlockRecordId{1}, kCount - 1}) {
    const auto bytes = EncodeBlockRecord(kCount, {.header = headers[repeated]});
    const FileRef index = files_->Open(Home() + "/index.dat", OpenMode::kReadWrite).value();
    ASSERT_TRUE(files_->WriteAt(index, kBlockIndexHeaderBytes + kCount * kBlockIndexRecordBytes, bytes).ok());
    const auto opened = Open(CopyOf(Home()));
    ASSERT_TRUE(opened.ok()) << opened.status();
    EXPECT_EQ((*opened)->records().size(), kCount);
  }
}

TEST_F(FlatBlockStoreTest, EitherSyncPointAloneVouchesForWhatTheOlderOnePromised) {
  std::vector<Stored> chain;
  auto store = Open(Home()).value();
  for (int sync = 0; sync < 2; ++sync) {
    for (int i = 0; i < 3; ++i) Add(*store, chain, 500, 100);
    ASSERT_TRUE(store->Sync().ok());
  }
  for (const uint64_t offset : kSyncPointOffsets) {
    const std::string copy = CopyOf(Home());
    FlipBit(copy + "/index.dat", offset + 20);
    const auto revived = Open(copy);
    ASSERT_TRUE(revived.ok()) << revived.status();
    ASSERT_GE((*revived)->records().size(), 4u);
    for (size_t id = 1; id <= 3; ++id) EXPECT_TRUE((*revived)->records()[id].data.exists()) << id;
  }
}

TEST_F(FlatBlockStoreTest, EveryFlippedBitOfTheIndexIsNoticed) {
  std::vector<Stored> chain;
  {
    auto store = Open(Home()).value();
    for (int i = 0; i < 4; ++i) Add(*store, chain, 100, 5);
  }
  const std::string index = Home() + "/index.dat";
  for (uint64_t offset = 4096; offset < 4096 + 5 * 128; ++offset) {
    FlipBit(index, offset, static_cast<int>(offset % 8));
    const auto opened = Open(Home());
    ASSERT_TRUE(absl::IsDataLoss(opened.status())) << offset;
    FlipBit(index, offset, static_cast<int>(offset % 8));
  }
  for (uint64_t offset = 0; offset < kBlockIndexTitleBytes; ++offset) {
    FlipBit(index, offset);
    ASSERT_FALSE(Open(Home()).ok()) << offset;
    FlipBit(index, offset);
  }
  // One sync point may be lost, not both.
  FlipBit(index, kSyncPointOffsets[0]);
  EXPECT_TRUE(Open(Home()).ok());
}

TEST_F(FlatBlockStoreTest, FlippedBitsInFramesAreNoticedWhenTheyAreUsed) {
  std::vector<Stored> chain;
  {
    auto store = Open(Home()).value();
    for (int i = 0; i < 3; ++i) Add(*store, chain, 100, 5);
  }
  auto store = Open(Home()).value();
  const BlockRecord& record = chain[1].record;
  for (uint32_t back = 1; back <= kFrameHeaderBytes; ++back) {
    FlipBit(Home() + "/blk00000.dat", record.data.offset - back);
    const absl::Status status = store->Map(record.data).status();
    ASSERT_TRUE(absl::IsDataLoss(status));
    ExpectNames(status, "blk00000.dat");
    FlipBit(Home() + "/blk00000.dat", record.data.offset - back);
  }
  EXPECT_TRUE(Same(store->Map(record.data), chain[1].block->bytes()));
  for (uint32_t at = record.undo.offset - 8; at < record.undo.offset + record.undo.size + 4; ++at) {
    FlipBit(Home() + "/rev00000.dat", at, 3);
    ASSERT_TRUE(absl::IsDataLoss(store->ReadUndo(record.undo, record.header.Hash()).status())) << at;
    FlipBit(Home() + "/rev00000.dat", at, 3);
  }
  EXPECT_TRUE(Same(store->ReadUndo(record.undo, record.header.Hash()), chain[1].undo));
  EXPECT_TRUE(absl::IsDataLoss(store->ReadUndo(record.undo, genesis_.Hash()).status())) << "another block's undo";
  BlockPosition wrong = record.data;
  wrong.size += 1;
  EXPECT_TRUE(absl::IsDataLoss(store->Map(wrong).status()));
  wrong = record.data;
  wrong.file = 77;
  EXPECT_TRUE(absl::IsDataLoss(store->Map(wrong).status()));
  EXPECT_TRUE(absl::IsDataLoss(store->Map({}).status()));
}

TEST_F(FlatBlockStoreTest, ASyncedBlockFileThatWasCutIsRefused) {
  std::vector<Stored> chain;
  {
    auto store = Open(Home()).value();
    for (int i = 0; i < 3; ++i) Add(*store, chain, 100, 5);
  }
  std::filesystem::resize_file(Home() + "/blk00000.dat", 323);
  const absl::Status status = Open(Home()).status();
  EXPECT_TRUE(absl::IsDataLoss(status)) << status;
  ExpectNames(status, "blk00000.dat");
  ExpectNames(status, "-reindex");
}

TEST_F(FlatBlockStoreTest, OtherNetworksChainsAndVersionsAreRefused) {
  std::vector<Stored> chain;
  {
    auto store = Open(Home()).value();
    Add(*store, chain, 100, 5);
  }
  FlatBlockStore::Options options = Options(Home());
  options.magic = {1, 2, 3, 4};
  absl::Status status = FlatBlockStore::Open(*files_, options).status();
  EXPECT_TRUE(absl::IsFailedPrecondition(status)) << status;
  ExpectNames(status, "another network");
  const std::string without_blocks = CopyOf(Home());
  std::filesystem::remove(without_blocks + "/blk00000.dat");
  options.directory = without_blocks;
  ExpectNames(FlatBlockStore::Open(*files_, options).status(), "another network");

  options = Options(Home());
  options.genesis.nonce = 99;
  status = FlatBlockStore::Open(*files_, options).status();
  EXPECT_TRUE(absl::IsFailedPrecondition(status)) << status;
  ExpectNames(status, "another chain");

  const FileRef index = files_->Open(Home() + "/index.dat", OpenMode::kReadWrite).value();
  ASSERT_TRUE(files_->WriteAt(index, 0, EncodeBlockIndexTitle(kTestMagic, kBlockIndexVersion + 1)).ok());
  status = Open(Home()).status();
  EXPECT_TRUE(absl::IsFailedPrecondition(status)) << status;
  ExpectNames(status, "format version");
  ASSERT_TRUE(files_->WriteAt(index, 0, EncodeBlockIndexTitle(kTestMagic, kBlockIndexVersion - 1)).ok());
  ExpectNames(Open(Home()).status(), "no longer reads");

  ASSERT_TRUE(files_->WriteAt(index, 0, EncodeBlockIndexTitle(kTestMagic)).ok());
  EXPECT_TRUE(Open(Home()).ok());
  ASSERT_TRUE(files_->ReplaceFile(Home() + "/xor.dat", std::vector<uint8_t>(8, 1)).ok());
  ExpectNames(Open(Home()).status(), "-loadblock");
}

TEST_F(FlatBlockStoreTest, ARecordMustFollowAnEarlierOne) {
  std::vector<Stored> chain;
  {
    auto store = Open(Home()).value();
    // A fork far back, which the quick look misses, and one that is near.
    for (int i = 0; i < 200; ++i) Add(*store, chain, 81, 1);
    BlockRecord fork;
    fork.header = Header(chain[3].record.header.Hash(), 5000);
    ASSERT_TRUE(store->PutRecord(201, fork).ok());
    fork.header = Header(fork.header.Hash(), 5001);
    ASSERT_TRUE(store->PutRecord(202, fork).ok());
    fork.header = Header(chain[199].record.header.Hash(), 5002);
    ASSERT_TRUE(store->PutRecord(203, fork).ok());
  }
  {
    auto store = Open(Home()).value();
    ASSERT_EQ(store->records().size(), 204u);
    BlockRecord stranger;
    stranger.header = Header(Hash256(), 6000);
    ASSERT_TRUE(store->PutRecord(204, stranger).ok());
  }
  EXPECT_TRUE(absl::IsDataLoss(Open(Home()).status()));
}

TEST_F(FlatBlockStoreTest, ReadersMapWhileBlocksAreAppended) {
  file_bytes_max_ = 1 << 20;
  auto store = Open(Home()).value();
  constexpr uint32_t kBlocks = 400;
  std::vector<SlabRef> blocks;
  for (uint32_t i = 0; i < kBlocks; ++i) blocks.push_back(Block(Header(genesis_.Hash(), i), 81 + random_() % 90'000));
  std::vector<BlockPosition> positions(kBlocks);
  std::atomic<uint32_t> appended{0};
  std::atomic<uint32_t> failures{0};
  std::vector<std::thread> readers;
  for (uint32_t seed = 0; seed < 3; ++seed) {
    readers.emplace_back([&, seed] {
      std::mt19937 random(seed);
      for (uint32_t count = 0; count < kBlocks;) {
        count = appended.load(std::memory_order_acquire);
        if (count == 0) continue;
        const uint32_t i = random() % count;
        if (!Same(store->Map(positions[i]), blocks[i]->bytes())) ++failures;
      }
    });
  }
  for (uint32_t i = 0; i < kBlocks; ++i) {
    positions[i] = store->AppendBlock(blocks[i]).value();
    appended.store(i + 1, std::memory_order_release);
  }
  for (std::thread& reader : readers) reader.join();
  EXPECT_EQ(failures.load(), 0u);
}

TEST_F(FlatBlockStoreTest, AMillionHeadersOpen) {
  {
    auto store = Open(Home()).value();
    BlockRecord record;
    record.header = genesis_;
    for (uint32_t id = 1; id < 1'000'000; ++id) {
      record.header = Header(record.header.Hash(), id);
      ASSERT_TRUE(store->PutRecord(id, record).ok());
    }
  }
  const auto begin = std::chrono::steady_clock::now();
  const auto store = Open(Home()).value();
  const std::chrono::duration<double> elapsed = std::chrono::steady_clock::now() - begin;
  EXPECT_EQ(store->records().size(), 1'000'000u);
  std::printf("opened %zu records in %.3f s\n", store->records().size(), elapsed.count());
}

}  // namespace
}  // namespace headrace::testing
