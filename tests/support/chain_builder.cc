#include "tests/support/chain_builder.h"

#include <stdexcept>

#include "engine/consensus/chain_params.h"
#include "engine/crypto/muhash.h"
#include "engine/primitives/byte_writer.h"
#include "engine/primitives/coin.h"

namespace headrace::testing {
namespace {

constexpr uint32_t kRegtestBits = 0x207fffff;

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
    level = next;
  }
  return level.front();
}

// BIP34: the height as a minimally encoded script number, then the salt as one more push.
std::vector<uint8_t> CoinbaseScript(uint32_t height, uint32_t salt) {
  std::vector<uint8_t> script;
  if (height <= 16) {
    script.push_back(static_cast<uint8_t>(0x50 + height));
  } else {
    std::vector<uint8_t> number;
    for (uint32_t rest = height; rest != 0; rest >>= 8) number.push_back(rest & 0xff);
    if ((number.back() & 0x80) != 0) number.push_back(0);
    script.push_back(static_cast<uint8_t>(number.size()));
    script.insert(script.end(), number.begin(), number.end());
  }
  script.push_back(4);
  for (int i = 0; i < 4; ++i) script.push_back(static_cast<uint8_t>(salt >> (8 * i)));
  return script;
}

// A coin as the hashes of the whole set take it.
void AppendCoin(const OutPoint& outpoint, const TestCoin& coin, std::vector<uint8_t>& bytes) {
  ByteWriter writer(bytes);
  writer.Bytes(outpoint.txid.span());
  writer.U32(outpoint.index);
  writer.U32(coin.height << 1 | (coin.is_coinbase ? 1 : 0));
  writer.U64(static_cast<uint64_t>(coin.amount));
  writer.VarBytes(coin.script);
}

}  // namespace

void MineHeader(BlockHeader& header) {
  // Half of all hashes meet regtest's target: the top bit (of the last byte) is clear.
  while (header.Hash().bytes[31] >= 0x80) ++header.nonce;
}

std::vector<uint8_t> TestTransaction::Serialize() const {
  std::vector<uint8_t> bytes;
  ByteWriter writer(bytes);
  writer.U32(2);
  writer.CompactSize(inputs.size());
  for (const OutPoint& input : inputs) {
    writer.Bytes(input.txid.span());
    writer.U32(input.index);
    writer.VarBytes(script_sig);
    writer.U32(sequence);
  }
  writer.CompactSize(outputs.size());
  for (const TestOutput& output : outputs) {
    writer.U64(static_cast<uint64_t>(output.amount));
    writer.VarBytes(output.script);
  }
  writer.U32(lock_time);
  return bytes;
}

Hash256 TestTransaction::Txid() const { return Hash256(Sha256d(Serialize())); }

ChainBuilder::ChainBuilder() : genesis_(BlockHeader::Load(GenesisBlock(ParamsFor(ChainId::kRegtest)).data())) {}

const TestBlock& ChainBuilder::Add(std::vector<TestTransaction> transactions, Amount coinbase_value, uint32_t salt) {
  const uint32_t new_height = height() + 1;
  Amount value = 50 * kCoin >> (new_height / 150);
  std::map<OutPoint, Amount> own;  // made by this block
  for (const TestTransaction& transaction : transactions) {
    for (const OutPoint& input : transaction.inputs) {
      if (const auto coin = coins_.find(input); coin != coins_.end()) {
        value += coin->second.amount;
      } else if (const auto made = own.find(input); made != own.end()) {
        value += made->second;
      }
    }
    const Hash256 txid = transaction.Txid();
    for (uint32_t o = 0; o < transaction.outputs.size(); ++o) {
      value -= transaction.outputs[o].amount;
      own[{txid, o}] = transaction.outputs[o].amount;
    }
  }
  TestTransaction coinbase;
  coinbase.inputs = {OutPoint{Hash256(), OutPoint::kNullIndex}};
  coinbase.script_sig = CoinbaseScript(new_height, salt);
  coinbase.outputs = {{coinbase_value >= 0 ? coinbase_value : value, kTrueScript}};
  transactions.insert(transactions.begin(), coinbase);
  return AddExactly(std::move(transactions));
}

const TestBlock& ChainBuilder::AddExactly(std::vector<TestTransaction> transactions) {
  auto block = std::make_shared<TestBlock>();
  block->height = height() + 1;
  block->transactions = std::move(transactions);
  for (const TestTransaction& transaction : block->transactions) block->txids.push_back(transaction.Txid());
  BlockHeader& header = block->header;
  header.version = 4;
  header.previous = blocks_.empty() ? genesis_.Hash() : blocks_.back()->hash;
  header.merkle_root = PlainMerkleRoot(block->txids);
  header.time_s = genesis_.time_s + block->height * 600;
  header.bits = kRegtestBits;
  MineHeader(header);
  block->hash = header.Hash();

  std::vector<uint8_t> raw;
  ByteWriter writer(raw);
  writer.Bytes(header.Serialize());
  writer.CompactSize(block->transactions.size());
  for (const TestTransaction& transaction : block->transactions) writer.Bytes(transaction.Serialize());
  block->raw = Slab::Copy(raw);
  ApplyToSet(*block);
  blocks_.push_back(block);
  return *blocks_.back();
}

void ChainBuilder::ApplyToSet(const TestBlock& block) {
  for (size_t t = 0; t < block.transactions.size(); ++t) {
    const TestTransaction& transaction = block.transactions[t];
    for (const OutPoint& input : transaction.inputs) coins_.erase(input);
    const Hash256& txid = block.txids[t];
    for (uint32_t o = 0; o < transaction.outputs.size(); ++o) {
      const TestOutput& output = transaction.outputs[o];
      if (!IsUnspendable(output.script)) coins_[{txid, o}] = {output.amount, block.height, t == 0, output.script};
    }
  }
}

TestTransaction ChainBuilder::Spend(const std::vector<OutPoint>& inputs, uint32_t outputs_count, Amount fee) const {
  TestTransaction transaction;
  transaction.inputs = inputs;
  Amount sum = -fee;
  for (const OutPoint& input : inputs) {
    const auto coin = coins_.find(input);
    if (coin == coins_.end()) throw std::logic_error("the branch has no such coin");
    sum += coin->second.amount;
  }
  for (uint32_t o = 0; o < outputs_count; ++o) {
    const Amount share = o + 1 == outputs_count ? sum - sum / outputs_count * (outputs_count - 1) : sum / outputs_count;
    transaction.outputs.push_back({share, kTrueScript});
  }
  return transaction;
}

OutPoint ChainBuilder::CoinbaseOf(uint32_t height) const {
  return {blocks_[height - 1]->txids[0], 0};
}

void ChainBuilder::TruncateTo(uint32_t height) {
  blocks_.resize(height);
  coins_.clear();
  for (const auto& block : blocks_) ApplyToSet(*block);
}

Hash256 HashSerialized3(const TestCoinSet& coins) {
  std::vector<uint8_t> bytes;
  for (const auto& [outpoint, coin] : coins) AppendCoin(outpoint, coin, bytes);
  return Hash256(Sha256d(bytes));
}

Hash256 MuHashOf(const TestCoinSet& coins) {
  MuHash muhash;
  std::vector<uint8_t> bytes;
  for (const auto& [outpoint, coin] : coins) {
    bytes.clear();
    AppendCoin(outpoint, coin, bytes);
    muhash.Insert(bytes);
  }
  return Hash256(muhash.Finish());
}

}  // namespace headrace::testing
