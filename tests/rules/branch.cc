#include "tests/rules/branch.h"

#include <algorithm>
#include <map>
#include <utility>

#include "engine/base/check.h"
#include "engine/consensus/check_spends.h"
#include "engine/consensus/difficulty.h"
#include "engine/primitives/coin.h"
#include "engine/primitives/targets.h"
#include "tests/rules/signet_solution.h"

namespace headrace::testing {
namespace {

// Searches the nonce; where no hash can meet the bits, the header stays as it is and breaks proof of work by itself.
void SearchNonce(BlockHeader& header, bool wants_miss, const ChainParams& params) {
  if (!TargetFromBits(header.bits, params.pow_limit)) return;
  while (CheckProofOfWork(header.Hash(), header.bits, params) == wants_miss) ++header.nonce;
}

// The coinbase's own witness is the commitment's.
bool AnyPaymentHasWitness(const std::vector<MutableTransaction>& transactions) {
  return !transactions.empty() && std::any_of(transactions.begin() + 1, transactions.end(),
                                              [](const MutableTransaction& each) { return each.HasWitness(); });
}

}  // namespace

Branch::Branch(const ChainParams& params) : params_(&params), genesis_(BlockHeader::Load(GenesisBlock(params).data())) {
  facts_.Push({genesis_.time_s, genesis_.bits, genesis_.version});
}

Branch Branch::OfHeight(const ChainParams& params, uint32_t height) {
  static auto* made = new std::map<std::pair<const ChainParams*, uint32_t>, Branch>();
  const std::pair<const ChainParams*, uint32_t> key(&params, height);
  if (const auto found = made->find(key); found != made->end()) return found->second;
  Branch branch(params);
  branch.Grow(height);
  return made->emplace(key, std::move(branch)).first->second;
}

Draft Branch::NextDraft() const { return NextDraftAt(tip_header().time_s + 600); }

Draft Branch::NextDraftAt(uint32_t time_s) const {
  Draft draft;
  draft.height = height() + 1;
  draft.header.version = 4;
  draft.header.previous = tip_hash();
  draft.header.time_s = time_s;
  draft.header.bits = RequiredBits(facts_, time_s, *params_);
  draft.transactions.push_back(CoinbaseAt(draft.height, Subsidy(draft.height, *params_)));
  return draft;
}

MinedBlock Branch::Mine(Draft draft) const {
  if (!draft.commits_by_hand && AnyPaymentHasWitness(draft.transactions)) AppendCommitment(draft);
  if (!params_->signet_challenge.empty() && !draft.solves_by_hand) SolveSignet(draft, params_->signet_challenge);
  draft.FixMerkleRoot();
  if (draft.has_wrong_root) draft.header.merkle_root.bytes[7] ^= 1;
  SearchNonce(draft.header, draft.misses_target, *params_);
  MinedBlock mined;
  static_cast<BuiltBlock&>(mined) = draft;
  mined.hash = draft.header.Hash();
  mined.height = draft.height;
  Bytes raw = draft.Serialize();
  if (draft.alter) draft.alter(raw);
  mined.raw = Slab::Copy(raw);
  return mined;
}

const MinedBlock& Branch::Connect(MinedBlock block) {
  for (size_t t = 0; t < block.transactions.size(); ++t) {
    const MutableTransaction& transaction = block.transactions[t];
    for (const TransactionInput& input : transaction.inputs) coins_.erase(input.prevout);
    const Hash256 txid = transaction.Txid();
    for (uint32_t o = 0; o < transaction.outputs.size(); ++o) {
      const TransactionOutput& output = transaction.outputs[o];
      if (!IsUnspendable(output.script)) coins_[{txid, o}] = {output.amount, block.height, t == 0, output.script};
    }
  }
  facts_.Push({block.header.time_s, block.header.bits, block.header.version});
  blocks_.push_back(std::make_shared<const MinedBlock>(std::move(block)));
  return *blocks_.back();
}

const MinedBlock& Branch::Add(std::vector<MutableTransaction> transactions) {
  Draft draft = NextDraft();
  draft.transactions.insert(draft.transactions.end(), transactions.begin(), transactions.end());
  return Connect(Mine(std::move(draft)));
}

void Branch::Grow(uint32_t count, uint32_t spacing_s) {
  for (uint32_t i = 0; i < count; ++i) Connect(Mine(NextDraftAt(tip_header().time_s + spacing_s)));
}

HeldCoin Branch::CoinbaseOf(uint32_t height) const { return OutputOf(blocks_[height - 1]->transactions[0]); }

HeldCoin Branch::TakeCoin() {
  HR_CHECK(next_coinbase_ + kCoinbaseMaturity <= height() + 1);
  return CoinbaseOf(next_coinbase_++);
}

std::vector<HeldCoin> Branch::Fund(std::vector<TransactionOutput> outputs) {
  MutableTransaction payment = Spend({TakeCoin()});
  payment.outputs = std::move(outputs);
  Add({payment});
  std::vector<HeldCoin> coins;
  for (uint32_t o = 0; o < payment.outputs.size(); ++o) coins.push_back(OutputOf(payment, o));
  return coins;
}

MutableTransaction Spend(const std::vector<HeldCoin>& coins) {
  MutableTransaction transaction;
  Amount sum = 0;
  for (const HeldCoin& coin : coins) {
    transaction.inputs.push_back({coin.outpoint, {}, 0xffffffff, {}});
    sum += coin.output.amount;
  }
  transaction.outputs = {{sum, kTrueScript}};
  return transaction;
}

HeldCoin OutputOf(const MutableTransaction& transaction, uint32_t index) {
  return {{transaction.Txid(), index}, transaction.outputs[index]};
}

void AppendCommitment(BuiltBlock& block, const Bytes& reserved) {
  std::vector<Hash256> leaves;
  for (const MutableTransaction& transaction : block.transactions) {
    leaves.push_back(Hash256(Sha256d(transaction.Serialize(true))));
  }
  std::vector<Hash256> buffer;
  const Hash256 root = ComputeWitnessRoot(leaves, buffer);
  const Digest256 commitment = Sha256Hasher().Write(root.span()).Write(reserved).FinishDouble();
  Bytes script = {kOpReturn, 0x24, 0xaa, 0x21, 0xa9, 0xed};
  script.insert(script.end(), commitment.begin(), commitment.end());
  MutableTransaction& coinbase = block.transactions.front();
  coinbase.outputs.push_back({0, script});
  coinbase.inputs[0].witness = {reserved};
}

}  // namespace headrace::testing
