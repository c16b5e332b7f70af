#if defined(__SSE4_2__)
#include <nmmintrin.h>
#endif

#include "engine/base/endian.h"
#include "engine/crypto/crc32c_table.h"
#include "engine/crypto/small_hashes.h"

namespace headrace {

#if defined(__SSE4_2__)
uint32_t Crc32c(ByteSpan bytes, uint32_t seed) {
  const uint8_t* at = bytes.data();
  size_t left = bytes.size();
  uint64_t sum = ~seed;
  for (; left >= 8; left -= 8, at += 8) sum = _mm_crc32_u64(sum, LoadLittle64(at));
  uint32_t sum32 = static_cast<uint32_t>(sum);
  for (; left != 0; --left, ++at) sum32 = _mm_crc32_u8(sum32, *at);
  return ~sum32;
}
#else
uint32_t Crc32c(ByteSpan bytes, uint32_t seed) { return Crc32cByTable(bytes, seed); }
#endif

}  // namespace headrace
