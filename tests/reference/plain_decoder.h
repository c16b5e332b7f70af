// A plain decoder of transactions and blocks: objects that own their bytes, one function a field, written from the
// format's description alone. The naive twin of engine/primitives' columns; slow and obvious.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "engine/base/bytes.h"
#include "engine/crypto/sha256.h"

namespace headrace::reference {

struct PlainInput {
  Digest256 previous_txid{};
  uint32_t previous_index = 0;
  std::vector<uint8_t> script_sig;
  uint32_t sequence = 0;
  std::vector<std::vector<uint8_t>> witness;
};

struct PlainOutput {
  int64_t amount = 0;
  std::vector<uint8_t> script;
};

struct PlainTransaction {
  int32_t version = 0;
  std::vector<PlainInput> inputs;
  std::vector<PlainOutput> outputs;
  uint32_t lock_time = 0;

  bool HasWitness() const;
  // With witnesses where there are any, or always without.
  std::vector<uint8_t> Serialize(bool with_witness) const;
  Digest256 Txid() const;
  Digest256 Wtxid() const;
};

struct PlainBlock {
  std::vector<uint8_t> header;
  std::vector<PlainTransaction> transactions;

  std::vector<uint8_t> Serialize(bool with_witness) const;
  // Pairs hashed level by level, the last one doubled where a level is odd.
  Digest256 MerkleRoot() const;
};

// Nothing for any fault, trailing bytes included.
std::optional<PlainTransaction> DecodePlainTransaction(ByteSpan raw, bool allow_witness);
std::optional<PlainBlock> DecodePlainBlock(ByteSpan raw);

}  // namespace headrace::reference
