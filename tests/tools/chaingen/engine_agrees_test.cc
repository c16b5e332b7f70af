// The engine's script checks on generated chains: every spend passes under all rules, policy included; a transaction
// changed after signing fails; blocks stay below the limit of signature operations.
#include <gtest/gtest.h>

#include <algorithm>
#include <iostream>
#include <map>
#include <memory>
#include <vector>

#include "engine/primitives/decode.h"
#include "engine/primitives/transaction_hashes.h"
#include "engine/script/sigops.h"
#include "engine/script/spend_verifier.h"
#include "tools/chaingen/chain_generator.h"

namespace headrace::chaingen {
namespace {

// Every flag there is.
constexpr ScriptFlags kAllFlags = (kVerifyDiscourageUpgradablePubkeyType << 1) - 1;

struct OwnedOutput {
  Amount amount;
  Bytes script;
};

struct Tally {
  uint64_t passed = 0;
  uint64_t changed = 0;
  uint64_t changed_passed = 0;
};

std::vector<Coin> CoinsOf(TransactionView view, const std::map<OutPoint, OwnedOutput>& outputs) {
  std::vector<Coin> coins;
  for (uint32_t i = 0; i < view.input_count(); ++i) {
    const OwnedOutput& output = outputs.at(view.prevout(i));
    coins.push_back({output.amount, 0, false, output.script});
  }
  return coins;
}

ScriptError Verify(TransactionView view, uint32_t input, const std::vector<Coin>& coins) {
  TransactionMidstates midstates;
  PrepareMidstates(view, coins, midstates);
  return VerifySpend(view, input, coins, kAllFlags, midstates);
}

// The same transaction paying one unit less: signatures made over the outputs must not hold.
ScriptError VerifyChanged(TransactionView view, uint32_t input, const std::vector<Coin>& coins) {
  Bytes raw(view.serialized().begin(), view.serialized().end());
  const TransactionColumns& columns = view.columns();
  const ByteRange script = columns.script_pubkey[view.first_output()];
  const size_t begin = columns.begin[view.transaction_index()];
  raw[script.offset - begin - 1 - 8] ^= 1;
  TransactionColumns changed;
  EXPECT_EQ(DecodeTransaction(raw, WitnessEncoding::kAllowed, changed), DecodeError::kNone);
  HashTransactions(changed);
  return Verify({changed, 0}, input, coins);
}

void VerifyChain(const ChainShape& shape, Tally& tally) {
  ChainGenerator generator(shape);
  std::map<OutPoint, OwnedOutput> outputs;
  BlockColumns columns;
  while (!generator.done()) {
    const Bytes raw = generator.NextBlock();
    ASSERT_EQ(DecodeBlock(raw, columns), DecodeError::kNone);
    HashTransactions(columns);
    for (uint32_t t = 0; t < columns.transaction_count(); ++t) {
      const TransactionView view = columns.transaction(t);
      for (uint32_t i = 0; i < view.output_count(); ++i) {
        const ByteSpan script = view.script_pubkey(i);
        outputs[{view.txid(), i}] = {view.amount(i), {script.begin(), script.end()}};
      }
      if (t == 0) continue;
      const std::vector<Coin> coins = CoinsOf(view, outputs);
      for (uint32_t i = 0; i < view.input_count(); ++i) {
        const ScriptError error = Verify(view, i, coins);
        ASSERT_EQ(error, ScriptError::kOk) << "height " << generator.height() << " transaction " << t << " input " << i;
        ++tally.passed;
      }
      if (t % 8 == 1) {
        ++tally.changed;
        tally.changed_passed += VerifyChanged(view, 0, coins) == ScriptError::kOk ? 1 : 0;
      }
    }
  }
}

TEST(EngineAgrees, EverySpendPassesUnderAllRules) {
  for (Era era : {Era::kAll, Era::k2012, Era::k2017, Era::k2024}) {
    ChainShape shape;
    shape.blocks = 125;
    shape.transactions_per_block = 25;
    shape.era = era;
    shape.keys = 32;
    shape.seed = 99 + static_cast<uint64_t>(era);
    Tally tally;
    VerifyChain(shape, tally);
    if (HasFatalFailure()) return;
    EXPECT_GT(tally.passed, 0u);
    EXPECT_GT(tally.changed, 0u);
    // Only signatures of the types NONE and SINGLE can survive such a change: fewer than one in seventy.
    EXPECT_LT(tally.changed_passed * 5, tally.changed);
    std::cout << "passed=" << tally.passed << " changed=" << tally.changed << " of which passed=" << tally.changed_passed
              << "\n";
  }
}

TEST(EngineAgrees, FullBlocksStayBelowTheSigopLimit) {
  ChainShape shape;
  shape.blocks = 112;
  shape.transactions_per_block = 20'000;
  shape.keys = 32;
  ChainGenerator generator(shape);
  std::map<OutPoint, OwnedOutput> outputs;
  BlockColumns columns;
  uint64_t highest = 0;
  while (!generator.done()) {
    const Bytes raw = generator.NextBlock();
    ASSERT_EQ(DecodeBlock(raw, columns), DecodeError::kNone);
    HashTransactions(columns);
    uint64_t cost = 0;
    for (uint32_t t = 0; t < columns.transaction_count(); ++t) {
      const TransactionView view = columns.transaction(t);
      for (uint32_t i = 0; i < view.output_count(); ++i) {
        const ByteSpan script = view.script_pubkey(i);
        outputs[{view.txid(), i}] = {view.amount(i), {script.begin(), script.end()}};
      }
      cost += SigopCost(view, t == 0 ? std::vector<Coin>() : CoinsOf(view, outputs), kVerifyP2sh | kVerifyWitness);
    }
    highest = std::max(highest, cost);
  }
  EXPECT_LE(highest, 80'000u);
  EXPECT_GT(highest, 50'000u);
  std::cout << "highest=" << highest << "\n";
}

}  // namespace
}  // namespace headrace::chaingen
