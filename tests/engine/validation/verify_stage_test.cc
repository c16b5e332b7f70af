// The cutting of a block's inputs into batches, and the verdict that they come to in whatever order they are checked.
#include "engine/validation/verify_stage.h"

#include <algorithm>

#include "gtest/gtest.h"
#include "tests/reference/block_builder.h"

namespace headrace {
namespace {

using testing::BuiltBlock;
using testing::CoinbaseAt;

constexpr std::array<uint8_t, 1> kTrue = {0x51};
constexpr std::array<uint8_t, 1> kFalse = {0x00};

// A resolved block whose payments have so many inputs each; every coin may be spent by anybody.
class VerifyStageTest : public ::testing::Test {
 protected:
  void Make(std::vector<uint32_t> inputs_of_payments) {
    BuiltBlock block;
    block.transactions.push_back(CoinbaseAt(1, 1000));
    for (const uint32_t inputs : inputs_of_payments) {
      MutableTransaction payment;
      payment.inputs.resize(inputs);
      payment.outputs.push_back({1, {0x51}});
      block.transactions.push_back(payment);
    }
    raw_ = block.Serialize();
    job_.Recycle();
    ASSERT_EQ(DecodeBlock(raw_, job_.columns), DecodeError::kNone);
    HashTransactions(job_.columns);
    job_.spent.assign(job_.columns.input_count(), Coin{1, 1, false, kTrue});
    CutScriptBatches(job_);
  }

  // Checks the batches in the order of `number`; only the last one says that it is the last.
  Verdict Check(const std::vector<size_t>& order) {
    for (size_t i = 0; i < order.size(); ++i) {
      EXPECT_EQ(VerifyScriptBatch(job_.batches[order[i]]), i + 1 == order.size());
    }
    return ScriptVerdict(job_);
  }

  std::vector<uint8_t> raw_;
  BlockJob job_;
};

TEST_F(VerifyStageTest, EveryInputIsInExactlyOneBatch) {
  for (const std::vector<uint32_t>& payments : std::vector<std::vector<uint32_t>>{
           {1}, {127}, {128}, {129}, {255}, {256}, {257}, {128, 1}, {1, 128, 1}, {100, 600, 50}, {1, 1, 1, 300, 7}}) {
    Make(payments);
    // The coinbase's input is in none.
    uint32_t next = 1;
    for (const ScriptBatch& batch : job_.batches) {
      EXPECT_EQ(batch.first_input, next);
      EXPECT_GT(batch.end_input, batch.first_input);
      next = batch.end_input;
    }
    EXPECT_EQ(next, job_.columns.input_count());
    EXPECT_EQ(job_.batches_left, job_.batches.size());
  }
}

TEST_F(VerifyStageTest, ABlockWithoutPaymentsHasNoBatch) {
  Make({});
  EXPECT_TRUE(job_.batches.empty());
}

TEST_F(VerifyStageTest, TheFirstInputThatFailsIsNamedWhateverTheOrder) {
  const std::vector<std::vector<uint32_t>> failing = {{}, {1}, {700}, {1, 700}, {130, 300, 750}, {101, 102, 550}};
  for (const std::vector<uint32_t>& inputs : failing) {
    for (int direction = 0; direction < 3; ++direction) {
      Make({100, 600, 50});
      ASSERT_GE(job_.batches.size(), 4u);
      for (const uint32_t input : inputs) job_.spent[input].script = kFalse;
      std::vector<size_t> order(job_.batches.size());
      for (size_t i = 0; i < order.size(); ++i) order[i] = i;
      if (direction == 1) std::reverse(order.begin(), order.end());
      if (direction == 2) std::rotate(order.begin(), order.begin() + 2, order.end());
      const Verdict verdict = Check(order);
      ASSERT_EQ(verdict.ok(), inputs.empty());
      if (inputs.empty()) continue;
      EXPECT_EQ(verdict.rule, Rule::kScript);
      EXPECT_EQ(verdict.script_error, ScriptError::kEvalFalse);
      const uint32_t transaction = inputs[0] < 101 ? 1 : inputs[0] < 701 ? 2 : 3;
      EXPECT_EQ(verdict.transaction, transaction);
      EXPECT_EQ(verdict.input, inputs[0] - job_.columns.first_input[transaction]);
    }
  }
}

}  // namespace
}  // namespace headrace
