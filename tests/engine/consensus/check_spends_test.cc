#include "engine/consensus/check_spends.h"

#include <gtest/gtest.h>

#include "tests/reference/block_builder.h"
#include "tests/reference/vector_ancestry.h"

namespace headrace {
namespace {

using testing::BuiltBlock;

using testing::CoinbaseAt;
using testing::DecodedBlock;
using testing::VectorAncestry;

constexpr uint32_t kHeight = 300;
constexpr uint32_t kFirst_s = 1'700'000'000;
constexpr uint8_t kAnyoneScript[] = {0x51};

// A regtest block with two payments of one input each, the coins they spend, and the chain below.
struct Fixture {
  VectorAncestry chain = VectorAncestry::Even(kHeight, kFirst_s, 600, 0x207fffff);
  const ChainParams& params = ParamsFor(ChainId::kRegtest);
  BuiltBlock block;
  std::vector<Coin> spent;  // one an input, the coinbase's first
  BlockContext context;
  Amount fees = -1;
  uint32_t missing = kNoInput;

  Fixture() {
    context.height = kHeight;
    context.median_time_past = chain.median_time_past(chain.height());
    context.csv = true;
    context.script_flags = kVerifyP2sh | kVerifyWitness | kVerifyTaproot;
    block.transactions = {CoinbaseAt(kHeight, Subsidy(kHeight, params) + 300)};
    spent.push_back({});
    AddPayment(1000, 900, 10);
    AddPayment(2000, 1800, 20);
  }

  void AddPayment(Amount in, Amount out, uint32_t coin_height) {
    MutableTransaction payment;
    payment.inputs.push_back({{Hash256(), static_cast<uint32_t>(spent.size())}, {}});
    payment.outputs.push_back({out, {0x51}});
    block.transactions.push_back(payment);
    spent.push_back({in, coin_height, false, kAnyoneScript});
  }

  Verdict Check() {
    const DecodedBlock decoded(block.Serialize());
    return CheckBlockSpends(decoded.columns, spent, context, chain, params, &fees, missing);
  }
  std::string Reason() { return Check().RejectReason(); }
};

TEST(CheckSpends, AcceptsAndSumsFees) {
  Fixture f;
  EXPECT_EQ(f.Reason(), "");
  EXPECT_EQ(f.fees, 300);
}

TEST(CheckSpends, CoinbaseIsPaidSubsidyAndFees) {
  Fixture f;
  ++f.block.transactions[0].outputs[0].amount;
  EXPECT_EQ(f.Reason(), "bad-cb-amount");
  f.block.transactions[0].outputs[0].amount = 0;
  EXPECT_EQ(f.Reason(), "") << "less may be taken";
}

TEST(CheckSpends, CoinbasesMature) {
  Fixture f;
  f.spent[2].is_coinbase = true;
  f.spent[2].height = kHeight - 100;
  EXPECT_EQ(f.Reason(), "");
  ++f.spent[2].height;
  EXPECT_EQ(f.Check(), (Verdict{Rule::kCoinbasePremature, 2, 0}));
  f.spent[2].is_coinbase = false;
  EXPECT_EQ(f.Reason(), "");
}

TEST(CheckSpends, AmountsStayInRange) {
  Fixture f;
  f.spent[1].amount = kMaxMoney + 1;
  EXPECT_EQ(f.Reason(), "bad-txns-inputvalues-outofrange");
  f.spent[1].amount = -1;
  EXPECT_EQ(f.Reason(), "bad-txns-inputvalues-outofrange");
  f.spent[1].amount = 899;
  EXPECT_EQ(f.Reason(), "bad-txns-in-belowout");
}

TEST(CheckSpends, SumOfInputsStaysInRange) {
  Fixture f;
  f.block.transactions[1].inputs.push_back({{Hash256(), 77}, {}});
  f.spent.insert(f.spent.begin() + 2, {kMaxMoney, 5, false, kAnyoneScript});
  EXPECT_EQ(f.Check(), (Verdict{Rule::kInputValuesOutOfRange, 1, 1}));
}

TEST(CheckSpends, AccumulatedFeesStayInRange) {
  Fixture f;
  f.spent[1].amount = kMaxMoney;
  f.spent[2].amount = kMaxMoney;
  EXPECT_EQ(f.Reason(), "bad-txns-accumulated-fee-outofrange");
}

TEST(CheckSpends, MissingInputsAreNamedInOrder) {
  Fixture f;
  f.missing = 2;
  EXPECT_EQ(f.Check(), (Verdict{Rule::kInputsMissingOrSpent, 2, 0}));
  f.spent[1].amount = 0;
  EXPECT_EQ(f.Reason(), "bad-txns-in-belowout") << "an earlier offence comes first";
  f.missing = 1;
  EXPECT_EQ(f.Check(), (Verdict{Rule::kInputsMissingOrSpent, 1, 0}));
}

TEST(CheckSpends, RelativeHeights) {
  Fixture f;
  f.block.transactions[1].inputs[0].sequence = 5;
  f.spent[1].height = kHeight - 5;
  EXPECT_EQ(f.Reason(), "");
  ++f.spent[1].height;
  EXPECT_EQ(f.Check(), (Verdict{Rule::kSequenceLocked, 1}));
  EXPECT_EQ(f.Reason(), "bad-txns-nonfinal");
  f.block.transactions[1].version = 1;
  EXPECT_EQ(f.Reason(), "") << "version 1 knows no relative lock times";
  f.block.transactions[1].version = -1;
  EXPECT_EQ(f.Reason(), "bad-txns-nonfinal") << "versions are unsigned";
  f.block.transactions[1].inputs[0].sequence |= 1u << 31;
  EXPECT_EQ(f.Reason(), "") << "disabled";
  f.block.transactions[1].inputs[0].sequence = 5;
  f.context.csv = false;
  EXPECT_EQ(f.Reason(), "");
}

TEST(CheckSpends, RelativeTimes) {
  Fixture f;
  // Median time past is six blocks behind; 512-second units count from the block before the coin's.
  const uint32_t coin_height = 250;
  const int64_t elapsed_s = f.context.median_time_past - f.chain.median_time_past(coin_height - 1);
  const uint32_t units = static_cast<uint32_t>(elapsed_s / 512);
  f.spent[1].height = coin_height;
  f.block.transactions[1].inputs[0].sequence = (1u << 22) | units;
  EXPECT_EQ(f.Reason(), "");
  ++f.block.transactions[1].inputs[0].sequence;
  EXPECT_EQ(f.Reason(), "bad-txns-nonfinal");
}

TEST(CheckSpends, LocksOfSeveralInputsAddUp) {
  MutableTransaction transaction;
  for (const uint32_t sequence : {3u, 10u, (1u << 22) | 2u, 1u << 31}) {
    transaction.inputs.push_back({{Hash256(), sequence}, {}, sequence});
  }
  transaction.outputs.push_back({0, {}});
  BuiltBlock block;
  block.transactions = {transaction};
  const DecodedBlock decoded(block.Serialize());
  const VectorAncestry chain = VectorAncestry::Even(200, kFirst_s, 600, 0);
  const Coin coins[] = {{0, 100}, {0, 90}, {0, 50}, {0, 190}};
  const SequenceLock lock = SequenceLockOf(decoded.columns.transaction(0), coins, chain);
  EXPECT_EQ(lock.height, 102);
  EXPECT_EQ(lock.time_s, chain.median_time_past(49) + 1024 - 1);
  EXPECT_TRUE(lock.Allows(103, lock.time_s + 1));
  EXPECT_FALSE(lock.Allows(102, lock.time_s + 1));
  EXPECT_FALSE(lock.Allows(103, lock.time_s));
}

TEST(CheckSpends, SigopCostIsBounded) {
  Fixture f;
  constexpr uint8_t kOpCheckSig = 0xac;
  // 19,999 legacy operations and what a P2SH spend adds: 4 each.
  f.block.transactions[2].outputs[0].script.assign(19'999, kOpCheckSig);
  EXPECT_EQ(f.Reason(), "");
  std::vector<uint8_t> p2sh = {0xa9, 20};
  p2sh.resize(22);
  p2sh.push_back(0x87);
  f.spent[1].script = p2sh;
  f.block.transactions[1].inputs[0].script_sig = {1, kOpCheckSig};
  EXPECT_EQ(f.Reason(), "");
  f.block.transactions[1].inputs[0].script_sig = {2, kOpCheckSig, kOpCheckSig};
  EXPECT_EQ(f.Check(), (Verdict{Rule::kSigopsTooMany, 2}));
  f.context.script_flags = kVerifyNone;
  EXPECT_EQ(f.Reason(), "") << "P2SH's operations count where P2SH holds";
}

TEST(Subsidy, HalvesAndEnds) {
  const ChainParams& params = ParamsFor(ChainId::kMain);
  EXPECT_EQ(Subsidy(0, params), 50 * kCoin);
  EXPECT_EQ(Subsidy(209'999, params), 50 * kCoin);
  EXPECT_EQ(Subsidy(210'000, params), 25 * kCoin);
  EXPECT_EQ(Subsidy(840'000, params), 312'500'000);
  EXPECT_EQ(Subsidy(210'000 * 32, params), 1);
  EXPECT_EQ(Subsidy(210'000 * 33, params), 0);
  EXPECT_EQ(Subsidy(210'000u * 64, params), 0) << "BIP42";
  EXPECT_EQ(Subsidy(UINT32_MAX, params), 0);
  EXPECT_EQ(Subsidy(150, ParamsFor(ChainId::kRegtest)), 25 * kCoin);
  Amount total = 0;
  for (uint32_t halving = 0; halving < 64; ++halving) total += Subsidy(halving * 210'000, params) * 210'000;
  EXPECT_EQ(total, 2'099'999'997'690'000);
}

}  // namespace
}  // namespace headrace
