// Amounts: what is created against what is spent. Beyond that, the field's rules guard against sums that no chain can
// lead to: every coin of a valid chain comes from a subsidy, and all subsidies together stay below 21 million coins (on
// regtest far below). These are shown on the functions that judge, with coins that were made up.
#include "engine/consensus/check_spends.h"
#include "gtest/gtest.h"
#include "tests/rules/rule_case.h"

namespace headrace::testing {
namespace {

// A block of payments, each with one input for every coin and one output, judged with made-up coins.
struct MadeUpPayment {
  std::vector<Amount> spent;
  Amount created;
};

Verdict Judge(const std::vector<MadeUpPayment>& payments) {
  const ChainParams& params = ParamsFor(ChainId::kRegtest);
  BuiltBlock block;
  block.transactions = {CoinbaseAt(200, 0)};
  std::vector<Coin> coins(1);
  for (const MadeUpPayment& payment : payments) {
    MutableTransaction transaction;
    for (const Amount amount : payment.spent) {
      transaction.inputs.push_back({{Hash256(), static_cast<uint32_t>(coins.size())}, {}, 0xffffffff, {}});
      coins.push_back({amount, 1, false, {}});
    }
    transaction.outputs = {{payment.created, kTrueScript}};
    block.transactions.push_back(transaction);
  }
  const DecodedBlock decoded(block.Serialize());
  BlockContext context;
  context.height = 200;
  const VectorAncestry parents = VectorAncestry::Even(200, 1'700'000'000, 600, params.genesis.bits);
  Amount fees = 0;
  return CheckBlockSpends(decoded.columns, coins, context, parents, params, &fees);
}

void ExpectVerdict(const Verdict& verdict, Rule rule, uint32_t transaction, uint32_t input) {
  EXPECT_EQ(verdict.RejectReason(), InfoFor(rule).reject_reason);
  EXPECT_EQ(verdict.rule, rule);
  EXPECT_EQ(verdict.transaction, transaction);
  EXPECT_EQ(verdict.input, input);
}

void InputValues() {
  EXPECT_TRUE(Judge({{{kMaxMoney}, kMaxMoney}}).ok());
  ExpectVerdict(Judge({{{kMaxMoney + 1}, 0}}), Rule::kInputValuesOutOfRange, 1, 0);
  ExpectVerdict(Judge({{{5, -1}, 0}}), Rule::kInputValuesOutOfRange, 1, 1);
  EXPECT_TRUE(Judge({{{kMaxMoney - 1, 1}, kMaxMoney}}).ok());
  ExpectVerdict(Judge({{{1}, 1}, {{kMaxMoney - 1, 1, 1}, 0}}), Rule::kInputValuesOutOfRange, 2, 2);
}

// What is spent is at most 21 million coins and no output is negative, so that no fee is out of range: the rule is
// reached by nothing that passed the rules before it. An output of minus one satoshi leads there.
void Fee() {
  EXPECT_TRUE(Judge({{{kMaxMoney}, 0}}).ok());
  ExpectVerdict(Judge({{{kMaxMoney}, -1}}), Rule::kFeeOutOfRange, 1, 0);
}

void AccumulatedFee() {
  EXPECT_TRUE(Judge({{{kMaxMoney - 1}, 0}, {{1}, 0}}).ok());
  ExpectVerdict(Judge({{{kMaxMoney - 1}, 0}, {{1}, 0}, {{1}, 0}}), Rule::kAccumulatedFeeOutOfRange, 3, 0);
}

Attempt CreatesMore(Branch& branch, Amount breaking_extra, uint32_t inputs) {
  const MutableTransaction first = Spend({branch.TakeCoin()});
  std::vector<HeldCoin> coins;
  for (uint32_t i = 0; i < inputs; ++i) coins.push_back(branch.TakeCoin());
  const MutableTransaction good = Spend(coins);
  MutableTransaction bad = good;
  bad.outputs.push_back({breaking_extra, kTrueScript});
  return TryTransactions(branch, {first, bad}, {first, good}, 2);
}

// The fees of others do not pay for it.
Attempt PaidByOthers(Branch& branch) {
  MutableTransaction generous = Spend({branch.TakeCoin()});
  generous.outputs[0].amount -= kCoin;
  const MutableTransaction good = Spend({branch.TakeCoin()});
  MutableTransaction bad = good;
  ++bad.outputs[0].amount;
  return TryTransactions(branch, {generous, bad}, {generous, good}, 2);
}

}  // namespace

std::vector<RuleCase> AmountCases() {
  return {
      {Rule::kInBelowOut, "OneMoreThanSpent", "one satoshi more created than spent", "as much created as spent",
       "bad-txns-in-belowout", [](Branch& branch) { return CreatesMore(branch, 1, 1); }},
      {Rule::kInBelowOut, "OneMoreThanThree", "the same with three inputs", "as much created as spent",
       "bad-txns-in-belowout", [](Branch& branch) { return CreatesMore(branch, 1, 3); }},
      {Rule::kInBelowOut, "PaidByOthers", "one satoshi more created than spent beside a payment with a fee",
       "as much created as spent", "bad-txns-in-belowout", PaidByOthers},
      {.rule = Rule::kInputValuesOutOfRange,
       .name = "InputValues",
       .breaking =
           "coins of more than 21 million alone or together, by the function that judges: no valid chain has them",
       .twin = "21 million coins",
       .reject = "bad-txns-inputvalues-outofrange",
       .prove = InputValues},
      {.rule = Rule::kFeeOutOfRange,
       .name = "Fee",
       .breaking =
           "a fee of 21 million coins and a satoshi, by the function that judges: the rules before it let none through",
       .twin = "a fee of 21 million coins",
       .reject = "bad-txns-fee-outofrange",
       .prove = Fee},
      {.rule = Rule::kAccumulatedFeeOutOfRange,
       .name = "AccumulatedFee",
       .breaking =
           "fees of 21 million coins and a satoshi together, by the function that judges: no valid chain has them",
       .twin = "fees of 21 million coins together",
       .reject = "bad-txns-accumulated-fee-outofrange",
       .prove = AccumulatedFee},
  };
}

}  // namespace headrace::testing
