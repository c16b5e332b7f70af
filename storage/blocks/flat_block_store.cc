#include "storage/blocks/flat_block_store.h"

#include <cstring>
#include <utility>

#include "engine/base/check.h"
#include "engine/base/log.h"
#include "engine/base/status_macros.h"
#include "engine/crypto/small_hashes.h"

namespace headrace {
namespace {

uint32_t UndoChecksum(const Hash256& block_hash, ByteSpan undo) { return Crc32c(undo, Crc32c(block_hash.span())); }

FrameWriter::Options WriterOptions(const FlatBlockStore::Options& options, const std::string& prefix,
                                   uint32_t trailer_bytes) {
  return {.directory = options.directory,
          .prefix = prefix,
          .magic = options.magic,
          .trailer_bytes = trailer_bytes,
          .file_bytes_max = options.file_bytes_max,
          .queued_bytes_max = options.queued_bytes_max};
}

// Undo records are a seventh of their blocks, and nothing else bounds what waits of them.
FrameWriter::Options UndoWriterOptions(const FlatBlockStore::Options& options) {
  FrameWriter::Options undo = WriterOptions(options, "rev", kUndoTrailerBytes);
  undo.queued_bytes_max /= 8;
  return undo;
}

}  // namespace

FlatBlockStore::FlatBlockStore(FileSystem& files, Options options)
    : files_(files),
      options_(std::move(options)),
      blocks_(files, WriterOptions(options_, "blk", 0)),
      undo_(files, UndoWriterOptions(options_)),
      block_mappings_(files, options_.directory, "blk", options_.magic, 0),
      undo_mappings_(files, options_.directory, "rev", options_.magic, kUndoTrailerBytes),
      index_(files, options_.directory + "/index.dat", options_.magic),
      mark_file_(files, options_.directory, options_.magic) {}

absl::StatusOr<std::unique_ptr<FlatBlockStore>> FlatBlockStore::Open(FileSystem& files, Options options) {
  std::unique_ptr<FlatBlockStore> store(new FlatBlockStore(files, std::move(options)));
  HR_RETURN_IF_ERROR(store->Recover());
  store->opened_ = true;
  return store;
}

FlatBlockStore::~FlatBlockStore() {
  if (!opened_) return;
  absl::Status status = Sync();
  if (status.ok()) status = blocks_.Close();
  if (status.ok()) status = undo_.Close();
  if (!status.ok()) {
    HR_LOG(kError, kBlocks, "block store not closed cleanly, the next start recovers reason=\"", status.message(), "\"");
  }
}

absl::Status FlatBlockStore::PutRecord(BlockRecordId id, const BlockRecord& record) {
  HR_CHECK(id <= record_count_);
  if (id == record_count_) ++record_count_;
  newer_records_.emplace_back(id, record);
  return Poll();
}

absl::Status FlatBlockStore::Poll() {
  HR_RETURN_IF_ERROR(blocks_.Poll());
  HR_RETURN_IF_ERROR(undo_.Poll());
  if (held_records_.empty() && !newer_records_.empty()) {
    held_records_.swap(newer_records_);
    held_until_blocks_ = blocks_.appended_count();
    held_until_undo_ = undo_.appended_count();
  }
  if (blocks_.written_count() >= held_until_blocks_ && undo_.written_count() >= held_until_undo_) {
    for (const auto& [id, record] : held_records_) index_.Put(id, record);
    held_records_.clear();
  }
  return index_.Flush();
}

absl::StatusOr<BlockPosition> FlatBlockStore::AppendBlock(const SlabRef& block) {
  HR_CHECK(block->size() >= kFramedBlockBytesMin && block->size() <= kFramedBlockBytesMax);
  HR_ASSIGN_OR_RETURN(const BlockPosition position, blocks_.Append(block));
  HR_RETURN_IF_ERROR(Poll());
  return position;
}

absl::StatusOr<BlockPosition> FlatBlockStore::AppendUndo(const Hash256& block_hash, ByteSpan undo) {
  HR_CHECK(!undo.empty());
  auto slab = std::make_shared<Slab>(undo.size() + kUndoTrailerBytes);
  std::memcpy(slab->writable().data(), undo.data(), undo.size());
  StoreLittle(slab->writable().data() + undo.size(), UndoChecksum(block_hash, undo));
  HR_ASSIGN_OR_RETURN(const BlockPosition position, undo_.Append(std::move(slab)));
  HR_RETURN_IF_ERROR(Poll());
  return position;
}

absl::StatusOr<SharedBytes> FlatBlockStore::Map(const BlockPosition& position) const {
  SlabRef pending = blocks_.pending().Find(PendingFrames::KeyOf(position.file, position.offset));
  if (pending == nullptr) return block_mappings_.Map(position);
  if (pending->size() != position.size) return block_mappings_.Damaged(position, "the record names another size");
  return SharedBytes::From(std::move(pending));
}

absl::StatusOr<SharedBytes> FlatBlockStore::ReadUndo(const BlockPosition& position, const Hash256& block_hash) const {
  SharedBytes framed;
  SlabRef pending = undo_.pending().Find(PendingFrames::KeyOf(position.file, position.offset));
  if (pending != nullptr) {
    framed = SharedBytes::From(std::move(pending));
  } else {
    HR_ASSIGN_OR_RETURN(framed, undo_mappings_.Map(position));
  }
  if (framed.bytes.size() != uint64_t{position.size} + kUndoTrailerBytes) {
    return undo_mappings_.Damaged(position, "the record names another size");
  }
  const ByteSpan undo = framed.bytes.first(position.size);
  if (LoadLittle32(undo.data() + undo.size()) != UndoChecksum(block_hash, undo)) {
    return undo_mappings_.Damaged(position, "the checksum of the undo record is wrong");
  }
  return SharedBytes{undo, framed.owner};
}

absl::Status FlatBlockStore::Sync() {
  HR_RETURN_IF_ERROR(blocks_.Sync());
  HR_RETURN_IF_ERROR(undo_.Sync());
  for (auto* waiting : {&held_records_, &newer_records_}) {
    for (const auto& [id, record] : *waiting) index_.Put(id, record);
    waiting->clear();
  }
  return index_.Sync(blocks_.end(), undo_.end());
}

absl::Status FlatBlockStore::ForgetStrays() {
  recovered_ = {};
  if (!mark_) return absl::OkStatus();
  // In this order: as long as a record of one of them may be lost, the mark finds it again.
  HR_RETURN_IF_ERROR(Sync());
  HR_RETURN_IF_ERROR(mark_file_.Clear());
  mark_.reset();
  return absl::OkStatus();
}

absl::Status FlatBlockStore::DamageAt(const BlockPosition& position, const std::string& what) const {
  return block_mappings_.Damaged(position, what);
}

uint64_t FlatBlockStore::bytes_written() const {
  return blocks_.bytes_written() + undo_.bytes_written() + index_.bytes_written();
}

}  // namespace headrace
