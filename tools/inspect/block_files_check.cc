#include "tools/inspect/block_files_check.h"

#include <algorithm>
#include <optional>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/str_cat.h"
#include "engine/base/status_macros.h"
#include "engine/consensus/check_block.h"
#include "engine/consensus/check_header.h"
#include "engine/crypto/small_hashes.h"
#include "engine/primitives/decode.h"
#include "engine/primitives/transaction_hashes.h"
#include "storage/blocks/block_index_format.h"

namespace headrace {
namespace {

constexpr char kRemedy[] = "start headraced with -reindex to rebuild the block index and fetch what is missing";

absl::Status Damaged(const std::string& path, uint64_t offset, const std::string& what) {
  return absl::DataLossError(absl::StrCat(path, " is damaged at byte ", offset, ": ", what, "; ", kRemedy, "."));
}

// What the readable part of the index says about the files.
struct IndexContents {
  // By file and offset of the payload.
  absl::flat_hash_map<std::pair<uint32_t, uint32_t>, BlockRecord> blocks;
  absl::flat_hash_map<std::pair<uint32_t, uint32_t>, BlockRecord> undo;
};

// Checks title, sync points and every record, and keeps what the records say.
void CheckIndex(ByteSpan bytes, const NetworkMagic& magic, BlockFileVerdict& verdict, IndexContents& contents) {
  if (bytes.size() < kBlockIndexHeaderBytes) {
    verdict.status = Damaged(verdict.path, bytes.size(), "its header is incomplete");
    return;
  }
  if (LoadLittle32(&bytes[16]) > kBlockIndexVersion && LoadLittle32(&bytes[60]) == Crc32c(bytes.first(60))) {
    verdict.status = absl::FailedPreconditionError(
        absl::StrCat(verdict.path, " has format version ", LoadLittle32(&bytes[16]), ", newer than the ",
                     kBlockIndexVersion, " this program knows: use the newer program that wrote it."));
    return;
  }
  const BlockIndexTitle title = EncodeBlockIndexTitle(magic);
  if (!std::equal(title.begin(), title.end(), bytes.begin())) {
    verdict.status = Damaged(verdict.path, 0, "its title is not that of a block index of this network");
    return;
  }
  for (const uint64_t offset : kSyncPointOffsets) {
    // A running node may be writing one of them; the other one holds.
    if (!DecodeSyncPoint(&bytes[offset]))
      verdict.status = Damaged(verdict.path, offset, "the sync point's checksum is wrong");
  }
  const auto is_zero = [](uint8_t byte) { return byte == 0; };
  uint64_t from = kBlockIndexTitleBytes;
  for (const uint64_t to : {kSyncPointOffsets[0], kSyncPointOffsets[1], kBlockIndexHeaderBytes}) {
    if (!std::all_of(bytes.begin() + static_cast<ptrdiff_t>(from), bytes.begin() + static_cast<ptrdiff_t>(to),
                     is_zero)) {
      verdict.status.Update(Damaged(verdict.path, from, "something stands where zeros should be"));
    }
    from = to + kSyncPointBytes;
  }
  for (uint64_t at = kBlockIndexHeaderBytes; at < bytes.size(); at += kBlockIndexRecordBytes) {
    const auto id = static_cast<BlockRecordId>((at - kBlockIndexHeaderBytes) / kBlockIndexRecordBytes);
    const bool is_whole = bytes.size() - at >= kBlockIndexRecordBytes;
    const std::optional<BlockRecord> record = is_whole ? DecodeBlockRecord(id, &bytes[at]) : std::nullopt;
    if (!record) {
      verdict.status.Update(Damaged(verdict.path, at, absl::StrCat("record ", id, " does not match its checksum")));
      continue;
    }
    ++verdict.blocks;
    if (record->data.exists()) contents.blocks[{record->data.file, record->data.offset}] = *record;
    if (record->undo.exists()) contents.undo[{record->undo.file, record->undo.offset}] = *record;
  }
}

// Whether the payload of a block frame is the block that its header names, and the index where that speaks of it.
absl::Status CheckBlockAt(ByteSpan raw, uint32_t file, uint64_t at, const IndexContents& index,
                          const ChainParams& chain, const std::string& path, BlockColumns& columns) {
  const auto record = index.blocks.find({file, static_cast<uint32_t>(at + kFrameHeaderBytes)});
  if (const DecodeError error = DecodeBlock(raw, columns); error != DecodeError::kNone) {
    // A write that a kill cut short stays where it is; the block stands again further on, and no record names this place.
    const bool is_left_over = !index.blocks.empty() && record == index.blocks.end();
    return is_left_over ? absl::OkStatus() : Damaged(path, at, "the block cannot be decoded");
  }
  HashTransactions(columns);
  const bool is_other = record != index.blocks.end() && record->second.header != columns.header;
  if (is_other || !CheckHeader(columns.header, columns.hash, chain).ok()) {
    return Damaged(path, at, absl::StrCat("the header of block ", columns.hash.ToHex(), " is not what was stored"));
  }
  if (!MatchesCommitments(columns)) {
    return Damaged(path, at,
                   absl::StrCat("the transactions of block ", columns.hash.ToHex(),
                                " do not match its Merkle root or witness commitment"));
  }
  return absl::OkStatus();
}

// One file's frames. Space that was reserved and never written reads as zeros and ends the file.
template <typename CheckPayload>
void CheckFrames(ByteSpan bytes, const NetworkMagic& magic, uint64_t trailer_bytes, BlockFileVerdict& verdict,
                 CheckPayload&& check_payload) {
  uint64_t at = 0;
  while (bytes.size() - at >= kFrameHeaderBytes) {
    const uint8_t* frame = bytes.data() + at;
    if (LoadLittle64(frame) == 0) break;
    if (!std::equal(magic.begin(), magic.end(), frame)) {
      verdict.status = Damaged(verdict.path, at, "no record of this network begins here");
      return;
    }
    const uint64_t size = LoadLittle32(frame + 4);
    if (size + trailer_bytes > bytes.size() - at - kFrameHeaderBytes) {
      verdict.status =
          Damaged(verdict.path, at, absl::StrCat("a record of ", size, " bytes goes beyond the end of the file"));
      return;
    }
    verdict.status = check_payload(bytes.subspan(at + kFrameHeaderBytes, size + trailer_bytes), at);
    if (!verdict.status.ok()) return;
    ++verdict.blocks;
    at += kFrameHeaderBytes + size + trailer_bytes;
  }
  if (std::any_of(bytes.begin() + static_cast<ptrdiff_t>(at), bytes.end(), [](uint8_t byte) { return byte != 0; })) {
    verdict.status = Damaged(verdict.path, at, "something stands where the file should have ended");
  }
}

absl::Status CheckUndoAt(ByteSpan framed, uint32_t file, uint64_t at, const IndexContents& index,
                         const std::string& path) {
  const auto record = index.undo.find({file, static_cast<uint32_t>(at + kFrameHeaderBytes)});
  // The checksum covers the block's hash, which only the index knows.
  if (record == index.undo.end()) return absl::OkStatus();
  const ByteSpan undo = framed.first(framed.size() - kUndoTrailerBytes);
  const uint32_t sum = Crc32c(undo, Crc32c(record->second.header.Hash().span()));
  if (record->second.undo.size == undo.size() && sum == LoadLittle32(undo.data() + undo.size()))
    return absl::OkStatus();
  return Damaged(path, at, "the checksum of the undo record is wrong");
}

// Records that no frame was found for: the file is gone, or ends too early.
void CheckReach(const std::string& directory, const std::string& prefix,
                const absl::flat_hash_map<std::pair<uint32_t, uint32_t>, BlockRecord>& named,
                BlockPosition BlockRecord::*position, uint64_t trailer_bytes, std::vector<BlockFileVerdict>& verdicts) {
  absl::flat_hash_map<uint32_t, uint64_t> ends;
  for (const auto& [key, record] : named) {
    ends[key.first] = std::max<uint64_t>(ends[key.first], key.second + (record.*position).size + trailer_bytes);
  }
  for (const auto& [number, end] : ends) {
    const std::string path = directory + "/" + NumberedFileName(prefix, number);
    auto verdict = std::find_if(verdicts.begin(), verdicts.end(), [&](const auto& one) { return one.path == path; });
    if (verdict == verdicts.end()) {
      verdicts.push_back({path, 0, 0, Damaged(path, 0, "the file is missing")});
    } else if (verdict->status.ok() && verdict->bytes < end) {
      verdict->status = Damaged(path, verdict->bytes, absl::StrCat("the block index names ", end, " bytes"));
    }
  }
}

}  // namespace

absl::StatusOr<std::vector<BlockFileVerdict>> CheckBlockFiles(FileSystem* files, const std::string& directory,
                                                              const ChainParams& chain) {
  std::vector<BlockFileVerdict> verdicts;
  if (!files->Exists(directory)) return verdicts;
  HR_ASSIGN_OR_RETURN(const std::vector<std::string> names, files->List(directory));
  const NetworkMagic& magic = chain.message_magic;
  IndexContents index;
  BlockColumns columns;
  const auto check = [&](const std::string& name, auto&& check_bytes) {
    BlockFileVerdict& verdict = verdicts.emplace_back();
    verdict.path = directory + "/" + name;
    const auto mapped = [&]() -> absl::StatusOr<SharedBytes> {
      HR_ASSIGN_OR_RETURN(const FileRef file, files->Open(verdict.path, OpenMode::kRead));
      HR_ASSIGN_OR_RETURN(verdict.bytes, file->Size());
      return files->MapReadOnly(file, 0, verdict.bytes);
    }();
    verdict.status = mapped.status();
    if (mapped.ok()) check_bytes(mapped->bytes, verdict);
  };
  // First what tells the rest apart.
  if (std::find(names.begin(), names.end(), "index.dat") != names.end()) {
    check("index.dat", [&](ByteSpan bytes, BlockFileVerdict& verdict) { CheckIndex(bytes, magic, verdict, index); });
  }
  for (const std::string& name : names) {
    const bool is_undo = name.starts_with("rev");
    if ((!is_undo && !name.starts_with("blk")) || !name.ends_with(".dat")) continue;
    const auto number = static_cast<uint32_t>(std::strtoul(name.c_str() + 3, nullptr, 10));
    check(name, [&](ByteSpan bytes, BlockFileVerdict& verdict) {
      CheckFrames(bytes, magic, is_undo ? kUndoTrailerBytes : 0, verdict, [&](ByteSpan payload, uint64_t at) {
        return is_undo ? CheckUndoAt(payload, number, at, index, verdict.path)
                       : CheckBlockAt(payload, number, at, index, chain, verdict.path, columns);
      });
    });
  }
  CheckReach(directory, "blk", index.blocks, &BlockRecord::data, 0, verdicts);
  CheckReach(directory, "rev", index.undo, &BlockRecord::undo, kUndoTrailerBytes, verdicts);
  return verdicts;
}

}  // namespace headrace
