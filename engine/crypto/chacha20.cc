#include "engine/crypto/chacha20.h"

#include <algorithm>
#include <cstring>

#include "engine/base/endian.h"

namespace headrace {
namespace {

// Word i of four consecutive blocks stands in one vector, so that four blocks cost little more than one.
constexpr size_t kLanes = 4;
using Lanes = uint32_t __attribute__((vector_size(4 * kLanes)));

template <int kBits>
inline Lanes RotateLeft(Lanes value) {
  return value << kBits | value >> (32 - kBits);
}

inline void QuarterRound(Lanes& a, Lanes& b, Lanes& c, Lanes& d) {
  a += b;
  d = RotateLeft<16>(d ^ a);
  c += d;
  b = RotateLeft<12>(b ^ c);
  a += b;
  d = RotateLeft<8>(d ^ a);
  c += d;
  b = RotateLeft<7>(b ^ c);
}

void DoubleRounds(Lanes* x) {
  for (int i = 0; i < 10; ++i) {
    QuarterRound(x[0], x[4], x[8], x[12]);
    QuarterRound(x[1], x[5], x[9], x[13]);
    QuarterRound(x[2], x[6], x[10], x[14]);
    QuarterRound(x[3], x[7], x[11], x[15]);
    QuarterRound(x[0], x[5], x[10], x[15]);
    QuarterRound(x[1], x[6], x[11], x[12]);
    QuarterRound(x[2], x[7], x[8], x[13]);
    QuarterRound(x[3], x[4], x[9], x[14]);
  }
}

}  // namespace

void ChaCha20Keystream(const Digest256& key, MutableByteSpan out) {
  static constexpr uint32_t kConstants[4] = {0x61707865, 0x3320646e, 0x79622d32, 0x6b206574};
  Lanes start[16] = {};
  for (size_t i = 0; i < 4; ++i) start[i] += kConstants[i];
  for (size_t i = 0; i < 8; ++i) start[4 + i] += LoadLittle32(&key[4 * i]);
  start[12] = Lanes{0, 1, 2, 3};
  while (!out.empty()) {
    Lanes x[16];
    std::memcpy(x, start, sizeof(x));
    DoubleRounds(x);
    for (size_t i = 0; i < 16; ++i) x[i] += start[i];
    uint8_t blocks[64 * kLanes];
    for (size_t lane = 0; lane < kLanes; ++lane) {
      for (size_t i = 0; i < 16; ++i) StoreLittle<uint32_t>(blocks + 64 * lane + 4 * i, x[i][lane]);
    }
    const size_t size = std::min(out.size(), sizeof(blocks));
    std::memcpy(out.data(), blocks, size);
    out = out.subspan(size);
    start[12] += kLanes;
  }
}

}  // namespace headrace
