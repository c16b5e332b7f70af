// A node for tests: real engine, real stores in a directory of its own, no network. Blocks are offered as a file import
// would, and the test turns the engine by hand.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <string>

#include "engine/node/node.h"
#include "engine/ports/entropy.h"
#include "storage/blocks/flat_block_store.h"
#include "storage/coins/flat_coin_store.h"
#include "tests/support/node/failing_file_system.h"
#include "tests/support/node/short_memory_file_system.h"
#include "tests/support/chain_builder.h"
#include "tests/support/temporary_directory.h"

namespace headrace::testing {

struct TestNodeOptions {
  std::string directory;
  Executor* executor = nullptr;
  // For work on the whole set; `executor` when absent.
  Executor* whole_set_executor = nullptr;
  PeerGateway* peers = nullptr;  // nobody, when absent
  NodeOptions node;
  // The rules of the network; outlives the node. Regtest, when absent.
  const ChainParams* params = nullptr;
  // Small ones make several files of a short chain.
  uint32_t block_file_bytes_max = 128 << 20;
  // See FlatBlockStore::Options.
  std::function<bool(const BlockScanProgress&)> on_scan;
  // Decides the hash key of a new coin store.
  uint32_t entropy_seed = 1;
  uint64_t coin_cache_bytes_max = 16 << 20;
  // One byte: a shard a step, so that the shards of a checkpoint stand at many heights.
  uint64_t checkpoint_step_bytes = 8 << 20;
  bool reindex = false;
  bool reindex_chainstate = false;
  // What its clock shows, in seconds since 1970; it stands still until SetNow.
  int64_t now_s = 2'000'000'000;
};

class TestNode {
 public:
  // The directory must be one that a node starts on.
  explicit TestNode(const TestNodeOptions& options);
  // For directories that it may refuse.
  static absl::StatusOr<std::unique_ptr<TestNode>> TryStart(const TestNodeOptions& options);
  ~TestNode();

  void Offer(const TestBlock& block);
  // The whole chain in an order that `seed` decides.
  void OfferShuffled(const ChainBuilder& chain, uint32_t seed);
  // Turns the engine until nothing moves any more, the executor's work included.
  void RunUntilQuiet();
  // Turns until many in a row had nothing to do, whatever may still be held back somewhere.
  void RunUntilNothingMoves();
  // As many turns as it takes to make `done` true; fails the test after ten seconds of turns that did nothing.
  void RunUntil(const std::function<bool()>& done);
  absl::StatusOr<bool> Turn() { return node_->Step(); }
  absl::Status Shutdown() { return node_->Shutdown(); }
  void SetNow(int64_t now_s);
  // Of the clock that intervals are measured by; each look at it takes a millisecond besides.
  void PassTime(int64_t seconds);

  // From its `operations`-th next change on, the disk takes nothing any more: every write, sync, rename and removal fails and
  // leaves the files as they are. What a process that is killed there leaves behind.
  void FailDiskAfter(uint64_t operations) { files_->FailAfter(operations); }
  // What is in memory, and when reads end.
  ShortMemoryFileSystem& memory() { return *memory_; }
  // No file can be opened from now on.
  void FailOpens() { files_->FailOpens(); }
  bool disk_has_failed() const { return files_->has_failed(); }
  uint64_t disk_changes() const { return files_->changes(); }

  Node& node() { return *node_; }
  CoinStore& coins() { return *coins_; }
  FlatCoinStore& coin_files() { return *coins_; }
  NodeStatus Status();
  // Whether the store holds exactly these coins, and both hashes of the set are theirs.
  void ExpectCoins(const TestCoinSet& expected);

 private:
  struct NotStarted {};
  TestNode(const TestNodeOptions& options, NotStarted);
  absl::Status Start(const TestNodeOptions& options);

  class SteppedClock;
  class TestEntropy;
  class NoDoorbell;

  std::unique_ptr<SteppedClock> clock_;
  Executor& executor_;
  std::unique_ptr<PeerGateway> no_peers_;
  std::unique_ptr<TestEntropy> entropy_;
  std::unique_ptr<NoDoorbell> doorbell_;
  std::unique_ptr<FailingFileSystem> files_;
  ShortMemoryFileSystem* memory_ = nullptr;  // below files_, and owned by it
  std::unique_ptr<FlatBlockStore> blocks_;
  std::unique_ptr<FlatCoinStore> coins_;
  std::unique_ptr<Node> node_;
};

}  // namespace headrace::testing
