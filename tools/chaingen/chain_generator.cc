#include "tools/chaingen/chain_generator.h"

#include "engine/base/check.h"
#include "tools/chaingen/genesis.h"

namespace headrace::chaingen {
namespace {

// Coins digested at a time.
constexpr uint64_t kCoinsPerPart = 1 << 20;

ChainTotals TotalsOfGenesis(uint64_t bytes) {
  ChainTotals totals;
  totals.blocks = 1;
  totals.bytes = bytes;
  totals.transactions = 1;
  totals.outputs = 1;
  totals.outputs_by_script[static_cast<size_t>(LockKind::kP2pkUncompressed)] = 1;
  return totals;
}

}  // namespace

ChainGenerator::ChainGenerator(const ChainShape& shape)
    : shape_(shape),
      keys_(shape.seed, shape.keys, shape.threads),
      nonces_(shape.seed, ProfileOf(shape.era).low_r_only, shape.threads),
      planner_(shape, table_),
      signer_(keys_, nonces_, table_),
      sealer_(keys_, table_),
      pipeline_(shape.blocks, shape.threads, planner_,
                [this](BlockPlan& plan, size_t index) { signer_.Sign(plan, index); }) {}

Bytes ChainGenerator::NextBlock() {
  HR_CHECK(!done());
  if (totals_.blocks == 0) {
    Bytes genesis = sealer_.SealGenesis();
    totals_ = TotalsOfGenesis(genesis.size());
    return genesis;
  }
  BlockPlan& plan = pipeline_.Next();
  Bytes block = sealer_.Seal(plan);
  plan.totals.bytes = block.size();
  totals_.Add(plan.totals);
  pipeline_.Release();
  return block;
}

// Parts are ranges of the txid's first two bytes, which are as good as random.
SetDigest ChainGenerator::DigestOfUnspent() const {
  HR_CHECK(done());
  const CoinPool& coins = planner_.coins();
  const uint64_t parts = 1 + coins.size() / kCoinsPerPart;
  SetDigester digester(shape_.threads);
  std::vector<UnspentOutput> unspent;
  for (uint64_t part = 0; part < parts; ++part) {
    unspent.clear();
    coins.ForEach([&](const PooledCoin& coin) {
      const Hash256& txid = table_.Txid(coin.slot);
      const uint64_t prefix = uint64_t{txid.bytes[0]} << 8 | txid.bytes[1];
      if (prefix * parts >> 16 != part) return;
      unspent.push_back({{txid, coin.index},
                         table_.height(coin.slot),
                         table_.is_coinbase(coin.slot),
                         coin.amount,
                         keys_.ScriptPubkey(coin.lock)});
    });
    digester.Add(unspent);
  }
  return digester.Finish();
}

}  // namespace headrace::chaingen
