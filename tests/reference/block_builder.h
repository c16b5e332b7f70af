// Blocks and transactions from plain structs: what the tests break rules with.
#pragma once

#include <cstdint>
#include <vector>

#include "engine/base/check.h"
#include "engine/consensus/merkle.h"
#include "engine/crypto/sha256.h"
#include "engine/primitives/block_columns.h"
#include "engine/primitives/byte_writer.h"
#include "engine/primitives/decode.h"
#include "engine/primitives/mutable_transaction.h"
#include "engine/primitives/transaction_hashes.h"

namespace headrace::testing {

struct BuiltBlock {
  BlockHeader header;
  std::vector<MutableTransaction> transactions;

  // Fills the Merkle root, unless the test wants it wrong.
  void FixMerkleRoot() {
    std::vector<Hash256> leaves;
    for (const MutableTransaction& transaction : transactions) leaves.push_back(transaction.Txid());
    std::vector<Hash256> buffer;
    header.merkle_root = ComputeMerkleRoot(leaves, buffer).root;
  }

  std::vector<uint8_t> Serialize() const {
    std::vector<uint8_t> raw(BlockHeader::kSerializedBytes);
    header.Store(raw.data());
    ByteWriter writer(raw);
    writer.CompactSize(transactions.size());
    for (const MutableTransaction& transaction : transactions) writer.Bytes(transaction.Serialize(true));
    return raw;
  }
};

// Raw bytes and the columns over them; not to be moved.
struct DecodedBlock {
  explicit DecodedBlock(std::vector<uint8_t> bytes) : raw(std::move(bytes)) {
    HR_CHECK(DecodeBlock(raw, columns) == DecodeError::kNone);
    HashTransactions(columns);
  }
  DecodedBlock(const DecodedBlock&) = delete;

  std::vector<uint8_t> raw;
  BlockColumns columns;
};

inline MutableTransaction CoinbaseAt(uint32_t height, Amount amount) {
  MutableTransaction coinbase;
  coinbase.inputs.push_back({{Hash256(), OutPoint::kNullIndex}, {}});
  auto& script = coinbase.inputs[0].script_sig;
  if (height <= 16) {
    script = {static_cast<uint8_t>(height == 0 ? 0 : 0x50 + height), 0};
  } else {
    script = {0};
    for (uint32_t rest = height; rest != 0; rest >>= 8) script.push_back(static_cast<uint8_t>(rest));
    if ((script.back() & 0x80) != 0) script.push_back(0);
    script[0] = static_cast<uint8_t>(script.size() - 1);
  }
  coinbase.outputs.push_back({amount, {0x51}});
  return coinbase;
}

}  // namespace headrace::testing
