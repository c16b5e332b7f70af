// How the field's snapshot files write coins: its variable integers, amounts and scripts, which are not those of our
// records. FORMAT.md has the layout.
//
// Pure functions; any thread.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "engine/base/bytes.h"
#include "engine/primitives/amount.h"
#include "engine/primitives/hash256.h"
#include "storage/coins/pinned_coins.h"

namespace headrace {

// Seven bits a byte, high ones first, all bytes but the last with the high bit set; each byte but the last counts from
// one, so that no number has two forms. At most ten bytes.
void AppendSnapshotVarint(uint64_t value, std::vector<uint8_t>& out);
// Trailing decimal zeros, up to nine, and the last digit before them are folded into the low digits.
uint64_t SnapshotAmountCode(Amount amount);

// What a file begins with: 51 bytes.
void AppendSnapshotHeader(uint32_t network_magic, const Hash256& base, uint64_t coins, std::vector<uint8_t>& out);
// All unspent outputs of one transaction, given by ascending index: a txid, how many, and each. The order in the file
// is that of the index's variable integer as a string of bytes, which from 16,512 on is not the order of numbers.
void AppendSnapshotTransaction(std::span<const PinnedRecord> outputs, std::vector<uint8_t>& out);

}  // namespace headrace
