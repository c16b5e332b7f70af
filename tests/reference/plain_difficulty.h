// Difficulty and median time with numbers of any size, over a plain vector of headers: the naive twins of
// engine/consensus/difficulty and ancestry, and of the compact form of targets.
#pragma once

#include <algorithm>
#include <optional>
#include <vector>

#include "engine/consensus/ancestry.h"
#include "engine/consensus/chain_params.h"
#include "tests/reference/big_integer.h"

namespace headrace::testing {

// The three digits of the compact form, shifted to where its size says; signs are the caller's matter.
inline BigInteger PlainTarget(uint32_t bits) {
  const uint32_t size = bits >> 24;
  std::vector<uint8_t> digits;
  for (uint32_t i = 0; i < 3; ++i) {
    uint8_t digit = static_cast<uint8_t>(bits >> (8 * (2 - i)));
    if (i == 0) digit &= 0x7f;  // the sign
    // The i-th digit from the left stands `size - 1 - i` places from the right; what falls off there is lost.
    if (size < 1 + i) continue;
    const uint32_t place = size - 1 - i;
    if (digits.size() <= place) digits.resize(place + 1, 0);
    digits[place] = digit;
  }
  return BigInteger(digits);
}

inline bool PlainIsNegative(uint32_t bits) { return (bits & 0x00800000) != 0 && !(PlainTarget(bits) == BigInteger()); }

// The first three digits, the first one below 0x80.
inline uint32_t PlainBits(const BigInteger& target) {
  std::vector<uint8_t> digits = target.digits();
  if (digits.empty()) return 0;
  if (digits.back() >= 0x80) digits.push_back(0);
  uint32_t mantissa = 0;
  for (size_t i = 0; i < 3; ++i) mantissa = mantissa << 8 | (i < digits.size() ? digits[digits.size() - 1 - i] : 0);
  return static_cast<uint32_t>(digits.size()) << 24 | mantissa;
}

inline BigInteger PlainLimit(const ChainParams& params) {
  const Hash256 hash = params.pow_limit.ToHash();
  return BigInteger({hash.bytes.begin(), hash.bytes.end()});
}

// On paper: the target times the time it took, over the time that was meant, cut to three digits.
inline uint32_t PlainRetarget(uint32_t bits, int64_t timespan_s, const ChainParams& params) {
  const int64_t meant_s = params.target_timespan_s;
  if (timespan_s < meant_s / 4) timespan_s = meant_s / 4;
  if (timespan_s > meant_s * 4) timespan_s = meant_s * 4;
  const BigInteger target =
      PlainTarget(bits) * BigInteger(static_cast<uint64_t>(timespan_s)) / BigInteger(static_cast<uint64_t>(meant_s));
  return PlainBits(std::min(target, PlainLimit(params)));
}

// What the header after `chain` must carry when its own time is `time_s`.
inline uint32_t PlainRequiredBits(const std::vector<HeaderFacts>& chain, uint32_t time_s, const ChainParams& params) {
  const size_t height = chain.size();
  const size_t interval = static_cast<size_t>(params.target_timespan_s / params.target_spacing_s);
  const HeaderFacts& parent = chain.back();
  if (height % interval == 0) {
    if (!params.retargets) return parent.bits;
    const HeaderFacts& first = chain[height - interval];
    const int64_t timespan_s = int64_t{parent.time_s} - int64_t{first.time_s};
    return PlainRetarget(params.enforces_bip94 ? first.bits : parent.bits, timespan_s, params);
  }
  if (!params.allows_min_difficulty_blocks) return parent.bits;
  // The exception: twenty minutes without a block. Who does not use it takes the bits of the last block that did not
  // either; a period's first block counts as such whatever its bits are.
  const uint32_t easiest = PlainBits(PlainLimit(params));
  if (int64_t{time_s} - int64_t{parent.time_s} > 20 * 60) return easiest;
  for (size_t at = height - 1;; --at) {
    if (at % interval == 0 || chain[at].bits != easiest) return chain[at].bits;
  }
}

// A step at a boundary is between the retargets of the shortest and the longest period; elsewhere there is none.
inline bool PlainIsPermittedTransition(size_t height, uint32_t old_bits, uint32_t new_bits, const ChainParams& params) {
  if (params.allows_min_difficulty_blocks) return true;
  if (height % static_cast<size_t>(params.target_timespan_s / params.target_spacing_s) != 0)
    return old_bits == new_bits;
  const BigInteger target = PlainTarget(new_bits);
  const BigInteger hardest = PlainTarget(PlainRetarget(old_bits, 0, params));
  const BigInteger easiest = PlainTarget(PlainRetarget(old_bits, params.target_timespan_s * 100, params));
  return !(target < hardest) && !(easiest < target);
}

// The middle of the last eleven times, sorted; of all while there are fewer.
inline int64_t PlainMedianTime(const std::vector<HeaderFacts>& chain) {
  std::vector<uint32_t> times;
  for (size_t i = chain.size() - std::min<size_t>(chain.size(), 11); i < chain.size(); ++i)
    times.push_back(chain[i].time_s);
  std::sort(times.begin(), times.end());
  return times[times.size() / 2];
}

}  // namespace headrace::testing
