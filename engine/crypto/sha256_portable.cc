// SHA-256 in plain C++: the path of processors without SHA instructions, and the measure for the others.
#include "engine/base/endian.h"
#include "engine/crypto/sha256_kernels.h"

namespace headrace::sha256 {
namespace {

constexpr uint32_t BigSigma0(uint32_t x) { return RotateRight(x, 2) ^ RotateRight(x, 13) ^ RotateRight(x, 22); }
constexpr uint32_t BigSigma1(uint32_t x) { return RotateRight(x, 6) ^ RotateRight(x, 11) ^ RotateRight(x, 25); }
constexpr uint32_t Choose(uint32_t x, uint32_t y, uint32_t z) { return z ^ (x & (y ^ z)); }
constexpr uint32_t Majority(uint32_t x, uint32_t y, uint32_t z) { return (x & y) | (z & (x | y)); }

// The working variables rotate by index instead of by moving: after round i, variable `name` stands at (name - i) mod 8.
inline void Round(uint32_t* v, int i, uint32_t word_and_constant) {
  uint32_t& d = v[(3 - i) & 7];
  uint32_t& h = v[(7 - i) & 7];
  const uint32_t a = v[(0 - i) & 7], b = v[(1 - i) & 7], c = v[(2 - i) & 7];
  const uint32_t e = v[(4 - i) & 7], f = v[(5 - i) & 7], g = v[(6 - i) & 7];
  const uint32_t t = h + BigSigma1(e) + Choose(e, f, g) + word_and_constant;
  d += t;
  h = t + BigSigma0(a) + Majority(a, b, c);
}

// One block given as sixteen words, which are overwritten by the schedule.
void CompressWords(uint32_t* state, uint32_t* w) {
  uint32_t v[8];
  for (int i = 0; i < 8; ++i) v[i] = state[i];
#pragma GCC unroll 16
  for (int i = 0; i < 16; ++i) Round(v, i, w[i] + kRoundConstants[i]);
  for (int base = 16; base < 64; base += 16) {
#pragma GCC unroll 16
    for (int i = 0; i < 16; ++i) {
      w[i] += SmallSigma1(w[(i + 14) & 15]) + w[(i + 9) & 15] + SmallSigma0(w[(i + 1) & 15]);
      Round(v, i, w[i] + kRoundConstants[base + i]);
    }
  }
  for (int i = 0; i < 8; ++i) state[i] += v[i];
}

void CompressNodePadding(uint32_t* state) {
  uint32_t v[8];
  for (int i = 0; i < 8; ++i) v[i] = state[i];
  for (int base = 0; base < 64; base += 8) {
#pragma GCC unroll 8
    for (int i = 0; i < 8; ++i) Round(v, i, kNodePaddingRounds[base + i]);
  }
  for (int i = 0; i < 8; ++i) state[i] += v[i];
}

void Compress(uint32_t* state, const uint8_t* blocks, size_t count) {
  for (; count != 0; --count, blocks += 64) {
    uint32_t w[16];
    for (int i = 0; i < 16; ++i) w[i] = LoadBig32(blocks + 4 * i);
    CompressWords(state, w);
  }
}

void DoubleNodes(uint8_t* out, const uint8_t* in, size_t count) {
  for (; count != 0; --count, in += 64, out += 32) {
    uint32_t first[8];
    for (int i = 0; i < 8; ++i) first[i] = kInitialState[i];
    Compress(first, in, 1);
    CompressNodePadding(first);
    uint32_t w[16] = {first[0], first[1], first[2], first[3], first[4], first[5], first[6], first[7], 0x80000000};
    w[15] = 32 * 8;
    uint32_t second[8];
    for (int i = 0; i < 8; ++i) second[i] = kInitialState[i];
    CompressWords(second, w);
    for (int i = 0; i < 8; ++i) StoreBig32(out + 4 * i, second[i]);
  }
}

}  // namespace

const Kernel kPortableKernel = {Compress, DoubleNodes};

}  // namespace headrace::sha256
