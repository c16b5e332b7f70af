// Transactions as columns over raw bytes: offsets, amounts, script spans and identifiers as arrays, no object a
// transaction. One pass fills them; the vectors keep their capacity from block to block, so that decoding a block of any
// shape allocates nothing once warm.
//
// Invariants, after a successful decode of `transaction_count()` transactions:
//  1. `begin` has one entry more than there are transactions: transaction t is raw[begin[t], begin[t+1]).
//  2. `first_input` and `first_output` likewise: inputs of t are [first_input[t], first_input[t+1]).
//  3. `witness[i]` is the range of input i's witness stack in raw (count, then items, as serialised); empty range when
//     the transaction carries no witness at all.
//  4. `body[t]` is what the txid hashes beside version and lock time: input count to the end of the outputs.
//  5. txid and wtxid are filled by HashTransactions (transaction_hashes.h), sized with the rest.
//
// Written by one thread; afterwards any number may read. `raw` must outlive the columns' use.
#pragma once

#include <cstdint>
#include <vector>

#include "engine/base/bytes.h"
#include "engine/primitives/amount.h"
#include "engine/primitives/hash256.h"
#include "engine/primitives/outpoint.h"

namespace headrace {

struct TransactionColumns {
  ByteSpan raw;

  // One entry a transaction (and one more where said above).
  std::vector<uint32_t> begin;
  std::vector<uint32_t> first_input;
  std::vector<uint32_t> first_output;
  std::vector<int32_t> version;
  std::vector<uint32_t> lock_time;
  std::vector<ByteRange> body;
  std::vector<uint8_t> has_witness;
  std::vector<Hash256> txid;
  std::vector<Hash256> wtxid;

  // One entry an input. `prevout_offset` is where its 36-byte outpoint stands in raw.
  std::vector<uint32_t> prevout_offset;
  std::vector<ByteRange> script_sig;
  std::vector<uint32_t> sequence;
  std::vector<ByteRange> witness;

  // One entry an output.
  std::vector<Amount> amount;
  std::vector<ByteRange> script_pubkey;

  uint32_t transaction_count() const { return static_cast<uint32_t>(version.size()); }
  uint32_t input_count() const { return static_cast<uint32_t>(sequence.size()); }
  uint32_t output_count() const { return static_cast<uint32_t>(amount.size()); }

  const uint8_t* prevout_bytes(uint32_t input) const { return raw.data() + prevout_offset[input]; }
  OutPoint prevout(uint32_t input) const { return OutPoint::Load(prevout_bytes(input)); }

  // Empties every column and keeps its memory.
  void Clear();
  // What the columns take beside raw, whether in use or kept.
  uint64_t capacity_bytes() const;
};

}  // namespace headrace
