// A coin store on a simulated disk, a naive set beside it, and a chain that an input tells: for the target coin_store.
//
// Blocks are real bytes, decoded and hashed. Whatever the disk does, an error of the store is never a verdict and a
// verdict is the naive set's; after a crash the store comes back at a block that was once ours, and again with exactly
// the naive set's coins. One thread.
#pragma once

#include <map>
#include <memory>
#include <vector>

#include "storage/coins/flat_coin_store.h"
#include "tests/fuzz/fuzz_input.h"
#include "tests/reference/block_builder.h"
#include "tests/reference/naive_coin_set.h"
#include "tests/sim/sim_disk.h"
#include "tests/sim/sim_file_system.h"
#include "tests/support/inline_executor.h"

namespace headrace::fuzz {

class CoinStory {
 public:
  explicit CoinStory(FuzzInput& in);
  ~CoinStory();

  // Tells the next piece; false when the input has no more.
  bool Step();
  // The store holds what the naive set holds, and nothing else.
  void RequireEqual();

 private:
  struct StoryBlock {
    explicit StoryBlock(Bytes raw) : decoded(std::move(raw)) {}
    testing::DecodedBlock decoded;
    testing::NaiveBlock naive;
    BlockPoint previous;
    // What it spends, by input, the coinbase's left out; and the same as an undo record.
    std::vector<testing::NaiveCoin> spent;
    Bytes undo;
    const Hash256& hash() const { return decoded.columns.hash; }
    BlockPoint point() const { return {hash(), naive.height}; }
  };
  using BlockRef = std::shared_ptr<StoryBlock>;
  struct Window;

  BlockPoint tip() const { return chain_.empty() ? origin_ : chain_.back()->point(); }
  OutPoint AnyOutpoint(const std::vector<OutPoint>& fresh);
  BlockRef MakeBlock(const BlockPoint& previous);
  Bytes AnyScript();

  void Open();
  void Recover();
  void Connect();
  void Disconnect();
  void Checkpoint();
  absl::Status PublishUnderFire();
  void Crash();
  // Whether the call did what it should; if not, the disk has ended it, and the store starts anew.
  bool Survived(const absl::Status& status);
  absl::Status Apply(const std::vector<BlockRef>& blocks, bool compares, WindowOutcome& outcome);
  absl::Status Unapply(const std::vector<BlockRef>& blocks);
  absl::Status Replay();

  FuzzInput& in_;
  sim::SimEntropy entropy_;
  sim::Wakeup wakeup_;
  sim::SimDisk disk_;
  testing::InlineExecutor executor_;
  uint64_t cache_bytes_max_;
  uint64_t step_bytes_;
  BlockPoint origin_;

  std::unique_ptr<sim::SimFileSystem> files_;
  std::unique_ptr<FlatCoinStore> store_;
  // What a crash falls back to; a checkpoint that a crash ended may or may not have been published.
  BlockPoint durable_;
  bool may_have_published_ = false;
  // The disk was told to fail since the last start.
  bool has_faults_ = false;

  testing::NaiveCoinSet naive_;
  std::vector<BlockRef> chain_;
  std::map<Hash256, BlockRef> blocks_;
  std::vector<OutPoint> pool_;  // outpoints that were created at some time
  uint32_t salt_ = 0;
};

}  // namespace headrace::fuzz
