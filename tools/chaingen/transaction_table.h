// The transactions that still have unspent outputs, by slot: what a coin's outpoint and height are, kept once for all
// coins of a transaction. 44 bytes a transaction.
//
// One thread, the planner's, adds, spends and releases. A txid is worked out later, by whichever thread signs the
// transaction; others that spend from it wait for it here. Slots never move, so that signers read while the planner
// adds; the planner hands a slot's number over through a lock, which publishes what it wrote.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <vector>

#include "engine/base/check.h"
#include "engine/primitives/hash256.h"

namespace headrace::chaingen {

class TransactionTable {
 public:
  TransactionTable() : chunks_(std::make_unique<std::unique_ptr<Chunk>[]>(kChunksMax)) {}

  // `outputs` are those that can be spent, at least one. The txid is unknown at first.
  uint32_t Add(uint32_t height, bool is_coinbase, uint32_t outputs) {
    HR_CHECK(outputs != 0);
    const uint32_t slot = TakeSlot();
    Chunk& chunk = ChunkOf(slot);
    chunk.origins[slot % kSlotsPerChunk] = height << 1 | (is_coinbase ? 1 : 0);
    chunk.unspent[slot % kSlotsPerChunk] = outputs;
    // Relaxed: published with the slot's number.
    chunk.is_known[slot % kSlotsPerChunk].store(0, std::memory_order_relaxed);
    return slot;
  }

  // One output less; true when it was the last. Then the slot may be released once nobody waits for its txid any more.
  bool Spend(uint32_t slot) { return --ChunkOf(slot).unspent[slot % kSlotsPerChunk] == 0; }
  void Release(uint32_t slot) { free_.push_back(slot); }

  uint32_t height(uint32_t slot) const { return ChunkOf(slot).origins[slot % kSlotsPerChunk] >> 1; }
  bool is_coinbase(uint32_t slot) const { return (ChunkOf(slot).origins[slot % kSlotsPerChunk] & 1) != 0; }

  // Once for a slot, from any thread.
  void SetTxid(uint32_t slot, const Hash256& txid) {
    Chunk& chunk = ChunkOf(slot);
    chunk.txids[slot % kSlotsPerChunk] = txid;
    std::atomic<uint32_t>& is_known = chunk.is_known[slot % kSlotsPerChunk];
    // Whoever sees the flag sees the txid. Sequentially consistent, for libstdc++ looks whether anybody waits before it wakes: with a
    // release alone that look may come before the store, and a waiter between the two sleeps for ever.
    is_known.store(1, std::memory_order_seq_cst);
    is_known.notify_all();
  }

  // Waits until it is set. Signers take transactions in the order of planning, so that what they wait for is always in
  // somebody's hands.
  const Hash256& Txid(uint32_t slot) const {
    const Chunk& chunk = ChunkOf(slot);
    const std::atomic<uint32_t>& is_known = chunk.is_known[slot % kSlotsPerChunk];
    // Acquire: pairs with the release in SetTxid.
    while (is_known.load(std::memory_order_acquire) == 0) is_known.wait(0, std::memory_order_acquire);
    return chunk.txids[slot % kSlotsPerChunk];
  }

 private:
  static constexpr uint32_t kSlotsPerChunk = 4096;
  static constexpr uint32_t kChunksMax = 1 << 16;

  struct Chunk {
    std::array<Hash256, kSlotsPerChunk> txids;
    std::array<uint32_t, kSlotsPerChunk> origins;
    std::array<uint32_t, kSlotsPerChunk> unspent;
    std::array<std::atomic<uint32_t>, kSlotsPerChunk> is_known;
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
