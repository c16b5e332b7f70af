// Headers and blocks as the interface shows them. Pure; any thread.
#pragma once

#include "engine/base/bytes.h"
#include "engine/node/node_facade.h"
#include "net/rpc/json_text.h"

namespace headrace {

// How many times harder the target is to meet than the easiest one of the main network.
double DifficultyOf(uint32_t bits);
// Eight hex digits.
std::string BitsText(uint32_t bits);
// The whole target, 64 hex digits.
std::string TargetText(uint32_t bits);

Json HeaderJson(const BlockFacts& block);
// The header's fields, sizes, the coinbase's, and the txids. Throws RpcError when the bytes are no block.
Json BlockJson(const BlockFacts& block, ByteSpan raw);

}  // namespace headrace
