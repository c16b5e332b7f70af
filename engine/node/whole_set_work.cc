#include "engine/node/whole_set_work.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "engine/base/status_macros.h"
#include "engine/consensus/check_block.h"
#include "engine/node/node.h"
#include "engine/primitives/decode.h"
#include "engine/primitives/transaction_hashes.h"

namespace headrace {
namespace {

absl::Status Stopping() { return absl::UnavailableError("The node is stopping."); }

// A call that was broken off was so because the node stops.
absl::Status StatusOfWork(const absl::Status& status) { return absl::IsCancelled(status) ? Stopping() : status; }

}  // namespace

bool WholeSetWork::IsNear(uint32_t from_height, HeaderId to, uint32_t blocks_max, uint64_t bytes_max) const {
  const HeaderTree& tree = node_.tree_;
  if (tree.height(to) > from_height + uint64_t{blocks_max}) return false;
  uint64_t bytes = 0;
  for (HeaderId id = to; tree.height(id) > from_height; id = tree.parent(id)) {
    bytes += tree.data(id).size;
    // A block whose bytes are not here cannot be read again.
    if (bytes > bytes_max || !tree.has_data(id)) return false;
  }
  return true;
}

bool WholeSetWork::TryPin(Waiting& waiting) {
  const CoinStore& coins = node_.ports_.coins;
  const HeaderTree& tree = node_.tree_;
  const ActiveChain& chain = node_.pipeline_.chain();
  const std::optional<BlockPoint> through = coins.durable_through();
  if (!through) return false;
  const HeaderId id = tree.Find(through->hash);
  if (id == kNoHeader || !chain.Contains(id)) return false;
  const uint32_t lowest = coins.durable().height;
  if (!IsNear(lowest, chain.tip(), kForwardBlocksMax, kForwardBytesMax)) return false;

  Pinned& pinned = waiting.pinned;
  pinned.set = coins.Pin();
  pinned.chain_transactions = tree.chain_transaction_count(chain.tip());
  for (uint32_t height = lowest + 1; height <= chain.height(); ++height) {
    const HeaderId above = chain.at(height);
    BlockAbove& block = pinned.blocks.emplace_back(BlockAbove{height, tree.hash(above), tree.data(above)});
    for (const BlockAt& exception : node_.params_.bip30_exceptions) {
      block.is_bip30_exception |= exception.height == height && exception.hash == block.hash;
    }
  }
  return true;
}

absl::Status WholeSetWork::DriveCheckpoint(Waiting& waiting) {
  CoinStore& coins = node_.ports_.coins;
  BlockPipeline& pipeline = node_.pipeline_;
  if (!coins.checkpoint_under_way()) {
    // One of ours was given up, or a window larger than all that may be read again came into its copying: the next is
    // of one block.
    waiting.must_hold = waiting.begun_at.has_value();
    HR_RETURN_IF_ERROR(coins.BeginCheckpoint());
    waiting.begun_at = pipeline.resolved();
  }
  // With a stop height reached nobody else does.
  if (node_.reached_stop_height()) {
    failure_ = coins.StepCheckpoint();
    HR_RETURN_IF_ERROR(failure_);
  }
  const HeaderTree& tree = node_.tree_;
  // One that was under way already is not waited for with the windows held: the next one will be our own.
  const bool is_too_far =
      waiting.begun_at && tree.IsAncestorOf(*waiting.begun_at, pipeline.resolved()) &&
      !IsNear(tree.height(*waiting.begun_at), pipeline.resolved(), kForwardBlocksMax / 2, kForwardBytesMax / 2);
  pipeline.Hold(is_too_far || waiting.must_hold);
  // While it copies, the next step need not wait for something else to wake the engine.
  const uint64_t bytes_written = coins.counters().bytes_written();
  if (std::exchange(waiting.bytes_written, bytes_written) != bytes_written) node_.ports_.doorbell.Ring();
  return absl::OkStatus();
}

bool WholeSetWork::Attempt(Waiting& waiting) {
  if (must_stop_.load(std::memory_order_relaxed)) {
    waiting.status = Stopping();
  } else if (node_.pipeline_.is_recovering()) {
    // Some parts of the store are ahead of the tip, and the manifest is what they are recovered from.
    return false;
  } else if (!TryPin(waiting)) {
    waiting.status = DriveCheckpoint(waiting);
    if (waiting.status.ok()) return false;
  }
  node_.pipeline_.Hold(false);
  return true;
}

absl::StatusOr<WholeSetWork::Pinned> WholeSetWork::PinTip() {
  Waiting waiting;
  HR_RETURN_IF_ERROR(node_.calls_.Run([&] { return Attempt(waiting); }));
  HR_RETURN_IF_ERROR(waiting.status);
  HR_RETURN_IF_ERROR(BringForward(waiting.pinned));
  return std::move(waiting.pinned);
}

absl::Status WholeSetWork::BringForward(const Pinned& pinned) const {
  const BlockStore& store = node_.ports_.blocks;
  BlockColumns columns;
  for (const BlockAbove& block : pinned.blocks) {
    if (must_stop_.load(std::memory_order_relaxed)) return Stopping();
    HR_ASSIGN_OR_RETURN(const SharedBytes raw, store.Map(block.data));
    bool is_whole = DecodeBlock(raw.bytes, columns) == DecodeError::kNone && columns.hash == block.hash;
    if (is_whole) {
      HashTransactions(columns);
      is_whole = MatchesCommitments(columns);
    }
    if (!is_whole) {
      return store.DamageAt(block.data, absl::StrCat("block ", block.hash.ToHex(), " at height ", block.height,
                                                     " is not what was stored"));
    }
    HR_RETURN_IF_ERROR(
        pinned.set->Forward({.height = block.height, .columns = &columns, .may_overwrite = block.is_bip30_exception}));
  }
  return absl::OkStatus();
}

absl::StatusOr<CoinSetStatistics> WholeSetWork::Statistics(CoinSetHashes hashes) {
  const std::lock_guard lock(mutex_);
  HR_ASSIGN_OR_RETURN(const Pinned pinned, PinTip());
  absl::StatusOr<CoinSetStatistics> statistics = pinned.set->Statistics(hashes, must_stop_);
  if (!statistics.ok()) return StatusOfWork(statistics.status());
  return statistics;
}

absl::StatusOr<SnapshotFacts> WholeSetWork::WriteSnapshot(const std::string& path) {
  const std::lock_guard lock(mutex_);
  HR_RETURN_IF_ERROR(node_.ports_.coins.CheckSnapshotPath(path));
  HR_ASSIGN_OR_RETURN(const Pinned pinned, PinTip());
  const absl::StatusOr<CoinSetStatistics> set = pinned.set->WriteSnapshot(path, must_stop_);
  if (!set.ok()) return StatusOfWork(set.status());
  return SnapshotFacts{*set, pinned.chain_transactions};
}

}  // namespace headrace
