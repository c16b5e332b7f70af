// Reads every frame of a network's block files: magic, length, decoding, Merkle root.
#pragma once

#include <array>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "storage/file/file_system.h"

namespace headrace {

struct BlockFileVerdict {
  std::string path;
  uint64_t bytes = 0;
  uint64_t blocks = 0;
  absl::Status status;
};

absl::StatusOr<std::vector<BlockFileVerdict>> CheckBlockFiles(FileSystem* files, const std::string& directory,
                                                              const std::array<uint8_t, 4>& magic);

}  // namespace headrace
