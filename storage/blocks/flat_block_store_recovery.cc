// What Open does before the store can be used: check whose directory it is, read the index, find out what a crash left.
#include <algorithm>
#include <map>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "engine/base/log.h"
#include "engine/base/status_macros.h"
#include "storage/blocks/block_file_reader.h"
#include "storage/blocks/flat_block_store.h"

namespace headrace {
namespace {

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
  HR_ASSIGN_OR_RETURN(mark_, mark_file_.Read());
  if (!mark_ && !files_.Exists(absl::StrCat(options_.directory, "/index.dat"))) {
    // An index that was lost is rebuilt as one that was thrown away: until that is done, it must not pass for a whole one.
    HR_ASSIGN_OR_RETURN(const std::vector<uint32_t> numbers, BlockFilesFrom(0));
    if (!numbers.empty()) HR_RETURN_IF_ERROR(mark_file_.Write({}));
    if (!numbers.empty()) mark_ = FrameExtent{};
  }
  HR_ASSIGN_OR_RETURN(BlockIndexFile::Contents contents, index_.Open());
  const BlockIndexSyncPoint durable = contents.sync_point;
  HR_RETURN_IF_ERROR(TakeRecords(std::move(contents)));
  DropUnprovenPositions(durable);
  return StartWriters(durable);
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
  HR_RETURN_IF_ERROR(RescanMark(files, options.directory, options.magic).Write({}));
  // The index goes first, and durably: one that a power failure brought back would miss the undo files that it names.
  const std::string index_path = absl::StrCat(options.directory, "/index.dat");
  if (files.Exists(index_path)) HR_RETURN_IF_ERROR(files.Remove(index_path));
  HR_RETURN_IF_ERROR(files.SyncDirectory(options.directory));
  HR_ASSIGN_OR_RETURN(const std::vector<std::string> names, files.List(options.directory));
  for (const std::string& name : names) {
    if (!name.starts_with("rev") || !name.ends_with(".dat")) continue;
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

// The end of the last frame that the index names, once it is certain that every file reaches as far as it should: a file
// that is gone or cut short is an error now, and not when somebody asks for a block years later.
absl::StatusOr<FrameExtent> FlatBlockStore::CheckFilesReach(const std::string& prefix,
                                                            BlockPosition BlockRecord::*position,
                                                            uint32_t trailer_bytes) const {
  std::map<uint32_t, uint32_t> ends;
  for (const BlockRecord& record : records_) {
    const FrameExtent end = EndOf(record.*position, trailer_bytes);
    if ((record.*position).exists()) ends[end.file] = std::max(ends[end.file], end.offset);
  }
  for (const auto& [number, end] : ends) {
    const std::string path = PathOf(prefix, number);
    uint64_t size = 0;
    const bool is_there = files_.Exists(path);
    if (is_there) {
      HR_ASSIGN_OR_RETURN(const FileRef file, files_.Open(path, OpenMode::kRead));
      HR_ASSIGN_OR_RETURN(size, file->Size());
    }
    if (size >= end) continue;
    return absl::DataLossError(absl::StrCat("The file ", path, is_there ? absl::StrCat(" has ", size, " bytes") : " is missing",
                                            " where the block index names ", end,
                                            " bytes: put the whole file back, or start once with -reindex, which keeps "
                                            "every intact block and downloads the rest again."));
  }
  return ends.empty() ? FrameExtent{} : FrameExtent{ends.rbegin()->first, ends.rbegin()->second};
}

absl::Status FlatBlockStore::StartWriters(const BlockIndexSyncPoint& durable) {
  HR_ASSIGN_OR_RETURN(const FrameExtent indexed_end, CheckFilesReach("blk", &BlockRecord::data, 0));
  HR_ASSIGN_OR_RETURN(const FrameExtent undo_end, CheckFilesReach("rev", &BlockRecord::undo, kUndoTrailerBytes));
  HR_ASSIGN_OR_RETURN(const FrameExtent blocks_end, FindStrays(indexed_end));
  HR_RETURN_IF_ERROR(blocks_.StartAt(blocks_end, durable.blocks));
  HR_RETURN_IF_ERROR(undo_.StartAt(undo_end, durable.undo));
  // The files were cut just now; mappings made for the checks above may reach further.
  block_mappings_.Forget();
  undo_mappings_.Forget();
  return absl::OkStatus();
}

// Numbers of the block files that exist, ascending. One that was lost from the middle does not hide those behind it.
absl::StatusOr<std::vector<uint32_t>> FlatBlockStore::BlockFilesFrom(uint32_t first) const {
  HR_ASSIGN_OR_RETURN(const std::vector<std::string> names, files_.List(options_.directory));
  std::vector<uint32_t> numbers;
  for (const std::string& name : names) {
    uint32_t number = 0;
    const std::string_view digits = std::string_view(name).substr(0, name.rfind(".dat"));
    if (!digits.starts_with("blk") || !absl::SimpleAtoi(absl::string_view(digits.data() + 3, digits.size() - 3), &number)) continue;
    // A link may lead to nothing.
    const bool is_block_file = name == NumberedFileName("blk", number) && files_.Exists(PathOf("blk", number));
    if (is_block_file && number >= first) numbers.push_back(number);
  }
  std::sort(numbers.begin(), numbers.end());
  return numbers;
}

absl::StatusOr<FrameExtent> FlatBlockStore::FindStrays(FrameExtent indexed_end) {
  const FrameExtent from = mark_ ? std::min(*mark_, indexed_end) : indexed_end;
  HR_ASSIGN_OR_RETURN(const std::vector<uint32_t> numbers, BlockFilesFrom(from.file));
  BlockScanProgress progress;
  progress.files_total = static_cast<uint32_t>(numbers.size());
  for (const uint32_t number : numbers) {
    HR_ASSIGN_OR_RETURN(const FileRef file, files_.Open(PathOf("blk", number), OpenMode::kRead));
    HR_ASSIGN_OR_RETURN(const uint64_t size, file->Size());
    progress.bytes_total += size;
  }
  if (from < indexed_end) {
    for (const BlockRecord& record : records_) {
      if (record.data.exists()) known_positions_.insert(PendingFrames::KeyOf(record.data.file, record.data.offset));
    }
  }
  FrameExtent end = indexed_end;
  for (const uint32_t number : numbers) {
    HR_ASSIGN_OR_RETURN(const FrameExtent file_end, ScanFile(number, number == from.file ? from.offset : 0, progress));
    end = std::max(end, file_end);
    ++progress.files_done;
  }
  known_positions_ = {};
  if (options_.on_scan != nullptr) options_.on_scan(progress);
  if (recovered_.empty()) return end;
  HR_LOG(kInfo, kBlocks, "blocks found that the index does not name count=", recovered_.size());
  if (!mark_ || from < *mark_) HR_RETURN_IF_ERROR(mark_file_.Write(from));
  mark_ = from;
  return end;
}

absl::StatusOr<FrameExtent> FlatBlockStore::ScanFile(uint32_t number, uint64_t offset, BlockScanProgress& progress) {
  constexpr size_t kBlocksBetweenReports = 64;
  const std::string path = PathOf("blk", number);
  HR_ASSIGN_OR_RETURN(const std::unique_ptr<BlockFileReader> reader,
                      BlockFileReader::Open(files_, path, options_.magic));
  // Offsets in a position have 32 bits; a longer file is no block file of this layout.
  if (reader->size() > UINT32_MAX) {
    return absl::FailedPreconditionError(absl::StrCat(
        "The block file ", path, " is larger than 4 GiB: move it elsewhere and import it with -loadblock."));
  }
  const uint64_t bytes_before = progress.bytes_done;
  reader->Seek(offset);
  FrameExtent end;
  for (size_t seen = 0; const std::optional<BlockFileReader::Block> block = reader->Next(); ++seen) {
    const BlockPosition position{number, static_cast<uint32_t>(block->offset), static_cast<uint32_t>(block->bytes.bytes.size())};
    end = std::max(end, EndOf(position, 0));
    if (!known_positions_.contains(PendingFrames::KeyOf(number, position.offset))) {
      recovered_.push_back({BlockHeader::Load(block->bytes.bytes.data()).Hash(), position});
    }
    if (options_.on_scan == nullptr || seen % kBlocksBetweenReports != 0) continue;
    progress.bytes_done = bytes_before + block->offset;
    progress.blocks_found = recovered_.size();
    if (!options_.on_scan(progress)) return absl::CancelledError("The search through the block files was stopped.");
  }
  progress.bytes_done = bytes_before + reader->size();
  progress.blocks_found = recovered_.size();
  return end;
}

}  // namespace headrace
