// What a chain should look like. The same shape gives the same chain, byte for byte; `threads` alone does not matter.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "tools/chaingen/era_profile.h"

namespace headrace::chaingen {

// What is not given is as in the era.
struct ChainShape {
  uint32_t blocks = 300;  // after genesis, tail included
  std::optional<uint32_t> transactions_per_block;
  uint64_t seed = 1;
  std::optional<uint32_t> inputs_mean_per_mille;
  std::optional<uint32_t> outputs_mean_per_mille;
  std::optional<uint32_t> block_weight_max;
  std::optional<uint32_t> growth;   // coins a block
  std::vector<ScriptShare> shares;  // together they must be possible, see WeightsWith
  uint32_t tail = 0;                // blocks at the end with nothing but a coinbase
  Era era = Era::kAll;
  uint32_t keys = 1024;
  uint32_t threads = 1;
};

}  // namespace headrace::chaingen
