#include "tools/chaingen/chain_generator.h"

#include <algorithm>
#include <numeric>

#include "engine/base/check.h"
#include "engine/primitives/byte_writer.h"
#include "tools/chaingen/genesis.h"
#include "tools/chaingen/merkle.h"
#include "tools/chaingen/parallel.h"
#include "tools/chaingen/script_builder.h"
#include "tools/chaingen/sighash.h"
#include "tools/chaingen/unlock.h"

namespace headrace::chaingen {
namespace {

// Below the block's limits (4,000,000 weight, 80,000 sigop cost) by more than the largest transaction of any shape.
constexpr uint64_t kWeightBudget = 3'500'000;
constexpr uint64_t kSigopBudget = 60'000;
// No output is made smaller; coins below are never spent, so that every spend can pay for at least one output.
constexpr Amount kOutputAmountMin = 1000;
// Shares of a split differ by up to this factor.
constexpr uint64_t kShareMax = 16;
// Coins are scarce below so many blocks' worth of inputs; outputs a transaction then has.
constexpr uint64_t kScarceBlocks = 12;
constexpr uint32_t kFanOut = 100;
constexpr uint32_t kNotFinalSequence = 0xfffffffe;

// So many that every output gets its minimum even with the smallest share.
uint32_t OutputCountMax(Amount total) {
  const Amount most = total / (kOutputAmountMin * static_cast<Amount>(kShareMax));
  return static_cast<uint32_t>(std::clamp<Amount>(most, 1, UINT32_MAX));
}

uint32_t MatchingSequence(const OwnedCoin& coin) {
  // BIP68 reads the low bits as blocks; any other lock is signed with a sequence that disables it.
  return coin.lock.kind == LockKind::kCheckSequence ? KeyRing::SequenceOf(coin.lock.key) : kNotFinalSequence;
}

// BIP141's four bytes aa21a9ed.
constexpr uint32_t kCommitmentMagic = 0xeda921aa;

// BIP141: the commitment to all wtxids, the coinbase's counting as zero, and its nonce of zero.
Bytes WitnessCommitmentScript(const std::vector<Hash256>& wtxids) {
  const Hash256 root = MerkleRoot(wtxids);
  std::array<uint8_t, 64> root_and_nonce{};
  std::copy(root.bytes.begin(), root.bytes.end(), root_and_nonce.begin());
  Bytes payload;
  ByteWriter writer(payload);
  writer.U32(kCommitmentMagic);
  writer.Bytes(Sha256d(root_and_nonce));
  return ScriptBuilder().Op(kOpReturn).Push(payload).Take();
}

// Regtest's target is 7fffff followed by zeros: compared by its three leading bytes, it lets one hash in two pass.
bool MeetsTarget(const Hash256& hash) {
  return (uint32_t{hash.bytes[31]} << 16 | uint32_t{hash.bytes[30]} << 8 | hash.bytes[29]) < 0x7fffff;
}

}  // namespace

// A transaction between planning and signing, and what is known of it afterwards.
struct ChainGenerator::Plan {
  MutableTransaction transaction;
  std::vector<OwnedCoin> coins;
  std::vector<uint8_t> hash_types;
  // One an output; data outputs come last and have none.
  std::vector<Lock> locks;
  Amount fee = 0;
  uint32_t signatures = 0;
  Hash256 txid;
  Bytes serialized;

  void Sign(const KeyRing& keys) {
    std::vector<TransactionOutput> spent;
    for (const OwnedCoin& coin : coins) spent.push_back({coin.amount, keys.ScriptPubkey(coin.lock)});
    for (uint32_t i = 0; i < coins.size(); ++i) {
      signatures += Unlock(keys, coins[i].lock, hash_types[i], spent, i, transaction);
    }
    txid = transaction.Txid();
    serialized = transaction.Serialize(true);
  }
};

struct ChainGenerator::BlockBudget {
  uint64_t weight = 0;
  uint64_t sigops = 0;

  bool is_left() const { return weight < kWeightBudget && sigops < kSigopBudget; }
};

ChainGenerator::ChainGenerator(const ChainShape& shape)
    : shape_(shape),
      weights_(LockWeightsOf(shape.era)),
      weights_sum_(std::accumulate(weights_.begin(), weights_.end(), uint32_t{0})),
      random_(shape.seed),
      keys_(shape.seed, shape.keys, shape.threads),
      coins_(shape.blocks) {}

Lock ChainGenerator::DrawLock(bool& is_data) {
  uint64_t drawn = random_.Below(weights_sum_);
  uint32_t kind = 0;
  while (drawn >= weights_[kind]) drawn -= weights_[kind++];
  is_data = kind == kLockKinds;
  const auto key = static_cast<uint32_t>(random_.Below(keys_.size()));
  return {is_data ? LockKind::kP2pkh : static_cast<LockKind>(kind), key};
}

// Nearly everybody signs everything; now and then one of the other types.
uint8_t ChainGenerator::DrawHashType(bool has_matching_output) {
  if (!random_.OneIn(50)) return kSighashAll;
  uint8_t type = static_cast<uint8_t>(1 + random_.Below(3));
  if (type == kSighashSingle && !has_matching_output) type = kSighashNone;
  return random_.OneIn(2) ? type : type | kSighashAnyoneCanPay;
}

void ChainGenerator::PlanInputs(BlockBudget& budget, Plan& plan) {
  uint32_t count = random_.Around(shape_.inputs_mean_per_mille);
  for (; count != 0; --count) {
    const std::optional<OwnedCoin> coin = coins_.Take(random_);
    if (!coin) break;
    plan.coins.push_back(*coin);
    plan.transaction.inputs.push_back({coin->outpoint, {}, MatchingSequence(*coin), {}});
    // BIP65: the transaction's own lock time must have reached the script's.
    if (coin->lock.kind == LockKind::kCheckLockTime) plan.transaction.lock_time = KeyRing::kLockTimeMax;
    const LockCost cost = CostOf(coin->lock.kind);
    budget.weight += cost.input_weight;
    budget.sigops += cost.input_sigops;
  }
}

void ChainGenerator::AddDataOutput(Plan& plan) {
  Bytes data(8 * (1 + random_.Below(10)));
  for (uint8_t& byte : data) byte = static_cast<uint8_t>(random_.Next());
  plan.transaction.outputs.push_back({0, ScriptBuilder().Op(kOpReturn).Push(data).Take()});
}

void ChainGenerator::PlanOutputs(Amount total, BlockBudget& budget, Plan& plan) {
  const uint64_t inputs_per_block = uint64_t{shape_.transactions_per_block} * shape_.inputs_mean_per_mille / 1000;
  const bool is_scarce = coins_.available() < kScarceBlocks * inputs_per_block;
  const uint32_t wanted = random_.Around(shape_.outputs_mean_per_mille);
  plan.fee = total >= 100 * kOutputAmountMin ? static_cast<Amount>(200 + random_.Below(2000)) : 0;
  const Amount payable = total - plan.fee;
  const uint32_t count = std::min(is_scarce ? std::max(wanted, kFanOut) : wanted, OutputCountMax(payable));

  std::vector<uint64_t> shares;
  uint64_t shares_sum = 0;
  bool has_data = false;
  for (uint32_t i = 0; i < count; ++i) {
    bool is_data;
    plan.locks.push_back(DrawLock(is_data));
    has_data |= is_data;
    shares.push_back(1 + random_.Below(kShareMax));
    shares_sum += shares.back();
  }
  Amount left = payable;
  for (uint32_t i = 0; i < count; ++i) {
    const Amount amount =
        i + 1 == count ? left : static_cast<Amount>(static_cast<uint64_t>(payable) / shares_sum * shares[i]);
    left -= amount;
    plan.transaction.outputs.push_back({amount, keys_.ScriptPubkey(plan.locks[i])});
    budget.sigops += CostOf(plan.locks[i].kind).output_sigops;
  }
  if (has_data) AddDataOutput(plan);
  for (const TransactionOutput& output : plan.transaction.outputs) budget.weight += 4 * (9 + output.script.size());
}

bool ChainGenerator::PlanTransaction(BlockBudget& budget, Plan& plan) {
  PlanInputs(budget, plan);
  if (plan.coins.empty()) return false;
  Amount total = 0;
  for (const OwnedCoin& coin : plan.coins) total += coin.amount;
  PlanOutputs(total, budget, plan);
  for (size_t i = 0; i < plan.coins.size(); ++i) {
    plan.hash_types.push_back(DrawHashType(i < plan.transaction.outputs.size()));
  }
  budget.weight += 4 * 20;
  return true;
}

void ChainGenerator::AddCoins(const Plan& plan, uint32_t available_from) {
  const uint32_t made_at = height() + 1;
  for (uint32_t i = 0; i < plan.locks.size(); ++i) {
    const Lock lock = plan.locks[i];
    const bool is_sequence = lock.kind == LockKind::kCheckSequence;
    coins_.Add({{plan.txid, i}, made_at, plan.transaction.outputs[i].amount, lock, false},
               is_sequence ? made_at + KeyRing::SequenceOf(lock.key) : available_from);
  }
}

void ChainGenerator::MakeWave(uint32_t count, uint32_t available_from, BlockBudget& budget, std::vector<Plan>& plans) {
  const size_t first = plans.size();
  for (; count != 0 && budget.is_left(); --count) {
    Plan plan;
    if (!PlanTransaction(budget, plan)) break;
    plans.push_back(std::move(plan));
  }
  ParallelFor(plans.size() - first, shape_.threads, [&](size_t i) { plans[first + i].Sign(keys_); });
  for (size_t i = first; i < plans.size(); ++i) AddCoins(plans[i], available_from);
}

MutableTransaction ChainGenerator::MakeCoinbase(uint32_t height, Amount fees, const std::vector<Plan>& plans) {
  MutableTransaction coinbase;
  coinbase.inputs.resize(1);
  coinbase.inputs[0].prevout.index = OutPoint::kNullIndex;
  // BIP34: the height first. The zero after it makes the two bytes that a coinbase's script must have.
  coinbase.inputs[0].script_sig = ScriptBuilder().Number(height).Op(kOp0).Take();
  bool is_data;
  const Lock lock = DrawLock(is_data);
  coinbase.outputs.push_back({SubsidyAt(height) + fees, keys_.ScriptPubkey(lock)});
  const bool has_witness =
      std::any_of(plans.begin(), plans.end(), [](const Plan& plan) { return plan.transaction.HasWitness(); });
  if (has_witness) {
    std::vector<Hash256> wtxids(1);
    for (const Plan& plan : plans) wtxids.push_back(Hash256(Sha256d(plan.serialized)));
    coinbase.outputs.push_back({0, WitnessCommitmentScript(wtxids)});
    coinbase.inputs[0].witness = {Bytes(32)};
  }
  const OwnedCoin coin = {{coinbase.Txid(), 0}, height, coinbase.outputs[0].amount, lock, true};
  coins_.Add(coin, coin.amount >= kOutputAmountMin ? height + kCoinbaseMaturity : UINT32_MAX);
  return coinbase;
}

Bytes ChainGenerator::SealBlock(uint32_t height, const MutableTransaction& coinbase, const std::vector<Plan>& plans) {
  std::vector<Hash256> txids = {coinbase.Txid()};
  for (const Plan& plan : plans) txids.push_back(plan.txid);
  BlockHeader header;
  header.version = 0x20000000;  // BIP9's, which also satisfies BIP34, BIP65 and BIP66
  header.previous = tip_;
  header.merkle_root = MerkleRoot(std::move(txids));
  header.time_s = kGenesisTime_s + height * kBlockInterval_s;
  header.bits = kRegtestBits;
  while (!MeetsTarget(header.Hash())) ++header.nonce;
  tip_ = header.Hash();

  Bytes block;
  ByteWriter writer(block);
  writer.Bytes(header.Serialize());
  writer.CompactSize(1 + plans.size());
  writer.Bytes(coinbase.Serialize(true));
  for (const Plan& plan : plans) writer.Bytes(plan.serialized);
  return block;
}

Bytes ChainGenerator::NextBlock() {
  HR_CHECK(!done());
  Bytes block;
  if (totals_.blocks == 0) {
    block = GenesisBlock();
    tip_ = BlockHeader::Load(block.data()).Hash();
    totals_.transactions = totals_.outputs = 1;
  } else {
    const auto height = static_cast<uint32_t>(totals_.blocks);
    coins_.AdvanceTo(height);
    std::vector<Plan> plans;
    const uint32_t count = height + shape_.tail > shape_.blocks ? 0 : shape_.transactions_per_block;
    const uint32_t second_wave = count / 10;
    BlockBudget budget;
    MakeWave(count - second_wave, height, budget, plans);
    MakeWave(second_wave, height + 1, budget, plans);
    Amount fees = 0;
    for (const Plan& plan : plans) {
      fees += plan.fee;
      totals_.inputs += plan.coins.size();
      totals_.outputs += plan.transaction.outputs.size();
      totals_.signatures += plan.signatures;
    }
    const MutableTransaction coinbase = MakeCoinbase(height, fees, plans);
    totals_.outputs += coinbase.outputs.size();
    totals_.transactions += 1 + plans.size();
    block = SealBlock(height, coinbase, plans);
  }
  ++totals_.blocks;
  totals_.bytes += block.size();
  return block;
}

SetDigest ChainGenerator::DigestOfUnspent() const {
  std::vector<UnspentOutput> unspent;
  unspent.reserve(coins_.size());
  coins_.ForEach([&](const OwnedCoin& coin) {
    unspent.push_back({coin.outpoint, coin.height, coin.is_coinbase, coin.amount, keys_.ScriptPubkey(coin.lock)});
  });
  return DigestSet(std::move(unspent), shape_.threads);
}

}  // namespace headrace::chaingen
