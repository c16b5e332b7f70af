// What is true in a simulated world: every block that anybody ever made, whether it is valid, and the unspent set after
// it, all by one plain judge that shares no code with the engine's rules: ordered maps, one coin at a time, signatures
// checked with the second implementation of the signature hashes.
//
// Blocks are judged once, when they are made; the judge's view of the unspent set is moved along the tree by undoing
// and redoing blocks. A set is remembered as its number of coins and the sum of a hash of each, which does not depend
// on order. One thread. Costs a map operation a coin.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "engine/base/slab.h"
#include "engine/primitives/block_header.h"
#include "engine/primitives/mutable_transaction.h"

namespace headrace::sim {

struct ModelCoin {
  Amount amount = 0;
  uint32_t height = 0;
  bool is_coinbase = false;
  std::vector<uint8_t> script;
  bool operator==(const ModelCoin&) const = default;
};
using ModelCoins = std::map<OutPoint, ModelCoin>;

// What two sets are compared by.
struct SetFigures {
  uint64_t coins = 0;
  uint64_t sum = 0;
  bool operator==(const SetFigures&) const = default;
};
uint64_t HashCoin(const OutPoint& outpoint, Amount amount, uint32_t height, bool is_coinbase, ByteSpan script);

struct ModelBlock {
  BlockHeader header;
  Hash256 hash;
  uint32_t height = 0;
  const ModelBlock* parent = nullptr;
  SlabRef raw;
  std::vector<MutableTransaction> transactions;  // the coinbase first
  // Why the block, or the ancestor that it stands on, is invalid; empty when it is valid.
  std::string fault;
  // Valid ones: what they took away and added, in order.
  std::vector<std::pair<OutPoint, ModelCoin>> spent;
  std::vector<std::pair<OutPoint, ModelCoin>> created;
  SetFigures figures;

  bool is_valid() const { return fault.empty(); }
  // Every block has the same work, so height is work.
  const ModelBlock* Ancestor(uint32_t at_height) const;
};

const ModelBlock* LastCommonAncestor(const ModelBlock* a, const ModelBlock* b);

class ChainModel {
 public:
  ChainModel();

  const ModelBlock& genesis() const { return *genesis_; }
  // Null when nobody made such a block.
  const ModelBlock* Find(const Hash256& hash) const;
  // Takes a block in and judges it. A block that is known already is returned as it is.
  const ModelBlock& Add(const ModelBlock& parent, const BlockHeader& header,
                        std::vector<MutableTransaction> transactions);
  // Where proof of work is this easy, a bit that rots in a stored header may leave a block that is as good as the one that was made:
  // the block of that hash that differs from a known one at `height` in one bit of its version, time or nonce, taken in and judged; null when
  // there is none.
  const ModelBlock* AddRotten(const Hash256& hash, uint32_t height);
  // The unspent set after a valid block; good until the next call of anything but Find.
  const ModelCoins& CoinsAfter(const ModelBlock& block);

  const std::vector<std::unique_ptr<ModelBlock>>& blocks() const { return blocks_; }

 private:
  void MoveTo(const ModelBlock& block);
  std::string Judge(const ModelBlock& block) const;
  std::string JudgeHeader(const ModelBlock& block) const;
  std::string JudgeCommitments(const ModelBlock& block) const;
  std::string Connect(ModelBlock& block);
  std::string Spend(ModelBlock& block, const MutableTransaction& transaction, Amount& fees);
  void Undo(const ModelBlock& block);
  void Redo(const ModelBlock& block);

  std::vector<std::unique_ptr<ModelBlock>> blocks_;
  std::map<Hash256, const ModelBlock*> by_hash_;
  const ModelBlock* genesis_;
  const ModelBlock* at_;
  ModelCoins coins_;
};

// The bytes of a block, witnesses included.
std::vector<uint8_t> SerializeBlock(const BlockHeader& header, const std::vector<MutableTransaction>& transactions);
// By the definition, level by level.
Hash256 PlainMerkleRoot(std::vector<Hash256> level);
// BIP141's commitment to the witnesses of all but the first transaction, with a reserved value of zeros.
Hash256 PlainWitnessCommitment(const std::vector<MutableTransaction>& transactions);

}  // namespace headrace::sim
