// Opening the coin store: from nothing, or from what the manifest names.

#include <set>

#include "absl/strings/str_cat.h"
#include "engine/base/check.h"
#include "engine/base/log.h"
#include "engine/base/status_macros.h"
#include "storage/coins/flat_coin_store.h"
#include "storage/coins/segment_file.h"

namespace headrace {
namespace {

// A manifest names at most all segment ids; anything larger is not one.
constexpr uint64_t kManifestBytesMax = 1 << 20;
// A node that publishes while its directory is being opened for reading may delete what the old manifest named.
constexpr int kReadOnlyAttempts = 5;

bool IsOurFile(const std::string& name) {
  return name.starts_with("segment-") || name.starts_with("image-");
}

// Deletes what a crash left behind: segments and images that the manifest does not name.
absl::Status DeleteUnnamedFiles(FileSystem* files, const std::string& directory, const CoinManifest& manifest) {
  std::set<std::string> named{ImageFileName(manifest.image_serial)};
  for (const SegmentEntry& segment : manifest.segments) named.insert(SegmentFileName(segment.serial));
  HR_ASSIGN_OR_RETURN(const std::vector<std::string> names, files->List(directory));
  // A process that was killed between the manifest's rename and the directory's sync left a manifest that a power failure may
  // still take back, and then the one before needs its files.
  HR_RETURN_IF_ERROR(files->SyncDirectory(directory));
  for (const std::string& name : names) {
    if (!IsOurFile(name) || named.contains(name)) continue;
    HR_LOG(kInfo, kCoins, "deleting unfinished file=", name);
    HR_RETURN_IF_ERROR(files->Remove(directory + "/" + name));
  }
  return absl::OkStatus();
}

}  // namespace

FlatCoinStore::FlatCoinStore(const CoinStoreOptions& options)
    : writer_(&state_.space, options.files, options.directory, options.network_magic),
      copier_(&state_, &writer_),
      reader_(&state_),
      cold_reader_(&state_),
      scrub_(&state_, options.scrub_step_bytes),
      is_read_only_(options.is_read_only),
      plans_(kCoinShardCount),
      outcomes_(kCoinShardCount) {
  state_.files = options.files;
  state_.executor = options.executor;
  state_.whole_set_executor = options.whole_set_executor != nullptr ? options.whole_set_executor : options.executor;
  state_.whole_set_part_bytes = options.whole_set_part_bytes;
  state_.pins = std::make_shared<PinnedFiles>(options.files);
  state_.directory = options.directory;
  state_.network_magic = options.network_magic;
  state_.cache_bytes_max = options.cache_bytes_max;
  state_.checkpoint_step_bytes = options.checkpoint_step_bytes;
  for (uint32_t number = 0; number < kCoinShardCount; ++number) state_.shards[number].table.StaggerGrowth(number);
}

absl::Status FlatCoinStore::LoadImages(const CoinManifest& manifest) {
  const std::string path = state_.directory + "/" + ImageFileName(manifest.image_serial);
  if (!state_.files->Exists(path)) return absl::DataLossError(absl::StrCat(path, " is missing; ", kReindexRemedy, "."));
  HR_ASSIGN_OR_RETURN(const FileRef file, state_.files->Open(path, OpenMode::kRead));
  HR_ASSIGN_OR_RETURN(const uint64_t size, file->Size());
  if (size != manifest.image_bytes) {
    return absl::DataLossError(absl::StrCat(path, " has ", size, " bytes where the manifest expects ", manifest.image_bytes, "; ",
                                            kReindexRemedy, "."));
  }
  HR_ASSIGN_OR_RETURN(const SharedBytes image, state_.files->MapReadOnly(file, 0, size));
  const std::vector<Segment*> segments = state_.space.OldSegments();
  std::vector<uint8_t> is_good(kCoinShardCount, 0);
  state_.executor->ParallelFor(kCoinShardCount, 1, [&](size_t begin, size_t end) {
    for (size_t number = begin; number < end; ++number) {
      const ShardEntry& entry = manifest.shards[number];
      CoinShard& shard = state_.shards[number];
      shard.point = entry.point;
      const uint64_t body_bytes = RoundUpToPage(manifest.TableBytes(entry));
      const uint64_t sums_bytes = body_bytes / kPageBytes * 4;
      if (image.bytes.size() - entry.offset < body_bytes + sums_bytes) continue;
      const uint8_t* body = image.bytes.data() + entry.offset;
      const PageChecksums checksums = PageChecksums::Load({body + body_bytes, sums_bytes});
      if (checksums.total() != entry.checksum || !checksums.PageRangeIsGood(body, 0, body_bytes)) continue;
      if (manifest.version == 1) {
        shard.table.LoadImageOfVersion1(entry.table_size, body);
      } else {
        shard.table.LoadImage(entry.table_size, body);
      }
      bool leads_to_records = true;
      std::vector<uint32_t> live(kSegmentCount);
      shard.table.ForEach([&](CoinTable::Position, RecordLocation location) {
        const Segment* segment = state_.space.segment(SegmentOf(location));
        if (segment == nullptr || OffsetOf(location) < kSegmentHeaderBytes || OffsetOf(location) >= segment->records_end) {
          leads_to_records = false;
          return;
        }
        ++live[segment->id];
      });
      if (!leads_to_records || shard.table.size() != entry.coins) continue;
      for (Segment* segment : segments) {
        if (live[segment->id] != 0) segment->live_count.fetch_add(live[segment->id], std::memory_order_relaxed);
      }
      is_good[number] = 1;
    }
  });
  for (uint32_t number = 0; number < kCoinShardCount; ++number) {
    if (is_good[number] != 0) continue;
    return absl::DataLossError(absl::StrCat(path, " is damaged in the table of shard ", number, " (byte ",
                                            manifest.shards[number].offset, "); ", kReindexRemedy, "."));
  }
  return absl::OkStatus();
}

absl::Status FlatCoinStore::Recover(const CoinManifest& manifest) {
  state_.hash_key[0] = manifest.hash_key[0];
  state_.hash_key[1] = manifest.hash_key[1];
  writer_.set_next_serial(manifest.next_serial);
  for (const SegmentEntry& entry : manifest.segments) {
    Segment& segment = state_.space.Claim(entry.id);
    HR_RETURN_IF_ERROR(OpenSealedSegment(state_.files, state_.directory, state_.network_magic, entry,
                                         state_.space.WritableBase(entry.id), segment));
    state_.space.Publish(segment, SegmentKind::kSealed);
  }
  return LoadImages(manifest);
}

absl::StatusOr<std::unique_ptr<FlatCoinStore>> FlatCoinStore::Open(const CoinStoreOptions& options) {
  FileSystem* files = options.files;
  const std::string path = options.directory + "/" + kManifestFileName;
  auto store = std::unique_ptr<FlatCoinStore>(new FlatCoinStore(options));
  HR_RETURN_IF_ERROR(store->state_.space.Reserve(options.directory));
  CoinManifest manifest;
  // Only a manifest that is certainly not there makes a new store: one that cannot be read for now would take its files with it.
  const absl::StatusOr<std::vector<uint8_t>> bytes = files->ReadWholeFile(path, kManifestBytesMax);
  const bool has_manifest = !absl::IsNotFound(bytes.status());
  if (has_manifest) {
    HR_RETURN_IF_ERROR(bytes.status());
    HR_ASSIGN_OR_RETURN(manifest, DecodeManifest(*bytes, options.network_magic, path));
    HR_RETURN_IF_ERROR(store->Recover(manifest));
  } else if (options.is_read_only) {
    return absl::NotFoundError(absl::StrCat(path, " does not exist: no checkpoint of the coin store was ever finished there."));
  } else {
    HR_RETURN_IF_ERROR(files->MakeDirectories(options.directory));
    HR_CHECK(options.entropy != nullptr);
    for (uint64_t& word : store->state_.hash_key) word = options.entropy->Next64();
    for (ShardEntry& shard : manifest.shards) shard.point = options.origin;
    for (CoinShard& shard : store->state_.shards) shard.point = options.origin;
  }
  if (!options.is_read_only) HR_RETURN_IF_ERROR(DeleteUnnamedFiles(files, options.directory, manifest));
  store->resolved_ = store->applied_ = store->recovery_start_ = manifest.Lowest();
  store->recovery_end_ = manifest.Highest();
  store->checkpoint_ = std::make_unique<CoinCheckpoint>(&store->state_, &store->writer_, BlockDurability{options.begin_durable, options.make_durable},
                                                        std::move(manifest), has_manifest);
  return store;
}

absl::Status ForgetCoinStore(FileSystem* files, const std::string& directory) {
  const std::string path = directory + "/" + kManifestFileName;
  if (!files->Exists(path)) return absl::OkStatus();
  HR_RETURN_IF_ERROR(files->Remove(path));
  return files->SyncDirectory(directory);
}

absl::StatusOr<std::unique_ptr<FlatCoinStore>> OpenCoinStore(const CoinStoreOptions& options) {
  absl::StatusOr<std::unique_ptr<FlatCoinStore>> store = FlatCoinStore::Open(options);
  for (int attempt = 1; options.is_read_only && !store.ok() && attempt < kReadOnlyAttempts; ++attempt) {
    store = FlatCoinStore::Open(options);
  }
  return store;
}

}  // namespace headrace
