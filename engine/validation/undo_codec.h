// Undo records: what a block's inputs spent, in column order without the coinbase, so that the block can be taken back.
//
// Bytes: compact size count of coins; then per coin, compact size (height << 1 | coinbase), compact size amount, compact
// size and bytes of the script. The store that keeps them adds length, checksum and the block's hash.
#pragma once

#include <span>
#include <vector>

#include "engine/base/arena.h"
#include "engine/primitives/coin.h"
#include "engine/primitives/decode_error.h"

namespace headrace {

// `spent` has one entry an input; the first `coinbase_inputs` are left out.
void EncodeUndo(std::span<const Coin> spent, uint32_t coinbase_inputs, std::vector<uint8_t>& out);

// Fills spent[coinbase_inputs...]; scripts are copied into `arena`. Every byte must be used, and what no block can have spent
// (a height beyond 32 bits, an amount beyond 21 million coins, a script of more than 10,000 bytes) is refused.
[[nodiscard]] DecodeError DecodeUndo(ByteSpan undo, uint32_t coinbase_inputs, std::span<Coin> spent, Arena& arena);

}  // namespace headrace
