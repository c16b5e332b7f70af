// SHA-256 sixteen messages at a time, for processors with AVX-512 (F and BW).
#include <immintrin.h>

#include "engine/crypto/sha256_kernels.h"

#define HR_LANES_TARGET __attribute__((target("avx512f,avx512bw")))

namespace headrace::sha256 {
namespace {

constexpr int kLanes = 16;
typedef uint32_t Vector __attribute__((vector_size(64)));

HR_LANES_TARGET __attribute__((always_inline)) inline __m512i SwapWords(__m512i words) {
  return _mm512_shuffle_epi8(words, _mm512_set_epi64(0x0c0d0e0f08090a0b, 0x0405060700010203, 0x0c0d0e0f08090a0b, 0x0405060700010203,
                                                     0x0c0d0e0f08090a0b, 0x0405060700010203, 0x0c0d0e0f08090a0b, 0x0405060700010203));
}
HR_LANES_TARGET __attribute__((always_inline)) inline Vector LoadBig(const uint8_t* at) {
  return (Vector)SwapWords(_mm512_loadu_si512(at));
}
HR_LANES_TARGET __attribute__((always_inline)) inline void StoreBig(uint8_t* at, Vector words) {
  _mm512_storeu_si512(at, SwapWords((__m512i)words));
}
HR_LANES_TARGET __attribute__((always_inline)) inline Vector ZipLow(Vector a, Vector b) {
  const __m512i order = _mm512_set_epi32(23, 7, 22, 6, 21, 5, 20, 4, 19, 3, 18, 2, 17, 1, 16, 0);
  return (Vector)_mm512_permutex2var_epi32((__m512i)a, order, (__m512i)b);
}
HR_LANES_TARGET __attribute__((always_inline)) inline Vector ZipHigh(Vector a, Vector b) {
  const __m512i order = _mm512_set_epi32(31, 15, 30, 14, 29, 13, 28, 12, 27, 11, 26, 10, 25, 9, 24, 8);
  return (Vector)_mm512_permutex2var_epi32((__m512i)a, order, (__m512i)b);
}

#include "engine/crypto/sha256_lanes.h"

}  // namespace

const WideKernel kAvx512Kernel = {DoubleNodesInLanes, DoubleManyInLanes};

}  // namespace headrace::sha256
