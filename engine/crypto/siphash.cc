// SipHash (Aumasson and Bernstein, 2012): c compression rounds a word, d finalisation rounds.
#include <bit>

#include "engine/base/endian.h"
#include "engine/crypto/small_hashes.h"

namespace headrace {
namespace {

class SipState {
 public:
  SipState(uint64_t key0, uint64_t key1)
      : v0_(key0 ^ 0x736f6d6570736575),
        v1_(key1 ^ 0x646f72616e646f6d),
        v2_(key0 ^ 0x6c7967656e657261),
        v3_(key1 ^ 0x7465646279746573) {}

  template <int kRounds>
  void Absorb(uint64_t word) {
    v3_ ^= word;
    Rounds<kRounds>();
    v0_ ^= word;
  }

  template <int kRounds>
  uint64_t Squeeze() {
    v2_ ^= 0xff;
    Rounds<kRounds>();
    return v0_ ^ v1_ ^ v2_ ^ v3_;
  }

 private:
  template <int kRounds>
  void Rounds() {
    for (int i = 0; i < kRounds; ++i) {
      v0_ += v1_;
      v2_ += v3_;
      v1_ = std::rotl(v1_, 13) ^ v0_;
      v3_ = std::rotl(v3_, 16) ^ v2_;
      v0_ = std::rotl(v0_, 32);
      v2_ += v1_;
      v0_ += v3_;
      v1_ = std::rotl(v1_, 17) ^ v2_;
      v3_ = std::rotl(v3_, 21) ^ v0_;
      v2_ = std::rotl(v2_, 32);
    }
  }

  uint64_t v0_, v1_, v2_, v3_;
};

template <int kCompression, int kFinalization>
uint64_t SipHash(uint64_t key0, uint64_t key1, ByteSpan bytes) {
  SipState state(key0, key1);
  const size_t whole = bytes.size() / 8 * 8;
  for (size_t i = 0; i < whole; i += 8) state.Absorb<kCompression>(LoadLittle64(&bytes[i]));
  // The last word holds what is left and, in its highest byte, the length.
  uint64_t last = static_cast<uint64_t>(bytes.size()) << 56;
  for (size_t i = whole; i < bytes.size(); ++i) last |= static_cast<uint64_t>(bytes[i]) << (8 * (i - whole));
  state.Absorb<kCompression>(last);
  return state.Squeeze<kFinalization>();
}

}  // namespace

uint64_t SipHash13(uint64_t key0, uint64_t key1, ByteSpan bytes) { return SipHash<1, 3>(key0, key1, bytes); }

uint64_t SipHash24(uint64_t key0, uint64_t key1, ByteSpan bytes) { return SipHash<2, 4>(key0, key1, bytes); }

uint64_t SipHash13OutPoint(uint64_t key0, uint64_t key1, const uint8_t* outpoint36) {
  SipState state(key0, key1);
  state.Absorb<1>(LoadLittle64(outpoint36));
  state.Absorb<1>(LoadLittle64(outpoint36 + 8));
  state.Absorb<1>(LoadLittle64(outpoint36 + 16));
  state.Absorb<1>(LoadLittle64(outpoint36 + 24));
  state.Absorb<1>(uint64_t{36} << 56 | LoadLittle32(outpoint36 + 32));
  return state.Squeeze<3>();
}

}  // namespace headrace
