// The compact encoding of proof-of-work targets in a header's `bits`, and the work that a target stands for.
//
// Compact form: one byte of exponent (the size in bytes), one sign bit, 23 bits of mantissa; base 256. It was borrowed
// from a library of big integers, which is why it can say "negative"; no valid target is.
#pragma once

#include <cstdint>
#include <optional>

#include "engine/primitives/uint256.h"

namespace headrace {

struct CompactTarget {
  Uint256 value;            // what the mantissa and exponent say; wraps when `overflows`
  bool is_negative = false;  // sign bit set on a mantissa that is not zero
  bool overflows = false;    // more than 256 bits
};

CompactTarget DecodeCompact(uint32_t bits);
// The shortest encoding; digits beyond 23 bits are cut off. The inverse of DecodeCompact on what it gives.
uint32_t EncodeCompact(const Uint256& value);

// The target, when `bits` is one that a block may claim: positive, in range, and no easier than `limit`.
std::optional<Uint256> TargetFromBits(uint32_t bits, const Uint256& limit);

// Expected number of hashes to meet a target: 2^256 / (target + 1); zero for `bits` that encode no target.
Uint256 WorkFromBits(uint32_t bits);

}  // namespace headrace
