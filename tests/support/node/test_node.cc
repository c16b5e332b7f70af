#include "tests/support/node/test_node.h"

#include <algorithm>
#include <random>
#include <stdexcept>
#include <thread>

#include "engine/base/status_macros.h"
#include "engine/consensus/chain_params.h"
#include "gtest/gtest.h"
#include "storage/file/open_file_system.h"
#include "tests/reference/quiescent_coin_set.h"

namespace headrace::testing {

// Time moves only when the test turns the engine, a millisecond a look; the date only when the test sets it.
class TestNode::SteppedClock : public Clock {
 public:
  explicit SteppedClock(int64_t now_s) : now_s_(now_s) {}
  int64_t MonotonicNs() override { return now_ns_ += 1'000'000; }
  int64_t UnixSeconds() override { return now_s_; }
  void SetNow(int64_t now_s) { now_s_ = now_s; }
  void PassTime(int64_t seconds) { now_ns_ += seconds * 1'000'000'000; }

 private:
  int64_t now_ns_ = 1'000'000'000;
  int64_t now_s_;
};

namespace {

class NoPeers : public PeerGateway {
 public:
  bool TakeEvents(std::vector<PeerEvent>&, size_t) override { return false; }
  void Submit(std::vector<PeerCommand>& commands) override { commands.clear(); }
  uint64_t QueuedBytes(PeerId) const override { return 0; }
  uint64_t ReceivedBytes(PeerId) const override { return 0; }
  void SetBestHeight(int32_t) override {}
};

}  // namespace

class TestNode::TestEntropy : public Entropy {
 public:
  explicit TestEntropy(uint32_t seed) : next_(seed) {}
  void Fill(MutableByteSpan out) override {
    for (uint8_t& byte : out) byte = static_cast<uint8_t>(next_ = next_ * 167 + 13);
  }

 private:
  uint32_t next_;
};

class TestNode::NoDoorbell : public Doorbell {
 public:
  void Ring() override {}
};

TestNode::TestNode(const TestNodeOptions& options, NotStarted)
    : clock_(new SteppedClock(options.now_s)),
      executor_(*options.executor),
      no_peers_(new NoPeers),
      entropy_(new TestEntropy(options.entropy_seed)),
      doorbell_(new NoDoorbell) {}

TestNode::TestNode(const TestNodeOptions& options) : TestNode(options, NotStarted{}) {
  const absl::Status started = Start(options);
  // Nothing can be tested with a node that is not there.
  if (!started.ok()) throw std::runtime_error(started.ToString());
}

absl::StatusOr<std::unique_ptr<TestNode>> TestNode::TryStart(const TestNodeOptions& options) {
  std::unique_ptr<TestNode> node(new TestNode(options, NotStarted{}));
  HR_RETURN_IF_ERROR(node->Start(options));
  return node;
}

absl::Status TestNode::Start(const TestNodeOptions& options) {
  const ChainParams& params = options.params == nullptr ? ParamsFor(ChainId::kRegtest) : *options.params;
  HR_ASSIGN_OR_RETURN(std::unique_ptr<FileSystem> files, OpenFileSystem());
  auto memory = std::make_unique<ShortMemoryFileSystem>(std::move(files));
  memory_ = memory.get();
  files_ = std::make_unique<FailingFileSystem>(std::move(memory));
  FlatBlockStore::Options block_options;
  block_options.directory = options.directory + "/blocks";
  block_options.magic = params.message_magic;
  block_options.genesis = BlockHeader::Load(GenesisBlock(params).data());
  block_options.file_bytes_max = options.block_file_bytes_max;
  block_options.on_scan = options.on_scan;
  if (options.reindex || options.reindex_chainstate) {
    HR_RETURN_IF_ERROR(FlatBlockStore::CheckNetwork(*files_, block_options));
    HR_RETURN_IF_ERROR(ForgetCoinStore(files_.get(), options.directory + "/coins"));
  }
  if (options.reindex) HR_RETURN_IF_ERROR(FlatBlockStore::ForgetIndex(*files_, block_options));
  HR_ASSIGN_OR_RETURN(blocks_, FlatBlockStore::Open(*files_, block_options));
  CoinStoreOptions coin_options;
  coin_options.files = files_.get();
  coin_options.executor = options.executor;
  coin_options.whole_set_executor = options.whole_set_executor;
  coin_options.entropy = entropy_.get();
  coin_options.directory = options.directory + "/coins";
  coin_options.network_magic = LoadLittle32(params.message_magic.data());
  coin_options.origin = {params.genesis_hash, 0};
  coin_options.cache_bytes_max = options.coin_cache_bytes_max;
  coin_options.checkpoint_step_bytes = options.checkpoint_step_bytes;
  coin_options.make_durable = [this] { return blocks_->Sync(); };
  coin_options.begin_durable = [this] { blocks_->BeginSync(); };
  HR_ASSIGN_OR_RETURN(coins_, OpenCoinStore(coin_options));
  node_ = std::make_unique<Node>(params, options.node,
                                 NodePorts{*clock_, executor_, *blocks_, *coins_,
                                           options.peers == nullptr ? *no_peers_ : *options.peers, *doorbell_,
                                           *entropy_});
  std::vector<StrayBlock> stray;
  for (const RecoveredBlock& block : blocks_->recovered_blocks()) stray.push_back({block.hash, block.position});
  HR_RETURN_IF_ERROR(node_->Start(stray));
  blocks_->ForgetRecords();
  return absl::OkStatus();
}

TestNode::~TestNode() = default;

void TestNode::SetNow(int64_t now_s) { clock_->SetNow(now_s); }
void TestNode::PassTime(int64_t seconds) { clock_->PassTime(seconds); }

void TestNode::Offer(const TestBlock& block) {
  MaskedBytes bytes{SharedBytes::From(block.raw)};
  while (!node_->OfferBlock(std::move(bytes))) ASSERT_TRUE(Turn().ok());
}

void TestNode::OfferShuffled(const ChainBuilder& chain, uint32_t seed) {
  std::vector<std::shared_ptr<const TestBlock>> blocks = chain.blocks();
  std::shuffle(blocks.begin(), blocks.end(), std::mt19937(seed));
  for (const auto& block : blocks) Offer(*block);
}

void TestNode::RunUntilQuiet() {
  // Quiet: many turns in a row with nothing to do, with time between them for the workers.
  for (int quiet = 0; quiet < 50;) {
    const auto turned = Turn();
    ASSERT_TRUE(turned.ok()) << turned.status();
    quiet = *turned || !node_->import_is_empty() || node_->is_busy() ? 0 : quiet + 1;
    if (!*turned) std::this_thread::sleep_for(std::chrono::microseconds(100));
  }
}

void TestNode::RunUntilNothingMoves() {
  // Blocks within the stages may wait for a worker that the machine has no time for.
  for (int quiet = 0; quiet < (node_->is_busy() ? 2'000 : 50);) {
    const auto turned = Turn();
    ASSERT_TRUE(turned.ok()) << turned.status();
    quiet = *turned ? 0 : quiet + 1;
    if (!*turned) std::this_thread::sleep_for(std::chrono::microseconds(100));
  }
}

void TestNode::RunUntil(const std::function<bool()>& done) {
  for (int idle = 0; !done(); ++idle) {
    const auto turned = Turn();
    ASSERT_TRUE(turned.ok()) << turned.status();
    if (*turned) {
      idle = 0;
    } else {
      ASSERT_LT(idle, 100'000);
      std::this_thread::sleep_for(std::chrono::microseconds(100));
    }
  }
}

NodeStatus TestNode::Status() {
  // The snapshot is renewed every 50 ms of the node's clock.
  for (int i = 0; i < 60; ++i) EXPECT_TRUE(Turn().ok());
  return node_->Status();
}

void TestNode::ExpectCoins(const TestCoinSet& expected) {
  ASSERT_EQ(coins_->counters().coins, expected.size());
  const auto statistics = QuiescentStatistics(*coins_);
  ASSERT_TRUE(statistics.ok()) << statistics.status();
  EXPECT_EQ(statistics->hash_serialized, HashSerialized3(expected));
  EXPECT_EQ(statistics->muhash, MuHashOf(expected));
  std::vector<uint8_t> script;
  for (const auto& [outpoint, wanted] : expected) {
    Coin coin;
    const auto found = coins_->Find(outpoint, coin, script);
    ASSERT_TRUE(found.ok() && *found);
    EXPECT_EQ(coin.amount, wanted.amount);
    EXPECT_EQ(coin.height, wanted.height);
    EXPECT_EQ(coin.is_coinbase, wanted.is_coinbase);
    EXPECT_TRUE(std::equal(coin.script.begin(), coin.script.end(), wanted.script.begin(), wanted.script.end()));
  }
}

}  // namespace headrace::testing
