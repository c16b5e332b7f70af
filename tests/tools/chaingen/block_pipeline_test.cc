// Blocks planned and signed on real threads, of which some dawdle at the worst moments: what comes out is what one
// thread makes, whoever is late. Under the thread sanitizer it also shows that plans change hands under the lock.
#include "tools/chaingen/block_pipeline.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <map>
#include <thread>

#include "engine/crypto/sha256.h"
#include "tests/stress/stress_size.h"
#include "tools/chaingen/block_sealer.h"
#include "tools/chaingen/chain_shape.h"
#include "tools/chaingen/key_ring.h"
#include "tools/chaingen/nonce_table.h"
#include "tools/chaingen/transaction_signer.h"

namespace headrace::chaingen {
namespace {

using headrace::testing::StressRounds;

// Few keys and transactions, so that threads meet rather than sign: a hundred blocks without any, then small ones in
// which much is spent at once.
ChainShape TinyShape(uint64_t seed) {
  ChainShape shape;
  shape.era = seed % 2 == 0 ? Era::kAll : Era::k2024;
  shape.blocks = 135;
  shape.transactions_per_block = 1 + static_cast<uint32_t>(seed % 12);
  shape.tail = 10;
  shape.keys = 3;
  shape.seed = seed;
  return shape;
}

// Making it takes longer than one of these chains.
const NonceTable& SharedNonces() {
  static const NonceTable nonces(1, false, 1);
  return nonces;
}

// Makes a chain out of the parts, with signers that sleep in one call of `one_in`.
class DawdlingChain {
 public:
  DawdlingChain(const ChainShape& shape, uint32_t threads, uint32_t one_in)
      : blocks_(shape.blocks),
        one_in_(one_in),
        keys_(shape.seed, shape.keys, 1),
        planner_(shape, table_),
        signer_(keys_, SharedNonces(), table_),
        sealer_(keys_, table_),
        pipeline_(shape.blocks, threads, planner_, [this](BlockPlan& plan, size_t index) { Sign(plan, index); }) {}

  Digest256 Digest() {
    Sha256Hasher hasher;
    hasher.Write(sealer_.SealGenesis());
    for (uint32_t block = 0; block < blocks_; ++block) {
      hasher.Write(sealer_.Seal(pipeline_.Next()));
      pipeline_.Release();
    }
    return hasher.Finish();
  }

  uint64_t signed_count() const { return calls_.load(std::memory_order_relaxed); }

 private:
  void Sign(BlockPlan& plan, size_t index) {
    // Relaxed: a number to draw by, and a count.
    const uint64_t call = calls_.fetch_add(1, std::memory_order_relaxed);
    signer_.Sign(plan, index);
    // The share's last transaction is done, its return is late: others go on meanwhile.
    if (one_in_ != 0 && call % one_in_ == 0) std::this_thread::sleep_for(std::chrono::microseconds(300));
  }

  const uint32_t blocks_;
  const uint32_t one_in_;
  const KeyRing keys_;
  TransactionTable table_;
  BlockPlanner planner_;
  const TransactionSigner signer_;
  BlockSealer sealer_;
  std::atomic<uint64_t> calls_{0};
  BlockPipeline pipeline_;
};

TEST(BlockPipeline, LateSignersChangeNothing) {
  for (int round = 0; round < StressRounds(40); ++round) {
    const auto seed = static_cast<uint64_t>(round);
    const ChainShape shape = TinyShape(seed);
    DawdlingChain plain(shape, 1, 0);
    DawdlingChain threaded(shape, 2 + static_cast<uint32_t>(round % 7), 1 + static_cast<uint32_t>(round % 5));
    ASSERT_EQ(threaded.Digest(), plain.Digest()) << "round " << round;
    EXPECT_EQ(threaded.signed_count(), plain.signed_count());
    EXPECT_GT(plain.signed_count(), 0u);
  }
}

// More signers than transactions: most sleep all the time, and all are woken to end.
TEST(BlockPipeline, ManySignersOfFewTransactions) {
  for (int round = 0; round < StressRounds(20); ++round) {
    ChainShape shape = TinyShape(static_cast<uint64_t>(round));
    shape.transactions_per_block = 1;
    shape.blocks = 112;
    shape.tail = 0;
    DawdlingChain alone(shape, 1, 0);
    DawdlingChain threaded(shape, 16, 0);
    ASSERT_EQ(threaded.Digest(), alone.Digest()) << "round " << round;
  }
}

// What the signers rely on: whatever a transaction spends of its own block is in an earlier wave.
TEST(BlockPlan, WavesFollowWhatIsSpent) {
  ChainShape shape;
  shape.era = Era::k2024;
  shape.blocks = 200;
  shape.transactions_per_block = 200;
  TransactionTable table;
  BlockPlanner planner(shape, table);
  std::array<BlockPlan, 2> plans;
  size_t waves_most = 0;
  uint64_t followers = 0;
  for (uint32_t height = 1; height <= shape.blocks; ++height) {
    BlockPlan& plan = plans[height % 2];
    planner.PlanBlock(height, plan);
    std::map<uint32_t, uint32_t> wave_of_slot;
    for (const PlannedTransaction& transaction : plan.transactions) {
      uint32_t wave = 0;
      for (uint32_t i = 0; i < transaction.input_count; ++i) {
        const auto parent = wave_of_slot.find(plan.inputs[transaction.first_input + i].slot);
        if (parent != wave_of_slot.end()) wave = std::max(wave, parent->second + 1);
      }
      ASSERT_EQ(transaction.wave, wave);
      followers += wave != 0 ? 1 : 0;
      ASSERT_TRUE(wave_of_slot.emplace(transaction.slot, wave).second);
    }
    std::vector<uint32_t> sorted = plan.signing_order;
    std::sort(sorted.begin(), sorted.end());
    ASSERT_EQ(sorted.size(), plan.transactions.size());
    uint32_t begin = 0;
    for (uint32_t wave = 0; wave < plan.wave_ends.size(); ++wave) {
      ASSERT_LT(begin, plan.wave_ends[wave]);
      for (; begin < plan.wave_ends[wave]; ++begin) {
        ASSERT_EQ(plan.transactions[plan.signing_order[begin]].wave, wave);
        ASSERT_EQ(sorted[begin], begin);
      }
    }
    ASSERT_EQ(begin, plan.transactions.size());
    waves_most = std::max(waves_most, plan.wave_ends.size());
  }
  EXPECT_GT(waves_most, 2u);
  EXPECT_GT(followers, 500u);
}

}  // namespace
}  // namespace headrace::chaingen
