#include "tools/inspect/block_files_check.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "engine/base/status_macros.h"
#include "engine/consensus/merkle.h"
#include "engine/primitives/decode.h"
#include "engine/primitives/transaction_hashes.h"

namespace headrace {
namespace {

constexpr char kRemedy[] = "start headraced with -reindex to rebuild the block index and fetch what is missing";

absl::Status Damaged(const std::string& path, uint64_t offset, const std::string& what) {
  return absl::DataLossError(absl::StrCat(path, " is damaged at byte ", offset, ": ", what, "; ", kRemedy, "."));
}

// One file's frames. Space that was reserved and never written reads as zeros and ends the file.
void CheckFrames(ByteSpan bytes, const std::array<uint8_t, 4>& magic, BlockFileVerdict& verdict) {
  BlockColumns columns;
  std::vector<Hash256> buffer;
  uint64_t at = 0;
  while (bytes.size() - at >= 8) {
    const uint8_t* frame = bytes.data() + at;
    if (LoadLittle64(frame) == 0) break;
    if (!std::equal(magic.begin(), magic.end(), frame)) {
      verdict.status = Damaged(verdict.path, at, "no block of this network begins here");
      return;
    }
    const uint64_t size = LoadLittle32(frame + 4);
    if (size > bytes.size() - at - 8) {
      verdict.status = Damaged(verdict.path, at, absl::StrCat("a block of ", size, " bytes goes beyond the end of the file"));
      return;
    }
    if (const DecodeError error = DecodeBlock(bytes.subspan(at + 8, size), columns); error != DecodeError::kNone) {
      verdict.status = Damaged(verdict.path, at, "the block cannot be decoded");
      return;
    }
    HashTransactions(columns);
    if (ComputeMerkleRoot(columns.txid, buffer).root != columns.header.merkle_root) {
      verdict.status = Damaged(verdict.path, at, absl::StrCat("the transactions of block ", columns.hash.ToHex(), " do not match its Merkle root"));
      return;
    }
    ++verdict.blocks;
    at += 8 + size;
  }
  if (std::any_of(bytes.begin() + at, bytes.end(), [](uint8_t byte) { return byte != 0; })) {
    verdict.status = Damaged(verdict.path, at, "something stands where the file should have ended");
  }
}

}  // namespace

absl::StatusOr<std::vector<BlockFileVerdict>> CheckBlockFiles(FileSystem* files, const std::string& directory,
                                                              const std::array<uint8_t, 4>& magic) {
  std::vector<BlockFileVerdict> verdicts;
  if (!files->Exists(directory)) return verdicts;
  HR_ASSIGN_OR_RETURN(const std::vector<std::string> names, files->List(directory));
  for (const std::string& name : names) {
    if (!name.starts_with("blk") || !name.ends_with(".dat")) continue;
    BlockFileVerdict& verdict = verdicts.emplace_back();
    verdict.path = directory + "/" + name;
    HR_ASSIGN_OR_RETURN(const FileRef file, files->Open(verdict.path, OpenMode::kRead));
    HR_ASSIGN_OR_RETURN(verdict.bytes, file->Size());
    if (verdict.bytes == 0) continue;
    HR_ASSIGN_OR_RETURN(const SharedBytes mapping, files->MapReadOnly(file, 0, verdict.bytes));
    CheckFrames(mapping.bytes, magic, verdict);
  }
  return verdicts;
}

}  // namespace headrace
