// The unspent set on this machine: a flat index in memory over append-only record segments, with checkpoints that never
// stop the world. README.md has the arithmetic, FORMAT.md the bytes.
//
// Threads: as engine/ports/coin_store.h says. The engine thread calls everything but Find, and the store spreads its work
// over the executor. Find takes no lock and holds nobody up (coin_reader.h); no coin is ever seen half.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "engine/ports/coin_store.h"
#include "engine/ports/entropy.h"
#include "engine/ports/executor.h"
#include "storage/coins/coin_checkpoint.h"
#include "storage/coins/coin_reader.h"
#include "storage/coins/coin_scrub.h"
#include "storage/coins/coin_state.h"
#include "storage/coins/cold_reader.h"
#include "storage/coins/segment_writer.h"
#include "storage/coins/shard_plan.h"
#include "storage/coins/window_ops.h"
#include "storage/file/file_system.h"

namespace headrace {

struct CoinStoreOptions {
  FileSystem* files = nullptr;
  Executor* executor = nullptr;
  // For whole-set work, which goes on beside the engine's: a lower priority, and an arena of its own, keep it out of
  // the way. `executor` when there is none.
  Executor* whole_set_executor = nullptr;
  // What whole-set work takes for the coins that it sorts at a time.
  uint64_t whole_set_part_bytes = uint64_t{512} << 20;
  // Gives a new store its hash key. Not needed for reading.
  Entropy* entropy = nullptr;
  std::string directory;
  uint32_t network_magic = 0;
  // For index and young records together. The index must be resident whatever this says.
  uint64_t cache_bytes_max = uint64_t{450} << 20;
  // What one step of a checkpoint copies: enough to use the disk well, little enough that a step is short.
  uint64_t checkpoint_step_bytes = uint64_t{4} << 20;
  // What one step of a scrub reads and checks.
  uint64_t scrub_step_bytes = uint64_t{4} << 20;
  // The block an empty store stands on: genesis, whose outputs are no coins.
  BlockPoint origin;
  // Makes block files, undo and block index durable through the applied height; called before a manifest is published.
  std::function<absl::Status()> make_durable;
  // Begins that without waiting; called while the store's own files are being synced. May be empty.
  std::function<void()> begin_durable;
  // Opens what the published manifest names and never writes: nothing is created, deleted or checkpointed, while another
  // process may go on. There must be a manifest.
  bool is_read_only = false;
};

class FlatCoinStore : public CoinStore {
 public:
  // Reads the manifest (a directory without one is a new store), verifies the images, maps the segments, and deletes
  // files that no manifest names.
  static absl::StatusOr<std::unique_ptr<FlatCoinStore>> Open(const CoinStoreOptions& options);

  BlockPoint resolved() const override { return resolved_; }
  BlockPoint recovery_start() const override { return recovery_start_; }
  BlockPoint recovery_end() const override { return recovery_end_; }
  void Locate(std::span<const BlockColumns* const> blocks, std::span<CoinReadsRef> reads,
              const std::function<void()>& when_read) override {
    cold_reader_.Locate(blocks, reads, when_read);
  }
  absl::StatusOr<WindowOutcome> Apply(std::span<WindowBlock> window) override;
  absl::Status Unapply(std::span<const WindowBlock> window, const BlockPoint& previous) override;
  absl::StatusOr<bool> Find(const OutPoint& outpoint, Coin& coin, std::vector<uint8_t>& script_buffer) const override {
    return reader_.Find(outpoint, coin, script_buffer);
  }
  void SetApplied(const BlockPoint& applied) override { applied_ = applied; }
  absl::Status BeginCheckpoint() override;
  absl::Status StepCheckpoint() override;
  bool checkpoint_under_way() const override { return checkpoint_->under_way(); }
  absl::Status FinishCheckpoint() override;
  BlockPoint durable() const override { return checkpoint_->published().Lowest(); }
  void BeginScrub() override;
  absl::Status StepScrub() override;
  bool scrub_under_way() const override { return scrub_.under_way(); }
  CoinStoreCounters counters() const override;
  std::optional<BlockPoint> durable_through() const override;
  // See CoinCheckpoint::publishing.
  const CoinManifest* publishing() const { return checkpoint_->publishing(); }
  std::unique_ptr<PinnedCoinSet> Pin() const override;
  absl::Status CheckSnapshotPath(const std::string& path) const override;

  // What one file's checksums say; `status` is a sentence when they do not hold.
  struct FileVerdict {
    std::string path;
    uint64_t bytes = 0;
    absl::Status status;
  };
  // Reads every page of every sealed segment and checks every index table against the records. Engine thread.
  std::vector<FileVerdict> VerifyAll() const;

  // For tests and tools that look into a store which stands still.
  const CoinState& state() const { return state_; }

 private:
  explicit FlatCoinStore(const CoinStoreOptions& options);

  absl::Status Recover(const CoinManifest& manifest);
  absl::Status LoadImages(const CoinManifest& manifest);
  // During recovery: the blocks offered must be those that the shards ahead hold already.
  absl::Status CheckBranch(std::span<const WindowBlock> window) const;
  absl::Status CheckPlans(bool& is_violated) const;
  absl::Status FillSpent(std::span<WindowBlock> window);
  void ExecutePlans(std::span<const WindowBlock> window, const BlockPoint& point);
  void CountWindowMemory();
  absl::Status KeepYoungBounded();

  CoinState state_;
  SegmentWriter writer_;
  SurvivorCopier copier_;
  const CoinReader reader_;
  ColdReader cold_reader_;
  CoinScrub scrub_;
  std::unique_ptr<CoinCheckpoint> checkpoint_;
  const bool is_read_only_;

  BlockPoint resolved_;
  BlockPoint applied_;
  BlockPoint recovery_start_;
  BlockPoint recovery_end_;
  // Whether the published manifest is behind the store.
  bool has_changed_ = false;
  // The shard whose survivors are moved next when young memory runs out.
  uint32_t next_evicted_ = 0;

  // Kept from window to window for their memory.
  WindowOps ops_;
  std::vector<ShardPlan> plans_;
  std::vector<ShardPlan::Outcome> outcomes_;
  std::vector<CoinSource> sources_;
};

// Makes the directory of a store that is not open one of a new store.
absl::Status ForgetCoinStore(FileSystem* files, const std::string& directory);

// Opens or creates; the only way in for programs.
absl::StatusOr<std::unique_ptr<FlatCoinStore>> OpenCoinStore(const CoinStoreOptions& options);

}  // namespace headrace
