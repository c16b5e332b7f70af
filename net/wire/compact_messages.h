// Messages about compact blocks (BIP152, version 2): `cmpctblock`, `getblocktxn`, `blocktxn`. `sendcmpct` is among the
// small ones.
//
// Values; any thread. Decoders are strict: the whole body must be the message, no count is above what a valid block can
// have (kMaxBlockTransactions), no index, which are sent as distances, beyond the block's end.
#pragma once

#include <cstdint>
#include <vector>

#include "engine/base/bytes.h"
#include "engine/primitives/compact_block.h"
#include "engine/primitives/decode_error.h"

namespace headrace {

void EncodeCompactBlock(const CompactBlock& block, std::vector<uint8_t>& out);
[[nodiscard]] DecodeError DecodeCompactBlock(ByteSpan body, CompactBlock& block);

void EncodeBlockTransactionsRequest(const BlockTransactionsRequest& request, std::vector<uint8_t>& out);
[[nodiscard]] DecodeError DecodeBlockTransactionsRequest(ByteSpan body, BlockTransactionsRequest& request);

void EncodeBlockTransactions(const BlockTransactions& answer, std::vector<uint8_t>& out);
[[nodiscard]] DecodeError DecodeBlockTransactions(ByteSpan body, BlockTransactions& answer);

}  // namespace headrace
