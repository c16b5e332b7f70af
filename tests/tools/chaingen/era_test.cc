// Chains come out as asked: shares of scripts, ages of spent coins, growth of the unspent set, full blocks, tails. All
// is counted from the raw blocks, not from what the generator says of itself.
#include <gtest/gtest.h>

#include <array>
#include <iostream>
#include <map>

#include "engine/primitives/coin.h"
#include "engine/primitives/decode.h"
#include "engine/primitives/transaction_hashes.h"
#include "tools/chaingen/chain_generator.h"
#include "tools/chaingen/script_builder.h"

namespace headrace::chaingen {
namespace {

// Kinds of output scripts that can be told apart before they are spent.
enum class Form : uint8_t { kP2pk, kP2pkh, kMultisig, kP2sh, kP2wpkh, kP2wsh, kP2tr, kData };
constexpr uint32_t kForms = 8;

Form FormOf(ByteSpan script) {
  if (script[0] == kOpReturn) return Form::kData;
  if (script.back() == kOpCheckMultisig) return Form::kMultisig;
  if (script.size() == 25 && script[0] == kOpDup) return Form::kP2pkh;
  if (script.size() == 23 && script[0] == kOpHash160) return Form::kP2sh;
  if (script.size() == 22 && script[0] == kOp0) return Form::kP2wpkh;
  if (script.size() == 34 && script[0] == kOp0) return Form::kP2wsh;
  if (script.size() == 34 && script[0] == kOp1) return Form::kP2tr;
  EXPECT_EQ(script.back(), kOpCheckSig);
  return Form::kP2pk;
}

Form FormOf(uint32_t script) {
  if (script == kDataScript) return Form::kData;
  switch (static_cast<LockKind>(script)) {
    case LockKind::kP2pk:
    case LockKind::kP2pkUncompressed:
      return Form::kP2pk;
    case LockKind::kP2pkh:
    case LockKind::kP2pkhUncompressed:
      return Form::kP2pkh;
    case LockKind::kMultisig1of2:
    case LockKind::kMultisig2of3:
      return Form::kMultisig;
    case LockKind::kP2shMultisig2of3:
    case LockKind::kP2shP2wpkh:
    case LockKind::kP2shP2wsh:
      return Form::kP2sh;
    case LockKind::kP2wpkh:
      return Form::kP2wpkh;
    case LockKind::kP2trKey:
    case LockKind::kP2trScript:
      return Form::kP2tr;
    default:
      return Form::kP2wsh;
  }
}

// What raw blocks hold, without coinbases. Outputs and ages are counted from a height on, when the coins of the
// beginning have been made.
struct Census {
  uint32_t from = 150;
  std::array<uint64_t, kForms> outputs{};
  uint64_t outputs_sum = 0;
  uint64_t inputs = 0;
  std::array<uint64_t, 4> by_age{};  // same block, below 10, below 100, older
  std::map<Hash256, uint32_t> heights;
  uint64_t coins = 0;
  uint32_t heaviest = 0;
  uint32_t height = 0;

  void Count(const Bytes& raw) {
    BlockColumns columns;
    ASSERT_EQ(DecodeBlock(raw, columns), DecodeError::kNone);
    HashTransactions(columns);
    heaviest = std::max(heaviest, static_cast<uint32_t>(columns.weight()));
    for (uint32_t t = 0; t < columns.transaction_count(); ++t) {
      const TransactionView view = columns.transaction(t);
      heights[view.txid()] = height;
      for (uint32_t o = 0; o < view.output_count(); ++o) {
        if (!IsUnspendable(view.script_pubkey(o)) && height != 0) ++coins;
        if (t == 0 || height < from) continue;
        ++outputs[static_cast<size_t>(FormOf(view.script_pubkey(o)))];
        ++outputs_sum;
      }
      for (uint32_t i = 0; t != 0 && i < view.input_count(); ++i) {
        --coins;
        const uint32_t age = height - heights.at(view.prevout(i).txid);
        if (height < from) continue;
        ++by_age[age == 0 ? 0 : age < 10 ? 1 : age < 100 ? 2 : 3];
        ++inputs;
      }
    }
    ++height;
  }
};

void Take(const ChainShape& shape, Census& census) {
  ChainGenerator generator(shape);
  while (!generator.done()) {
    census.Count(generator.NextBlock());
    if (::testing::Test::HasFatalFailure()) return;
  }
  EXPECT_EQ(generator.DigestOfUnspent().txouts, census.coins);
}

void ExpectShares(const Census& census, const ScriptWeights& weights) {
  std::array<double, kForms> wanted{};
  double sum = 0;
  for (uint32_t script = 0; script < kScriptKinds; ++script) sum += static_cast<double>(weights[script]);
  for (uint32_t script = 0; script < kScriptKinds; ++script) {
    wanted[static_cast<size_t>(FormOf(script))] += static_cast<double>(weights[script]) / sum;
  }
  for (uint32_t form = 0; form < kForms; ++form) {
    const double share = static_cast<double>(census.outputs[form]) / static_cast<double>(census.outputs_sum);
    EXPECT_NEAR(share, wanted[form], 0.012) << "form " << form;
  }
}

ChainShape Middling(Era era) {
  ChainShape shape;
  shape.era = era;
  shape.blocks = 330;
  shape.transactions_per_block = 80;
  shape.keys = 16;
  shape.threads = 2;
  return shape;
}

TEST(Era, SharesOfScriptsAreTheEras) {
  for (const Era era : {Era::kAll, Era::k2012, Era::k2017, Era::k2024}) {
    Census census;
    Take(Middling(era), census);
    if (HasFatalFailure()) return;
    ExpectShares(census, ProfileOf(era).scripts);
  }
}

TEST(Era, SharesAskedForComeOut) {
  ChainShape shape = Middling(Era::k2017);
  shape.shares = {{static_cast<uint32_t>(LockKind::kP2wpkh), 40'000},
                  {static_cast<uint32_t>(LockKind::kP2trScript), 12'500},
                  {static_cast<uint32_t>(LockKind::kP2pkh), 0},
                  {kDataScript, 20'000}};
  Census census;
  Take(shape, census);
  ScriptWeights wanted = ProfileOf(Era::k2017).scripts;
  EXPECT_NEAR(static_cast<double>(census.outputs[static_cast<size_t>(Form::kP2wpkh)]) / census.outputs_sum, 0.40,
              0.012);
  EXPECT_NEAR(static_cast<double>(census.outputs[static_cast<size_t>(Form::kP2tr)]) / census.outputs_sum, 0.125, 0.012);
  const auto weights = WeightsWith(wanted, shape.shares);
  ASSERT_TRUE(weights.ok());
  ExpectShares(census, *weights);
}

TEST(Era, CoinsAreSpentAtMainnetsAges) {
  Census census;
  census.from = 300;
  ChainShape shape = Middling(Era::k2024);
  shape.blocks = 500;
  Take(shape, census);
  if (HasFatalFailure()) return;
  const double below_10 = static_cast<double>(census.by_age[0] + census.by_age[1]) / static_cast<double>(census.inputs);
  const double older = static_cast<double>(census.by_age[3]) / static_cast<double>(census.inputs);
  EXPECT_NEAR(below_10, 0.41, 0.03);
  EXPECT_GT(census.by_age[0], census.inputs / 40);
  // The chain is young: part of the long tail has nothing to pick from yet.
  EXPECT_GT(older, 0.04);
  EXPECT_LT(older, 0.15);
  std::cout << "inputs=" << census.inputs << " below_10=" << below_10 << " older=" << older << "\n";
}

TEST(Era, TheSetGrowsAsAsked) {
  for (const Era era : {Era::kAll, Era::k2012, Era::k2024}) {
    for (const uint32_t growth : {0u, 25u, 400u}) {
      ChainShape shape = Middling(era);
      shape.growth = growth;
      ChainGenerator generator(shape);
      Census census;
      uint64_t before = 0;
      constexpr uint32_t kFrom = 200;
      while (!generator.done()) {
        census.Count(generator.NextBlock());
        if (HasFatalFailure()) return;
        if (generator.height() == kFrom) before = census.coins;
      }
      const double grown = static_cast<double>(census.coins) - static_cast<double>(before);
      const double tolerance = 2 * (100 + growth);
      EXPECT_NEAR(grown, static_cast<double>(growth) * (shape.blocks - kFrom), tolerance) << growth;
    }
  }
}

TEST(Era, BlocksOfFullErasAreFull) {
  for (const Era era : {Era::k2017, Era::k2024}) {
    ChainShape shape;
    shape.era = era;
    shape.blocks = 150;
    shape.keys = 16;
    shape.threads = 2;
    ChainGenerator generator(shape);
    uint32_t full = 0;
    BlockColumns columns;
    while (!generator.done()) {
      const Bytes raw = generator.NextBlock();
      ASSERT_EQ(DecodeBlock(raw, columns), DecodeError::kNone);
      ASSERT_LE(columns.weight(), 4'000'000u);
      full += columns.weight() > 3'900'000 ? 1 : 0;
    }
    EXPECT_GE(full, 15u);
    std::cout << "full=" << full << " bytes=" << generator.totals().bytes << " inputs=" << generator.totals().inputs
              << "\n";
  }
}

TEST(Era, WeightsAskedForAreKept) {
  ChainShape shape = Middling(Era::k2024);
  shape.transactions_per_block.reset();
  shape.block_weight_max = 60'000;
  Census census;
  Take(shape, census);
  EXPECT_LE(census.heaviest, 60'000u);
  EXPECT_GT(census.heaviest, 50'000u);
}

TEST(Era, AGeneratorMayBeLeftInTheMiddle) {
  ChainShape shape = Middling(Era::k2024);
  shape.threads = 4;
  for (const uint32_t blocks : {0u, 1u, 120u}) {
    ChainGenerator generator(shape);
    for (uint32_t i = 0; i < blocks; ++i) EXPECT_FALSE(generator.NextBlock().empty());
  }
}

TEST(Shares, ImpossibleOnesAreRefused) {
  const ScriptWeights& era = ProfileOf(Era::k2012).scripts;
  const uint32_t p2pkh = static_cast<uint32_t>(LockKind::kP2pkh);
  EXPECT_TRUE(WeightsWith(era, std::vector<ScriptShare>{{p2pkh, 100'000}}).ok());
  EXPECT_FALSE(WeightsWith(era, std::vector<ScriptShare>{{p2pkh, 60'000}, {p2pkh, 10'000}}).ok()) << "named twice";
  EXPECT_FALSE(WeightsWith(era, std::vector<ScriptShare>{{p2pkh, 90'000}, {p2pkh + 1, 10'001}}).ok()) << "above 100";
  EXPECT_FALSE(WeightsWith(era, std::vector<ScriptShare>{{kDataScript, 50'001}}).ok()) << "nobody left to pay";
  std::vector<ScriptShare> all;
  for (uint32_t script = 0; script < kScriptKinds; ++script) all.push_back({script, 1000});
  EXPECT_FALSE(WeightsWith(era, all).ok()) << "all named, not all given";
}

}  // namespace
}  // namespace headrace::chaingen
