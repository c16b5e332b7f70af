#include "engine/consensus/difficulty.h"

#include <algorithm>

#include "engine/primitives/targets.h"

namespace headrace {

namespace {

// What the parent's bits are on a network with the 20-minute exception: those of the last block that did not use it. A
// period's first block never may.
uint32_t LastOrdinaryBits(const Ancestry& chain, const ChainParams& params) {
  const uint32_t limit_bits = EncodeCompact(params.pow_limit);
  uint32_t height = chain.height();
  uint32_t bits = chain.At(height).bits;
  while (height > 0 && height % params.difficulty_interval() != 0 && bits == limit_bits) {
    bits = chain.At(--height).bits;
  }
  return bits;
}

}  // namespace

uint32_t Retarget(uint32_t bits, int64_t first_time_s, int64_t last_time_s, const ChainParams& params) {
  // A step is at most a factor of four either way.
  const int64_t timespan_s =
      std::clamp(last_time_s - first_time_s, params.target_timespan_s / 4, params.target_timespan_s * 4);
  Uint256 target = DecodeCompact(bits).value;
  target *= static_cast<uint64_t>(timespan_s);
  target /= static_cast<uint64_t>(params.target_timespan_s);
  return EncodeCompact(std::min(target, params.pow_limit));
}

uint32_t RequiredBits(const Ancestry& parent_chain, uint32_t time_s, const ChainParams& params) {
  const uint32_t height = parent_chain.height() + 1;
  const uint32_t interval = params.difficulty_interval();
  const HeaderFacts parent = parent_chain.At(parent_chain.height());
  if (height % interval != 0) {
    if (!params.allows_min_difficulty_blocks) return parent.bits;
    if (int64_t{time_s} > int64_t{parent.time_s} + 2 * params.target_spacing_s) return EncodeCompact(params.pow_limit);
    return LastOrdinaryBits(parent_chain, params);
  }
  if (!params.retargets) return parent.bits;
  const HeaderFacts first = parent_chain.At(height - interval);
  // BIP94 starts from the period's first block, which cannot have used the 20-minute exception.
  return Retarget(params.enforces_bip94 ? first.bits : parent.bits, first.time_s, parent.time_s, params);
}

bool IsPermittedTransition(uint32_t height, uint32_t old_bits, uint32_t new_bits, const ChainParams& params) {
  if (params.allows_min_difficulty_blocks) return true;
  if (height % params.difficulty_interval() != 0) return old_bits == new_bits;
  // The compact forms are compared as targets after the same rounding that Retarget does.
  const Uint256 observed = DecodeCompact(new_bits).value;
  const Uint256 easiest = DecodeCompact(Retarget(old_bits, 0, params.target_timespan_s * 4, params)).value;
  const Uint256 hardest = DecodeCompact(Retarget(old_bits, 0, params.target_timespan_s / 4, params)).value;
  return hardest <= observed && observed <= easiest;
}

bool CheckProofOfWork(const Hash256& hash, uint32_t bits, const ChainParams& params) {
  const std::optional<Uint256> target = TargetFromBits(bits, params.pow_limit);
  return target && Uint256::FromHash(hash) <= *target;
}

}  // namespace headrace
