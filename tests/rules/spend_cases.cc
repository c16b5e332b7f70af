// Inputs: what they spend must exist, and must be unspent when their turn comes.
#include "engine/script/script_builder.h"
#include "tests/rules/rule_case.h"

namespace headrace::testing {
namespace {

constexpr auto kRule = Rule::kInputsMissingOrSpent;
const std::string kReject = "bad-txns-inputs-missingorspent";

// The first input of a payment names something else.
auto Naming(std::function<OutPoint(Branch&)> outpoint) {
  return [=](Branch& branch) {
    const MutableTransaction good = Spend({branch.TakeCoin()});
    MutableTransaction bad = good;
    bad.inputs[0].prevout = outpoint(branch);
    return TryTransactions(branch, {bad}, {good});
  };
}

OutPoint NeverExisted(Branch& branch) {
  OutPoint outpoint = branch.CoinbaseOf(3).outpoint;
  outpoint.txid.bytes[20] ^= 1;
  return outpoint;
}

OutPoint IndexBeyondOutputs(Branch& branch) { return {branch.CoinbaseOf(3).outpoint.txid, 1}; }

OutPoint IndexAlmostNull(Branch& branch) { return {branch.CoinbaseOf(3).outpoint.txid, OutPoint::kNullIndex}; }

Attempt SpentBelow(Branch& branch) {
  const HeldCoin coin = branch.TakeCoin();
  branch.Add({Spend({coin})});
  MutableTransaction bad = Spend({coin});
  bad.lock_time = 1;  // another transaction than the one that spent it
  return TryTransactions(branch, {bad}, {Spend({branch.TakeCoin()})});
}

Attempt SpentTwiceInBlock(Branch& branch) {
  const HeldCoin coin = branch.TakeCoin();
  const MutableTransaction first = Spend({coin});
  MutableTransaction second = Spend({branch.TakeCoin(), coin});
  const MutableTransaction good = Spend({branch.TakeCoin()});
  return TryTransactions(branch, {first, good, second}, {first, good}, 3, 1);
}

// A chain of three payments inside a block stands on a coin below it.
Attempt Order(Branch& branch, std::vector<int> order, uint32_t transaction) {
  const MutableTransaction first = Spend({branch.TakeCoin()}), second = Spend({OutputOf(first)});
  const MutableTransaction third = Spend({OutputOf(second)});
  const std::vector<MutableTransaction> chain = {first, second, third};
  std::vector<MutableTransaction> shuffled;
  for (const int at : order) shuffled.push_back(chain[static_cast<size_t>(at)]);
  return TryTransactions(branch, shuffled, chain, transaction);
}

Attempt SpentInsideBlock(Branch& branch) {
  const MutableTransaction first = Spend({branch.TakeCoin()}), second = Spend({OutputOf(first)});
  MutableTransaction again = second;
  again.lock_time = 1;
  return TryTransactions(branch, {first, second, again}, {first, second}, 3);
}

// A script of exactly so many bytes that is true: pushes, then OP_1.
Bytes LongScript(size_t size) {
  ScriptBuilder script;
  size_t left = size - 1;
  while (left > 523) {
    script.Data(Bytes(520, 9));
    left -= 523;
  }
  HR_CHECK(left <= 76);  // one byte of length
  return script.Data(Bytes(left - 1, 9)).Number(1).Take();
}

Attempt Unspendable(Branch& branch, const Bytes& bad_script, const Bytes& good_script) {
  const auto coins = branch.Fund({{kCoin, bad_script}, {kCoin, good_script}});
  return TryTransactions(branch, {Spend({coins[0]})}, {Spend({coins[1]})});
}

}  // namespace

std::vector<RuleCase> SpendCases() {
  const std::string good = "a coin that exists";
  return {
      {kRule, "NeverExisted", "the output of a transaction that never was", good, kReject, Naming(NeverExisted)},
      {kRule, "IndexBeyondOutputs", "the second output of a transaction that has one", good, kReject,
       Naming(IndexBeyondOutputs)},
      {kRule, "IndexAlmostNull", "index 0xffffffff of a transaction that exists", good, kReject,
       Naming(IndexAlmostNull)},
      {.rule = kRule,
       .name = "GenesisCoinbase",
       .breaking = "the output of the genesis block",
       .twin = "the first coinbase after it",
       .reject = kReject,
       .build =
           [](Branch& branch) {
             const BlockHeader genesis = BlockHeader::Load(GenesisBlock(branch.params()).data());
             const MutableTransaction twin = Spend({branch.TakeCoin()});
             MutableTransaction bad = twin;
             bad.inputs[0].prevout = {genesis.merkle_root, 0};
             return TryTransactions(branch, {bad}, {twin});
           }},
      {kRule, "SpentBelow", "a coin that the block below has spent", "another", kReject, SpentBelow},
      {kRule, "SpentTwiceInBlock", "the second input of the third payment: spent by the first", "without the third",
       kReject, SpentTwiceInBlock},
      {kRule, "SpentInsideBlock", "a coin made and spent in the block, spent once more", "once", kReject,
       SpentInsideBlock},
      {kRule, "ChildBeforeParent", "a payment before the one whose output it spends", "after it", kReject,
       [](Branch& branch) {
         return Order(branch, {1, 0, 2}, 1);
       }},
      {kRule, "GrandchildBeforeChild", "the third of a chain before the second", "the chain in its order", kReject,
       [](Branch& branch) {
         return Order(branch, {0, 2, 1}, 2);
       }},
      {kRule, "ReturnOutput", "an output that begins with OP_RETURN", "one that anyone may spend", kReject,
       [](Branch& branch) {
         return Unspendable(branch, {kOpReturn, 0x51}, {0x51});
       }},
      {kRule, "ScriptOf10001Bytes", "an output whose script has 10,001 bytes", "10,000 bytes", kReject,
       [](Branch& branch) { return Unspendable(branch, LongScript(10'001), LongScript(10'000)); }},
  };
}

}  // namespace headrace::testing
