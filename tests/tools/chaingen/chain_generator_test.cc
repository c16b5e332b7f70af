// Generated chains: the same bytes from the same seed, and every block checked plainly, signatures included.
#include "tools/chaingen/chain_generator.h"

#include <gtest/gtest.h>

#include <array>
#include <iostream>
#include <set>

#include "engine/primitives/coin.h"
#include "engine/primitives/decode.h"
#include "engine/primitives/transaction_hashes.h"
#include "tests/tools/chaingen/plain_chain.h"
#include "tools/chaingen/genesis.h"
#include "tools/chaingen/key_ring.h"
#include "tools/chaingen/merkle.h"
#include "tools/chaingen/script_builder.h"

namespace headrace::chaingen {
namespace {

ChainShape SmallShape() {
  ChainShape shape;
  shape.blocks = 130;
  shape.transactions_per_block = 30;
  shape.tail = 5;
  shape.keys = 16;
  shape.seed = 42;
  return shape;
}

Digest256 DigestOfChain(const ChainShape& shape) {
  ChainGenerator generator(shape);
  Sha256Hasher hasher;
  while (!generator.done()) hasher.Write(generator.NextBlock());
  return hasher.Finish();
}

// Applies blocks to a map of coins and holds them to the rules that a plain node would.
class PlainNode {
 public:
  void Connect(const Bytes& raw) {
    BlockColumns columns;
    ASSERT_EQ(DecodeBlock(raw, columns), DecodeError::kNone);
    HashTransactions(columns);
    EXPECT_EQ(columns.header.previous, tip);
    EXPECT_EQ(columns.header.bits, kRegtestBits);
    EXPECT_LE(columns.hash.bytes[31], 0x7f) << "proof of work";
    EXPECT_EQ(columns.header.merkle_root, MerkleRoot(columns.txid));
    EXPECT_LE(columns.weight(), 4'000'000u);
    if (height != 0) {
      EXPECT_GT(columns.header.time_s, time_s);
    }
    time_s = columns.header.time_s;
    tip = columns.hash;
    const auto block = reference::DecodePlainBlock(raw);
    ASSERT_TRUE(block);
    Amount fees = 0;
    for (uint32_t t = 1; t < columns.transaction_count(); ++t) {
      ConnectTransaction(FromPlain(block->transactions[t]), columns.txid[t], fees);
    }
    ConnectCoinbase(columns, FromPlain(block->transactions[0]), fees);
    ++height;
  }

  testing::PlainCoins coins;
  Hash256 tip;
  uint32_t height = 0;
  uint32_t time_s = 0;
  uint64_t inputs = 0, outputs = 1, signatures = 0, spent_in_same_block = 0, data_outputs = 0, spent_young = 0;
  std::set<size_t> script_sizes_spent;

 private:
  static MutableTransaction FromPlain(const reference::PlainTransaction& plain) { return testing::FromPlain(plain); }

  void ConnectTransaction(const MutableTransaction& transaction, const Hash256& txid, Amount& fees) {
    std::vector<TransactionOutput> spent;
    Amount in = 0, out = 0;
    for (const TransactionInput& input : transaction.inputs) {
      const auto found = coins.find(input.prevout);
      ASSERT_NE(found, coins.end()) << "missing or doubly spent at " << height;
      const testing::PlainCoin& coin = found->second;
      if (coin.is_coinbase) {
        EXPECT_GE(height - coin.height, kCoinbaseMaturity);
      }
      spent_in_same_block += coin.height == height ? 1 : 0;
      spent_young += height - coin.height < 10 ? 1 : 0;
      // BIP68 in blocks: sequences without the disabling bit are ages.
      if ((input.sequence & 0x80000000) == 0) {
        EXPECT_GE(height, coin.height + input.sequence);
      }
      spent.push_back({coin.amount, coin.script});
      in += coin.amount;
      coins.erase(found);
    }
    for (uint32_t i = 0; i < transaction.inputs.size(); ++i) {
      EXPECT_EQ(testing::CheckInput(transaction, i, spent, signatures), testing::TemplateCheck::kValid) << height;
      script_sizes_spent.insert(spent[i].script.size());
    }
    inputs += transaction.inputs.size();
    EXPECT_LT(transaction.lock_time, height) << "not final";
    AddOutputs(transaction, txid, false);
    for (const TransactionOutput& output : transaction.outputs) out += output.amount;
    EXPECT_GE(in, out);
    fees += in - out;
  }

  void ConnectCoinbase(const BlockColumns& columns, const MutableTransaction& coinbase, Amount fees) {
    ASSERT_TRUE(columns.transaction(0).IsCoinbase());
    if (height == 0) return;
    const Bytes prefix = ScriptBuilder().Number(height).Take();
    const Bytes& script_sig = coinbase.inputs[0].script_sig;
    EXPECT_GE(script_sig.size(), 2u);
    EXPECT_TRUE(std::equal(prefix.begin(), prefix.end(), script_sig.begin())) << "BIP34";
    Amount out = 0;
    for (const TransactionOutput& output : coinbase.outputs) out += output.amount;
    EXPECT_EQ(out, SubsidyAt(height) + fees);
    bool has_witness = false;
    for (uint32_t t = 1; t < columns.transaction_count(); ++t) has_witness |= columns.has_witness[t] != 0;
    EXPECT_EQ(columns.has_witness[0] != 0, has_witness);
    if (has_witness) ExpectCommitment(columns, coinbase);
    AddOutputs(coinbase, columns.txid[0], true);
  }

  static void ExpectCommitment(const BlockColumns& columns, const MutableTransaction& coinbase) {
    ASSERT_EQ(coinbase.inputs[0].witness, std::vector<Bytes>{Bytes(32)});
    std::vector<Hash256> leaves = columns.wtxid;
    leaves[0] = Hash256();
    const Hash256 root = MerkleRoot(leaves);
    Bytes preimage(root.bytes.begin(), root.bytes.end());
    preimage.resize(64);
    const Digest256 commitment = Sha256d(preimage);
    const Bytes& script = coinbase.outputs.back().script;
    ASSERT_EQ(script.size(), 38u);
    const Bytes start = {0x6a, 0x24, 0xaa, 0x21, 0xa9, 0xed};
    EXPECT_TRUE(std::equal(start.begin(), start.end(), script.begin()));
    EXPECT_TRUE(std::equal(commitment.begin(), commitment.end(), script.begin() + 6));
  }

  void AddOutputs(const MutableTransaction& transaction, const Hash256& txid, bool is_coinbase) {
    outputs += transaction.outputs.size();
    for (uint32_t i = 0; i < transaction.outputs.size(); ++i) {
      const TransactionOutput& output = transaction.outputs[i];
      if (IsUnspendable(output.script)) {
        ++data_outputs;
        continue;
      }
      EXPECT_TRUE(coins.emplace(OutPoint{txid, i}, testing::PlainCoin{height, is_coinbase, output.amount, output.script})
                      .second);
    }
  }
};

TEST(ChainGenerator, GenesisIsRegtests) {
  ChainGenerator generator(SmallShape());
  EXPECT_EQ(generator.NextBlock(), GenesisBlock());
  EXPECT_EQ(generator.tip().ToHex(), "0f9188f13cb7b2c71f2a335e3a4fc328bf5beb436012afca590b1a11466e2206");
}

TEST(ChainGenerator, SeedAloneDecidesTheBytes) {
  ChainShape shape = SmallShape();
  const Digest256 digest = DigestOfChain(shape);
  for (const uint32_t threads : {2u, 5u}) {
    shape.threads = threads;
    EXPECT_EQ(DigestOfChain(shape), digest) << threads << " threads";
  }
  shape.seed = 43;
  EXPECT_NE(DigestOfChain(shape), digest);
}

void ExpectValidChain(const ChainShape& shape, PlainNode& node) {
  ChainGenerator generator(shape);
  std::vector<uint32_t> transaction_counts;
  while (!generator.done()) {
    const Bytes block = generator.NextBlock();
    const uint64_t before = node.inputs;
    node.Connect(block);
    if (::testing::Test::HasFatalFailure()) return;
    if (node.height > shape.blocks + 1 - shape.tail) {
      EXPECT_EQ(node.inputs, before) << "a block of the tail spends";
    }
  }
  EXPECT_EQ(node.height, shape.blocks + 1);
  EXPECT_EQ(generator.height(), shape.blocks);
  EXPECT_EQ(generator.tip(), node.tip);
  const ChainTotals& totals = generator.totals();
  EXPECT_EQ(totals.inputs, node.inputs);
  EXPECT_EQ(totals.outputs, node.outputs);
  EXPECT_EQ(totals.signatures, node.signatures);
  const SetDigest digest = generator.DigestOfUnspent();
  const SetDigest plain = testing::DigestOf(node.coins, 1);
  EXPECT_EQ(digest.txouts, node.coins.size());
  EXPECT_EQ(digest.total_amount, plain.total_amount);
  EXPECT_EQ(digest.hash_serialized_3, plain.hash_serialized_3);
  EXPECT_EQ(digest.muhash, plain.muhash);
  EXPECT_GT(node.signatures, 0u);
  std::cout << "inputs=" << node.inputs << " outputs=" << node.outputs << " signatures=" << node.signatures
            << " spent_in_same_block=" << node.spent_in_same_block << " data=" << node.data_outputs << "\n";
}

TEST(ChainGenerator, EveryBlockIsValid) {
  PlainNode node;
  ExpectValidChain(SmallShape(), node);
  EXPECT_GT(node.spent_in_same_block, 0u);
  EXPECT_GT(node.data_outputs, 0u);
  // P2PKH 25, P2SH 23, P2WPKH 22, P2WSH and P2TR 34, P2PK 35 and 67, multisig 71 and 105.
  for (size_t size : {22, 23, 25, 34, 35, 67, 71, 105}) EXPECT_TRUE(node.script_sizes_spent.contains(size)) << size;
}

TEST(ChainGenerator, ErasAndShapes) {
  for (Era era : {Era::k2012, Era::k2017, Era::k2024}) {
    ChainShape shape = SmallShape();
    shape.blocks = 115;
    shape.tail = 0;
    shape.era = era;
    shape.inputs_mean_per_mille = 3500;
    shape.outputs_mean_per_mille = 1000;
    shape.keys = 3;
    PlainNode node;
    ExpectValidChain(shape, node);
  }
}

TEST(ChainGenerator, SubsidiesEndAndNothingBreaks) {
  // Thirty-three halvings later coinbases are worth only fees, or nothing.
  ChainShape shape = SmallShape();
  shape.blocks = 33 * kHalvingInterval + 150;
  shape.transactions_per_block = 0;
  ChainGenerator generator(shape);
  while (!generator.done()) generator.NextBlock();
  EXPECT_EQ(generator.DigestOfUnspent().txouts, shape.blocks);
}

TEST(ChainGenerator, FullBlocksStayWithinLimits) {
  ChainShape shape = SmallShape();
  shape.blocks = 112;
  shape.tail = 0;
  shape.transactions_per_block = 20'000;
  ChainGenerator generator(shape);
  uint32_t heaviest = 0;
  BlockColumns columns;
  while (!generator.done()) {
    const Bytes block = generator.NextBlock();
    ASSERT_EQ(DecodeBlock(block, columns), DecodeError::kNone);
    heaviest = std::max(heaviest, columns.weight());
  }
  EXPECT_LE(heaviest, 4'000'000u);
  EXPECT_GT(heaviest, 3'900'000u);
  std::cout << "heaviest=" << heaviest << "\n";
}

}  // namespace
}  // namespace headrace::chaingen
