// What a chain should look like. The same shape gives the same chain, byte for byte; `threads` alone does not matter.
#pragma once

#include <array>
#include <cstdint>

#include "tools/chaingen/lock.h"

namespace headrace::chaingen {

enum class Era : uint8_t { kAll, k2012, k2017, k2024 };

struct ChainShape {
  uint32_t blocks = 300;  // after genesis, tail included
  uint32_t transactions_per_block = 100;
  uint64_t seed = 1;
  uint32_t inputs_mean_per_mille = 2000;
  uint32_t outputs_mean_per_mille = 2200;
  uint32_t tail = 0;  // blocks at the end with nothing but a coinbase
  Era era = Era::kAll;
  uint32_t keys = 1024;
  uint32_t threads = 1;
};

// How often outputs of each kind are made, relative to each other; the last entry is data (OP_RETURN).
using LockWeights = std::array<uint16_t, kLockKinds + 1>;

constexpr LockWeights LockWeightsOf(Era era) {
  // In LockKind's order: P2PK (2), P2PKH (2), bare multisig (2), P2SH (multisig, P2WPKH, P2WSH), P2WPKH, P2WSH, P2TR (2),
  // lock time, sequence, data.
  switch (era) {
    case Era::k2012: return {30, 60, 500, 380, 3, 3, 24, 0, 0, 0, 0, 0, 0, 0, 0, 0};
    case Era::k2017: return {1, 1, 690, 40, 4, 4, 170, 40, 15, 8, 7, 0, 0, 2, 3, 15};
    case Era::k2024: return {0, 0, 100, 2, 2, 1, 50, 80, 15, 420, 45, 200, 30, 3, 2, 50};
    case Era::kAll: break;
  }
  return {50, 50, 100, 50, 20, 20, 80, 80, 80, 100, 80, 100, 80, 40, 40, 30};
}

}  // namespace headrace::chaingen
