// Read-only mappings of a numbered family of files, made when first needed and again when a file has grown.
//
// Any thread; one mutex, held for a lookup or a mapping. Pieces that were handed out keep their mapping alive.
#pragma once

#include <cstdint>
#include <mutex>
#include <string>

#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"
#include "storage/blocks/frame.h"
#include "storage/file/file_system.h"

namespace headrace {

class FrameMappings {
 public:
  // The kernel allows 65,530 mappings a process by default; a full mainnet archive needs about 6,000.
  static constexpr size_t kMappingsMax = 16'384;

  FrameMappings(FileSystem& files, std::string directory, std::string prefix, NetworkMagic magic, uint32_t trailer_bytes)
      : files_(files),
        directory_(std::move(directory)),
        prefix_(std::move(prefix)),
        magic_(magic),
        trailer_bytes_(trailer_bytes) {}

  // Payload and trailer of the frame at `position`, whose magic and length were checked. DataLoss names the file.
  absl::StatusOr<SharedBytes> Map(const BlockPosition& position);
  // The sentence for a frame that is not what it should be.
  absl::Status Damaged(const BlockPosition& position, const std::string& what) const;
  // Must be called when files were cut or removed.
  void Forget();

 private:
  std::string PathOf(uint32_t number) const { return directory_ + "/" + NumberedFileName(prefix_, number); }
  // A mapping of file `number` that has at least `size` bytes.
  absl::StatusOr<SharedBytes> WholeFile(const BlockPosition& position, uint64_t size);

  FileSystem& files_;
  const std::string directory_;
  const std::string prefix_;
  const NetworkMagic magic_;
  const uint32_t trailer_bytes_;
  std::mutex mutex_;
  absl::flat_hash_map<uint32_t, SharedBytes> mappings_;
};

}  // namespace headrace
