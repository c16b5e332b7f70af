#include "storage/coins/coin_checkpoint.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "engine/base/check.h"
#include "engine/base/log.h"
#include "engine/base/status_macros.h"

namespace headrace {
namespace {

// Image writes under way at once; each holds a copy of a shard, 8 MiB at 100 million coins.
constexpr size_t kWritesMax = 8;
// Garbage in old segments is kept below this share of the living: space stays under 1.4 times the live bytes.
constexpr double kGarbageShareMax = 0.4;
// A segment with less than this alive is worth copying whatever the total is.
constexpr double kLiveShareMin = 0.5;
// Segments this small are merged once there are as many.
constexpr uint64_t kSmallSegmentBytes = kSegmentBytes / 8;
constexpr size_t kSmallSegmentsMax = 8;
// Left free on the disk beside what the checkpoint writes.
constexpr uint64_t kSpareBytes = 4 << 20;

double LiveShare(const Segment& segment) {
  if (segment.record_count == 0) return 0;
  return static_cast<double>(segment.live_count.load(std::memory_order_relaxed)) / segment.record_count;
}

double LiveBytes(const Segment& segment) { return LiveShare(segment) * segment.records_end; }

}  // namespace

CoinCheckpoint::CoinCheckpoint(CoinState* state, SegmentWriter* writer, BlockDurability blocks, CoinManifest published,
                               bool is_published)
    : state_(state),
      writer_(writer),
      blocks_(std::move(blocks)),
      published_(std::move(published)),
      is_published_(is_published),
      compaction_(state, writer),
      copier_(state, writer) {}

CoinCheckpoint::~CoinCheckpoint() {
  // Buffers are owned by the batches, but whoever opens the directory next must not meet our writes.
  for (const FileBatchRef& batch : writes_) batch->Wait();
  if (sync_ != nullptr) sync_->Wait();
  if (publication_ != nullptr) publication_->Wait();
  state_->pins->WaitForRemovals();
}

void CoinCheckpoint::ChooseRetiring() {
  std::vector<Segment*> sealed;
  double live_bytes = 0;
  double used_bytes = 0;
  std::vector<Segment*> small;
  for (Segment* segment : state_->space.OldSegments()) {
    if (!HasWholeFile(segment->kind)) continue;
    sealed.push_back(segment);
    live_bytes += LiveBytes(*segment);
    used_bytes += segment->records_end;
    if (segment->records_end < kSmallSegmentBytes) small.push_back(segment);
  }
  // Deadest first: they give most space for least copying.
  std::stable_sort(sealed.begin(), sealed.end(), [](const Segment* a, const Segment* b) { return LiveShare(*a) < LiveShare(*b); });
  for (Segment* segment : sealed) {
    const bool is_garbage_high = used_bytes > live_bytes * (1 + kGarbageShareMax);
    if (LiveShare(*segment) >= kLiveShareMin && !is_garbage_high) break;
    segment->is_retiring = true;
    used_bytes -= segment->records_end - LiveBytes(*segment);
  }
  if (small.size() > kSmallSegmentsMax) {
    for (Segment* segment : small) segment->is_retiring = true;
  }
}

uint64_t CoinCheckpoint::BytesNeeded() const {
  uint64_t bytes = state_->index_bytes() + state_->index_bytes() / 1024 + state_->young_bytes() + kSpareBytes;
  for (const Segment* segment : state_->space.OldSegments()) {
    if (segment->is_retiring) bytes += static_cast<uint64_t>(LiveBytes(*segment));
  }
  return bytes;
}

absl::Status CoinCheckpoint::Begin() {
  HR_CHECK(phase_ == Phase::kIdle);
  ChooseRetiring();
  const uint64_t needed = BytesNeeded();
  const absl::StatusOr<uint64_t> free_bytes = state_->files->FreeBytes(state_->directory);
  if (!free_bytes.ok() || *free_bytes < needed) {
    HR_RETURN_IF_ERROR(Abandon());
    HR_RETURN_IF_ERROR(free_bytes.status());
    return absl::ResourceExhaustedError(
        absl::StrCat("The disk of ", state_->directory, " has ", *free_bytes >> 20, " MiB free, and the next checkpoint of the coin "
                     "store needs ", (needed >> 20) + 1, " MiB; make room and start again, nothing is lost."));
  }
  next_ = CoinManifest();
  next_.network_magic = state_->network_magic;
  next_.hash_key[0] = state_->hash_key[0];
  next_.hash_key[1] = state_->hash_key[1];
  next_.image_serial = writer_->next_serial();
  writer_->set_next_serial(next_.image_serial + 1);
  absl::StatusOr<FileRef> image = state_->files->Open(Path(ImageFileName(next_.image_serial)), OpenMode::kTruncate);
  if (!image.ok()) {
    HR_RETURN_IF_ERROR(Abandon());
    return image.status();
  }
  image_ = *std::move(image);
  may_be_named_ = false;
  copied_shards_ = 0;
  std::deque<uint32_t> retiring;
  for (const Segment* segment : state_->space.OldSegments()) {
    if (segment->is_retiring) retiring.push_back(segment->id);
  }
  compaction_.Begin(std::move(retiring));
  phase_ = Phase::kCompacting;
  return absl::OkStatus();
}

absl::StatusOr<bool> CoinCheckpoint::MoveYoung(uint32_t number, bool wait, uint64_t& copied_bytes) {
  CoinShard& shard = state_->shards[number];
  const uint64_t most = wait ? UINT64_MAX : state_->checkpoint_step_bytes;
  HR_ASSIGN_OR_RETURN(const uint64_t walked, copier_.MoveYoung(shard, most));
  copied_bytes += walked;
  HR_RETURN_IF_ERROR(writer_->Settle(false, state_->kept_bytes_max()).status());
  return shard.young_bytes() == 0;
}

std::shared_ptr<ShardImage> CoinCheckpoint::UnusedCopy(const CoinTable& table) {
  const uint64_t bytes = ShardImage::BytesOf(table);
  auto unused = std::find_if(copies_.begin(), copies_.end(), [](const auto& copy) { return copy.use_count() == 1; });
  if (unused == copies_.end()) unused = copies_.insert(unused, nullptr);
  // Tables grow now and then.
  if (*unused == nullptr || (*unused)->bytes_max() < bytes) {
    if (*unused != nullptr) state_->copies_bytes -= (*unused)->bytes_max();
    *unused = std::make_shared<ShardImage>(bytes);
    state_->copies_bytes += (*unused)->bytes_max();
  }
  return *unused;
}

void CoinCheckpoint::ForgetCopies() {
  copies_.clear();
  state_->copies_bytes = 0;
}

absl::Status CoinCheckpoint::CopyShard(uint32_t number, bool is_last, uint64_t& copied_bytes) {
  CoinShard& shard = state_->shards[number];
  const std::shared_ptr<ShardImage> copy = UnusedCopy(shard.table);
  copy->Take(shard.table, state_->executor);

  next_.shards[number] = {next_.image_bytes, shard.table.homes(), copy->checksum(), shard.table.size(), shard.point};
  auto batch = std::make_shared<FileBatch>();
  FileOperation write{FileOperation::Kind::kWrite, image_, next_.image_bytes};
  write.write_from = copy->bytes();
  // An image is read when a node starts: after a clean stop perhaps soon, else hardly ever.
  write.passes_cache = !is_last;
  write.owner = copy;
  batch->operations.push_back(std::move(write));
  writes_.push_back(batch);
  state_->files->Submit(std::move(batch));
  next_.image_bytes += copy->bytes().size();
  bytes_written_ += copy->bytes().size();
  copied_bytes += copy->bytes().size();
  return absl::OkStatus();
}

absl::Status CoinCheckpoint::WaitForWrites(size_t left_max) {
  while (!writes_.empty() && (writes_.size() > left_max || writes_.front()->done())) {
    writes_.front()->Wait();
    HR_RETURN_IF_ERROR(writes_.front()->status());
    writes_.erase(writes_.begin());
  }
  return absl::OkStatus();
}

absl::Status CoinCheckpoint::CopyShards(bool wait) {
  uint64_t copied_bytes = 0;
  while (copied_shards_ < kCoinShardCount && (wait || copied_bytes < state_->checkpoint_step_bytes)) {
    // A shard with more young records than a step may walk takes several; its image is copied with the last.
    HR_ASSIGN_OR_RETURN(const bool is_moved, MoveYoung(copied_shards_, wait, copied_bytes));
    if (!is_moved) continue;
    // Where the disk is slower than the copying, the shard's turn comes later.
    HR_RETURN_IF_ERROR(WaitForWrites(wait ? kWritesMax - 1 : kWritesMax));
    if (writes_.size() >= kWritesMax) return absl::OkStatus();
    HR_RETURN_IF_ERROR(CopyShard(copied_shards_, wait, copied_bytes));
    ++copied_shards_;
  }
  if (copied_shards_ < kCoinShardCount) return absl::OkStatus();

  // Every record that the images name is in a segment by now; later ones are the next manifest's.
  HR_RETURN_IF_ERROR(writer_->Seal());
  named_segments_.clear();
  for (const Segment* segment : state_->space.OldSegments()) {
    if (!segment->is_retiring) named_segments_.push_back(segment->id);
  }
  phase_ = Phase::kWriting;
  return absl::OkStatus();
}

absl::StatusOr<bool> CoinCheckpoint::StartSync(bool wait) {
  HR_ASSIGN_OR_RETURN(const bool is_settled, writer_->Settle(wait, state_->kept_bytes_max()));
  HR_RETURN_IF_ERROR(WaitForWrites(wait ? 0 : kWritesMax));
  if (!is_settled || !writes_.empty()) return false;
  auto batch = std::make_shared<FileBatch>();
  for (const uint32_t id : named_segments_) {
    const Segment* segment = state_->space.segment(id);
    if (segment->is_durable) continue;
    batch->operations.push_back({FileOperation::Kind::kSync, segment->file});
  }
  batch->operations.push_back({FileOperation::Kind::kSync, image_});
  batch->operations.push_back({.kind = FileOperation::Kind::kSyncDirectory, .path = state_->directory});
  // Kept once it is handed over: whoever takes the checkpoint down waits for it.
  sync_ = std::move(batch);
  state_->files->Submit(sync_);
  if (blocks_.begin) blocks_.begin();
  phase_ = Phase::kSyncing;
  return true;
}

absl::StatusOr<bool> CoinCheckpoint::FinishSync(bool wait) {
  if (!wait && !sync_->done()) return false;
  sync_->Wait();
  HR_RETURN_IF_ERROR(sync_->status());
  sync_ = nullptr;
  for (const uint32_t id : named_segments_) state_->space.segment(id)->is_durable = true;
  ForgetCopies();
  phase_ = Phase::kReady;
  return true;
}

absl::Status CoinCheckpoint::Step(const BlockPoint& applied, bool wait) {
  if (phase_ == Phase::kCompacting) {
    HR_ASSIGN_OR_RETURN(const bool is_compacted, compaction_.Step(state_->checkpoint_step_bytes, wait));
    if (is_compacted) phase_ = Phase::kCopying;
  }
  if (phase_ == Phase::kCopying) HR_RETURN_IF_ERROR(CopyShards(wait));
  if (phase_ == Phase::kWriting) HR_RETURN_IF_ERROR(StartSync(wait).status());
  if (phase_ == Phase::kSyncing) HR_RETURN_IF_ERROR(FinishSync(wait).status());
  if (phase_ == Phase::kReady && applied.height >= next_.Highest().height) HR_RETURN_IF_ERROR(StartPublishing());
  if (phase_ == Phase::kPublishing) HR_RETURN_IF_ERROR(FinishPublishing(wait).status());
  if (phase_ == Phase::kRemoving) RemoveObsolete(wait);
  return absl::OkStatus();
}

absl::Status CoinCheckpoint::StartPublishing() {
  HR_RETURN_IF_ERROR(blocks_.finish());
  next_.segments.clear();
  for (const uint32_t id : named_segments_) {
    const Segment& segment = *state_->space.segment(id);
    next_.segments.push_back({id, segment.serial, segment.records_end, segment.record_count, segment.checksums.total()});
  }
  next_.next_serial = writer_->next_serial();
  const std::vector<uint8_t> bytes = EncodeManifest(next_);
  may_be_named_ = true;
  HR_ASSIGN_OR_RETURN(publication_, state_->files->BeginReplaceFile(Path(kManifestFileName), bytes));
  bytes_written_ += bytes.size();
  phase_ = Phase::kPublishing;
  return absl::OkStatus();
}

absl::StatusOr<bool> CoinCheckpoint::FinishPublishing(bool wait) {
  if (!wait && !publication_->done()) return false;
  publication_->Wait();
  const FileBatchRef publication = std::move(publication_);
  publication_ = nullptr;
  if (!publication->status().ok()) {
    phase_ = Phase::kReady;
    return publication->status();
  }
  ++published_count_;
  HR_LOG(kInfo, kCoins, "checkpoint published height=", next_.Lowest().height, " through=", next_.Highest().height,
         " segments=", next_.segments.size(), " image_bytes=", next_.image_bytes);
  // From here on nothing needs what only the previous manifest named, but those who have pinned it.
  if (is_published_) state_->pins->Remove(Path(ImageFileName(published_.image_serial)));
  for (const Segment* segment : state_->space.OldSegments()) {
    if (segment->is_retiring) obsolete_segments_.push_back(segment->id);
  }
  published_ = std::move(next_);
  is_published_ = true;
  may_be_named_ = false;
  image_ = nullptr;
  phase_ = Phase::kRemoving;
  return true;
}

// One a step: its memory or its mapping, 64 MiB of pages, goes with it.
void CoinCheckpoint::RemoveObsolete(bool wait) {
  do {
    if (obsolete_segments_.empty()) break;
    const Segment& segment = *state_->space.segment(obsolete_segments_.back());
    obsolete_segments_.pop_back();
    HR_CHECK(segment.live_count.load(std::memory_order_relaxed) == 0);
    const std::string path = segment.path;
    state_->space.Release(segment.id);
    state_->pins->Remove(path);
  } while (wait);
  if (obsolete_segments_.empty()) phase_ = Phase::kIdle;
  if (wait) state_->pins->WaitForRemovals();
}

absl::Status CoinCheckpoint::Rewind(uint32_t height) {
  if (phase_ == Phase::kIdle || phase_ == Phase::kRemoving) return absl::OkStatus();
  for (uint32_t number = 0; number < copied_shards_; ++number) {
    if (next_.shards[number].point.height > height) return Abandon();
  }
  return absl::OkStatus();
}

bool CoinCheckpoint::IsUniform(const BlockPoint& point) const {
  return std::all_of(next_.shards.begin(), next_.shards.begin() + copied_shards_,
                     [&](const ShardEntry& shard) { return shard.point == point; });
}

absl::Status CoinCheckpoint::Abandon() {
  if (phase_ == Phase::kPublishing) HR_RETURN_IF_ERROR(FinishPublishing(true).status());
  if (phase_ == Phase::kRemoving) {
    RemoveObsolete(true);
    return absl::OkStatus();
  }
  compaction_.Abandon();
  for (const FileBatchRef& batch : writes_) batch->Wait();
  writes_.clear();
  if (sync_ != nullptr) sync_->Wait();
  sync_ = nullptr;
  ForgetCopies();
  for (Segment* segment : state_->space.OldSegments()) segment->is_retiring = false;
  // An image that stays behind is deleted at the next start, unless it is the one that is named.
  if (image_ != nullptr && !may_be_named_) {
    state_->files->Remove(Path(ImageFileName(next_.image_serial))).IgnoreError();
  }
  image_ = nullptr;
  phase_ = Phase::kIdle;
  return absl::OkStatus();
}

}  // namespace headrace
