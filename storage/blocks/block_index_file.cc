#include "storage/blocks/block_index_file.h"

#include <algorithm>
#include <filesystem>
#include <optional>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/str_cat.h"
#include "engine/base/check.h"
#include "engine/base/log.h"
#include "engine/base/status_macros.h"

namespace headrace {
namespace {

// Tells whether each header's parent came before it. Nearly every parent is the header just before, and a fork's is a
// few steps back; only other shapes pay for a table of all hashes.
class ParentCheck {
 public:
  explicit ParentCheck(size_t count) { hashes_.reserve(count); }

  // Takes the next header when its parent is known, or when it is the first. One that was never synced must be new as well: after
  // a power failure the medium may show what was cut off before, whole and with the right number.
  bool Accept(const BlockHeader& header, bool is_synced) {
    if (!hashes_.empty() && !IsKnown(header.previous)) return false;
    const Hash256 hash = header.Hash();
    if (!is_synced && IsKnown(hash)) return false;
    hashes_.push_back(hash);
    if (!table_.empty()) table_.insert({hashes_.back(), true});
    return true;
  }

 private:
  static constexpr size_t kStepsBack = 64;

  bool IsKnown(const Hash256& hash) {
    const size_t steps = std::min(kStepsBack, hashes_.size());
    if (std::find(hashes_.rbegin(), hashes_.rbegin() + static_cast<ptrdiff_t>(steps), hash) !=
        hashes_.rbegin() + static_cast<ptrdiff_t>(steps)) {
      return true;
    }
    if (table_.empty()) {
      table_.reserve(hashes_.size());
      for (const Hash256& known : hashes_) table_.insert({known, true});
    }
    return table_.contains(hash);
  }

  std::vector<Hash256> hashes_;
  absl::flat_hash_map<Hash256, bool> table_;
};

}  // namespace

BlockIndexFile::BlockIndexFile(FileSystem& files, std::string path, NetworkMagic magic)
    : files_(files), path_(std::move(path)), magic_(magic) {}

absl::Status BlockIndexFile::Damaged(const std::string& what) const {
  return absl::DataLossError(absl::StrCat("The block index ", path_, " is damaged: ", what,
                                          ". Check the disk, then start once with -reindex, which builds it again from "
                                          "the block files."));
}

absl::StatusOr<BlockIndexFile::Contents> BlockIndexFile::Open() {
  // Only an index that is certainly not there is made: one that cannot be opened for now must not be replaced by an empty one.
  absl::StatusOr<FileRef> opened = files_.Open(path_, OpenMode::kReadWrite);
  if (absl::IsNotFound(opened.status())) {
    HR_RETURN_IF_ERROR(Create());
    opened = files_.Open(path_, OpenMode::kReadWrite);
  }
  HR_RETURN_IF_ERROR(opened.status());
  file_ = *std::move(opened);
  HR_ASSIGN_OR_RETURN(const uint64_t size, file_->Size());
  if (size < kBlockIndexHeaderBytes) return Damaged("its header is incomplete");
  HR_ASSIGN_OR_RETURN(const SharedBytes mapped, files_.MapReadOnly(file_, 0, size));
  HR_RETURN_IF_ERROR(CheckTitle(mapped.bytes));
  HR_ASSIGN_OR_RETURN(Contents contents, Read(mapped.bytes));
  record_count_ = static_cast<uint32_t>(contents.records.size());
  const uint64_t used = kBlockIndexHeaderBytes + record_count_ * kBlockIndexRecordBytes;
  if (used != size) HR_RETURN_IF_ERROR(file_->Truncate(used));
  return contents;
}

absl::Status BlockIndexFile::Create() {
  std::vector<uint8_t> page(kBlockIndexHeaderBytes);
  const BlockIndexTitle title = EncodeBlockIndexTitle(magic_);
  std::copy(title.begin(), title.end(), page.begin());
  for (const uint64_t offset : kSyncPointOffsets) {
    const auto point = EncodeSyncPoint({});
    std::copy(point.begin(), point.end(), page.begin() + static_cast<ptrdiff_t>(offset));
  }
  return files_.ReplaceFile(path_, page);
}

absl::Status BlockIndexFile::CheckTitle(ByteSpan header) const {
  if (!std::equal(std::begin(kBlockIndexName), std::end(kBlockIndexName), header.begin())) {
    return Damaged("it does not begin as a block index does");
  }
  const uint32_t version = LoadLittle32(&header[16]);
  if (LoadLittle32(&header[60]) != Crc32c(header.first(60))) return Damaged("the checksum of its header is wrong");
  if (version > kBlockIndexVersion) {
    return absl::FailedPreconditionError(
        absl::StrCat("The block index ", path_, " has format version ", version, " and this program knows versions up to ",
                     kBlockIndexVersion, ": start the newer program that wrote it, or choose another data directory."));
  }
  if (version < kBlockIndexVersion) {
    return absl::FailedPreconditionError(absl::StrCat("The block index ", path_, " has format version ", version,
                                                      ", which this program no longer reads. Start once with -reindex."));
  }
  if (!std::equal(magic_.begin(), magic_.end(), &header[20])) {
    return absl::FailedPreconditionError(absl::StrCat("The block index ", path_,
                                                      " belongs to another network: choose another data directory, or "
                                                      "the network that it was made for."));
  }
  if (LoadLittle32(&header[24]) != kBlockIndexRecordBytes) return Damaged("its record size is unknown");
  return absl::OkStatus();
}

absl::StatusOr<BlockIndexFile::Contents> BlockIndexFile::Read(ByteSpan bytes) {
  Contents contents;
  bool any_point = false;
  for (const uint64_t offset : kSyncPointOffsets) {
    const auto point = DecodeSyncPoint(&bytes[offset]);
    if (!point) continue;
    if (!any_point || point->sequence > contents.sync_point.sequence) contents.sync_point = *point;
    any_point = true;
  }
  if (!any_point) return Damaged("neither of its sync points is readable");
  sync_sequence_ = contents.sync_point.sequence;

  const ByteSpan records = bytes.subspan(kBlockIndexHeaderBytes);
  const uint64_t count = (records.size() + kBlockIndexRecordBytes - 1) / kBlockIndexRecordBytes;
  if (count > kRecordsMax) return Damaged(absl::StrCat("it has room for ", count, " records"));
  contents.records.reserve(count);
  ParentCheck parents(count);
  for (uint64_t at = 0; records.size() - at >= kBlockIndexRecordBytes; at += kBlockIndexRecordBytes) {
    const auto id = static_cast<BlockRecordId>(contents.records.size());
    const auto record = DecodeBlockRecord(id, &records[at]);
    if (!record || !parents.Accept(record->header, id < contents.sync_point.record_count)) break;
    contents.records.push_back(*record);
  }
  if (contents.records.size() < contents.sync_point.record_count) {
    return Damaged(absl::StrCat("record ", contents.records.size(), " of ", contents.sync_point.record_count,
                                " is unreadable or does not follow an earlier one"));
  }
  if (contents.records.size() < count) {
    HR_LOG(kWarning, kBlocks, "block index tail cut off file=", path_, " records_kept=", contents.records.size(),
           " records_lost=", count - contents.records.size());
  }
  return contents;
}

void BlockIndexFile::Put(BlockRecordId id, const BlockRecord& record) {
  HR_CHECK(id <= record_count_ && id < kRecordsMax);
  if (id == record_count_) ++record_count_;
  waiting_[id] = EncodeBlockRecord(id, record);
}

void BlockIndexFile::AddWrites(FileBatch& batch) {
  auto slab = std::make_shared<Slab>(waiting_.size() * kBlockIndexRecordBytes);
  size_t filled = 0;
  BlockRecordId next = 0;
  for (const auto& [id, bytes] : waiting_) {
    std::copy(bytes.begin(), bytes.end(), slab->writable().begin() + static_cast<ptrdiff_t>(filled));
    const ByteSpan here = slab->bytes().subspan(filled, bytes.size());
    if (filled != 0 && id == next) {
      ByteSpan& run = batch.operations.back().write_from;
      run = {run.data(), run.size() + here.size()};
    } else {
      batch.operations.push_back({.kind = FileOperation::Kind::kWrite,
                                  .file = file_,
                                  .offset = kBlockIndexHeaderBytes + id * kBlockIndexRecordBytes,
                                  .write_from = here,
                                  .owner = slab});
    }
    next = id + 1;
    filled += bytes.size();
  }
  bytes_written_ += filled;
  waiting_.clear();
}

absl::Status BlockIndexFile::Reap(bool wait) {
  if (in_flight_ == nullptr) return failure_;
  if (!wait && !in_flight_->done()) return failure_;
  in_flight_->Wait();
  if (failure_.ok()) failure_ = in_flight_->status();
  in_flight_ = nullptr;
  return failure_;
}

absl::Status BlockIndexFile::Flush() {
  HR_RETURN_IF_ERROR(Reap(false));
  // One batch at a time: a record that is put twice must not be overwritten by its older self.
  if (in_flight_ != nullptr || waiting_.empty()) return absl::OkStatus();
  in_flight_ = std::make_shared<FileBatch>();
  AddWrites(*in_flight_);
  files_.Submit(in_flight_);
  return absl::OkStatus();
}

absl::Status BlockIndexFile::Sync(FrameExtent blocks, FrameExtent undo) {
  HR_RETURN_IF_ERROR(Reap(true));
  in_flight_ = std::make_shared<FileBatch>();
  AddWrites(*in_flight_);
  in_flight_->operations.push_back({.kind = FileOperation::Kind::kSync, .file = file_});
  // The point is written after the sync that makes it true; if it is lost itself, the one before still holds. It is
  // synced as well: whoever publishes something that stands on these records relies on it.
  ++sync_sequence_;
  const auto point = EncodeSyncPoint({sync_sequence_, record_count_, blocks, undo});
  const SlabRef slab = Slab::Copy(point);
  in_flight_->operations.push_back({.kind = FileOperation::Kind::kWrite,
                                    .file = file_,
                                    .offset = kSyncPointOffsets[sync_sequence_ % kSyncPointOffsets.size()],
                                    .write_from = slab->bytes(),
                                    .owner = slab});
  in_flight_->operations.push_back({.kind = FileOperation::Kind::kSync, .file = file_});
  files_.Submit(in_flight_);
  return Reap(true);
}

}  // namespace headrace
