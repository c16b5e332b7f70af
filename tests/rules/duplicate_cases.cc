// Transactions that come twice (BIP30). Without BIP34's heights a coinbase can repeat an earlier one byte for byte; so
// do these, on a regtest where BIP34 comes late.
#include "gtest/gtest.h"
#include "tests/rules/node_trial.h"
#include "tests/rules/rule_case.h"

namespace headrace::testing {
namespace {

const ChainParams& WithoutBip34() {
  static const ChainParams params = [] {
    ChainParams late = ParamsFor(ChainId::kRegtest);
    late.bip34_height = 1'000'000;
    return late;
  }();
  return params;
}

Draft Repeating(const Branch& branch, uint32_t height) {
  Draft draft = branch.NextDraft();
  draft.coinbase() = branch.blocks()[height - 1]->transactions[0];
  return draft;
}

// The height's coinbase once more, as its own coin.
void ConnectRepeated(Branch& branch, uint32_t height) { branch.Connect(branch.Mine(Repeating(branch, height))); }

std::shared_ptr<const ChainParams> WithException(const MinedBlock& block) {
  ChainParams params = WithoutBip34();
  params.bip30_exceptions = {{block.height, block.hash}};
  return std::make_shared<const ChainParams>(params);
}

Attempt RepeatsUnspent(Branch& branch) { return Try(branch, Repeating(branch, 1), branch.NextDraft()); }

Attempt RepeatsSpent(Branch& branch) {
  branch.Add({Spend({branch.CoinbaseOf(1)})});
  return Try(branch, Repeating(branch, 2), Repeating(branch, 1));
}

// Two coinbases of two outputs: one output of the first is spent, both of the second.
Attempt RepeatsHalfSpent(Branch& branch) {
  for (int i = 0; i < 2; ++i) {
    Draft draft = branch.NextDraft();
    draft.coinbase().outputs = {{20 * kCoin, kTrueScript}, {5 * kCoin, kTrueScript}};
    branch.Connect(branch.Mine(std::move(draft)));
  }
  const uint32_t second = branch.height(), first = second - 1;
  branch.Grow(99);
  const auto output = [&](uint32_t height, uint32_t index) {
    return OutputOf(branch.blocks()[height - 1]->transactions[0], index);
  };
  branch.Add({Spend({output(first, 0), output(second, 0), output(second, 1)})});
  Draft bad = Repeating(branch, first), good = Repeating(branch, second);
  return Try(branch, std::move(bad), std::move(good));
}

// What the block itself spends does not count: the rule looks at the set as it is before the block.
Attempt RepeatsWhatItSpends(Branch& branch) {
  Draft bad = Repeating(branch, 1), good = branch.NextDraft();
  for (Draft* draft : {&bad, &good}) draft->transactions.push_back(Spend({branch.CoinbaseOf(1)}));
  return Try(branch, std::move(bad), std::move(good));
}

// Offered in one file, all of this is one window.
Attempt RepeatsRepeated(Branch& branch) {
  branch.Add({Spend({branch.CoinbaseOf(1)})});
  ConnectRepeated(branch, 1);
  return Try(branch, Repeating(branch, 1), branch.NextDraft());
}

// A coinbase that came twice can be spent twice, by the same transaction.
Attempt RepeatsPayment(Branch& branch) {
  const MutableTransaction payment = Spend({branch.CoinbaseOf(1)});
  branch.Add({payment});
  ConnectRepeated(branch, 1);
  branch.Grow(99);
  MutableTransaction other = payment;
  other.outputs[0].amount -= 1;
  return TryTransactions(branch, {payment}, {other});
}

// The exception is a height and a hash.
Attempt ExceptionOfAnotherHash(Branch& branch) {
  Draft bad = Repeating(branch, 1);
  const Draft good = bad;
  ++bad.header.time_s;
  Attempt attempt = Try(branch, std::move(bad), good);
  attempt.params = WithException(attempt.twin);
  return attempt;
}

Attempt ExceptionBelow(Branch& branch) {
  ConnectRepeated(branch, 1);
  Attempt attempt = Try(branch, Repeating(branch, 2), branch.NextDraft());
  attempt.params = WithException(*branch.blocks().back());
  return attempt;
}

// The overwritten coin had matured; the new one has not.
Attempt OverwrittenIsYoung(Branch& branch) {
  ConnectRepeated(branch, 1);
  Attempt attempt = TryTransactions(branch, {Spend({branch.CoinbaseOf(1)})}, {Spend({branch.CoinbaseOf(2)})});
  attempt.params = WithException(*branch.blocks().back());
  return attempt;
}

// When the block that overwrote it is taken back, the older coin does not return: nothing remembers it. The network
// does the same.
void OverwrittenIsGone() {
  const Branch below = Branch::OfHeight(WithoutBip34(), 110);
  Branch excepted = below, longer = below;
  ConnectRepeated(excepted, 1);
  const auto params = WithException(*excepted.blocks().back());
  longer.Grow(2);
  NodeTrial trial(*params, 2'000'000'000);
  trial.Import(excepted.blocks());
  trial.ExpectAt(excepted);
  for (const uint32_t height : {111, 112})
    EXPECT_FALSE(trial.OfferByPeer(*longer.blocks()[height - 1]).verdict.has_value());
  EXPECT_EQ(trial.tip().hash, longer.tip_hash());

  const HeldCoin gone = below.CoinbaseOf(1);
  TestCoinSet expected = longer.coins();
  ASSERT_EQ(expected.erase(gone.outpoint), 1u);
  trial.node().ExpectCoins(expected);
  const Reception spends_it = trial.OfferByPeer(MineWith(longer, {Spend({gone})}));
  ASSERT_TRUE(spends_it.verdict.has_value());
  EXPECT_EQ(spends_it.verdict->reason, "bad-txns-inputs-missingorspent");
  // Now that it does not exist, it may be made again.
  const Reception makes_it = trial.OfferByPeer(longer.Mine(Repeating(longer, 1)));
  EXPECT_FALSE(makes_it.verdict.has_value()) << makes_it.verdict->reason;
}

}  // namespace

std::vector<RuleCase> DuplicateCases() {
  const auto case_of = [](std::string name, std::string breaking, std::string twin,
                          std::function<Attempt(Branch&)> build) {
    return RuleCase{.rule = Rule::kDuplicateUnspentTransaction,
                    .name = name,
                    .breaking = breaking,
                    .twin = twin,
                    .reject = "bad-txns-BIP30",
                    .build = build,
                    .params = WithoutBip34};
  };
  std::vector<RuleCase> all = {
      case_of("RepeatsUnspent", "a coinbase that repeats an unspent one", "a coinbase of its own", RepeatsUnspent),
      case_of("RepeatsSpent", "one that repeats an unspent one", "one that repeats a spent one", RepeatsSpent),
      case_of("RepeatsHalfSpent", "one that repeats one of two outputs, of which one is spent",
              "one that repeats one whose outputs are both spent", RepeatsHalfSpent),
      case_of("RepeatsWhatItSpends", "one that repeats what the same block spends", "a coinbase of its own",
              RepeatsWhatItSpends),
      case_of("RepeatsRepeated", "one that repeats what was spent and made again in the two blocks below",
              "a coinbase of its own", RepeatsRepeated),
      case_of("RepeatsPayment", "a payment once more, out of a coinbase that came twice", "another payment",
              RepeatsPayment),
      case_of("ExceptionOfAnotherHash", "at the height of an exception, another block",
              "the block that the exception names (it repeats an unspent coinbase)", ExceptionOfAnotherHash),
      case_of("ExceptionBelow", "the block after the exception's repeats another unspent coinbase",
              "a coinbase of its own", ExceptionBelow),
  };
  all.push_back({.rule = Rule::kCoinbasePremature,
                 .name = "OverwrittenIsYoung",
                 .breaking = "an overwritten coinbase (BIP30's exception) spent when the old one would have matured",
                 .twin = "another coinbase of the old one's age",
                 .reject = "bad-txns-premature-spend-of-coinbase",
                 .build = OverwrittenIsYoung,
                 .params = WithoutBip34});
  all.push_back({.rule = Rule::kInputsMissingOrSpent,
                 .name = "OverwrittenIsGone",
                 .breaking = "an overwritten coinbase spent after the exception's block was taken back",
                 .twin = "the coinbase made once more, now that none is there",
                 .reject = "bad-txns-inputs-missingorspent",
                 .prove = OverwrittenIsGone});
  return all;
}

}  // namespace headrace::testing
