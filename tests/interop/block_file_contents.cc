#include "tests/interop/block_file_contents.h"

#include "engine/base/endian.h"
#include "engine/primitives/block_header.h"

namespace headrace::testing {

std::map<Hash256, Bytes> BlocksIn(const Bytes& file) {
  std::map<Hash256, Bytes> blocks;
  for (size_t at = 0; at + 8 + BlockHeader::kSerializedBytes <= file.size();) {
    const uint32_t size = LoadLittle32(&file[at + 4]);
    if (LoadLittle32(&file[at]) != LoadLittle32(file.data()) || size < BlockHeader::kSerializedBytes ||
        at + 8 + size > file.size())
      break;
    blocks[BlockHeader::Load(&file[at + 8]).Hash()].assign(file.begin() + at + 8, file.begin() + at + 8 + size);
    at += 8 + size;
  }
  return blocks;
}

}  // namespace headrace::testing
