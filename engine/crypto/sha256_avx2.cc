// SHA-256 eight messages at a time, for processors with AVX2.
#include <immintrin.h>

#include "engine/crypto/sha256_kernels.h"

#define HR_LANES_TARGET __attribute__((target("avx2")))

namespace headrace::sha256 {
namespace {

constexpr int kLanes = 8;
typedef uint32_t Vector __attribute__((vector_size(32)));

HR_LANES_TARGET __attribute__((always_inline)) inline __m256i SwapWords(__m256i words) {
  return _mm256_shuffle_epi8(words, _mm256_set_epi64x(0x0c0d0e0f08090a0b, 0x0405060700010203, 0x0c0d0e0f08090a0b, 0x0405060700010203));
}
HR_LANES_TARGET __attribute__((always_inline)) inline Vector LoadBig(const uint8_t* at) {
  return (Vector)SwapWords(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(at)));
}
HR_LANES_TARGET __attribute__((always_inline)) inline void StoreBig(uint8_t* at, Vector words) {
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(at), SwapWords((__m256i)words));
}
// The set's own interleaving works in halves of 128 bits, which are then put in order.
HR_LANES_TARGET __attribute__((always_inline)) inline Vector ZipLow(Vector a, Vector b) {
  return (Vector)_mm256_permute2x128_si256(_mm256_unpacklo_epi32((__m256i)a, (__m256i)b), _mm256_unpackhi_epi32((__m256i)a, (__m256i)b), 0x20);
}
HR_LANES_TARGET __attribute__((always_inline)) inline Vector ZipHigh(Vector a, Vector b) {
  return (Vector)_mm256_permute2x128_si256(_mm256_unpacklo_epi32((__m256i)a, (__m256i)b), _mm256_unpackhi_epi32((__m256i)a, (__m256i)b), 0x31);
}

#include "engine/crypto/sha256_lanes.h"

}  // namespace

const WideKernel kAvx2Kernel = {DoubleNodesInLanes, DoubleManyInLanes};

}  // namespace headrace::sha256
