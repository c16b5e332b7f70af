// A coin: an unspent output with the height of the block that made it.
#pragma once

#include <cstdint>

#include "engine/base/bytes.h"
#include "engine/primitives/amount.h"

namespace headrace {

// A view: `script` points into somebody else's memory (an arena, a slab, a segment).
struct Coin {
  Amount amount = 0;
  uint32_t height = 0;
  bool is_coinbase = false;
  ByteSpan script;
};

// Outputs that can never be spent are never stored: OP_RETURN first, or longer than a script may be (10,000 bytes).
inline constexpr uint8_t kOpReturn = 0x6a;
inline constexpr uint32_t kMaxScriptBytes = 10'000;
inline bool IsUnspendable(ByteSpan script) {
  return (!script.empty() && script[0] == kOpReturn) || script.size() > kMaxScriptBytes;
}

}  // namespace headrace
