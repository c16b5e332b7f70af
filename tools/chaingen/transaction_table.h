// The transactions that still have unspent outputs, by slot: what a coin's outpoint and height are, kept once for all
// coins of a transaction. 44 bytes a transaction.
//
// One thread, the planner's, adds, spends and releases. A txid is worked out later, by whichever thread signs the
// transaction, and read by those that sign what spends it. Nobody waits here and nothing is atomic: the pipeline gives
// a transaction to a signer only when all that it spends is signed, and its lock publishes what was written before.
// Slots never move, so that signers read while the planner adds; one is released when its last spender's block is
// sealed.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <vector>

#include "engine/base/check.h"
#include "engine/primitives/hash256.h"

namespace headrace::chaingen {

class TransactionTable {
 public:
  TransactionTable() : chunks_(std::make_unique<std::unique_ptr<Chunk>[]>(kChunksMax)) {}

  // `outputs` are those that can be spent, at least one; `wave` is that of its signing, see signing_schedule.h. The
  // txid is unknown at first.
  uint32_t Add(uint32_t height, bool is_coinbase, uint32_t outputs, uint32_t wave) {
    HR_CHECK(outputs != 0);
    const uint32_t slot = TakeSlot();
    Chunk& chunk = ChunkOf(slot);
    chunk.txids[slot % kSlotsPerChunk] = Hash256();
    chunk.origins[slot % kSlotsPerChunk] = height << 1 | (is_coinbase ? 1 : 0);
    chunk.unspent[slot % kSlotsPerChunk] = outputs;
    chunk.waves[slot % kSlotsPerChunk] = wave;
    return slot;
  }

  // One output less; true when it was the last. Then the slot may be released once nobody reads its txid any more.
  bool Spend(uint32_t slot) { return --ChunkOf(slot).unspent[slot % kSlotsPerChunk] == 0; }
  void Release(uint32_t slot) { free_.push_back(slot); }

  // The planner's thread, or any when the chain is done.
  uint32_t height(uint32_t slot) const { return ChunkOf(slot).origins[slot % kSlotsPerChunk] >> 1; }
  bool is_coinbase(uint32_t slot) const { return (ChunkOf(slot).origins[slot % kSlotsPerChunk] & 1) != 0; }
  uint32_t wave(uint32_t slot) const { return ChunkOf(slot).waves[slot % kSlotsPerChunk]; }

  // Once for a slot, before anybody reads it.
  void SetTxid(uint32_t slot, const Hash256& txid) { ChunkOf(slot).txids[slot % kSlotsPerChunk] = txid; }

  const Hash256& Txid(uint32_t slot) const {
    const Hash256& txid = ChunkOf(slot).txids[slot % kSlotsPerChunk];
    // No transaction hashes to zero: whoever comes here before the signer is told, rather than given a wrong chain.
    HR_CHECK(txid != Hash256());
    return txid;
  }

 private:
  static constexpr uint32_t kSlotsPerChunk = 4096;
  static constexpr uint32_t kChunksMax = 1 << 16;

  struct Chunk {
    std::array<Hash256, kSlotsPerChunk> txids;
    std::array<uint32_t, kSlotsPerChunk> origins;
    std::array<uint32_t, kSlotsPerChunk> unspent;
    std::array<uint32_t, kSlotsPerChunk> waves;
  };

  Chunk& ChunkOf(uint32_t slot) const { return *chunks_[slot / kSlotsPerChunk]; }

  uint32_t TakeSlot() {
    if (!free_.empty()) {
      const uint32_t slot = free_.back();
      free_.pop_back();
      return slot;
    }
    HR_CHECK(slots_ / kSlotsPerChunk < kChunksMax);
    if (slots_ % kSlotsPerChunk == 0) chunks_[slots_ / kSlotsPerChunk] = std::make_unique<Chunk>();
    return slots_++;
  }

  // An array of its full length: a vector that grows would move under the readers.
  std::unique_ptr<std::unique_ptr<Chunk>[]> chunks_;
  uint32_t slots_ = 0;
  std::vector<uint32_t> free_;
};

}  // namespace headrace::chaingen
