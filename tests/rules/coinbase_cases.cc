// The coinbase: where it stands, how long its script is, the height in it, and what it pays.
#include "engine/consensus/check_spends.h"
#include "engine/script/script_builder.h"
#include "tests/rules/rule_case.h"

namespace headrace::testing {
namespace {

// Coinbase scripts, given as they are.
auto Scripts(Bytes breaking, Bytes twin) {
  return [=](Branch& branch) {
    Draft bad = branch.NextDraft(), good = branch.NextDraft();
    bad.coinbase().inputs[0].script_sig = breaking;
    good.coinbase().inputs[0].script_sig = twin;
    return Try(branch, std::move(bad), std::move(good));
  };
}

// The height's push, then bytes up to `size`.
Bytes ScriptOfSize(uint32_t height, size_t size) {
  Bytes script = CoinbaseAt(height, 0).inputs[0].script_sig;
  script.resize(size, 0);
  return script;
}

// One coin is worth a payment of a coinbase, its fee aside.
Attempt CoinbasePays(Branch& branch, Amount fee, Amount breaking, Amount twin) {
  MutableTransaction payment = Spend({branch.TakeCoin()});
  payment.outputs[0].amount -= fee;
  Draft bad = branch.NextDraft();
  bad.transactions.push_back(payment);
  Draft good = bad;
  bad.coinbase().outputs[0].amount = breaking;
  good.coinbase().outputs[0].amount = twin;
  return Try(branch, std::move(bad), std::move(good));
}

std::vector<RuleCase> ShapeCases() {
  const auto first_transaction = [](auto&& change) {
    return [=](Branch& branch) {
      Draft bad = branch.NextDraft();
      bad.transactions.push_back(Spend({branch.TakeCoin()}));
      const Draft good = bad;
      change(bad);
      return Try(branch, bad, good);
    };
  };
  const std::string twin = "coinbase first, payment after it";
  return {
      {Rule::kCoinbaseMissing, "CoinbaseMissing", "a payment and no coinbase", twin, "bad-cb-missing",
       first_transaction([](Draft& draft) { draft.transactions.erase(draft.transactions.begin()); })},
      {Rule::kCoinbaseMissing, "CoinbaseSecond", "the coinbase after a payment", twin, "bad-cb-missing",
       first_transaction([](Draft& draft) { std::swap(draft.transactions[0], draft.transactions[1]); })},
      {Rule::kCoinbaseMissing, "CoinbaseWithTwoInputs", "a null outpoint and another input in the first transaction",
       twin, "bad-cb-missing", first_transaction([](Draft& draft) {
         draft.coinbase().inputs.push_back(draft.transactions[1].inputs[0]);
         draft.transactions.pop_back();
       })},
      {Rule::kCoinbaseMissing, "CoinbaseWithOrdinaryIndex", "the zero hash with index 0 in the first transaction", twin,
       "bad-cb-missing", first_transaction([](Draft& draft) { draft.coinbase().inputs[0].prevout.index = 0; })},
      {Rule::kCoinbaseMultiple, "CoinbaseTwice", "a second coinbase, last", twin, "bad-cb-multiple",
       [first_transaction](Branch& branch) {
         Attempt attempt =
             first_transaction([](Draft& draft) { draft.transactions.push_back(CoinbaseAt(draft.height, 0)); })(branch);
         attempt.transaction = 2;
         return attempt;
       }},
  };
}

std::vector<RuleCase> LengthCases() {
  return {
      {Rule::kCoinbaseLength, "CoinbaseScript101", "a script of 101 bytes", "100 bytes", "bad-cb-length",
       Scripts(ScriptOfSize(111, 101), ScriptOfSize(111, 100))},
      {.rule = Rule::kCoinbaseLength,
       .name = "CoinbaseScript1",
       .breaking = "a script of one byte: OP_4, the height",
       .twin = "two bytes",
       .reject = "bad-cb-length",
       .build = Scripts({0x54}, {0x54, 0x00}),
       .base_height = 3},
      {Rule::kCoinbaseLength, "CoinbaseScriptEmpty", "no script", "two bytes: the push of height 111", "bad-cb-length",
       Scripts({}, {0x01, 0x6f})},
  };
}

const ChainParams& LateBip34Params() {
  static const ChainParams params = [] {
    ChainParams late = ParamsFor(ChainId::kRegtest);
    late.bip34_height = 113;
    return late;
  }();
  return params;
}

std::vector<RuleCase> HeightCases() {
  const auto at = [](uint32_t height, std::string name, std::string breaking, std::string twin, Bytes bad, Bytes good) {
    return RuleCase{.rule = Rule::kCoinbaseHeight,
                    .name = name,
                    .breaking = "height " + std::to_string(height) + ": " + breaking,
                    .twin = twin,
                    .reject = "bad-cb-height",
                    .build = Scripts(bad, good),
                    .base_height = height - 1};
  };
  return {
      at(111, "HeightOfParent", "a push of 110", "a push of 111", {1, 110, 0}, {1, 111, 0}),
      at(111, "HeightOfChild", "a push of 112", "a push of 111, and bytes that are no script", {1, 112, 0},
         {1, 111, 0x4e}),
      at(111, "HeightPadded", "the number with a zero byte more", "the shortest push", {2, 111, 0}, {1, 111, 0}),
      at(111, "HeightByPushData", "the number behind OP_PUSHDATA1", "pushed by its length", {0x4c, 1, 111},
         {1, 111, 0x4c}),
      at(111, "HeightSecond", "the number as second push", "as first", {0x51, 1, 111}, {1, 111, 0x51}),
      at(111, "HeightCutOff", "the length of the push without the number", "with it", {1, 0}, {1, 111}),
      at(1, "HeightOneAsPush", "the number 1 as a push of one byte", "OP_1", {1, 1}, {0x51, 0}),
      at(5, "HeightFiveAsPush", "the number 5 as a push of one byte", "OP_5", {1, 5}, {0x55, 0}),
      at(16, "HeightSixteenAsPush", "the number 16 as a push of one byte", "OP_16", {1, 16}, {0x60, 0}),
      at(17, "HeightSeventeenAsOpcode", "the byte after OP_16, which is OP_NOP", "a push of one byte", {0x61, 0},
         {1, 17}),
      at(128, "HeightWithSign", "the byte 0x80, which is minus zero", "0x80 and the byte of the sign", {1, 0x80, 0},
         {2, 0x80, 0}),
      at(256, "HeightBigEndian", "0x0100, the greater byte first", "the lesser byte first", {2, 1, 0}, {2, 0, 1}),
      {.rule = Rule::kCoinbaseHeight,
       .name = "HeightBeforeBip34",
       .breaking = "no height at the first height of BIP34 (one below it is part of the chain)",
       .twin = "the height",
       .reject = "bad-cb-height",
       .build =
           [](Branch& branch) {
             branch.Grow(1);
             Draft last = branch.NextDraft();
             last.coinbase().inputs[0].script_sig = {0x52, 0x52};
             branch.Connect(branch.Mine(std::move(last)));
             return Scripts({0x52, 0x52}, {1, 113})(branch);
           },
       .params = LateBip34Params},
  };
}

std::vector<RuleCase> PaidCases() {
  constexpr Amount kSubsidy = 50 * kCoin;
  return {
      {Rule::kCoinbaseAmount, "CoinbaseAboveSubsidy", "the subsidy and one satoshi, without fees", "the subsidy",
       "bad-cb-amount", [](Branch& branch) { return CoinbasePays(branch, 0, kSubsidy + 1, kSubsidy); }},
      {Rule::kCoinbaseAmount, "CoinbaseAboveFees", "subsidy and fees, and one satoshi", "subsidy and fees",
       "bad-cb-amount", [](Branch& branch) { return CoinbasePays(branch, 1000, kSubsidy + 1001, kSubsidy + 1000); }},
      {Rule::kCoinbaseAmount, "CoinbaseOutputsTogether", "two outputs that are too much together",
       "less than it might pay", "bad-cb-amount",
       [](Branch& branch) {
         Draft bad = branch.NextDraft(), good = branch.NextDraft();
         bad.coinbase().outputs.push_back({1, {kOpReturn}});
         good.coinbase().outputs = {{0, kTrueScript}};
         return Try(branch, std::move(bad), std::move(good));
       }},
      {.rule = Rule::kCoinbaseAmount,
       .name = "CoinbaseAtTheHalving",
       .breaking = "25 coins and one satoshi at height 150, where regtest halves",
       .twin = "25 coins (50 at 149 are part of the chain)",
       .reject = "bad-cb-amount",
       .build = [](Branch& branch) { return CoinbasePays(branch, 0, kSubsidy / 2 + 1, kSubsidy / 2); },
       .base_height = 149},
      {.rule = Rule::kCoinbaseAmount,
       .name = "CoinbaseAtTheSecondHalving",
       .breaking = "25 coins at height 300",
       .twin = "12.5 coins (25 at 299 are part of the chain)",
       .reject = "bad-cb-amount",
       .build = [](Branch& branch) { return CoinbasePays(branch, 0, kSubsidy / 2, kSubsidy / 4); },
       .base_height = 299},
  };
}

// Ten blocks on height 110: the coinbase of 12 would have 99 on it in the next block.
std::vector<RuleCase> MaturityCases() {
  return {
      {Rule::kCoinbasePremature, "CoinbaseAt99", "a coinbase spent 99 blocks after its own", "100 blocks",
       "bad-txns-premature-spend-of-coinbase",
       [](Branch& branch) {
         return TryTransactions(branch, {Spend({branch.CoinbaseOf(12)})}, {Spend({branch.CoinbaseOf(11)})});
       }},
      {Rule::kCoinbasePremature, "CoinbaseAt99AsThirdInput", "the same in a transaction's third input", "100 blocks",
       "bad-txns-premature-spend-of-coinbase",
       [](Branch& branch) {
         const HeldCoin first = branch.TakeCoin(), second = branch.TakeCoin();
         return TryTransactions(branch, {Spend({branch.TakeCoin()}), Spend({first, second, branch.CoinbaseOf(12)})},
                                {Spend({first, second, branch.CoinbaseOf(11)})}, 2, 2);
       }},
      {Rule::kCoinbasePremature, "OwnCoinbase", "the coinbase of its own block spent",
       "an ordinary output of its own block spent", "bad-txns-premature-spend-of-coinbase",
       [](Branch& branch) {
         Draft bad = branch.NextDraft();
         bad.transactions.push_back(Spend({OutputOf(bad.coinbase())}));
         Draft good = branch.NextDraft();
         good.transactions.push_back(Spend({branch.TakeCoin()}));
         good.transactions.push_back(Spend({OutputOf(good.transactions[1])}));
         Attempt attempt = Try(branch, std::move(bad), std::move(good));
         attempt.transaction = 1;
         return attempt;
       }},
  };
}

}  // namespace

std::vector<RuleCase> CoinbaseCases() {
  std::vector<RuleCase> all = ShapeCases();
  for (std::vector<RuleCase> more : {LengthCases(), HeightCases(), PaidCases(), MaturityCases()}) {
    all.insert(all.end(), more.begin(), more.end());
  }
  return all;
}

}  // namespace headrace::testing
