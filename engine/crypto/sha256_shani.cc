// SHA-256 by the x86 SHA extensions. The instructions have a long latency and a short interval, so nodes are hashed two
// at a time with their rounds interleaved.
#include <immintrin.h>

#include "engine/crypto/sha256_kernels.h"

#define HR_SHANI __attribute__((target("sha,sse4.1")))
#define HR_SHANI_INLINE __attribute__((target("sha,sse4.1"), always_inline)) inline

namespace headrace::sha256 {
namespace {

// The instructions want the eight state words as (a,b,e,f) and (c,d,g,h), highest lane first.
struct State {
  __m128i abef;
  __m128i cdgh;
};

HR_SHANI_INLINE __m128i Load(const void* at) { return _mm_loadu_si128(static_cast<const __m128i*>(at)); }
HR_SHANI_INLINE void Store(void* at, __m128i value) { _mm_storeu_si128(static_cast<__m128i*>(at), value); }

HR_SHANI_INLINE __m128i SwapWords(__m128i value) {
  return _mm_shuffle_epi8(value, _mm_set_epi64x(0x0c0d0e0f08090a0b, 0x0405060700010203));
}

HR_SHANI_INLINE State ToState(__m128i abcd, __m128i efgh) {
  const __m128i cdab = _mm_shuffle_epi32(abcd, 0xb1);
  const __m128i ghef_reversed = _mm_shuffle_epi32(efgh, 0x1b);
  return {_mm_alignr_epi8(cdab, ghef_reversed, 8), _mm_blend_epi16(ghef_reversed, cdab, 0xf0)};
}

// The inverse: words in order, first in the lowest lane.
HR_SHANI_INLINE void FromState(const State& state, __m128i& abcd, __m128i& efgh) {
  const __m128i feba = _mm_shuffle_epi32(state.abef, 0x1b);
  const __m128i dchg = _mm_shuffle_epi32(state.cdgh, 0xb1);
  abcd = _mm_blend_epi16(feba, dchg, 0xf0);
  efgh = _mm_alignr_epi8(dchg, feba, 8);
}

HR_SHANI_INLINE void FourRounds(State& state, __m128i words_and_constants) {
  state.cdgh = _mm_sha256rnds2_epu32(state.cdgh, state.abef, words_and_constants);
  state.abef = _mm_sha256rnds2_epu32(state.abef, state.cdgh, _mm_shuffle_epi32(words_and_constants, 0x0e));
}

HR_SHANI_INLINE State Sum(const State& a, const State& b) {
  return {_mm_add_epi32(a.abef, b.abef), _mm_add_epi32(a.cdgh, b.cdgh)};
}

// Folds one block into each lane's state; w holds each lane's sixteen words and is overwritten by the schedule.
template <int kLanes>
HR_SHANI_INLINE void CompressWords(State* state, __m128i (*w)[4]) {
  State before[kLanes];
#pragma GCC unroll 2
  for (int lane = 0; lane < kLanes; ++lane) before[lane] = state[lane];
#pragma GCC unroll 16
  for (int i = 0; i < 16; ++i) {
    const __m128i constants = Load(&kRoundConstants[4 * i]);
#pragma GCC unroll 2
    for (int lane = 0; lane < kLanes; ++lane) {
      __m128i* words = w[lane];
      if (i >= 4) {
        const __m128i sevenths = _mm_alignr_epi8(words[(i + 3) & 3], words[(i + 2) & 3], 4);
        const __m128i sum = _mm_add_epi32(_mm_sha256msg1_epu32(words[i & 3], words[(i + 1) & 3]), sevenths);
        words[i & 3] = _mm_sha256msg2_epu32(sum, words[(i + 3) & 3]);
      }
      FourRounds(state[lane], _mm_add_epi32(words[i & 3], constants));
    }
  }
#pragma GCC unroll 2
  for (int lane = 0; lane < kLanes; ++lane) state[lane] = Sum(state[lane], before[lane]);
}

template <int kLanes>
HR_SHANI_INLINE void CompressNodePadding(State* state) {
  State before[kLanes];
#pragma GCC unroll 2
  for (int lane = 0; lane < kLanes; ++lane) before[lane] = state[lane];
#pragma GCC unroll 16
  for (int i = 0; i < 16; ++i) {
    const __m128i rounds = Load(&kNodePaddingRounds[4 * i]);
#pragma GCC unroll 2
    for (int lane = 0; lane < kLanes; ++lane) FourRounds(state[lane], rounds);
  }
#pragma GCC unroll 2
  for (int lane = 0; lane < kLanes; ++lane) state[lane] = Sum(state[lane], before[lane]);
}

HR_SHANI_INLINE State InitialState() { return ToState(Load(&kInitialState[0]), Load(&kInitialState[4])); }

template <int kLanes>
HR_SHANI_INLINE void DoubleNodesAtOnce(uint8_t* out, const uint8_t* in) {
  State state[kLanes];
  __m128i w[kLanes][4];
#pragma GCC unroll 2
  for (int lane = 0; lane < kLanes; ++lane) {
    state[lane] = InitialState();
#pragma GCC unroll 4
    for (int i = 0; i < 4; ++i) w[lane][i] = SwapWords(Load(in + 64 * lane + 16 * i));
  }
  CompressWords<kLanes>(state, w);
  CompressNodePadding<kLanes>(state);
  // The first digest, its end mark and its length in bits are the second message's only block.
#pragma GCC unroll 2
  for (int lane = 0; lane < kLanes; ++lane) {
    FromState(state[lane], w[lane][0], w[lane][1]);
    w[lane][2] = _mm_set_epi32(0, 0, 0, static_cast<int>(0x80000000));
    w[lane][3] = _mm_set_epi32(32 * 8, 0, 0, 0);
    state[lane] = InitialState();
  }
  CompressWords<kLanes>(state, w);
#pragma GCC unroll 2
  for (int lane = 0; lane < kLanes; ++lane) {
    __m128i abcd, efgh;
    FromState(state[lane], abcd, efgh);
    Store(out + 32 * lane, SwapWords(abcd));
    Store(out + 32 * lane + 16, SwapWords(efgh));
  }
}

HR_SHANI void Compress(uint32_t* words, const uint8_t* blocks, size_t count) {
  State state = ToState(Load(words), Load(words + 4));
  for (; count != 0; --count, blocks += 64) {
    __m128i w[1][4];
#pragma GCC unroll 4
    for (int i = 0; i < 4; ++i) w[0][i] = SwapWords(Load(blocks + 16 * i));
    CompressWords<1>(&state, w);
  }
  __m128i abcd, efgh;
  FromState(state, abcd, efgh);
  Store(words, abcd);
  Store(words + 4, efgh);
}

HR_SHANI void DoubleNodes(uint8_t* out, const uint8_t* in, size_t count) {
  for (; count >= 2; count -= 2, in += 128, out += 64) DoubleNodesAtOnce<2>(out, in);
  if (count != 0) DoubleNodesAtOnce<1>(out, in);
}

}  // namespace

const Kernel kShaNiKernel = {Compress, DoubleNodes};

}  // namespace headrace::sha256
