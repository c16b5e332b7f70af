// The node as programs around it ask it: what RPC, and whatever else an operator's tools speak, reads and orders.
//
// Answers are values, taken at one applied tip: nothing unverified is ever among them. An order that changes the chain
// returns after the change is visible to the next question.
//
// Threads: any, but the engine thread itself; each question waits for the engine's next turn (one window at the most,
// see engine_calls.h), an order until the chain stands as it says. Statuses, each with a sentence: Unavailable when the
// node is stopping, ResourceExhausted when too many wait; NotFound, InvalidArgument and FailedPrecondition as said
// below.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "engine/base/slab.h"
#include "engine/chain/header_tree.h"
#include "engine/consensus/chain_params.h"
#include "engine/node/node_status.h"
#include "engine/node/whole_set_work.h"
#include "engine/ports/coin_store.h"
#include "engine/validation/block_pipeline.h"

namespace headrace {

// A block, or a header alone, and its place.
struct BlockFacts {
  Hash256 hash;
  BlockHeader header;
  uint32_t height = 0;
  int64_t median_time_past_s = 0;
  Uint256 chain_work;
  // Of the active chain: 1 for its tip; -1 for blocks of other branches.
  int64_t confirmations = -1;
  // 0 while the block has not been received.
  uint32_t transaction_count = 0;
  // The block after it on the active chain.
  std::optional<Hash256> next;
  BlockPosition data;  // does not exist when the bytes are not here
};

struct ChainFacts {
  BlockFacts tip;
  uint32_t header_height = 0;  // of the header with most work that is not known to be invalid
  double progress = 0;         // 0 to 1, by transactions as well as is known
  bool is_initial_block_download = true;
  uint64_t disk_bytes = 0;  // block and undo files
};

enum class ChainTipStatus : uint8_t {
  kActive,
  kInvalid,       // a block of the branch broke a rule, or was invalidated by hand
  kHeadersOnly,   // not all blocks of the branch are here
  kValidHeaders,  // all are here, and were never fully checked
  kValidFork,     // was once part of the active chain
};

struct ChainTip {
  Hash256 hash;
  uint32_t height = 0;
  // Blocks from the fork with the active chain; 0 for the active tip.
  uint32_t branch_length = 0;
  ChainTipStatus status = ChainTipStatus::kHeadersOnly;
};

struct UnspentOutput {
  BlockPoint best;
  Amount amount = 0;
  uint32_t height = 0;
  bool is_coinbase = false;
  std::vector<uint8_t> script;
};

class Node;

class NodeFacade {
 public:
  explicit NodeFacade(Node& node) : node_(node) {}
  NodeFacade(const NodeFacade&) = delete;
  NodeFacade& operator=(const NodeFacade&) = delete;

  const ChainParams& params() const;
  NodeStatus Status() const;

  absl::StatusOr<ChainFacts> Chain();
  absl::StatusOr<BlockPoint> AppliedTip();
  // Of the active chain. InvalidArgument above its tip.
  absl::StatusOr<BlockFacts> BlockAtHeight(uint32_t height);
  // Any known header. NotFound.
  absl::StatusOr<BlockFacts> Block(const Hash256& hash);
  // The raw bytes of a block that Block() found. NotFound when they are not here.
  absl::StatusOr<SharedBytes> RawBlock(const BlockFacts& block) const;
  // Highest first.
  absl::StatusOr<std::vector<ChainTip>> ChainTips();
  // Nothing when it is spent, or was never there.
  absl::StatusOr<std::optional<UnspentOutput>> FindOutput(const OutPoint& outpoint);
  // Of the tip at the time of the question, while the engine goes on (whole_set_work.h): seconds a 10 million coins.
  absl::StatusOr<CoinSetStatistics> CoinSet(CoinSetHashes hashes);
  // Writes the set of the tip to a file in the field's snapshot format. AlreadyExists; InvalidArgument for a path that
  // cannot be written.
  absl::StatusOr<SnapshotFacts> WriteSnapshot(const std::string& path);

  // Takes the block and its descendants out of the race, and follows the best chain without them. NotFound;
  // InvalidArgument for genesis.
  absl::Status Invalidate(const Hash256& hash);
  // Takes marks back from the block, its ancestors and its descendants, and follows the best chain then. NotFound.
  absl::Status Reconsider(const Hash256& hash);
  // What became of a block: empty when it was applied, otherwise the field's words (BIP22): a reject reason,
  // "duplicate", "inconclusive" (stored, and not part of the best chain). InvalidArgument for bytes that are no block.
  // A coinbase that commits to witnesses and brings none is given the nonce of zeros.
  absl::StatusOr<std::string> Submit(std::vector<uint8_t> block);

  // Engine thread: for the node.
  void OnReport(const BlockReport& report);
  // What a call met that ends the node: a disk that fails.
  const absl::Status& failure() const { return failure_; }

 private:
  // Runs a question that is answered at once.
  absl::Status Ask(absl::FunctionRef<void()> question);
  // Runs an order, and returns when the chain has followed it: `begin` gives it, and is false when there is nothing to
  // wait for.
  absl::Status Order(absl::FunctionRef<bool()> begin);
  BlockFacts FactsOf(HeaderId id) const;
  ChainTip TipFactsOf(HeaderId id) const;
  absl::Status StopHeightFailure() const;

  // A block on its way by Submit.
  struct Submission;
  bool BeginSubmission(Submission& submission);
  bool IsSettled(Submission& submission);

  Node& node_;
  // Engine thread.
  std::vector<BlockReport> reports_;
  absl::flat_hash_map<HeaderId, Verdict> submitted_;  // what became of blocks that wait in Submit
  absl::Status failure_;
};

}  // namespace headrace
