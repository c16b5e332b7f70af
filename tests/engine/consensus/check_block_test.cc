#include "engine/consensus/check_block.h"

#include <gtest/gtest.h>

#include <functional>

#include "engine/consensus/check_transaction.h"
#include "engine/consensus/difficulty.h"
#include "engine/primitives/coin.h"
#include "tests/reference/block_builder.h"

namespace headrace {
namespace {

using testing::BuiltBlock;

using testing::CoinbaseAt;
using testing::DecodedBlock;

constexpr uint32_t kHeight = 200;
constexpr uint8_t kOpCheckSig = 0xac;

OutPoint PrevoutNumber(uint32_t number) {
  OutPoint prevout{Hash256(), number};
  prevout.txid.bytes[0] = 1;
  return prevout;
}

MutableTransaction Payment(uint32_t number) {
  MutableTransaction transaction;
  transaction.inputs.push_back({PrevoutNumber(number), {}});
  transaction.outputs.push_back({kCoin, {0x51}});
  return transaction;
}

// Searches a nonce; regtest's target takes two attempts.
void Solve(BuiltBlock& block) {
  const ChainParams& params = ParamsFor(ChainId::kRegtest);
  block.header.bits = params.genesis.bits;
  while (!CheckProofOfWork(block.header.Hash(), block.header.bits, params)) ++block.header.nonce;
}

BuiltBlock GoodBlock() {
  BuiltBlock block;
  block.header.version = 4;
  block.header.time_s = 1'700'000'000;
  block.transactions = {CoinbaseAt(kHeight, 50 * kCoin), Payment(0), Payment(1)};
  return block;
}

std::string Reason(BuiltBlock block) {
  block.FixMerkleRoot();
  Solve(block);
  return CheckBlock(DecodedBlock(block.Serialize()).columns, ParamsFor(ChainId::kRegtest)).RejectReason();
}

std::string ReasonAfter(const std::function<void(BuiltBlock&)>& change) {
  BuiltBlock block = GoodBlock();
  change(block);
  return Reason(std::move(block));
}

TEST(CheckBlock, AcceptsAGoodOne) {
  EXPECT_EQ(ReasonAfter([](BuiltBlock&) {}), "");
}

TEST(CheckBlock, ProofOfWorkComesFirst) {
  BuiltBlock block = GoodBlock();
  block.header.bits = 0x1d00ffff;
  EXPECT_EQ(CheckBlock(DecodedBlock(block.Serialize()).columns, ParamsFor(ChainId::kRegtest)).RejectReason(),
            "high-hash");
}

TEST(CheckBlock, MerkleRootMustMatch) {
  BuiltBlock block = GoodBlock();
  block.FixMerkleRoot();
  block.header.merkle_root.bytes[5] ^= 1;
  Solve(block);
  const Verdict verdict = CheckBlock(DecodedBlock(block.Serialize()).columns, ParamsFor(ChainId::kRegtest));
  EXPECT_EQ(verdict.RejectReason(), "bad-txnmrklroot");
  EXPECT_TRUE(verdict.is_mutation());
}

TEST(CheckBlock, RepeatedTransactionsAreMutation) {
  BuiltBlock block = GoodBlock();
  block.FixMerkleRoot();
  Solve(block);
  block.transactions.push_back(block.transactions.back());
  const Verdict verdict = CheckBlock(DecodedBlock(block.Serialize()).columns, ParamsFor(ChainId::kRegtest));
  EXPECT_EQ(verdict.RejectReason(), "bad-txns-duplicate");
  EXPECT_TRUE(verdict.is_mutation());
}

TEST(CheckBlock, LengthIsBounded) {
  EXPECT_EQ(ReasonAfter([](BuiltBlock& block) { block.transactions.clear(); }), "bad-blk-length");
  // Outputs fill the block to the last byte of a million.
  const auto filled = [](size_t stripped_bytes) {
    return [=](BuiltBlock& block) {
      auto& script = block.transactions[1].outputs[0].script;
      const size_t others = block.Serialize().size() + 4;  // the script's length takes five bytes instead of one
      script.assign(stripped_bytes - others + script.size(), kOpReturn);
      EXPECT_EQ(block.Serialize().size(), stripped_bytes);
    };
  };
  EXPECT_EQ(ReasonAfter(filled(1'000'000)), "");
  EXPECT_EQ(ReasonAfter(filled(1'000'001)), "bad-blk-length");
}

TEST(CheckBlock, FirstTransactionAloneIsCoinbase) {
  EXPECT_EQ(ReasonAfter([](BuiltBlock& block) { block.transactions.erase(block.transactions.begin()); }),
            "bad-cb-missing");
  EXPECT_EQ(ReasonAfter([](BuiltBlock& block) { block.transactions.push_back(CoinbaseAt(kHeight + 1, 0)); }),
            "bad-cb-multiple");
}

TEST(CheckBlock, SixtyFourByteTransactionsLeaveTheHashOpen) {
  BuiltBlock block = GoodBlock();
  block.transactions.erase(block.transactions.begin());
  auto& script = block.transactions[0].outputs[0].script;
  script.assign(64 - (block.transactions[0].Serialize(false).size() - script.size()), 0x51);
  ASSERT_EQ(block.transactions[0].Serialize(false).size(), 64u);
  block.FixMerkleRoot();
  Solve(block);
  const Verdict verdict = CheckBlock(DecodedBlock(block.Serialize()).columns, ParamsFor(ChainId::kRegtest));
  EXPECT_EQ(verdict.RejectReason(), "bad-cb-missing");
  EXPECT_TRUE(verdict.is_mutation());
}

TEST(CheckBlock, TransactionsMustBeWellFormed) {
  const auto with = [](const std::function<void(MutableTransaction&)>& change) {
    return ReasonAfter([&](BuiltBlock& block) { change(block.transactions[1]); });
  };
  EXPECT_EQ(with([](MutableTransaction& t) { t.outputs.clear(); }), "bad-txns-vout-empty");
  EXPECT_EQ(with([](MutableTransaction& t) { t.outputs[0].amount = -1; }), "bad-txns-vout-negative");
  EXPECT_EQ(with([](MutableTransaction& t) { t.outputs[0].amount = INT64_MIN; }), "bad-txns-vout-negative");
  EXPECT_EQ(with([](MutableTransaction& t) { t.outputs[0].amount = kMaxMoney; }), "");
  EXPECT_EQ(with([](MutableTransaction& t) { t.outputs[0].amount = kMaxMoney + 1; }), "bad-txns-vout-toolarge");
  EXPECT_EQ(with([](MutableTransaction& t) { t.outputs[0].amount = INT64_MAX; }), "bad-txns-vout-toolarge");
  EXPECT_EQ(with([](MutableTransaction& t) {
              t.outputs[0].amount = kMaxMoney;
              t.outputs.push_back({1, {}});
            }),
            "bad-txns-txouttotal-toolarge");
  EXPECT_EQ(with([](MutableTransaction& t) { t.inputs.push_back({{Hash256(), OutPoint::kNullIndex}, {}}); }),
            "bad-txns-prevout-null");
  EXPECT_EQ(with([](MutableTransaction& t) { t.inputs.push_back({{Hash256(), 0}, {}}); }), "");
}

TEST(CheckBlock, CoinbaseScriptsHaveTwoToAHundredBytes) {
  const auto with = [](size_t size) {
    return ReasonAfter([&](BuiltBlock& block) { block.transactions[0].inputs[0].script_sig.resize(size); });
  };
  EXPECT_EQ(with(1), "bad-cb-length");
  EXPECT_EQ(with(2), "");
  EXPECT_EQ(with(100), "");
  EXPECT_EQ(with(101), "bad-cb-length");
}

// Few inputs are compared in pairs, many are sorted.
TEST(CheckBlock, NoOutputIsSpentTwiceByOneTransaction) {
  for (const uint32_t count : {2u, 16u, 17u, 300u}) {
    const auto with = [&](uint32_t last) {
      return ReasonAfter([&](BuiltBlock& block) {
        auto& inputs = block.transactions[2].inputs;
        inputs.clear();
        for (uint32_t i = 0; i + 1 < count; ++i) inputs.push_back({PrevoutNumber(1000 - i), {}});
        inputs.push_back({PrevoutNumber(last), {}});
      });
    };
    EXPECT_EQ(with(2000), "") << count;
    EXPECT_EQ(with(1000), "bad-txns-inputs-duplicate") << count;
  }
}

TEST(CheckBlock, LegacySigopsAreBounded) {
  const auto with = [](size_t count) {
    return ReasonAfter(
        [&](BuiltBlock& block) { block.transactions[1].outputs[0].script.assign(count, kOpCheckSig); });
  };
  EXPECT_EQ(with(20'000), "");
  EXPECT_EQ(with(20'001), "bad-blk-sigops");
}

TEST(CheckBlock, NamesTheTransaction) {
  BuiltBlock block = GoodBlock();
  block.transactions[2].outputs[0].amount = -1;
  block.FixMerkleRoot();
  Solve(block);
  const Verdict verdict = CheckBlock(DecodedBlock(block.Serialize()).columns, ParamsFor(ChainId::kRegtest));
  EXPECT_EQ(verdict.transaction, 2u);
  EXPECT_FALSE(verdict.is_mutation());
}

// A transaction without inputs only decodes where witnesses are not expected, so it never gets into a block.
TEST(CheckTransaction, NeedsInputs) {
  MutableTransaction transaction = Payment(0);
  transaction.inputs.clear();
  const std::vector<uint8_t> raw = transaction.Serialize(false);
  TransactionColumns columns;
  ASSERT_EQ(DecodeTransaction(raw, WitnessEncoding::kForbidden, columns), DecodeError::kNone);
  EXPECT_EQ(CheckTransaction({columns, 0}).RejectReason(), "bad-txns-vin-empty");
}

TEST(CheckTransaction, SizeIsBounded) {
  MutableTransaction transaction = Payment(0);
  const auto check = [&](size_t size) {
    auto& script = transaction.outputs[0].script;
    script.assign(size - (Payment(0).Serialize(false).size() + 4) + 1, 0);
    const std::vector<uint8_t> raw = transaction.Serialize(false);
    EXPECT_EQ(raw.size(), size);
    TransactionColumns columns;
    EXPECT_EQ(DecodeTransaction(raw, WitnessEncoding::kAllowed, columns), DecodeError::kNone);
    return CheckTransaction({columns, 0}).RejectReason();
  };
  EXPECT_EQ(check(1'000'000), "");
  EXPECT_EQ(check(1'000'001), "bad-txns-oversize");
}

TEST(CheckTransaction, FinalityDependsOnHeightTimeAndSequences) {
  const auto is_final = [](uint32_t lock_time, uint32_t sequence, uint32_t height, int64_t cutoff) {
    MutableTransaction transaction = Payment(0);
    transaction.lock_time = lock_time;
    transaction.inputs[0].sequence = sequence;
    const DecodedBlock block([&] {
      BuiltBlock built;
      built.transactions = {transaction};
      return built.Serialize();
    }());
    return IsFinal(block.columns.transaction(0), height, cutoff);
  };
  EXPECT_TRUE(is_final(0, 0, 0, 0));
  EXPECT_FALSE(is_final(100, 0, 100, INT64_MAX));
  EXPECT_TRUE(is_final(100, 0, 101, 0));
  EXPECT_TRUE(is_final(100, kSequenceFinal, 0, 0));
  EXPECT_FALSE(is_final(kLockTimeThreshold - 1, 0, kLockTimeThreshold - 1, INT64_MAX));
  EXPECT_FALSE(is_final(kLockTimeThreshold, 0, UINT32_MAX, kLockTimeThreshold));
  EXPECT_TRUE(is_final(kLockTimeThreshold, 0, 0, kLockTimeThreshold + 1));
}

BlockContext Context() {
  BlockContext context;
  context.height = kHeight;
  context.median_time_past = 1'699'999'000;
  context.lock_time_cutoff = context.median_time_past;
  context.bip34 = context.csv = context.segwit = true;
  return context;
}

std::vector<uint8_t> CommitmentScript(const Hash256& root, const std::vector<uint8_t>& reserved) {
  std::vector<uint8_t> script;
  script.reserve(38);
  script.assign({kOpReturn, 0x24, 0xaa, 0x21, 0xa9, 0xed});
  const Digest256 commitment = Sha256Hasher().Write(root.span()).Write(reserved).FinishDouble();
  script.insert(script.end(), commitment.begin(), commitment.end());
  return script;
}

// A block with a witness, and the coinbase's commitment to it.
BuiltBlock WitnessBlock() {
  BuiltBlock block = GoodBlock();
  block.transactions[1].inputs[0].witness = {{1, 2, 3}};
  const std::vector<uint8_t> reserved(32, 7);
  block.transactions[0].inputs[0].witness = {reserved};
  const DecodedBlock decoded(block.Serialize());
  std::vector<Hash256> buffer;
  const Hash256 root = ComputeWitnessRoot(decoded.columns.wtxid, buffer);
  block.transactions[0].outputs.push_back({0, CommitmentScript(root, reserved)});
  return block;
}

Verdict InContext(const BuiltBlock& block, const BlockContext& context = Context()) {
  return CheckBlockContext(DecodedBlock(block.Serialize()).columns, context);
}

TEST(CheckBlockContext, AcceptsGoodOnes) {
  EXPECT_EQ(InContext(GoodBlock()).RejectReason(), "");
  EXPECT_EQ(InContext(WitnessBlock()).RejectReason(), "");
}

TEST(CheckBlockContext, EveryTransactionMustBeFinal) {
  BuiltBlock block = GoodBlock();
  block.transactions[2].lock_time = kHeight;
  block.transactions[2].inputs[0].sequence = 0;
  EXPECT_EQ(InContext(block).RejectReason(), "bad-txns-nonfinal");
  EXPECT_EQ(InContext(block).transaction, 2u);
  block.transactions[2].lock_time = kHeight - 1;
  EXPECT_EQ(InContext(block).RejectReason(), "");
}

TEST(CheckBlockContext, CoinbaseBeginsWithTheHeight) {
  for (const uint32_t height : {1u, 16u, 17u, 127u, 128u, 255u, 256u, 32'767u, 32'768u, 65'536u, 8'388'608u}) {
    BlockContext context = Context();
    context.height = height;
    BuiltBlock block = GoodBlock();
    block.transactions[0] = CoinbaseAt(height, 0);
    EXPECT_EQ(InContext(block, context).RejectReason(), "") << height;
    context.height = height + 1;
    EXPECT_EQ(InContext(block, context).RejectReason(), "bad-cb-height") << height;
    context.bip34 = false;
    EXPECT_EQ(InContext(block, context).RejectReason(), "") << height;
  }
  BuiltBlock block = GoodBlock();
  block.transactions[0].inputs[0].script_sig.pop_back();
  EXPECT_EQ(InContext(block).RejectReason(), "bad-cb-height") << "too short";
}

TEST(CheckBlockContext, CommitmentMustMatch) {
  BuiltBlock block = WitnessBlock();
  block.transactions[1].inputs[0].witness[0][0] ^= 1;
  EXPECT_EQ(InContext(block).RejectReason(), "bad-witness-merkle-match");
  EXPECT_TRUE(InContext(block).is_mutation());
}

TEST(CheckBlockContext, TheLastCommitmentCounts) {
  BuiltBlock block = WitnessBlock();
  auto& outputs = block.transactions[0].outputs;
  outputs.insert(outputs.begin(), {0, CommitmentScript(Hash256(), {})});
  EXPECT_EQ(InContext(block).RejectReason(), "");
  outputs.push_back({0, CommitmentScript(Hash256(), {})});
  EXPECT_EQ(InContext(block).RejectReason(), "bad-witness-merkle-match");
  outputs.back().script.pop_back();
  EXPECT_EQ(InContext(block).RejectReason(), "") << "37 bytes commit to nothing";
}

TEST(CheckBlockContext, ReservedValueIsOneItemOf32Bytes) {
  const std::vector<std::vector<std::vector<uint8_t>>> stacks = {
      {}, {{}}, {std::vector<uint8_t>(31)}, {std::vector<uint8_t>(33)},
      {std::vector<uint8_t>(32, 7), std::vector<uint8_t>(32, 7)}};
  for (const auto& stack : stacks) {
    BuiltBlock block = WitnessBlock();
    block.transactions[0].inputs[0].witness = stack;
    EXPECT_EQ(InContext(block).RejectReason(), "bad-witness-nonce-size");
    EXPECT_TRUE(InContext(block).is_mutation());
  }
}

TEST(CheckBlockContext, WitnessesMustBeCommittedTo) {
  BuiltBlock block = WitnessBlock();
  block.transactions[0].outputs.pop_back();
  EXPECT_EQ(InContext(block).RejectReason(), "unexpected-witness");
  EXPECT_TRUE(InContext(block).is_mutation());
  BlockContext before_segwit = Context();
  before_segwit.segwit = false;
  EXPECT_EQ(InContext(WitnessBlock(), before_segwit).RejectReason(), "unexpected-witness");
  EXPECT_EQ(InContext(GoodBlock(), before_segwit).RejectReason(), "");
}

TEST(CheckBlockContext, WeightIsBounded) {
  // The witness is padded until the weight is as asked; the commitment follows.
  const auto weighing = [](uint32_t weight) {
    BuiltBlock block = WitnessBlock();
    block.transactions[0].outputs.pop_back();
    block.transactions[0].outputs.push_back({0, CommitmentScript(Hash256(), {})});
    auto& item = block.transactions[1].inputs[0].witness[0];
    item.resize(weight - DecodedBlock(block.Serialize()).columns.weight() - 4 + item.size());
    const DecodedBlock decoded(block.Serialize());
    EXPECT_EQ(decoded.columns.weight(), weight);
    std::vector<Hash256> buffer;
    block.transactions[0].outputs.back().script =
        CommitmentScript(ComputeWitnessRoot(decoded.columns.wtxid, buffer), std::vector<uint8_t>(32, 7));
    return block;
  };
  EXPECT_EQ(InContext(weighing(4'000'000)).RejectReason(), "");
  EXPECT_EQ(InContext(weighing(4'000'001)).RejectReason(), "bad-blk-weight");
}

TEST(Rules, RejectReasonsAreTheFields) {
  EXPECT_EQ(Verdict().RejectReason(), "");
  EXPECT_EQ(Verdict::Script(1, 2, ScriptError::kEvalFalse).RejectReason(),
            "block-script-verify-flag-failed (Script evaluated without error but finished with a false/empty top stack "
            "element)");
  for (size_t i = 1; i < kRules.size(); ++i) {
    EXPECT_FALSE(kRules[i].reject_reason.empty());
    EXPECT_NE(kRules[i].sentence.find("MUST"), std::string_view::npos) << kRules[i].reject_reason;
  }
}

}  // namespace
}  // namespace headrace
