// A branch of mined blocks that the cases of this folder grow: genesis, ordinary blocks, and drafts of the blocks that
// keep or break a rule. A naive unspent set follows it, so that a case knows what a node must hold.
//
// Blocks are mined for the target in their bits, committed to their witnesses, and solved where the network asks for
// it. A test's own thread alone. Copying a branch forks it; blocks are shared.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "engine/base/bytes.h"
#include "engine/base/slab.h"
#include "engine/consensus/chain_params.h"
#include "engine/primitives/coin.h"
#include "engine/primitives/mutable_transaction.h"
#include "tests/reference/block_builder.h"
#include "tests/reference/vector_ancestry.h"
#include "tests/support/chain_builder.h"

namespace headrace::testing {

struct MinedBlock : BuiltBlock {
  Hash256 hash;
  uint32_t height = 0;
  SlabRef raw;
};

// An output that a test may spend, with what it takes to sign for it.
struct HeldCoin {
  OutPoint outpoint;
  TransactionOutput output;
};

// A block before it is mined. What a case does to it decides which rule the block keeps or breaks; Branch::Mine then
// does the rest: commitment, solution, Merkle root, nonce.
struct Draft : BuiltBlock {
  uint32_t height = 0;
  // A commitment joins the coinbase when any other transaction has a witness, unless the case makes its own.
  bool commits_by_hand = false;
  // Signet: the block is solved unless the case does that itself.
  bool solves_by_hand = false;
  // The Merkle root is that of the transactions.
  bool has_wrong_root = false;
  // The nonce is searched for a hash above the target.
  bool misses_target = false;
  // Called last, on the bytes that are sent in the block's place.
  std::function<void(Bytes&)> alter;

  MutableTransaction& coinbase() { return transactions.front(); }
};

class Branch {
 public:
  // `params` outlives the branch and its copies.
  explicit Branch(const ChainParams& params);

  // The branch with so many ordinary blocks on genesis; the same blocks every time.
  static Branch OfHeight(const ChainParams& params, uint32_t height);

  const ChainParams& params() const { return *params_; }
  uint32_t height() const { return static_cast<uint32_t>(blocks_.size()); }
  const std::vector<std::shared_ptr<const MinedBlock>>& blocks() const { return blocks_; }  // without genesis
  const TestCoinSet& coins() const { return coins_; }
  const BlockHeader& tip_header() const { return blocks_.empty() ? genesis_ : blocks_.back()->header; }
  Hash256 tip_hash() const { return tip_header().Hash(); }
  // Of the block at `height`, genesis included.
  HeaderFacts At(uint32_t height) const { return facts_.At(height); }
  // Of the tip: what the next block's times are compared with.
  int64_t median_time_past() const { return facts_.median_time_past(height()); }

  // The next block: its coinbase pays the subsidy to anyone, its time is ten minutes after the tip's.
  Draft NextDraft() const;
  // The same with a time and the bits that follow from it.
  Draft NextDraftAt(uint32_t time_s) const;
  MinedBlock Mine(Draft draft) const;
  // Takes a block in, valid or not.
  const MinedBlock& Connect(MinedBlock block);
  // An ordinary block with these transactions, whose fees nobody takes.
  const MinedBlock& Add(std::vector<MutableTransaction> transactions = {});
  void Grow(uint32_t count, uint32_t spacing_s = 600);

  // Coins. The output of the oldest coinbase that may be spent in the next block and was not taken before; anyone may
  // spend it.
  HeldCoin TakeCoin();
  // Adds a block that pays to these outputs; the coins follow in their order.
  std::vector<HeldCoin> Fund(std::vector<TransactionOutput> outputs);
  // The coinbase of a block of this branch.
  HeldCoin CoinbaseOf(uint32_t height) const;

 private:
  const ChainParams* params_;
  BlockHeader genesis_;
  std::vector<std::shared_ptr<const MinedBlock>> blocks_;
  VectorAncestry facts_;
  TestCoinSet coins_;
  uint32_t next_coinbase_ = 1;
};

// Spends coins, unsigned, to one output that anyone may spend; nothing is left as a fee.
MutableTransaction Spend(const std::vector<HeldCoin>& coins);
// The first output of a transaction as a coin.
HeldCoin OutputOf(const MutableTransaction& transaction, uint32_t index = 0);

// BIP141: appends the output that commits to the block's witnesses, and the coinbase's witness. `reserved` is the
// reserved value.
void AppendCommitment(BuiltBlock& block, const Bytes& reserved = Bytes(32, 0));

}  // namespace headrace::testing
