// Bytes that are not what their header commits to: the block is dropped, its hash is not condemned. Wherever the good
// block has the same hash, it is the twin, and connects after the bad one.
#include "engine/primitives/byte_writer.h"
#include "tests/rules/rule_case.h"

namespace headrace::testing {
namespace {

// So many payments of one coin each after the coinbase.
Draft DraftWith(Branch& branch, uint32_t payments) {
  Draft draft = branch.NextDraft();
  for (uint32_t i = 0; i < payments; ++i) draft.transactions.push_back(Spend({branch.TakeCoin()}));
  return draft;
}

// The twin under the good hash; the breaking block has other bytes after the same header.
Attempt Altered(const Branch& branch, const Draft& draft, std::function<void(BuiltBlock&)> change) {
  Attempt attempt{branch.Mine(draft), branch.Mine(draft)};
  change(attempt.breaking);
  attempt.breaking.raw = Slab::Copy(attempt.breaking.Serialize());
  return attempt;
}

auto Repeating(uint32_t payments, uint32_t repeated) {
  return [=](Branch& branch) {
    return Altered(branch, DraftWith(branch, payments), [=](BuiltBlock& block) {
      const auto all = block.transactions;
      block.transactions.insert(block.transactions.end(), all.end() - repeated, all.end());
    });
  };
}

auto AlteredBlock(uint32_t payments, std::function<void(BuiltBlock&)> change) {
  return [=](Branch& branch) { return Altered(branch, DraftWith(branch, payments), change); };
}

// A "transaction" as large as two hashes: version, one input without a script, one output with four bytes of one, lock
// time.
MutableTransaction SixtyFourBytes(const HeldCoin& coin) {
  MutableTransaction transaction = Spend({coin});
  transaction.outputs[0].script = {0x51, 0x61, 0x61, 0x61};
  HR_CHECK(transaction.Serialize(false).size() == 64);
  return transaction;
}

// Where the first transaction is a coinbase, another of 64 bytes is as good as any. Without a coinbase the block may be
// a good one's inner hashes in disguise: to find a good block that can be disguised takes far more work than a test
// has, so the twin has a hash of its own.
Attempt SixtyFourByteTransaction(Branch& branch, bool comes_alone) {
  Draft good = branch.NextDraft();
  good.transactions.push_back(SixtyFourBytes(branch.TakeCoin()));
  Draft bad = good;
  bad.transactions.erase(bad.transactions.begin());
  if (!comes_alone) bad.transactions.insert(bad.transactions.begin(), Spend({branch.TakeCoin()}));
  return Try(branch, std::move(bad), std::move(good));
}

}  // namespace

std::vector<RuleCase> MutationCases() {
  return {
      {Rule::kMerkleRootMismatch, "RootWrong", "a header whose root is not that of its block, changed before mining",
       "the right root, another hash", "bad-txnmrklroot",
       [](Branch& branch) {
         Draft bad = branch.NextDraft();
         bad.has_wrong_root = true;
         return Try(branch, std::move(bad), branch.NextDraft());
       }},
      {Rule::kMerkleRootMismatch, "PaymentAltered", "an amount changed under the good hash",
       "the good block, the same hash", "bad-txnmrklroot",
       AlteredBlock(2, [](BuiltBlock& block) { --block.transactions[2].outputs[0].amount; })},
      {Rule::kMerkleRootMismatch, "PaymentsInAnotherOrder", "two payments swapped", "the good block, the same hash",
       "bad-txnmrklroot",
       AlteredBlock(3, [](BuiltBlock& block) { std::swap(block.transactions[1], block.transactions[2]); })},
      {Rule::kMerkleRootMismatch, "PaymentLeftOut", "the last payment left out", "the good block, the same hash",
       "bad-txnmrklroot", AlteredBlock(2, [](BuiltBlock& block) { block.transactions.pop_back(); })},
      {Rule::kMerkleRootMismatch, "TransactionsLeftOut", "the good header and no transactions",
       "the good block, the same hash", "bad-txnmrklroot",
       AlteredBlock(0, [](BuiltBlock& block) { block.transactions.clear(); })},
      {Rule::kMerkleDuplicate, "LastOfThreeRepeated", "the last of three transactions once more",
       "the three, the same hash", "bad-txns-duplicate", Repeating(2, 1)},
      {Rule::kMerkleDuplicate, "LastTwoOfSixRepeated", "the last two of six once more", "the six, the same hash",
       "bad-txns-duplicate", Repeating(5, 2)},
      {Rule::kMerkleDuplicate, "LastFourOfTwelveRepeated", "the last four of twelve once more",
       "the twelve, the same hash", "bad-txns-duplicate", Repeating(11, 4)},
      {Rule::kCoinbaseMissingAmbiguous, "SixtyFourBytesAlone", "64 bytes that may be two inner hashes, and no coinbase",
       "a payment of 64 bytes after a coinbase", "bad-cb-missing",
       [](Branch& branch) { return SixtyFourByteTransaction(branch, true); }},
      {Rule::kCoinbaseMissingAmbiguous, "SixtyFourBytesSecond", "the same after an ordinary payment",
       "a payment of 64 bytes after a coinbase", "bad-cb-missing",
       [](Branch& branch) { return SixtyFourByteTransaction(branch, false); }},
  };
}

}  // namespace headrace::testing
