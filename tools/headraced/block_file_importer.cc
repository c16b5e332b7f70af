#include "tools/headraced/block_file_importer.h"

#include <chrono>

#include "absl/strings/str_cat.h"
#include "engine/base/log.h"
#include "engine/base/status_macros.h"
#include "storage/blocks/block_file_reader.h"

namespace headrace {
namespace {

constexpr std::chrono::milliseconds kFullQueuePause(2);
// Padding that is read between two looks at the stop flag: a moment even for a slow disk.
constexpr uint64_t kPaddingBytesMax = 8 << 20;

}  // namespace

BlockFileImporter::BlockFileImporter(Node& node, FileSystem& files, const ChainParams& params,
                                     std::vector<std::string> paths)
    : node_(node), files_(files), params_(params), paths_(std::move(paths)), thread_([this] { Run(); }) {}

void BlockFileImporter::Stop() {
  stop_.store(true, std::memory_order_relaxed);
  if (thread_.joinable()) thread_.join();
}

void BlockFileImporter::Run() {
  for (const Pass pass : {Pass::kHeaders, Pass::kBlocks}) {
    for (const std::string& path : paths_) {
      if (stop_.load(std::memory_order_relaxed) || !failure_.ok()) break;
      failure_ = WalkFile(path, pass);
    }
  }
  while (failure_.ok() && !stop_.load(std::memory_order_relaxed) && !node_.import_is_empty()) {
    std::this_thread::sleep_for(kFullQueuePause);
  }
  // Release: the failure is seen by whoever sees the end.
  done_.store(true, std::memory_order_release);
}

bool BlockFileImporter::HandIn(MaskedBytes&& block, Pass pass) {
  if (pass == Pass::kHeaders) {
    // Too short to be a block; the second pass hands it in as one, and it is refused there.
    if (block.size() < BlockHeader::kSerializedBytes) return true;
    block.stored.bytes = block.stored.bytes.first(BlockHeader::kSerializedBytes);
  }
  while (!(pass == Pass::kHeaders ? node_.OfferHeader(std::move(block)) : node_.OfferBlock(std::move(block)))) {
    if (stop_.load(std::memory_order_relaxed)) return false;
    std::this_thread::sleep_for(kFullQueuePause);
  }
  return true;
}

absl::Status BlockFileImporter::WalkFile(const std::string& path, Pass pass) {
  HR_ASSIGN_OR_RETURN(const std::unique_ptr<BlockFileReader> reader, BlockFileReader::Open(files_, path, params_.message_magic));
  uint64_t blocks = 0;
  MaskedBytes block;
  for (auto found = BlockFileReader::Found::kNothingYet; found != BlockFileReader::Found::kEnd;) {
    if (stop_.load(std::memory_order_relaxed)) return absl::OkStatus();
    found = reader->NextMaskedWithin(kPaddingBytesMax, block);
    if (found != BlockFileReader::Found::kBlock) continue;
    ++blocks;
    if (!HandIn(std::move(block), pass)) return absl::OkStatus();
  }
  if (blocks == 0) {
    return absl::InvalidArgumentError(absl::StrCat("No block of the ", std::string(params_.name), " network was found in ", path,
                                                   ". Check the file named by -loadblock and the network chosen by -chain."));
  }
  if (pass == Pass::kHeaders) return absl::OkStatus();
  HR_LOG(kInfo, kBlocks, "file read path=", path, " blocks=", blocks, " bytes=", reader->size(),
         " skipped_bytes=", reader->skipped_bytes());
  if (reader->truncated_offset()) {
    HR_LOG(kWarning, kBlocks, "the last block of ", path, " is cut off at byte ", *reader->truncated_offset(),
           ": it was left out");
  }
  return absl::OkStatus();
}

}  // namespace headrace
