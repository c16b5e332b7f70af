// A checkpoint in the making, fuzzy by shard: first old segments that are mostly dead are compacted, then at successive
// window boundaries one shard after another is copied and written out with its survivors, each as of the height it has
// then; the manifest that names them all is published when the verdicts have reached the highest. The world never stops.
//
// Order on disk: whatever the blocks need (the engine's make_durable), segments, image, directory, then the manifest;
// files of the one before go only after that, one a step, or later: when nobody has them pinned any more (pinned_files.h).
//
// Threads: the engine thread. A step copies about `checkpoint_step_bytes` (4 MiB), and waits for the disk only when told
// to, or in make_durable for what was begun long before with begin_durable.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "absl/status/status.h"
#include "storage/coins/coin_manifest.h"
#include "storage/coins/coin_state.h"
#include "storage/coins/segment_compaction.h"
#include "storage/coins/segment_writer.h"
#include "storage/coins/shard_image.h"
#include "storage/coins/survivor_copier.h"

namespace headrace {

// What the engine does so that a manifest never names blocks that are not on the disk.
struct BlockDurability {
  // Hands to the disk what `finish` would wait for, without waiting. May be empty.
  std::function<void()> begin;
  std::function<absl::Status()> finish;
};

class CoinCheckpoint {
 public:
  // `published` is what the directory's manifest says now, empty for a new store.
  CoinCheckpoint(CoinState* state, SegmentWriter* writer, BlockDurability blocks, CoinManifest published,
                 bool is_published);
  ~CoinCheckpoint();

  bool under_way() const { return phase_ != Phase::kIdle; }
  // The manifest in the directory; its shards' points are the origin when there is none.
  const CoinManifest& published() const { return published_; }
  bool is_published() const { return is_published_; }
  // The manifest on its way into the directory, or whose way there failed: the one that a start after a crash may find instead.
  const CoinManifest* publishing() const { return may_be_named_ ? &next_ : nullptr; }

  // Checks the free space and chooses which segments will be compacted away.
  absl::Status Begin();
  // With `wait`, goes on until nothing but a higher `applied` can help.
  absl::Status Step(const BlockPoint& applied, bool wait);
  // The blocks above `height` are gone: a checkpoint that has copied any of them is given up. One that is being published is
  // published first, since nobody can say any more which of the two a crash would leave.
  absl::Status Rewind(uint32_t height);
  absl::Status Abandon();
  // Whether every shard copied so far is as of `point`.
  bool IsUniform(const BlockPoint& point) const;

  uint64_t published_count() const { return published_count_; }
  uint64_t bytes_written() const { return bytes_written_; }

 private:
  enum class Phase : uint8_t { kIdle, kCompacting, kCopying, kWriting, kSyncing, kReady, kPublishing, kRemoving };

  void ChooseRetiring();
  uint64_t BytesNeeded() const;
  absl::Status CopyShards(bool wait);
  // A part of a shard's young records at a time; true when none is left.
  absl::StatusOr<bool> MoveYoung(uint32_t number, bool wait, uint64_t& copied_bytes);
  // `is_last`: the store is closed when this checkpoint is done, as far as can be told.
  absl::Status CopyShard(uint32_t number, bool is_last, uint64_t& copied_bytes);
  // One for a table's image, that no write holds any more.
  std::shared_ptr<ShardImage> UnusedCopy(const CoinTable& table);
  void ForgetCopies();
  absl::Status WaitForWrites(size_t left_max);
  absl::StatusOr<bool> StartSync(bool wait);
  absl::StatusOr<bool> FinishSync(bool wait);
  absl::Status StartPublishing();
  absl::StatusOr<bool> FinishPublishing(bool wait);
  void RemoveObsolete(bool wait);
  std::string Path(const std::string& name) const { return state_->directory + "/" + name; }

  CoinState* const state_;
  SegmentWriter* const writer_;
  const BlockDurability blocks_;

  CoinManifest published_;
  bool is_published_;
  uint64_t published_count_ = 0;
  uint64_t bytes_written_ = 0;

  Phase phase_ = Phase::kIdle;
  SegmentCompaction compaction_;
  SurvivorCopier copier_;
  CoinManifest next_;
  uint32_t copied_shards_ = 0;
  FileRef image_;
  std::vector<FileBatchRef> writes_;
  // Copies of tables on their way to the image; those that no write holds any more are used again.
  std::vector<std::shared_ptr<ShardImage>> copies_;
  FileBatchRef sync_;
  FileBatchRef publication_;
  // Publishing has begun: whether it succeeds or not, the directory's manifest may name this image.
  bool may_be_named_ = false;
  std::vector<uint32_t> named_segments_;
  // Emptied ones, whose files go when the manifest is durable.
  std::vector<uint32_t> obsolete_segments_;
};

}  // namespace headrace
