// How large a block may be: without witnesses, and by weight.
#include "engine/script/script_builder.h"
#include "tests/rules/rule_case.h"

namespace headrace::testing {
namespace {

// The block without its witnesses, of exactly so many bytes: filled up in an output that nobody can spend.
Draft DraftOfStrippedSize(Branch& branch, size_t bytes, const std::vector<MutableTransaction>& transactions) {
  Draft draft = branch.NextDraft();
  draft.transactions.insert(draft.transactions.end(), transactions.begin(), transactions.end());
  draft.coinbase().outputs.push_back({0, {kOpReturn}});
  Draft stripped = draft;
  for (MutableTransaction& transaction : stripped.transactions) {
    for (TransactionInput& input : transaction.inputs) input.witness.clear();
  }
  // The script's length takes four bytes more than that of one byte.
  draft.coinbase().outputs.back().script.resize(bytes - stripped.Serialize().size() + 1 - 4, kOpReturn);
  return draft;
}

Attempt StrippedSize(Branch& branch, size_t breaking, size_t twin) {
  const MutableTransaction payment = Spend({branch.TakeCoin()});
  return Try(branch, DraftOfStrippedSize(branch, breaking, {payment}), DraftOfStrippedSize(branch, twin, {payment}));
}

// Programs of versions without a meaning take any witness (BIP141): what fills a block up to the last unit of weight.
const Bytes kFutureProgram = ScriptBuilder().Number(16).Data(Bytes{1, 2}).Take();

uint64_t WeightOf(const BuiltBlock& block) {
  BuiltBlock stripped = block;
  for (MutableTransaction& transaction : stripped.transactions) {
    for (TransactionInput& input : transaction.inputs) input.witness.clear();
  }
  return stripped.Serialize().size() * 3 + block.Serialize().size();
}

// The weight is reached by a witness over `stripped` bytes of other things; the draft commits to it.
Draft DraftOfWeight(Branch& branch, const HeldCoin& coin, size_t stripped, uint64_t weight) {
  MutableTransaction spend = Spend({coin});
  const auto with_item = [&](size_t size) {
    spend.inputs[0].witness = {Bytes(size, 7)};
    Draft draft = DraftOfStrippedSize(branch, stripped, {spend});
    draft.commits_by_hand = true;
    AppendCommitment(draft);
    return draft;
  };
  constexpr size_t kGuess = 100'000;
  const uint64_t reached = WeightOf(with_item(kGuess));
  Draft draft = with_item(kGuess + weight - reached);
  HR_CHECK(WeightOf(draft) == weight);
  return draft;
}

Attempt Weight(Branch& branch, size_t stripped) {
  const HeldCoin coin = branch.Fund({{50 * kCoin, kFutureProgram}})[0];
  return Try(branch, DraftOfWeight(branch, coin, stripped, 4'000'001),
             DraftOfWeight(branch, coin, stripped, 4'000'000));
}

}  // namespace

std::vector<RuleCase> SizeCases() {
  return {
      {Rule::kBlockLength, "StrippedSizeAboveMillion", "1,000,001 bytes without witnesses", "1,000,000 bytes",
       "bad-blk-length", [](Branch& branch) { return StrippedSize(branch, 1'000'001, 1'000'000); }},
      {Rule::kBlockLength, "NoTransactions", "no transactions, and the root of none", "a coinbase", "bad-blk-length",
       [](Branch& branch) {
         Draft bad = branch.NextDraft();
         bad.transactions.clear();
         return Try(branch, std::move(bad), branch.NextDraft());
       }},
      {Rule::kBlockWeight, "WeightByWitness", "a weight of 4,000,001, most of it one witness", "4,000,000",
       "bad-blk-weight", [](Branch& branch) { return Weight(branch, 100'000); }},
      {Rule::kBlockWeight, "WeightByOutputs", "a weight of 4,000,001, most of it outputs", "4,000,000",
       "bad-blk-weight", [](Branch& branch) { return Weight(branch, 900'000); }},
  };
}

}  // namespace headrace::testing
