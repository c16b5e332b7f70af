// The compression kernels behind sha256.h, one set a path. Only sha256.cc and the kernels include this.
//
// A kernel is two loops: over the blocks of a message, and over independent 64-byte nodes (a Merkle level), where
// several can be in flight at once and the padding is known beforehand. A wide kernel hashes many messages side by side, and
// leaves what does not fill its lanes to the processor's best single kernel.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace headrace::sha256 {

struct Kernel {
  // Folds `count` blocks of 64 bytes into `state`.
  void (*compress)(uint32_t* state, const uint8_t* blocks, size_t count);
  // Double SHA-256 of `count` nodes of 64 bytes; each node is read before its 32 bytes are written, so out may be in.
  void (*double_nodes)(uint8_t* out, const uint8_t* in, size_t count);
};

struct Message {
  const uint8_t* data;
  size_t size;
};

struct WideKernel {
  void (*double_nodes)(uint8_t* out, const uint8_t* in, size_t count);
  // Double SHA-256 of `count` messages of any lengths; 32 bytes each to `out`.
  void (*double_many)(uint8_t* out, const Message* messages, size_t count);
};

extern const Kernel kPortableKernel;
extern const Kernel kShaNiKernel;
extern const WideKernel kAvx2Kernel;
extern const WideKernel kAvx512Kernel;

// What a wide kernel uses for the rest.
const Kernel& SingleKernel();

inline constexpr std::array<uint32_t, 8> kInitialState = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                                                          0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};

alignas(16) inline constexpr std::array<uint32_t, 64> kRoundConstants = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2};

constexpr uint32_t RotateRight(uint32_t value, int by) { return value >> by | value << (32 - by); }
constexpr uint32_t SmallSigma0(uint32_t x) { return RotateRight(x, 7) ^ RotateRight(x, 18) ^ x >> 3; }
constexpr uint32_t SmallSigma1(uint32_t x) { return RotateRight(x, 17) ^ RotateRight(x, 19) ^ x >> 10; }

// Message schedule plus round constants of the block that pads a 64-byte message: the same for every node, so its
// schedule is worked out by the compiler.
constexpr std::array<uint32_t, 64> NodePaddingRounds() {
  std::array<uint32_t, 64> words{};
  words[0] = 0x80000000;
  words[15] = 64 * 8;
  for (int i = 16; i < 64; ++i) {
    words[i] = SmallSigma1(words[i - 2]) + words[i - 7] + SmallSigma0(words[i - 15]) + words[i - 16];
  }
  for (int i = 0; i < 64; ++i) words[i] += kRoundConstants[i];
  return words;
}
alignas(16) inline constexpr std::array<uint32_t, 64> kNodePaddingRounds = NodePaddingRounds();

}  // namespace headrace::sha256
