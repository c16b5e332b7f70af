// The unspent set, as validation asks for it: whole windows of blocks, never single coins, but for readers.
//
// Heights. `resolved` is the height of the block whose effects the store holds. The engine moves it forward by Apply and
// back by Unapply, tells by SetApplied how far verdicts have come, and drives checkpoints with StepCheckpoint.
//
// Threads: everything but Find is called by the engine thread alone, which waits inside (the store spreads the work over
// the executor). Find may be called from any thread at any time.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "engine/base/arena.h"
#include "engine/primitives/block_columns.h"
#include "engine/primitives/coin.h"

namespace headrace {

struct BlockPoint {
  Hash256 hash;
  uint32_t height = 0;
  bool operator==(const BlockPoint&) const = default;
};

// One block of a window. The store reads the columns (txids filled) and fills `spent`.
struct WindowBlock {
  uint32_t height = 0;
  const BlockColumns* columns = nullptr;
  // Apply: out, one entry per input of the block in column order (the coinbase's is left as it is); scripts are copied
  // into `arena`. Unapply: in, the same. Sized by the caller: columns->input_count().
  std::span<Coin> spent;
  Arena* arena = nullptr;
  // BIP30's historical exceptions: this block may create outputs that exist; the older coins are gone for good.
  bool may_overwrite = false;
};

// What is being read from the disk for a block. May be dropped at any time.
class CoinReads {
 public:
  virtual ~CoinReads() = default;
  virtual bool done() const = 0;
  // After done: why it could not be read.
  virtual const absl::Status& status() const = 0;
};
using CoinReadsRef = std::shared_ptr<const CoinReads>;

enum class WindowOutcome : uint8_t {
  kApplied,
  // An input's coin is missing or spent twice, or an output exists already (BIP30). The store is as it was before.
  kViolated,
};

// Which hashes of the whole set are wanted: each costs a pass of its own over every coin's bytes.
struct CoinSetHashes {
  bool serialized = true;
  bool muhash = true;
};

// The whole set, as the field compares it.
struct CoinSetStatistics {
  BlockPoint best;
  uint64_t coins = 0;
  uint64_t transactions = 0;  // with at least one unspent output
  Amount total_amount = 0;
  // A size in no unit that sums 50 bytes and the script for each coin; comparable between implementations.
  uint64_t bogosize = 0;
  // Double SHA-256 over every coin's serialisation in sorted order (hash_serialized_3), and the MuHash of the same; as
  // text both are shown reversed. Zero when not asked for.
  Hash256 hash_serialized;
  Hash256 muhash;
};

// Anonymous memory, by what it is for.
struct CoinStoreMemory {
  uint64_t index_bytes = 0;
  uint64_t young_bytes = 0;    // in whole chunks
  uint64_t free_bytes = 0;     // chunks between two uses
  uint64_t written_bytes = 0;  // segments that have their files
  uint64_t filling_bytes = 0;  // and those that are on their way there
  uint64_t copies_bytes = 0;   // of the index, for a checkpoint
  uint64_t window_bytes = 0;   // lists and plans of a window, kept for the next one

  uint64_t total_bytes() const {
    return index_bytes + young_bytes + free_bytes + written_bytes + filling_bytes + copies_bytes + window_bytes;
  }
};

// Reads of records that were not in memory, as Locate asked for them: neighbouring pages are one read, and the reads of a block
// count until the last of them is done.
struct CoinColdReads {
  uint64_t reads = 0;
  uint64_t pages = 0;
  uint64_t in_flight_max = 0;
  // How long any was in flight, and the same summed over all reads: their quotient is how many there were at a time. Zeros
  // where nobody records spans.
  uint64_t busy_ns = 0;
  uint64_t waited_ns = 0;
};

struct CoinStoreCounters {
  uint64_t coins = 0;          // unspent now, at the resolved height
  CoinStoreMemory memory;      // what the cache budget bounds
  uint64_t disk_bytes = 0;
  uint64_t checkpoints = 0;
  uint64_t image_bytes_written = 0;    // the index, at checkpoints, with manifests
  uint64_t segment_bytes_written = 0;  // records that outlived young memory, or were compacted
  CoinColdReads cold_reads;
  uint64_t scrub_rounds = 0;   // that came to their end
  uint64_t scrub_bytes = 0;    // that were read and found good

  uint64_t bytes_written() const { return image_bytes_written + segment_bytes_written; }
};

// The whole set as the published manifest has it, which stays readable as long as this lives: the store goes on, and
// puts off deleting the files. The parts of a manifest may stand at different blocks of one branch; Forward takes all
// of them to the last one's, or further, before the set of a block is there to be read.
//
// Threads: one at a time, and not the engine's: each call may read the whole set. It may outlive the store, never the
// store's file system and executor. A call that finds `must_stop` set ends soon, with Cancelled.
class PinnedCoinSet {
 public:
  virtual ~PinnedCoinSet() = default;

  // Where the part that is furthest behind stands, and the one furthest ahead.
  virtual BlockPoint lowest() const = 0;
  virtual BlockPoint highest() const = 0;
  // Blocks in ascending order without a gap, the first above lowest(); `spent` and `arena` are not looked at, the
  // columns only during the call. What they change is held in memory.
  virtual absl::Status Forward(const WindowBlock& block) = 0;

  // FailedPrecondition while the parts stand at different blocks.
  virtual absl::StatusOr<CoinSetStatistics> Statistics(CoinSetHashes hashes, const std::atomic<bool>& must_stop) = 0;
  // Writes the set in the field's snapshot format to a file that does not exist; it appears whole or not at all.
  // Answers with the statistics, hash_serialized among them. AlreadyExists; InvalidArgument for a path that no file can
  // be made at.
  virtual absl::StatusOr<CoinSetStatistics> WriteSnapshot(const std::string& path,
                                                          const std::atomic<bool>& must_stop) = 0;
};

class CoinStore {
 public:
  virtual ~CoinStore() = default;

  virtual BlockPoint resolved() const = 0;

  // Recovery. The lowest height that any part of the store holds: Apply must be fed again from the block after it. While
  // heights up to `recovery_end` are re-applied each part ignores what it has, and `spent` is not filled for those parts.
  virtual BlockPoint recovery_start() const = 0;
  virtual BlockPoint recovery_end() const = 0;

  // located: starts reading, at depth, the records that these blocks will ask for and that are not in memory, so that Apply
  // need not wait for the disk. No verdict, any order, any number of times; coins that do not exist yet are nobody's concern.
  // `reads` gets one entry a block: null when there is nothing to wait for. `when_read` is called after each has become done,
  // from any thread, perhaps before this returns.
  virtual void Locate(std::span<const BlockColumns* const> blocks, std::span<CoinReadsRef> reads,
                      const std::function<void()>& when_read) = 0;

  // Spends and creates everything of consecutive blocks, the first of which stands on resolved().hash. A coin created in
  // the window may be spent by a later transaction of it. An environment failure (disk, checksum) is a Status, and is
  // never a verdict on a block.
  virtual absl::StatusOr<WindowOutcome> Apply(std::span<WindowBlock> window) = 0;

  // Takes the last blocks back, `window` in ascending order, the last of which is resolved(); `previous` is the block
  // below the first. Every creation is erased, every spent coin is put back.
  virtual absl::Status Unapply(std::span<const WindowBlock> window, const BlockPoint& previous) = 0;

  // Reads one coin as of resolved(); the script is copied into `script_buffer` and coin.script points there. False when
  // there is none.
  virtual absl::StatusOr<bool> Find(const OutPoint& outpoint, Coin& coin, std::vector<uint8_t>& script_buffer) const = 0;

  // Checkpoints. Begin starts one unless one is under way; Step does a bounded piece of it (called at window boundaries)
  // and publishes the manifest once `applied` has reached every part's height. What a manifest relies on (block files,
  // undo, block index) is made durable first through `make_durable`, which the engine gives.
  virtual void SetApplied(const BlockPoint& applied) = 0;
  virtual absl::Status BeginCheckpoint() = 0;
  virtual absl::Status StepCheckpoint() = 0;
  virtual bool checkpoint_under_way() const = 0;
  // Brings the checkpoint under way, or a fresh one, to its end; resolved must equal applied. For shutdown.
  virtual absl::Status FinishCheckpoint() = 0;
  // The height a crash now would fall back to.
  virtual BlockPoint durable() const = 0;

  // What the published manifest's furthest part holds; nothing when no manifest was published yet.
  virtual std::optional<BlockPoint> durable_through() const = 0;

  // Scrubbing: everything that the store relies on is read from its files and checked, a piece a step; a step costs a
  // millisecond, and never waits for the disk. Begin starts a round unless one is under way. What does not hold is a Status
  // that names the file. Nothing is remembered but in counters.
  virtual void BeginScrub() = 0;
  virtual absl::Status StepScrub() = 0;
  virtual bool scrub_under_way() const = 0;

  virtual CoinStoreCounters counters() const = 0;

  // Pins the published manifest; there must be one (durable_through). Costs microseconds: files are opened by the first
  // call that reads them.
  virtual std::unique_ptr<PinnedCoinSet> Pin() const = 0;
  // A sentence when there is something at `path` already: asked before long work ends there. Any thread.
  virtual absl::Status CheckSnapshotPath(const std::string& path) const = 0;
};

}  // namespace headrace
