// Reads everything in a network's block directory: of the index its title, sync points and the checksum of every
// record; of the block files each frame's magic and length, decoding, proof of work, Merkle root and witness
// commitment, and the header that the index has for it; of the undo files each checksum that the index knows the block
// of. Every flipped bit that a checksum or a commitment covers is found, and so is a file that is missing or shorter
// than the index says. A frame that cannot be decoded and that no record names was cut short by a kill, and is none.
//
// Cold path; one pass over the files, a block at a time.
#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "engine/consensus/chain_params.h"
#include "storage/file/file_system.h"

namespace headrace {

struct BlockFileVerdict {
  std::string path;
  uint64_t bytes = 0;
  uint64_t blocks = 0;  // records: blocks, undo records or records of the index
  absl::Status status;
};

absl::StatusOr<std::vector<BlockFileVerdict>> CheckBlockFiles(FileSystem* files, const std::string& directory,
                                                              const ChainParams& chain);

}  // namespace headrace
