// Transactions on their own: shape, amounts, repeated inputs.
#include <limits>

#include "engine/consensus/check_transaction.h"
#include "engine/primitives/decode.h"
#include "gtest/gtest.h"
#include "tests/rules/rule_case.h"

namespace headrace::testing {
namespace {

// Two payments; the second is changed.
auto SecondPayment(std::function<void(MutableTransaction&)> change) {
  return [=](Branch& branch) {
    const MutableTransaction first = Spend({branch.TakeCoin()}), second = Spend({branch.TakeCoin()});
    MutableTransaction changed = second;
    change(changed);
    return TryTransactions(branch, {first, changed}, {first, second}, 2);
  };
}

// The rules for one transaction, on the function that judges it: for limits that a valid chain's money cannot reach.
std::string ReasonOf(const MutableTransaction& transaction) {
  const Bytes raw = transaction.Serialize();
  TransactionColumns columns;
  EXPECT_EQ(DecodeTransaction(raw, WitnessEncoding::kAllowed, columns), DecodeError::kNone);
  return CheckTransaction(TransactionView(columns, 0)).RejectReason();
}

MutableTransaction Paying(std::vector<Amount> amounts) {
  MutableTransaction transaction;
  transaction.inputs = {{{Hash256(), 7}, {}, 0xffffffff, {}}};
  for (const Amount amount : amounts) transaction.outputs.push_back({amount, kTrueScript});
  return transaction;
}

// A transaction of more than a million bytes makes its block longer than that, and "bad-blk-length" comes first.
void OversizeTransaction() {
  const auto of_size = [](size_t bytes) {
    MutableTransaction transaction = Paying({0});
    Bytes& script = transaction.outputs[0].script;
    script.resize(bytes - transaction.Serialize(false).size() + script.size() - 4);  // the length takes four bytes more
    EXPECT_EQ(transaction.Serialize(false).size(), bytes);
    return transaction;
  };
  EXPECT_EQ(ReasonOf(of_size(1'000'001)), "bad-txns-oversize");
  EXPECT_EQ(ReasonOf(of_size(1'000'000)), "");
  // Witnesses do not count.
  MutableTransaction with_witness = of_size(1'000'000);
  with_witness.inputs[0].witness = {Bytes(1000, 1)};
  EXPECT_EQ(ReasonOf(with_witness), "");
}

// On a real chain 21 million coins are never in one hand: the block with an output at the limit creates more than it
// spends.
void OutputLimits() {
  EXPECT_EQ(ReasonOf(Paying({kMaxMoney + 1})), "bad-txns-vout-toolarge");
  EXPECT_EQ(ReasonOf(Paying({kMaxMoney})), "");
}

void OutputTotalLimits() {
  EXPECT_EQ(ReasonOf(Paying({kMaxMoney, 1})), "bad-txns-txouttotal-toolarge");
  EXPECT_EQ(ReasonOf(Paying({kMaxMoney - 1, 1})), "");
  // Sums of what is in range never wrap: the first sum above the limit ends the check.
  EXPECT_EQ(ReasonOf(Paying(std::vector<Amount>(5000, kMaxMoney))), "bad-txns-txouttotal-toolarge");
}

std::vector<RuleCase> OutputCases() {
  const auto amounts = [](std::vector<Amount> values) {
    return SecondPayment([values](MutableTransaction& transaction) {
      transaction.outputs.clear();
      for (const Amount amount : values) transaction.outputs.push_back({amount, kTrueScript});
    });
  };
  constexpr Amount kLowest = std::numeric_limits<Amount>::min(), kHighest = std::numeric_limits<Amount>::max();
  const std::string twin = "an amount that was spent";
  const auto at_zero = [](Branch& branch) {
    MutableTransaction bad = Spend({branch.TakeCoin()});
    bad.outputs.push_back({-1, kTrueScript});
    MutableTransaction good = bad;
    good.outputs[1].amount = 0;
    return TryTransactions(branch, {bad}, {good});
  };
  return {
      {Rule::kOutputNegative, "OutputMinusOne", "an output of minus one satoshi", "an output of zero",
       "bad-txns-vout-negative", at_zero},
      {Rule::kOutputNegative, "OutputLowest", "the lowest amount that the field holds", twin, "bad-txns-vout-negative",
       amounts({kLowest})},
      {Rule::kOutputNegative, "OutputsCancelOut", "outputs of 51 coins and minus one", twin, "bad-txns-vout-negative",
       amounts({51 * kCoin, -kCoin})},
      {Rule::kOutputTooLarge, "OutputAboveAllMoney", "an output of 21 million coins and a satoshi", twin,
       "bad-txns-vout-toolarge", amounts({kMaxMoney + 1})},
      {Rule::kOutputTooLarge, "OutputHighest", "the highest amount that the field holds", twin,
       "bad-txns-vout-toolarge", amounts({kHighest})},
      {.rule = Rule::kOutputTooLarge,
       .name = "OutputAtTheLimit",
       .breaking = "21 million coins and a satoshi, by the function that judges",
       .twin = "21 million coins",
       .reject = "bad-txns-vout-toolarge",
       .prove = OutputLimits},
      {Rule::kOutputTotalTooLarge, "OutputsAboveAllMoney", "two outputs of 21 million coins together, and a satoshi",
       twin, "bad-txns-txouttotal-toolarge", amounts({kMaxMoney / 2, kMaxMoney / 2 + 1})},
      {Rule::kOutputTotalTooLarge, "OutputsThreeTimesAllMoney", "three outputs of 21 million coins each", twin,
       "bad-txns-txouttotal-toolarge", amounts({kMaxMoney, kMaxMoney, kMaxMoney})},
      {.rule = Rule::kOutputTotalTooLarge,
       .name = "OutputTotalAtTheLimit",
       .breaking = "21 million coins and a satoshi together, by the function that judges",
       .twin = "21 million coins together",
       .reject = "bad-txns-txouttotal-toolarge",
       .prove = OutputTotalLimits},
  };
}

// Inputs of one transaction: coins that a block below has made.
Attempt RepeatsInput(Branch& branch, uint32_t inputs, uint32_t copied, uint32_t to) {
  const std::vector<HeldCoin> coins = branch.Fund(std::vector<TransactionOutput>(inputs, {kCoin / 100, kTrueScript}));
  const MutableTransaction good = Spend(coins);
  MutableTransaction bad = good;
  bad.inputs[to].prevout = bad.inputs[copied].prevout;
  return TryTransactions(branch, {bad}, {good});
}

std::vector<RuleCase> InputCases() {
  const auto repeats = [](std::string name, std::string where, uint32_t inputs, uint32_t copied, uint32_t to) {
    return RuleCase{.rule = Rule::kInputsDuplicate,
                    .name = name,
                    .breaking = "an output spent twice by one transaction: " + where,
                    .twin = "every output once",
                    .reject = "bad-txns-inputs-duplicate",
                    .build = [=](Branch& branch) { return RepeatsInput(branch, inputs, copied, to); }};
  };
  return {
      repeats("InputTwice", "both of its two inputs", 2, 0, 1),
      repeats("InputTwiceApart", "the first and the last of sixteen inputs", 16, 0, 15),
      repeats("InputTwiceOfSeventeen", "the first and the last of seventeen inputs", 17, 0, 16),
      repeats("InputTwiceOfThousand", "two of a thousand inputs", 1000, 998, 1),
      {Rule::kPrevoutNull, "PrevoutNull", "a null outpoint beside a good input", "the good input alone",
       "bad-txns-prevout-null",
       [](Branch& branch) {
         const MutableTransaction good = Spend({branch.TakeCoin()});
         MutableTransaction bad = good;
         bad.inputs.push_back({{Hash256(), OutPoint::kNullIndex}, {0, 0}, 0xffffffff, {}});
         return TryTransactions(branch, {bad}, {good}, 1, 1);
       }},
      {Rule::kPrevoutNull, "PrevoutNullFirst", "a null outpoint before a good input", "the good input alone",
       "bad-txns-prevout-null",
       [](Branch& branch) {
         const MutableTransaction good = Spend({branch.TakeCoin()});
         MutableTransaction bad = good;
         bad.inputs.insert(bad.inputs.begin(), {{Hash256(), OutPoint::kNullIndex}, {0, 0}, 0xffffffff, {}});
         return TryTransactions(branch, {bad}, {good}, 1, 0);
       }},
  };
}

}  // namespace

std::vector<RuleCase> TransactionCases() {
  const std::string twin = "one input, one output";
  std::vector<RuleCase> all = {
      // Without inputs there can be no outputs either: the encoding would take the count of zero for BIP144's marker.
      {Rule::kInputsEmpty, "InputsEmpty", "a transaction without inputs and outputs", twin, "bad-txns-vin-empty",
       SecondPayment([](MutableTransaction& transaction) {
         transaction.inputs.clear();
         transaction.outputs.clear();
       })},
      {Rule::kOutputsEmpty, "OutputsEmpty", "a transaction without outputs", twin, "bad-txns-vout-empty",
       SecondPayment([](MutableTransaction& transaction) { transaction.outputs.clear(); })},
      {Rule::kOutputsEmpty, "CoinbaseOutputsEmpty", "a coinbase without outputs", "one that pays nothing to anyone",
       "bad-txns-vout-empty",
       [](Branch& branch) {
         Draft bad = branch.NextDraft(), good = branch.NextDraft();
         bad.coinbase().outputs.clear();
         good.coinbase().outputs = {{0, {}}};
         return Try(branch, std::move(bad), std::move(good));
       }},
      {.rule = Rule::kTransactionOversize,
       .name = "TransactionOversize",
       .breaking = "1,000,001 bytes without witnesses, by the function that judges: no block has room for them",
       .twin = "1,000,000 bytes, and witnesses beside",
       .reject = "bad-txns-oversize",
       .prove = OversizeTransaction},
  };
  for (std::vector<RuleCase> more : {OutputCases(), InputCases()}) all.insert(all.end(), more.begin(), more.end());
  return all;
}

}  // namespace headrace::testing
