// What Open does before the store can be used: check whose directory it is, read the index, find out what a crash left.
#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "engine/base/log.h"
#include "engine/base/status_macros.h"
#include "storage/blocks/block_file_reader.h"
#include "storage/blocks/flat_block_store.h"

namespace headrace {
namespace {

// Padding that is read between two questions whether to stop.
constexpr uint64_t kPaddingBytesMax = 8 << 20;

// Where the frame at `position` ends; nowhere for a record without one.
FrameExtent EndOf(const BlockPosition& position, uint32_t trailer_bytes) {
  if (!position.exists()) return {};
  return {position.file, position.offset + position.size + trailer_bytes};
}

}  // namespace

std::string FlatBlockStore::PathOf(const std::string& prefix, uint32_t number) const {
  return absl::StrCat(options_.directory, "/", NumberedFileName(prefix, number));
}

absl::Status FlatBlockStore::Recover() {
  HR_RETURN_IF_ERROR(files_.MakeDirectories(options_.directory));
  HR_RETURN_IF_ERROR(CheckNetwork(files_, options_));
  HR_ASSIGN_OR_RETURN(BlockIndexFile::Contents contents, index_.Open());
  const BlockIndexSyncPoint durable = contents.sync_point;
  HR_RETURN_IF_ERROR(TakeRecords(std::move(contents)));
  DropUnprovenPositions(durable);
  return StartWriters();
}

// Before anything is written: the index says so itself, block files that stand there without one are asked as well.
absl::Status FlatBlockStore::CheckNetwork(FileSystem& files, const Options& options) {
  const std::string key_path = absl::StrCat(options.directory, "/xor.dat");
  if (files.Exists(key_path)) {
    HR_ASSIGN_OR_RETURN(const std::vector<uint8_t> key, files.ReadWholeFile(key_path, 4096));
    if (std::any_of(key.begin(), key.end(), [](uint8_t byte) { return byte != 0; })) {
      return absl::FailedPreconditionError(
          absl::StrCat("The directory ", options.directory, " holds another node's obfuscated block files (", key_path,
                       "): choose another data directory and import them with -loadblock."));
    }
  }
  const std::string path = absl::StrCat(options.directory, "/", NumberedFileName("blk", 0));
  if (!files.Exists(path)) return absl::OkStatus();
  HR_ASSIGN_OR_RETURN(const FileRef file, files.Open(path, OpenMode::kRead));
  HR_ASSIGN_OR_RETURN(const uint64_t size, file->Size());
  NetworkMagic magic{};
  if (size < magic.size()) return absl::OkStatus();
  HR_RETURN_IF_ERROR(files.ReadAt(file, 0, magic));
  // Zeros are reserve that a crash left before the first block arrived.
  if (magic == options.magic || magic == NetworkMagic{}) return absl::OkStatus();
  return absl::FailedPreconditionError(absl::StrCat(
      "The block file ", path,
      " belongs to another network: choose another data directory, or the network that it was made for."));
}

absl::Status FlatBlockStore::ForgetIndex(FileSystem& files, const Options& options) {
  HR_RETURN_IF_ERROR(CheckNetwork(files, options));
  if (!files.Exists(options.directory)) return absl::OkStatus();
  HR_ASSIGN_OR_RETURN(const std::vector<std::string> names, files.List(options.directory));
  for (const std::string& name : names) {
    if (name != "index.dat" && !(name.starts_with("rev") && name.ends_with(".dat"))) continue;
    HR_RETURN_IF_ERROR(files.Remove(absl::StrCat(options.directory, "/", name)));
  }
  return files.SyncDirectory(options.directory);
}

absl::Status FlatBlockStore::TakeRecords(BlockIndexFile::Contents contents) {
  records_ = std::move(contents.records);
  record_count_ = static_cast<uint32_t>(records_.size());
  if (records_.empty()) {
    BlockRecord genesis;
    genesis.header = options_.genesis;
    records_.push_back(genesis);
    return PutRecord(0, genesis);
  }
  if (records_.front().header == options_.genesis) return absl::OkStatus();
  return absl::FailedPreconditionError(absl::StrCat("The directory ", options_.directory,
                                                    " holds another chain, whose first block is ",
                                                    records_.front().header.Hash().ToHex(),
                                                    ": choose another data directory."));
}

// Positions behind the last sync point were never promised: a power failure may have kept the record and lost the frame, or
// pages of it. Undo records carry a checksum and show it; blocks are found again by the scan, and are checked by
// whoever takes them up.
void FlatBlockStore::DropUnprovenPositions(const BlockIndexSyncPoint& durable) {
  size_t blocks_unproven = 0;
  size_t undo_lost = 0;
  for (BlockRecordId id = 0; id < records_.size(); ++id) {
    BlockRecord& record = records_[id];
    const bool is_unproven = record.data.exists() && EndOf(record.data, 0) > durable.blocks;
    const bool rev_lost = record.undo.exists() && EndOf(record.undo, kUndoTrailerBytes) > durable.undo &&
                          !ReadUndo(record.undo, record.header.Hash()).ok();
    if (!is_unproven && !rev_lost) continue;
    if (is_unproven) {
      record.data = {};
      record.transaction_count = 0;
    }
    if (rev_lost) record.undo = {};
    // That its scripts passed stays true of a block whose bytes are the ones that its hash names.
    record.status &= ~uint32_t{kBlockApplied};
    blocks_unproven += is_unproven;
    undo_lost += rev_lost;
    newer_records_.emplace_back(id, record);
  }
  if (blocks_unproven + undo_lost != 0) {
    HR_LOG(kInfo, kBlocks, "records behind the last sync point blocks=", blocks_unproven, " undo_lost=", undo_lost);
  }
}

absl::Status FlatBlockStore::CheckFileReaches(const std::string& prefix, FrameExtent extent) const {
  if (extent == FrameExtent{}) return absl::OkStatus();
  const std::string path = PathOf(prefix, extent.file);
  uint64_t size = 0;
  if (files_.Exists(path)) {
    HR_ASSIGN_OR_RETURN(const FileRef file, files_.Open(path, OpenMode::kRead));
    HR_ASSIGN_OR_RETURN(size, file->Size());
  }
  if (size >= extent.offset) return absl::OkStatus();
  return absl::DataLossError(absl::StrCat("The file ", path, " has ", size, " bytes where the block index names ",
                                          extent.offset,
                                          ": put the whole file back, or start once with -reindex, which keeps every "
                                          "intact block and downloads the rest again."));
}

absl::Status FlatBlockStore::StartWriters() {
  FrameExtent blocks_end;
  FrameExtent undo_end;
  for (const BlockRecord& record : records_) {
    blocks_end = std::max(blocks_end, EndOf(record.data, 0));
    undo_end = std::max(undo_end, EndOf(record.undo, kUndoTrailerBytes));
  }
  HR_RETURN_IF_ERROR(CheckFileReaches("blk", blocks_end));
  HR_RETURN_IF_ERROR(CheckFileReaches("rev", undo_end));
  HR_ASSIGN_OR_RETURN(blocks_end, ScanTail(blocks_end));
  HR_RETURN_IF_ERROR(blocks_.StartAt(blocks_end));
  HR_RETURN_IF_ERROR(undo_.StartAt(undo_end));
  // The files were cut just now; mappings made for the checks above may reach further.
  block_mappings_.Forget();
  undo_mappings_.Forget();
  return absl::OkStatus();
}

absl::StatusOr<FrameExtent> FlatBlockStore::ScanTail(FrameExtent from) {
  FrameExtent end = from;
  for (uint32_t number = from.file; files_.Exists(PathOf("blk", number)); ++number) {
    HR_ASSIGN_OR_RETURN(const std::unique_ptr<BlockFileReader> reader,
                        BlockFileReader::Open(files_, PathOf("blk", number), options_.magic));
    // Offsets in a position have 32 bits; a longer file is no block file of this layout.
    if (reader->size() > UINT32_MAX) {
      return absl::FailedPreconditionError(
          absl::StrCat("The block file ", PathOf("blk", number),
                       " is larger than 4 GiB: move it elsewhere and import it with -loadblock."));
    }
    if (number == from.file) reader->Seek(from.offset);
    BlockFileReader::Block block;
    for (auto found = BlockFileReader::Found::kNothingYet; found != BlockFileReader::Found::kEnd;) {
      if (options_.stop_requested && options_.stop_requested()) return absl::CancelledError("Stopped while block files were read.");
      found = reader->NextWithin(kPaddingBytesMax, block);
      if (found != BlockFileReader::Found::kBlock) continue;
      const auto size = static_cast<uint32_t>(block.bytes.bytes.size());
      recovered_.push_back({BlockHeader::Load(block.bytes.bytes.data()).Hash(),
                            {number, static_cast<uint32_t>(block.offset), size}});
      end = {number, static_cast<uint32_t>(block.offset) + size};
    }
  }
  if (!recovered_.empty()) {
    HR_LOG(kInfo, kBlocks, "blocks found that the index does not name count=", recovered_.size());
  }
  return end;
}

}  // namespace headrace
