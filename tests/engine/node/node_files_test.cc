// The node and its files: blocks in any order, torn, rebuilt; starts after kills; a disk without descriptors.
#include <algorithm>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>

#include "engine/chain/header_tree.h"
#include "storage/blocks/block_index_format.h"
#include "storage/file/open_file_system.h"
#include "tests/engine/node/node_fixture.h"

namespace headrace {
namespace {

using testing::ChainBuilder;
using testing::NodeFixture;
using testing::ScriptedPeer;
using testing::ScriptedPeers;
using testing::TemporaryDirectory;
using testing::TestBlock;
using testing::TestNode;
using testing::TestNodeOptions;

class NodeFilesTest : public NodeFixture {};

// What a node that must end says. No turn waits for the disk, so how many it takes is the disk's affair.
absl::Status EndOf(TestNode& node) {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(60);
  absl::Status ended;
  while (ended.ok() && std::chrono::steady_clock::now() < deadline) ended = node.Turn().status();
  return ended;
}

TEST_F(NodeFilesTest, FilesMayHoldBlocksInAnyOrderTwiceAndFromElsewhere) {
  ChainBuilder elsewhere;
  for (int i = 0; i < 3; ++i) elsewhere.Add({}, -1, 4);
  options_.peers = nullptr;
  TestNode node(options_);
  for (const auto& block : elsewhere.blocks()) {
    if (block->height != 1) node.Offer(*block);  // their parent never comes
  }
  for (uint32_t h = chain_.height(); h >= 1; --h) {
    node.Offer(*chain_.blocks()[h - 1]);
    if (h % 2 == 0) node.Offer(*chain_.blocks()[h - 1]);
  }
  node.RunUntilQuiet();
  ExpectSynced(node);
}

TEST_F(NodeFilesTest, HeadersOfAFileMayComeBeforeItsBlocks) {
  options_.peers = nullptr;
  TestNode node(options_);
  const auto offer_header = [&](const TestBlock& block) {
    MaskedBytes header{SharedBytes::From(block.raw)};
    header.stored.bytes = header.stored.bytes.first(BlockHeader::kSerializedBytes);
    while (!node.node().OfferHeader(std::move(header))) ASSERT_TRUE(node.Turn().ok());
  };
  // From the tip down: each waits for its parent.
  for (uint32_t h = chain_.height(); h > 0; --h) offer_header(*chain_.blocks()[h - 1]);
  node.RunUntilQuiet();
  EXPECT_EQ(node.Status().header_height, chain_.height());
  EXPECT_EQ(node.Status().applied_height, 0u);
  // And once more: nothing is new.
  for (uint32_t h = 1; h <= chain_.height(); ++h) offer_header(*chain_.blocks()[h - 1]);
  for (uint32_t h = chain_.height(); h > 0; --h) node.Offer(*chain_.blocks()[h - 1]);
  node.RunUntilQuiet();
  ExpectSynced(node);
}

std::string ContentOf(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return std::string((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
}

// Bytes of the only block file, changed behind the node's back.
void Overwrite(const std::string& path, const std::function<void(std::string&)>& change) {
  std::string bytes = ContentOf(path);
  change(bytes);
  std::ofstream(path, std::ios::binary | std::ios::trunc) << bytes;
}

TEST_F(NodeFilesTest, ATornBlockIsNoticedAtStartAndDownloadedAgain) {
  const std::string block_file = directory_.path() + "/blocks/blk00000.dat";
  {
    // Killed before the first sync point: nothing in the files was promised.
    TestNode node(options_);
    peers_.Connect(1, &chain_);
    Sync(node);
    // The storage thread writes behind the node.
    const std::string_view last = AsText(chain_.blocks().back()->raw->bytes());
    node.RunUntil([&] { return ContentOf(block_file).find(last) != std::string::npos; });
    const TemporaryDirectory copy;
    std::filesystem::copy(directory_.path(), copy.path(), std::filesystem::copy_options::recursive);
    ASSERT_TRUE(node.Shutdown().ok());
    std::filesystem::remove_all(directory_.path() + "/blocks");
    std::filesystem::remove_all(directory_.path() + "/coins");
    std::filesystem::copy(copy.path(), directory_.path(), std::filesystem::copy_options::recursive);
  }
  // A page of zeros where the middle of the last block but one was.
  const std::shared_ptr<const TestBlock> torn = chain_.blocks()[chain_.height() - 2];
  Overwrite(block_file, [&](std::string& bytes) {
    const size_t at = bytes.find(AsText(torn->raw->bytes()));
    ASSERT_NE(at, std::string::npos);
    for (size_t i = 100; i < 140; ++i) bytes[at + i] = 0;
  });
  peers_.Leave(1);
  ScriptedPeer& peer = peers_.Connect(2, &chain_);
  TestNode node(options_);
  Sync(node);
  ExpectSynced(node);
  EXPECT_EQ(peer.blocks_asked, (std::vector<Hash256>{torn->hash}));
}

// A block that a crash tore is downloaded again, and then stands in the files twice. Where the index is rebuilt, the copy that
// comes first is the torn one, and nobody is there who could send a third.
TEST_F(NodeFilesTest, OfTwoCopiesTheTornOneDoesNotHideTheWholeOne) {
  options_.peers = nullptr;
  {
    TestNode node(options_);
    node.OfferShuffled(chain_, 13);
    Sync(node);
    ASSERT_TRUE(node.Shutdown().ok());
  }
  const std::shared_ptr<const TestBlock> torn = chain_.blocks()[chain_.height() - 2];
  Overwrite(directory_.path() + "/blocks/blk00000.dat", [&](std::string& bytes) {
    const size_t at = bytes.find(AsText(torn->raw->bytes()));
    ASSERT_NE(at, std::string::npos);
    std::string frame = bytes.substr(at - kFrameHeaderBytes, kFrameHeaderBytes + torn->raw->size());
    for (size_t i = 100; i < 140; ++i) frame[kFrameHeaderBytes + i] = 0;
    bytes.insert(0, frame);
  });
  options_.reindex = options_.reindex_chainstate = true;
  TestNode node(options_);
  node.RunUntilQuiet();
  ExpectSynced(node);
}

TEST_F(NodeFilesTest, AnIndexThatIsRebuiltFindsEveryBlockWhateverTheirOrder) {
  options_.peers = nullptr;
  {
    TestNode node(options_);
    node.OfferShuffled(chain_, 11);
    Sync(node);
    ASSERT_TRUE(node.Shutdown().ok());
  }
  for (const bool index_too : {false, true}) {
    SCOPED_TRACE(index_too);
    options_.reindex_chainstate = true;
    options_.reindex = index_too;
    TestNode node(options_);
    EXPECT_EQ(node.node().AppliedTip().height, 0u);
    Sync(node);
    ExpectSynced(node);
    ASSERT_TRUE(node.Shutdown().ok());
  }
  options_.reindex = options_.reindex_chainstate = false;
  TestNode node(options_);
  ExpectSynced(node);
}

// A rebuild that is killed, or stopped, at any moment leaves an index that does not pass for a whole one: without any
// option and without peers the next start finds all that is left.
TEST_F(NodeFilesTest, ARebuildThatIsKilledGoesOnAtTheNextStart) {
  options_.peers = nullptr;
  options_.block_file_bytes_max = 4000;
  {
    TestNode node(options_);
    node.OfferShuffled(chain_, 12);
    Sync(node);
    ASSERT_TRUE(node.Shutdown().ok());
  }
  const auto scans_until = [](int calls_max) {
    return [calls_max, calls = 0](const BlockScanProgress&) mutable { return ++calls < calls_max; };
  };
  std::mt19937 random(3);
  int stopped_searches = 0, killed_with_blocks_left = 0;
  for (int round = 0; round < 16; ++round) {
    SCOPED_TRACE(round);
    // A start with the option that gets only so far, and one without it that gets only so far.
    options_.reindex = options_.reindex_chainstate = true;
    const TemporaryDirectory copy;
    TestNodeOptions on_copy = options_;
    std::filesystem::copy(directory_.path(), copy.path(), std::filesystem::copy_options::recursive);
    on_copy.directory = copy.path();
    for (const bool with_option : {true, false}) {
      on_copy.reindex = on_copy.reindex_chainstate = with_option;
      on_copy.on_scan = nullptr;
      if (round % 4 == 0) on_copy.on_scan = scans_until(1 + static_cast<int>(random() % 8));
      auto node = TestNode::TryStart(on_copy);
      if (!node.ok()) {
        EXPECT_TRUE(absl::IsCancelled(node.status())) << node.status();
        ++stopped_searches;
        continue;
      }
      const int turns = static_cast<int>(random() % 30);
      for (int i = 0; i < turns; ++i) ASSERT_TRUE((*node)->Turn().ok());
      killed_with_blocks_left += (*node)->node().AppliedTip().height < chain_.height();
      if (round % 2 == 1) {
        ASSERT_TRUE((*node)->Shutdown().ok());
      }
      // As a kill leaves it: a copy taken while the node is there.
      const TemporaryDirectory killed;
      std::filesystem::copy(copy.path(), killed.path(), std::filesystem::copy_options::recursive);
      node->reset();
      std::filesystem::remove_all(copy.path());
      std::filesystem::copy(killed.path(), copy.path(), std::filesystem::copy_options::recursive);
    }
    on_copy.on_scan = nullptr;
    TestNode node(on_copy);
    Sync(node);
    node.RunUntilQuiet();
    ExpectSynced(node);
    EXPECT_FALSE(std::filesystem::exists(copy.path() + "/blocks/rescan.dat"));
  }
  EXPECT_GT(stopped_searches, 0);
  EXPECT_GT(killed_with_blocks_left, 5);
  std::printf("%d searches stopped, %d rebuilds ended half-way\n", stopped_searches, killed_with_blocks_left);
}

// The unspent set may stand on blocks that the index no longer vouches for: they join it again before anything is
// judged.
TEST_F(NodeFilesTest, AnUnspentSetAheadOfTheIndexWaitsForItsBlocks) {
  peers_.Connect(1, &chain_);
  {
    TestNode node(options_);
    Sync(node);
    ASSERT_TRUE(node.Shutdown().ok());
  }
  {
    const auto files = OpenFileSystem().value();
    const FileRef index = files->Open(directory_.path() + "/blocks/index.dat", OpenMode::kReadWrite).value();
    const auto nothing = EncodeSyncPoint({});
    for (const uint64_t offset : kSyncPointOffsets) ASSERT_TRUE(files->WriteAt(index, offset, nothing).ok());
  }
  ScriptedPeers nobody;
  options_.peers = &nobody;
  TestNode node(options_);
  EXPECT_EQ(node.node().AppliedTip().height, chain_.height());
  node.RunUntilQuiet();
  ExpectSynced(node);
}

// A header that is not the block's own says that the disk has lost it. That is no verdict on the block, and its peers
// are not asked for what the index vouches for.
TEST_F(NodeFilesTest, SomethingElseWhereABlockShouldBeEndsTheNode) {
  peers_.Connect(1, &chain_);
  {
    TestNode node(options_);
    Sync(node);
    ASSERT_TRUE(node.Shutdown().ok());
  }
  // Without an unspent set every block is read again.
  std::filesystem::remove_all(directory_.path() + "/coins");
  const std::shared_ptr<const TestBlock> damaged = chain_.blocks()[chain_.height() / 2];
  Overwrite(directory_.path() + "/blocks/blk00000.dat", [&](std::string& bytes) {
    const size_t at = bytes.find(AsText(damaged->raw->bytes()));
    ASSERT_NE(at, std::string::npos);
    bytes[at + 76] = static_cast<char>(bytes[at + 76] ^ 1);
  });
  TestNode node(options_);
  const absl::Status ended = EndOf(node);
  EXPECT_EQ(ended.code(), absl::StatusCode::kDataLoss) << ended;
  EXPECT_NE(ended.message().find("something else stands where block " + damaged->hash.ToHex()), absl::string_view::npos)
      << ended;
}

// A checkpoint needs a descriptor for its image. Where there is none, the node stops with a sentence, and its end waits for
// nothing that was never begun.
TEST_F(NodeFilesTest, ACheckpointWithoutDescriptorsEndsTheNodeAndNothingWaits) {
  peers_.Connect(1, &chain_);
  options_.node.pipeline.checkpoint_interval_ns = 1;
  options_.checkpoint_step_bytes = 1;
  absl::Status ended;
  {
    TestNode node(options_);
    Sync(node);
    node.FailOpens();
    // One block more, and there is something to checkpoint.
    chain_.Add({});
    node.Offer(*chain_.blocks().back());
    ended = EndOf(node);
  }
  EXPECT_EQ(ended.code(), absl::StatusCode::kResourceExhausted) << ended;
  TestNode node(options_);
  Sync(node);
  ExpectSynced(node);
}

}  // namespace
}  // namespace headrace
