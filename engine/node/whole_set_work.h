// Work on the whole unspent set, beside a node that goes on: its statistics, and snapshots.
//
// The set is read from a pinned manifest (engine/ports/coin_store.h) by the thread that asked. The manifest's parts may
// stand at several blocks, and the tip above them all: the blocks between are read again and bring the set to the tip
// as it was when the question came, so in most cases nothing has to be written first. Only when they are too many, or
// the manifest is of a branch that was left, a checkpoint is made and pinned when it is published. While it is copied
// new windows wait once the tip has run so far ahead of its first part that the blocks between would become too many
// again: at the tip of a chain that never happens, in a long download for a part of the copying.
//
// Threads: Statistics, WriteSnapshot and Stop any but the engine's; one piece of work at a time, the others wait. The
// engine thread does no more than look and count blocks each turn, and steps of the checkpoint as always.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "engine/chain/header_tree.h"
#include "engine/ports/block_store.h"
#include "engine/ports/coin_store.h"

namespace headrace {

class Node;

// What a snapshot file holds, and the transactions of the chain through its block.
struct SnapshotFacts {
  CoinSetStatistics set;
  uint64_t chain_transactions = 0;
};

class WholeSetWork {
 public:
  // Blocks that are read again at most, and their bytes. What they change is held in memory: 300 MB if every byte of
  // theirs were of the smallest outputs there can be, 20 MB of real ones.
  static constexpr uint32_t kForwardBlocksMax = 1024;
  static constexpr uint64_t kForwardBytesMax = 16 << 20;

  explicit WholeSetWork(Node& node) : node_(node) {}
  WholeSetWork(const WholeSetWork&) = delete;
  WholeSetWork& operator=(const WholeSetWork&) = delete;

  // Of the applied tip. Unavailable when the node stops before it is done.
  absl::StatusOr<CoinSetStatistics> Statistics(CoinSetHashes hashes);
  // AlreadyExists and, for a path that cannot be written, InvalidArgument.
  absl::StatusOr<SnapshotFacts> WriteSnapshot(const std::string& path);
  // What is under way, and all that comes, ends soon with Unavailable. Any thread.
  void Stop() { must_stop_.store(true, std::memory_order_relaxed); }

  // What a step of a checkpoint met that ends the node. Engine thread.
  const absl::Status& failure() const { return failure_; }

 private:
  // A block above a pinned manifest, by what is needed to read it without the header tree.
  struct BlockAbove {
    uint32_t height = 0;
    Hash256 hash;
    BlockPosition data;
    bool is_bip30_exception = false;
  };
  struct Pinned {
    std::unique_ptr<PinnedCoinSet> set;
    std::vector<BlockAbove> blocks;
    uint64_t chain_transactions = 0;
  };
  // What one call remembers from turn to turn.
  struct Waiting {
    // Where the store stood when the checkpoint that is waited for began.
    std::optional<HeaderId> begun_at;
    // Whether no window may come into its copying.
    bool must_hold = false;
    uint64_t bytes_written = 0;
    absl::Status status;
    Pinned pinned;
  };

  // The set of the applied tip, ready to be read.
  absl::StatusOr<Pinned> PinTip();
  absl::Status BringForward(const Pinned& pinned) const;

  // Engine thread. True when `waiting` has its pin, or its status.
  bool Attempt(Waiting& waiting);
  bool TryPin(Waiting& waiting);
  absl::Status DriveCheckpoint(Waiting& waiting);
  bool IsNear(uint32_t from_height, HeaderId to, uint32_t blocks_max, uint64_t bytes_max) const;

  Node& node_;
  std::mutex mutex_;  // held by the thread whose work is under way
  // Relaxed everywhere: it orders nothing, and whoever sees it late ends late.
  std::atomic<bool> must_stop_{false};
  absl::Status failure_;
};

}  // namespace headrace
