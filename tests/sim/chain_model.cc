#include "tests/sim/chain_model.h"

#include <algorithm>
#include <set>

#include "engine/base/check.h"
#include "engine/consensus/chain_params.h"
#include "engine/crypto/small_hashes.h"
#include "engine/primitives/byte_writer.h"
#include "engine/primitives/coin.h"
#include "tests/sim/wallet.h"
#include "tests/tools/chaingen/plain_chain.h"

namespace headrace::sim {
namespace {

constexpr uint32_t kRegtestBits = 0x207fffff;
constexpr uint32_t kMaturity = 100;
constexpr uint32_t kHalvingInterval = 150;
const std::vector<uint8_t> kCommitmentStart = {0x6a, 0x24, 0xaa, 0x21, 0xa9, 0xed};

Hash256 Wtxid(const MutableTransaction& transaction) { return Hash256(Sha256d(transaction.Serialize())); }

int64_t MedianTimePast(const ModelBlock* block) {
  std::vector<uint32_t> times;
  for (; block != nullptr && times.size() < 11; block = block->parent) times.push_back(block->header.time_s);
  std::sort(times.begin(), times.end());
  return times[times.size() / 2];
}

// BIP34 as the script begins with it.
std::vector<uint8_t> HeightPush(uint32_t height) {
  if (height <= 16) return {static_cast<uint8_t>(0x50 + height)};
  std::vector<uint8_t> number;
  for (uint32_t rest = height; rest != 0; rest >>= 8) number.push_back(rest & 0xff);
  if ((number.back() & 0x80) != 0) number.push_back(0);
  number.insert(number.begin(), static_cast<uint8_t>(number.size()));
  return number;
}

std::string JudgeScripts(const MutableTransaction& transaction, const std::vector<TransactionOutput>& spent) {
  for (uint32_t i = 0; i < spent.size(); ++i) {
    if (spent[i].script == kAnyoneScript) continue;
    uint64_t verified = 0;
    if (testing::CheckInput(transaction, i, spent, verified) != testing::TemplateCheck::kValid) return "a script fails";
  }
  return "";
}

}  // namespace

uint64_t HashCoin(const OutPoint& outpoint, Amount amount, uint32_t height, bool is_coinbase, ByteSpan script) {
  uint8_t fixed[OutPoint::kSerializedBytes + 12];
  outpoint.Store(fixed);
  StoreLittle(fixed + 36, static_cast<uint64_t>(amount));
  StoreLittle(fixed + 44, height << 1 | (is_coinbase ? 1u : 0u));
  return SipHash13(SipHash13(1, 2, fixed), script.size(), script);
}

const ModelBlock* ModelBlock::Ancestor(uint32_t at_height) const {
  const ModelBlock* block = this;
  while (block->height > at_height) block = block->parent;
  return block;
}

const ModelBlock* LastCommonAncestor(const ModelBlock* a, const ModelBlock* b) {
  while (a != b) (a->height >= b->height ? a : b) = (a->height >= b->height ? a : b)->parent;
  return a;
}

std::vector<uint8_t> SerializeBlock(const BlockHeader& header, const std::vector<MutableTransaction>& transactions) {
  std::vector<uint8_t> raw;
  ByteWriter writer(raw);
  writer.Bytes(header.Serialize());
  writer.CompactSize(transactions.size());
  for (const MutableTransaction& transaction : transactions) writer.Bytes(transaction.Serialize());
  return raw;
}

Hash256 PlainMerkleRoot(std::vector<Hash256> level) {
  while (level.size() > 1) {
    if (level.size() % 2 != 0) level.push_back(level.back());
    std::vector<Hash256> next;
    for (size_t i = 0; i < level.size(); i += 2) {
      uint8_t pair[64];
      std::copy(level[i].bytes.begin(), level[i].bytes.end(), pair);
      std::copy(level[i + 1].bytes.begin(), level[i + 1].bytes.end(), pair + 32);
      next.push_back(Hash256(Sha256d(pair)));
    }
    level = std::move(next);
  }
  return level.front();
}

Hash256 PlainWitnessCommitment(const std::vector<MutableTransaction>& transactions) {
  std::vector<Hash256> leaves{Hash256()};
  for (size_t t = 1; t < transactions.size(); ++t) leaves.push_back(Wtxid(transactions[t]));
  uint8_t both[64] = {};
  const Hash256 root = PlainMerkleRoot(std::move(leaves));
  std::copy(root.bytes.begin(), root.bytes.end(), both);
  return Hash256(Sha256d(both));
}

ChainModel::ChainModel() {
  auto block = std::make_unique<ModelBlock>();
  const std::vector<uint8_t> raw = GenesisBlock(ParamsFor(ChainId::kRegtest));
  block->header = BlockHeader::Load(raw.data());
  block->hash = block->header.Hash();
  block->raw = Slab::Copy(raw);
  genesis_ = at_ = block.get();
  by_hash_[block->hash] = block.get();
  blocks_.push_back(std::move(block));
}

const ModelBlock* ChainModel::Find(const Hash256& hash) const {
  const auto found = by_hash_.find(hash);
  return found == by_hash_.end() ? nullptr : found->second;
}

const ModelBlock& ChainModel::Add(const ModelBlock& parent, const BlockHeader& header,
                                  std::vector<MutableTransaction> transactions) {
  const Hash256 hash = header.Hash();
  if (const ModelBlock* known = Find(hash)) return *known;
  auto block = std::make_unique<ModelBlock>();
  block->header = header;
  block->hash = hash;
  block->height = parent.height + 1;
  block->parent = &parent;
  block->raw = Slab::Copy(SerializeBlock(header, transactions));
  block->transactions = std::move(transactions);
  if (parent.is_valid()) {
    block->fault = Judge(*block);
    if (block->is_valid()) block->fault = Connect(*block);
  } else {
    block->fault = "stands on a block that is invalid: " + parent.fault;
  }
  by_hash_[hash] = block.get();
  blocks_.push_back(std::move(block));
  return *blocks_.back();
}

const ModelBlock* ChainModel::AddRotten(const Hash256& hash, uint32_t height) {
  for (size_t i = 0; i < blocks_.size(); ++i) {
    const ModelBlock& made = *blocks_[i];
    if (made.height != height || made.parent == nullptr) continue;
    for (uint32_t bit = 0; bit < 3 * 32; ++bit) {
      BlockHeader header = made.header;
      const uint32_t flipped = uint32_t{1} << bit % 32;
      if (bit < 32) header.version = static_cast<int32_t>(static_cast<uint32_t>(header.version) ^ flipped);
      else (bit < 64 ? header.time_s : header.nonce) ^= flipped;
      if (header.Hash() == hash) return &Add(*made.parent, header, made.transactions);
    }
  }
  return nullptr;
}

const ModelCoins& ChainModel::CoinsAfter(const ModelBlock& block) {
  HR_CHECK(block.is_valid());
  MoveTo(block);
  return coins_;
}

void ChainModel::MoveTo(const ModelBlock& block) {
  const ModelBlock* fork = LastCommonAncestor(at_, &block);
  for (; at_ != fork; at_ = at_->parent) Undo(*at_);
  std::vector<const ModelBlock*> path;
  for (const ModelBlock* step = &block; step != fork; step = step->parent) path.push_back(step);
  for (auto step = path.rbegin(); step != path.rend(); ++step) Redo(**step);
  at_ = &block;
}

void ChainModel::Undo(const ModelBlock& block) {
  for (const auto& [outpoint, coin] : block.created) coins_.erase(outpoint);
  // What was made and spent in the block itself is not to come back.
  for (const auto& [outpoint, coin] : block.spent) {
    if (coin.height != block.height) coins_.emplace(outpoint, coin);
  }
}

void ChainModel::Redo(const ModelBlock& block) {
  for (const auto& [outpoint, coin] : block.created) coins_.emplace(outpoint, coin);
  for (const auto& [outpoint, coin] : block.spent) coins_.erase(outpoint);
}

std::string ChainModel::JudgeHeader(const ModelBlock& block) const {
  if (block.header.bits != kRegtestBits) return "the header has other bits";
  if (block.hash.bytes[31] >= 0x80) return "the header has no proof of work";
  if (block.header.version < 4) return "the header has an old version";
  if (int64_t{block.header.time_s} <= MedianTimePast(block.parent)) return "the header is too old";
  return "";
}

std::string ChainModel::JudgeCommitments(const ModelBlock& block) const {
  std::vector<Hash256> txids;
  bool has_witness = false;
  for (const MutableTransaction& transaction : block.transactions) {
    txids.push_back(transaction.Txid());
    has_witness |= transaction.HasWitness();
  }
  if (PlainMerkleRoot(txids) != block.header.merkle_root) return "the Merkle root is wrong";
  const MutableTransaction& coinbase = block.transactions.front();
  const TransactionOutput* commitment = nullptr;
  for (const TransactionOutput& output : coinbase.outputs) {
    const bool is_commitment = output.script.size() >= 38 &&
                               std::equal(kCommitmentStart.begin(), kCommitmentStart.end(), output.script.begin());
    if (is_commitment) commitment = &output;
  }
  if (commitment == nullptr) return has_witness ? "witnesses are not committed to" : "";
  const Hash256 wanted = PlainWitnessCommitment(block.transactions);
  const bool is_nonce = coinbase.inputs[0].witness == std::vector<std::vector<uint8_t>>{std::vector<uint8_t>(32, 0)};
  const bool is_right = std::equal(wanted.bytes.begin(), wanted.bytes.end(), commitment->script.begin() + 6);
  return is_nonce && is_right ? "" : "the witness commitment is wrong";
}

std::string ChainModel::Judge(const ModelBlock& block) const {
  if (std::string fault = JudgeHeader(block); !fault.empty()) return fault;
  if (std::string fault = JudgeCommitments(block); !fault.empty()) return fault;
  const std::vector<uint8_t> push = HeightPush(block.height);
  const std::vector<uint8_t>& script = block.transactions.front().inputs[0].script_sig;
  if (script.size() < push.size() || !std::equal(push.begin(), push.end(), script.begin())) {
    return "the coinbase names another height";
  }
  for (const MutableTransaction& transaction : block.transactions) {
    const bool is_locked = transaction.lock_time != 0 && transaction.lock_time >= block.height;
    const bool is_waived = std::all_of(transaction.inputs.begin(), transaction.inputs.end(),
                                       [](const TransactionInput& input) { return input.sequence == 0xffffffff; });
    if (is_locked && !is_waived) return "a transaction is not final";
  }
  return "";
}

std::string ChainModel::Spend(ModelBlock& block, const MutableTransaction& transaction, Amount& fees) {
  Amount in = 0;
  Amount out = 0;
  std::vector<TransactionOutput> spent;
  for (const TransactionInput& input : transaction.inputs) {
    const auto found = coins_.find(input.prevout);
    if (found == coins_.end()) return "an input is missing or spent";
    const ModelCoin& coin = found->second;
    if (coin.is_coinbase && block.height - coin.height < kMaturity) return "a coinbase is spent too early";
    in += coin.amount;
    spent.push_back({coin.amount, coin.script});
    block.spent.emplace_back(input.prevout, coin);
    coins_.erase(found);
  }
  for (const TransactionOutput& output : transaction.outputs) out += output.amount;
  if (out > in) return "more is paid than is spent";
  fees += in - out;
  return JudgeScripts(transaction, spent);
}

// Applies the block to the set after its parent; a fault takes everything back.
std::string ChainModel::Connect(ModelBlock& block) {
  MoveTo(*block.parent);
  std::string fault;
  Amount fees = 0;
  for (size_t t = 0; t < block.transactions.size() && fault.empty(); ++t) {
    const MutableTransaction& transaction = block.transactions[t];
    if (t != 0) fault = Spend(block, transaction, fees);
    const Hash256 txid = transaction.Txid();
    for (uint32_t o = 0; o < transaction.outputs.size() && fault.empty(); ++o) {
      const TransactionOutput& output = transaction.outputs[o];
      if (IsUnspendable(output.script)) continue;
      const ModelCoin coin{output.amount, block.height, t == 0, output.script};
      if (!coins_.emplace(OutPoint{txid, o}, coin).second) {
        fault = "a coin exists already";
      } else {
        block.created.emplace_back(OutPoint{txid, o}, coin);
      }
    }
  }
  Amount paid = 0;
  for (const TransactionOutput& output : block.transactions.front().outputs) paid += output.amount;
  if (fault.empty() && paid > (50 * kCoin >> (block.height / kHalvingInterval)) + fees)
    fault = "the coinbase pays too much";
  if (!fault.empty()) {
    Undo(block);
    block.spent.clear();
    block.created.clear();
    return fault;
  }
  block.figures = block.parent->figures;
  for (const auto& [outpoint, coin] : block.created) {
    ++block.figures.coins;
    block.figures.sum += HashCoin(outpoint, coin.amount, coin.height, coin.is_coinbase, coin.script);
  }
  for (const auto& [outpoint, coin] : block.spent) {
    --block.figures.coins;
    block.figures.sum -= HashCoin(outpoint, coin.amount, coin.height, coin.is_coinbase, coin.script);
  }
  at_ = &block;
  return "";
}

}  // namespace headrace::sim
