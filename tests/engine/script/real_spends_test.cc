// Spends of real blocks, and of a generated chain that the field's own node made and accepted.
#include <gtest/gtest.h>

#include <iostream>

#include <absl/container/flat_hash_map.h>

#include "engine/primitives/byte_reader.h"
#include "engine/primitives/decode.h"
#include "engine/primitives/transaction_hashes.h"
#include "engine/script/spend_verifier.h"
#include "tests/support/data.h"

namespace headrace {
namespace {

constexpr ScriptFlags kFlagsOf2014 = kVerifyP2sh;
constexpr ScriptFlags kFlagsOf2016 = kVerifyP2sh | kVerifyDerSignatures | kVerifyCheckLockTimeVerify |
                                     kVerifyCheckSequenceVerify | kVerifyWitness | kVerifyNullDummy;
constexpr ScriptFlags kFlagsOfToday = kFlagsOf2016 | kVerifyTaproot;

// Verifies a transaction's inputs; the number of them.
size_t VerifyAll(TransactionView transaction, std::span<const Coin> spent, ScriptFlags flags) {
  TransactionMidstates midstates;
  PrepareMidstates(transaction, spent, midstates);
  for (uint32_t input = 0; input < transaction.input_count(); ++input) {
    EXPECT_EQ(ScriptErrorName(VerifySpend(transaction, input, spent, flags, midstates)), "OK")
        << transaction.txid().ToHex() << " input " << input;
  }
  return transaction.input_count();
}

// A block whose spent outputs stand in a file beside it: amount, size and script of each, in order.
void VerifyBlockWithPrevouts(const std::string& prevouts_path, ScriptFlags flags) {
  const std::string block_path = prevouts_path.substr(0, prevouts_path.rfind('.')) + ".raw";
  const std::vector<uint8_t> raw = testing::ReadFileBytes(block_path);
  const std::vector<uint8_t> prevouts = testing::ReadFileBytes(prevouts_path);
  BlockColumns block;
  ASSERT_EQ(DecodeBlock(raw, block), DecodeError::kNone) << block_path;
  HashTransactions(block);
  ByteReader reader(prevouts);
  size_t inputs = 0;
  for (uint32_t t = 1; t < block.transaction_count(); ++t) {
    std::vector<Coin> spent(block.transaction(t).input_count());
    for (Coin& coin : spent) {
      coin.amount = static_cast<Amount>(reader.U64());
      coin.script = reader.VarBytes();
    }
    inputs += VerifyAll(block.transaction(t), spent, flags);
  }
  EXPECT_TRUE(reader.ok());
  EXPECT_EQ(reader.remaining(), 0u);
  EXPECT_GT(inputs, 0u);
  std::cout << block_path.substr(block_path.rfind('/') + 1) << ": " << inputs << " inputs\n";
}

TEST(RealSpendsTest, BlocksWithPrevouts) {
  const std::vector<std::string> files = testing::DataFilesEndingWith(".prevouts");
  if (files.empty()) GTEST_SKIP() << "needs outside data: *.prevouts under $HEADRACE_DATA";
  for (const std::string& path : files) {
    const bool is_mainnet = path.find("/mainnet/") != std::string::npos;
    VerifyBlockWithPrevouts(path, is_mainnet ? kFlagsOf2014 : kFlagsOf2016);
  }
}

// The unspent outputs of a chain read from its first blocks on.
class ChainReplay {
 public:
  explicit ChainReplay(ScriptFlags flags) : flags_(flags) {}

  // Each block stands behind four bytes of magic and its size.
  void Replay(ByteSpan file) {
    ByteReader reader(file);
    while (reader.ok() && reader.remaining() != 0) {
      reader.Skip(4);
      ASSERT_EQ(DecodeBlock(reader.Bytes(reader.U32()), block_), DecodeError::kNone);
      HashTransactions(block_);
      for (uint32_t t = 0; t < block_.transaction_count(); ++t) Apply(block_.transaction(t));
    }
    ASSERT_TRUE(reader.ok());
  }
  size_t inputs() const { return inputs_; }

 private:
  void Apply(TransactionView transaction) {
    if (!transaction.IsCoinbase()) {
      std::vector<Coin> spent;
      for (uint32_t i = 0; i < transaction.input_count(); ++i) {
        const auto coin = unspent_.find(transaction.prevout(i));
        ASSERT_NE(coin, unspent_.end());
        spent.push_back(coin->second);
        unspent_.erase(coin);
      }
      inputs_ += VerifyAll(transaction, spent, flags_);
    }
    for (uint32_t o = 0; o < transaction.output_count(); ++o) {
      unspent_[{transaction.txid(), o}] = {transaction.amount(o), 0, false, transaction.script_pubkey(o)};
    }
  }

  const ScriptFlags flags_;
  BlockColumns block_;
  absl::flat_hash_map<OutPoint, Coin> unspent_;
  size_t inputs_ = 0;
};

void ReplayFile(const std::string& path, ScriptFlags flags) {
  const std::vector<uint8_t> file = testing::ReadFileBytes(testing::DataDirectory() + "/" + path);
  ChainReplay replay(flags);
  replay.Replay(file);
  EXPECT_GT(replay.inputs(), 0u);
  std::cout << path << ": " << replay.inputs() << " inputs\n";
}

TEST(RealSpendsTest, FirstBlocksOfMainnet) {
  HR_NEEDS_DATA("mainnet/blocks-1-255.dat");
  ReplayFile("mainnet/blocks-1-255.dat", kVerifyNone);
}

TEST(RealSpendsTest, ChainOfEveryScriptKind) {
  HR_NEEDS_DATA("regtest/scripts-chain.blocks.dat");
  ReplayFile("regtest/scripts-chain.blocks.dat", kFlagsOfToday);
}

}  // namespace
}  // namespace headrace
