#include "storage/coins/pinned_coins.h"

#include <algorithm>
#include <cstring>
#include <mutex>

#include "absl/strings/str_cat.h"
#include "engine/base/check.h"
#include "engine/base/log.h"
#include "engine/base/status_macros.h"
#include "storage/coins/coin_set_statistics.h"
#include "storage/coins/coin_table.h"
#include "storage/coins/flat_coin_store.h"
#include "storage/coins/segment_file.h"
#include "storage/coins/snapshot_file.h"

namespace headrace {
namespace {

// What a whole manifest is smaller than: it names at most all segment ids.
constexpr uint64_t kPublishedManifestBytesMax = 1 << 20;
// A node that publishes while its directory is being opened may delete what the old manifest named.
constexpr int kOpenAttempts = 5;
// Pieces that a part is sorted in, each by one task.
constexpr size_t kSortPieces = 64;

absl::Status Cancelled() { return absl::CancelledError("The work on the unspent set was broken off."); }

uint64_t PrefixOf(const uint8_t* record) {
  uint64_t prefix;
  std::memcpy(&prefix, record, sizeof(prefix));
  return __builtin_bswap64(prefix);
}

bool ComesBefore(const PinnedRecord& a, const PinnedRecord& b) {
  if (a.prefix != b.prefix) return a.prefix < b.prefix;
  const int order = std::memcmp(a.bytes, b.bytes, 32);
  return order != 0 ? order < 0 : LoadLittle32(a.bytes + 32) < LoadLittle32(b.bytes + 32);
}

// The first failure of several tasks.
class SharedStatus {
 public:
  void Update(const absl::Status& status) {
    if (status.ok()) return;
    const std::lock_guard lock(mutex_);
    status_.Update(status);
    failed_.store(true, std::memory_order_relaxed);
  }
  // Relaxed: it only saves work that would be thrown away.
  bool failed() const { return failed_.load(std::memory_order_relaxed); }
  // When the tasks are over.
  const absl::Status& status() const { return status_; }

 private:
  std::mutex mutex_;
  std::atomic<bool> failed_{false};
  absl::Status status_;
};

}  // namespace

PinnedCoins::PinnedCoins(Source source, CoinManifest manifest)
    : source_(std::move(source)),
      manifest_(std::move(manifest)),
      point_(manifest_.Lowest()),
      changes_(manifest_.hash_key, manifest_.shards) {
  source_.pins->Pin(FilePaths());
}

PinnedCoins::~PinnedCoins() { source_.pins->Unpin(FilePaths()); }

std::vector<std::string> PinnedCoins::FilePaths() const {
  std::vector<std::string> paths{Path(ImageFileName(manifest_.image_serial))};
  for (const SegmentEntry& segment : manifest_.segments) paths.push_back(Path(SegmentFileName(segment.serial)));
  return paths;
}

absl::StatusOr<std::unique_ptr<PinnedCoins>> PinnedCoins::OpenPublished(const CoinStoreOptions& options) {
  const std::string path = options.directory + "/" + kManifestFileName;
  absl::Status status;
  for (int attempt = 0; attempt < kOpenAttempts; ++attempt) {
    const absl::StatusOr<std::vector<uint8_t>> bytes = options.files->ReadWholeFile(path, kPublishedManifestBytesMax);
    if (absl::IsNotFound(bytes.status())) {
      return absl::NotFoundError(
          absl::StrCat(path, " does not exist: no checkpoint of the coin store was ever finished there."));
    }
    HR_RETURN_IF_ERROR(bytes.status());
    HR_ASSIGN_OR_RETURN(CoinManifest manifest, DecodeManifest(*bytes, options.network_magic, path));
    auto pinned = std::make_unique<PinnedCoins>(
        Source{options.files, options.executor, options.directory, std::make_shared<PinnedFiles>(options.files),
               options.whole_set_part_bytes},
        std::move(manifest));
    status = pinned->Open();
    if (status.ok()) return pinned;
  }
  return status;
}

uint64_t PinnedCoins::index_bytes() const {
  uint64_t bytes = 0;
  for (const ShardEntry& shard : manifest_.shards) bytes += manifest_.TableBytes(shard);
  return bytes;
}

uint64_t PinnedCoins::disk_bytes() const {
  uint64_t bytes = manifest_.image_bytes;
  for (const SegmentEntry& segment : manifest_.segments) {
    const uint64_t body_bytes = RoundUpToPage(segment.records_end);
    bytes += body_bytes + body_bytes / kPageBytes * 4;
  }
  return bytes;
}

absl::Status PinnedCoins::OpenSegments() {
  segment_of_id_.assign(kSegmentCount, nullptr);
  for (const SegmentEntry& entry : manifest_.segments) {
    auto segment = std::make_unique<Segment>();
    HR_RETURN_IF_ERROR(
        OpenSealedSegment(source_.files, source_.directory, manifest_.network_magic, entry, nullptr, *segment));
    segments_.push_back(std::make_unique<LivingRecords>(std::move(segment)));
    segment_of_id_[entry.id] = segments_.back().get();
  }
  return absl::OkStatus();
}

absl::Status PinnedCoins::Open() {
  if (is_open_) return absl::OkStatus();
  segments_.clear();
  HR_RETURN_IF_ERROR(OpenSegments());
  const std::string path = Path(ImageFileName(manifest_.image_serial));
  if (!source_.files->Exists(path))
    return absl::DataLossError(absl::StrCat(path, " is missing; ", kReindexRemedy, "."));
  HR_ASSIGN_OR_RETURN(const FileRef file, source_.files->Open(path, OpenMode::kRead));
  HR_ASSIGN_OR_RETURN(const uint64_t size, file->Size());
  if (size != manifest_.image_bytes) {
    return absl::DataLossError(absl::StrCat(path, " has ", size, " bytes where the manifest expects ",
                                            manifest_.image_bytes, "; ", kReindexRemedy, "."));
  }
  HR_ASSIGN_OR_RETURN(image_, source_.files->MapReadOnly(file, 0, size));
  is_open_ = true;
  return absl::OkStatus();
}

absl::Status PinnedCoins::MarkShard(uint32_t number, ByteSpan image) {
  const ShardEntry& entry = manifest_.shards[number];
  const absl::Status damage = absl::DataLossError(absl::StrCat(Path(ImageFileName(manifest_.image_serial)),
                                                               " is damaged in the table of shard ", number, " (byte ",
                                                               entry.offset, "); ", kReindexRemedy, "."));
  const uint64_t table_bytes = manifest_.TableBytes(entry);
  const uint64_t body_bytes = RoundUpToPage(table_bytes);
  const uint64_t sums_bytes = body_bytes / kPageBytes * 4;
  if (image.size() - entry.offset < body_bytes + sums_bytes) return damage;
  const uint8_t* body = image.data() + entry.offset;
  const PageChecksums checksums = PageChecksums::Load({body + body_bytes, sums_bytes});
  if (checksums.total() != entry.checksum || !checksums.PageRangeIsGood(body, 0, body_bytes)) return damage;

  uint64_t coins = 0;
  for (uint64_t at = 0; at < table_bytes; at += sizeof(CoinBucket)) {
    CoinBucket bucket;
    std::memcpy(&bucket, body + at, sizeof(bucket));
    for (const CoinSlot& slot : bucket.slots) {
      if (slot.IsEmpty()) continue;
      LivingRecords* segment = segment_of_id_[SegmentOf(slot.location())];
      if (segment == nullptr || !segment->Mark(OffsetOf(slot.location()))) return damage;
      ++coins;
    }
  }
  return coins == entry.coins ? absl::OkStatus() : damage;
}

absl::Status PinnedCoins::MarkLiving() {
  if (image_.owner == nullptr) return absl::OkStatus();
  SharedStatus marked;
  source_.executor->ParallelFor(kCoinShardCount, 1, [&](size_t begin, size_t end) {
    for (size_t number = begin; number < end && !marked.failed(); ++number) {
      marked.Update(MarkShard(static_cast<uint32_t>(number), image_.bytes));
    }
  });
  HR_RETURN_IF_ERROR(marked.status());
  image_ = SharedBytes();
  return absl::OkStatus();
}

absl::Status PinnedCoins::Forward(const WindowBlock& block) {
  HR_CHECK(block.height == point_.height + 1);
  changes_.Add(block);
  point_ = {block.columns->hash, block.height};
  is_counted_ = false;
  return absl::OkStatus();
}

absl::Status PinnedCoins::CountSegment(const LivingRecords& records, PrefixBytes& coins, PrefixBytes& bytes,
                                       uint64_t& spent) const {
  const bool is_changed = changes_.gone_count() != 0;
  return records.ForEachPlace([&](uint64_t offset) -> absl::Status {
    CoinRecord record;
    HR_RETURN_IF_ERROR(records.Read(offset, record));
    if (is_changed) {
      const OutPoint outpoint = OutPoint::Load(record.outpoint);
      if (changes_.IsGone(outpoint)) {
        spent += changes_.IsSpent(outpoint) ? 1 : 0;
        return absl::OkStatus();
      }
    }
    const uint64_t prefix = PrefixOf(record.outpoint) >> (64 - kPrefixBits);
    ++coins[prefix];
    bytes[prefix] += record.size + sizeof(PinnedRecord);
    return absl::OkStatus();
  });
}

void PinnedCoins::CutParts(const PrefixBytes& coins, const PrefixBytes& bytes) {
  parts_.clear();
  uint64_t part_bytes = 0;
  for (uint32_t prefix = 0; prefix < kPrefixCount; ++prefix) {
    if (parts_.empty() || part_bytes + bytes[prefix] > source_.part_bytes_max) {
      if (parts_.empty() || part_bytes != 0) parts_.push_back({prefix, prefix, 0});
      part_bytes = 0;
    }
    part_bytes += bytes[prefix];
    parts_.back().end = prefix + 1;
    parts_.back().coins += coins[prefix];
  }
}

absl::StatusOr<uint64_t> PinnedCoins::Count(const std::atomic<bool>& must_stop) {
  if (!is_uniform()) {
    return absl::FailedPreconditionError(
        absl::StrCat("The coin store in ", source_.directory, " was not closed cleanly: its parts stand at heights ",
                     lowest().height, " to ", highest().height, "; start headraced and stop it once."));
  }
  if (is_counted_) return coins_;
  HR_RETURN_IF_ERROR(Open());
  HR_RETURN_IF_ERROR(MarkLiving());
  PrefixBytes coins(kPrefixCount);
  PrefixBytes bytes(kPrefixCount);
  uint64_t spent = 0;
  std::mutex mutex;
  SharedStatus counted;
  source_.executor->ParallelFor(segments_.size(), 1, [&](size_t begin, size_t end) {
    PrefixBytes own_coins(kPrefixCount);
    PrefixBytes own_bytes(kPrefixCount);
    uint64_t own_spent = 0;
    for (size_t number = begin; number < end && !counted.failed(); ++number) {
      counted.Update(must_stop ? Cancelled() : CountSegment(*segments_[number], own_coins, own_bytes, own_spent));
    }
    const std::lock_guard lock(mutex);
    for (uint32_t prefix = 0; prefix < kPrefixCount; ++prefix) {
      coins[prefix] += own_coins[prefix];
      bytes[prefix] += own_bytes[prefix];
    }
    spent += own_spent;
  });
  HR_RETURN_IF_ERROR(counted.status());
  if (spent != changes_.spent_count()) {
    return absl::DataLossError(absl::StrCat("Blocks through height ", point_.height, " spend ", changes_.spent_count(),
                                            " coins of the coin store in ", source_.directory, ", which holds ", spent,
                                            " of them; ", kReindexRemedy, "."));
  }
  changes_.ForEachMade([&](const uint8_t* record) {
    const uint64_t prefix = PrefixOf(record) >> (64 - kPrefixBits);
    ++coins[prefix];
    bytes[prefix] += Decode({0, record}).size + sizeof(PinnedRecord);
  });
  CutParts(coins, bytes);
  coins_ = 0;
  for (const Part& part : parts_) coins_ += part.coins;
  is_counted_ = true;
  return coins_;
}

absl::Status PinnedCoins::CollectPart(const Part& part, const std::atomic<bool>& must_stop, std::vector<Arena>& arenas,
                                      std::vector<PinnedRecord>& records) const {
  const bool is_changed = changes_.gone_count() != 0;
  const auto is_of_part = [&](uint64_t prefix) {
    const uint64_t number = prefix >> (64 - kPrefixBits);
    return number >= part.first && number < part.end;
  };
  std::mutex mutex;
  SharedStatus collected;
  source_.executor->ParallelFor(segments_.size(), 1, [&](size_t begin, size_t end) {
    std::vector<PinnedRecord> own;
    Arena arena(1 << 20);
    for (size_t number = begin; number < end && !collected.failed(); ++number) {
      const LivingRecords& segment = *segments_[number];
      const absl::Status status = segment.ForEachPlace([&](uint64_t offset) -> absl::Status {
        // Counting has checked every page.
        const uint64_t prefix = PrefixOf(segment.at(offset));
        if (!is_of_part(prefix)) return absl::OkStatus();
        if (is_changed && changes_.IsGone(OutPoint::Load(segment.at(offset)))) return absl::OkStatus();
        CoinRecord record;
        HR_RETURN_IF_ERROR(segment.Read(offset, record));
        own.push_back({prefix, arena.Copy({record.outpoint, record.size}).data()});
        return absl::OkStatus();
      });
      collected.Update(must_stop ? Cancelled() : status);
    }
    // The order of arrival does not matter: the part is sorted below.
    const std::lock_guard lock(mutex);
    records.insert(records.end(), own.begin(), own.end());
    arenas.push_back(std::move(arena));
  });
  HR_RETURN_IF_ERROR(collected.status());
  changes_.ForEachMade([&](const uint8_t* record) {
    const uint64_t prefix = PrefixOf(record);
    if (is_of_part(prefix)) records.push_back({prefix, record});
  });
  if (records.size() != part.coins) {
    return absl::DataLossError(absl::StrCat("The segments in ", source_.directory, " changed while they were read: ",
                                            part.coins, " coins became ", records.size(), "; ", kReindexRemedy, "."));
  }
  Sort(records, part);
  return absl::OkStatus();
}

void PinnedCoins::Sort(std::vector<PinnedRecord>& records, const Part& part) const {
  // Pieces of equal width of the part's prefixes: txids are as good as random.
  const uint64_t low = uint64_t{part.first} << (64 - kPrefixBits);
  const uint64_t width = ((uint64_t{part.end - part.first} << (64 - kPrefixBits - 1)) / (kSortPieces / 2)) + 1;
  std::vector<std::vector<PinnedRecord>> pieces(kSortPieces);
  for (auto& piece : pieces) piece.reserve(records.size() / kSortPieces + records.size() / kSortPieces / 8);
  for (const PinnedRecord& record : records) pieces[(record.prefix - low) / width].push_back(record);
  std::vector<size_t> begins(kSortPieces);
  for (size_t piece = 1; piece < kSortPieces; ++piece) begins[piece] = begins[piece - 1] + pieces[piece - 1].size();
  source_.executor->ParallelFor(kSortPieces, 1, [&](size_t begin, size_t end) {
    for (size_t piece = begin; piece < end; ++piece) {
      std::sort(pieces[piece].begin(), pieces[piece].end(), ComesBefore);
      std::copy(pieces[piece].begin(), pieces[piece].end(), records.begin() + static_cast<ptrdiff_t>(begins[piece]));
    }
  });
}

absl::Status PinnedCoins::ForEachPart(const std::string& what, const std::atomic<bool>& must_stop,
                                      absl::FunctionRef<absl::Status(std::span<const PinnedRecord>)> visit) {
  HR_ASSIGN_OR_RETURN(const uint64_t coins, Count(must_stop));
  HR_LOG(kInfo, kCoins, "whole-set work begins work=", what, " height=", point_.height, " coins=", coins,
         " parts=", parts_.size(), " changed_since_checkpoint=", changes_.made_count() + changes_.gone_count());
  std::vector<PinnedRecord> records;
  uint64_t done = 0;
  for (const Part& part : parts_) {
    std::vector<Arena> arenas;
    records.clear();
    HR_RETURN_IF_ERROR(CollectPart(part, must_stop, arenas, records));
    HR_RETURN_IF_ERROR(visit(records));
    done += part.coins;
    HR_LOG(kInfo, kCoins, "whole-set work work=", what, " height=", point_.height, " coins=", done, " of=", coins);
  }
  return absl::OkStatus();
}

CoinRecord PinnedCoins::Decode(const PinnedRecord& record) {
  // The span may be longer than the memory: a record that was decoded once ends where it says, and nothing beyond is
  // read.
  CoinRecord decoded;
  HR_CHECK(DecodeRecord({record.bytes, kRecordBytesMax}, decoded));
  return decoded;
}

absl::StatusOr<CoinSetStatistics> PinnedCoins::Statistics(CoinSetHashes hashes, const std::atomic<bool>& must_stop) {
  return ComputeSetStatistics(*this, hashes, must_stop);
}

absl::StatusOr<CoinSetStatistics> PinnedCoins::WriteSnapshot(const std::string& path,
                                                             const std::atomic<bool>& must_stop) {
  return WriteSnapshotFile(*this, path, must_stop);
}

}  // namespace headrace
