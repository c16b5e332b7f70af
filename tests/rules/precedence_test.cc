// Which of two offences a block is refused for. The order is part of what the field knows: it decides the words in
// every log, and whether a hash is remembered as bad. Each pair makes four blocks: with both offences, with the first
// alone, with the second alone, and with neither; so that a pair whose halves do nothing cannot pass.
#include "engine/chain/header_acceptance.h"
#include "gtest/gtest.h"
#include "tests/rules/node_trial.h"
#include "tests/rules/offence.h"
#include "tests/rules/run_summary.h"
#include "tests/rules/signet_solution.h"

namespace headrace::testing {
namespace {

constexpr int64_t kNow_s = 2'000'000'000;

struct Pair {
  std::string name;
  Offence first;  // the one that is named
  Offence second;
  // Regtest when absent; how high the branch stands.
  const ChainParams& (*params)() = nullptr;
  uint32_t base_height = 110;
  // The second payment has a witness, and the block commits to it.
  bool has_witness = false;
};

const ChainParams& Bip94() {
  static const ChainParams params = [] {
    ChainParams bip94 = ParamsFor(ChainId::kRegtest);
    bip94.enforces_bip94 = true;
    return bip94;
  }();
  return params;
}

const ChainParams& WithoutBip34() {
  static const ChainParams params = [] {
    ChainParams late = ParamsFor(ChainId::kRegtest);
    late.bip34_height = 1'000'000;
    return late;
  }();
  return params;
}

const ChainParams& Signet() {
  static const ChainParams params = [] {
    ChainParams signet = ParamsFor(ChainId::kRegtest);
    signet.signet_challenge = MultisigChallenge();
    return signet;
  }();
  return params;
}

std::vector<Pair> HeaderPairs() {
  return {
      {"HighHashBeforeBits", HighHash(), WrongBits()},
      {"HighHashBeforeTimeTooOld", HighHash(), TimeTooOld()},
      {"HighHashBeforeVersion", HighHash(), OldVersion()},
      {"BitsBeforeTimeTooOld", WrongBits(), TimeTooOld()},
      {"BitsBeforeTimeTooNew", WrongBits(), TimeTooNew()},
      {"BitsBeforeVersion", WrongBits(), OldVersion()},
      {"TimeTooOldBeforeVersion", TimeTooOld(), OldVersion()},
      {"TimeTooNewBeforeVersion", TimeTooNew(), OldVersion()},
      {"BitsBeforeTimeWarp", WrongBits(), TimeWarp(), Bip94, 142},
      {"TimeTooOldBeforeTimeWarp", TimeTooOld(), TimeWarp(), Bip94, 142},
      {"TimeWarpBeforeVersion", TimeWarp(), OldVersion(), Bip94, 142},
      {"VersionBeforeRoot", OldVersion(), WrongRoot()},
      {"TimeTooNewBeforeCoinbaseAmount", TimeTooNew(), CoinbaseGreedy()},
  };
}

std::vector<Pair> BlockPairs() {
  constexpr Amount kTooLarge = kMaxMoney + 1;
  const std::string negative = "bad-txns-vout-negative", too_large = "bad-txns-vout-toolarge";
  const std::string total = "bad-txns-txouttotal-toolarge";
  return {
      {"RootBeforeDuplicate", WrongRoot(), LastRepeated()},
      {"RootBeforeLength", WrongRoot(), TooLong()},
      {"RootBeforeCoinbaseMissing", WrongRoot(), CoinbaseLast()},
      // Whoever alters transactions spoils the signature as well: that must not condemn the hash. The field looks for
      // altered bytes before anything else, and so comes to the same.
      {"RootBeforeSignet", WrongRoot(), Unsolved(), Signet},
      {"DuplicateBeforeSignet", LastRepeated(), Unsolved(), Signet},
      {"SignetBeforeLength", Unsolved(), TooLong(), Signet},
      {"SignetBeforeCoinbaseAmount", Unsolved(), CoinbaseGreedy(), Signet},
      {"DuplicateBeforeNoOutputs", LastRepeated(), NoOutputs(1)},
      {"DuplicateBeforeMissing", LastRepeated(), InputMissing(1, 0)},
      {"LengthBeforeCoinbaseMissing", TooLong(), CoinbaseLast()},
      {"LengthBeforeSigops", TooLong(), LegacySigops()},
      {"CoinbaseMissingBeforeMultiple", CoinbaseLast(), CoinbaseAgain()},
      {"CoinbaseMissingBeforeNoInputs", CoinbaseLast(), NoInputs(2)},
      {"CoinbaseMultipleBeforeNoInputs", CoinbaseAgain(), NoInputs(1)},
      {"CoinbaseMultipleBeforeCoinbaseLength", CoinbaseAgain(), CoinbaseTooLong()},
      {"CoinbaseLengthBeforeNoInputs", CoinbaseTooLong(), NoInputs(1)},
      {"FirstPaymentsOutputBeforeSecondsInputs", Pays(1, {-1}, negative), NoInputs(2)},
      {"NoOutputsBeforeInputRepeated", NoOutputs(1), InputRepeated(1)},
      {"NegativeBeforeTooLargeBehindIt", Pays(1, {-1}, negative), Pays(1, {kTooLarge}, too_large)},
      {"TooLargeBeforeNegativeBehindIt", Pays(1, {kTooLarge}, too_large), Pays(1, {-1}, negative)},
      {"TotalBeforeTooLargeBehindIt", Pays(1, {kMaxMoney, 1}, total), Pays(1, {kTooLarge}, too_large)},
      {"TotalBeforeInputRepeated", Pays(1, {kMaxMoney, 1}, total), InputRepeated(1)},
      {"InputRepeatedBeforeNull", InputRepeated(1), InputNull(1)},
      {"NullBeforeSecondPaymentsOutputs", InputNull(1), NoOutputs(2)},
      {"NullBeforeSigops", InputNull(2), LegacySigops()},
      {"NegativeBeforeSigops", Pays(2, {-1}, negative), LegacySigops()},
      {"CoinbaseLengthBeforeHeight", CoinbaseTooLong(), WrongHeight()},
      {"SigopsBeforeNotFinal", LegacySigops(), NotFinal(1)},
      {"SigopsBeforeHeight", LegacySigops(), WrongHeight()},
      {"InputRepeatedBeforeMissing", InputRepeated(2), InputMissing(1, 0)},
  };
}

std::vector<Pair> ContextPairs() {
  const auto with_witness = [](std::string name, Offence first, Offence second) {
    return Pair{name, first, second, nullptr, 110, true};
  };
  return {
      {"NotFinalBeforeHeight", NotFinal(2), WrongHeight()},
      {"NotFinalBeforeMissing", NotFinal(2), InputMissing(1, 0)},
      {"HeightBeforeMissing", WrongHeight(), InputMissing(1, 0)},
      {"HeightBeforeCoinbaseAmount", WrongHeight(), CoinbaseGreedy()},
      with_witness("NotFinalBeforeReservedValue", NotFinal(1), ReservedValueShort()),
      with_witness("HeightBeforeReservedValue", WrongHeight(), ReservedValueShort()),
      with_witness("HeightBeforeUnexpectedWitness", WrongHeight(), CommitmentLeftOut()),
      with_witness("ReservedValueBeforeCommitment", ReservedValueShort(), CommitmentAltered()),
      with_witness("ReservedValueBeforeWeight", ReservedValueShort(), TooHeavy()),
      with_witness("CommitmentBeforeWeight", CommitmentAltered(), TooHeavy()),
      with_witness("UnexpectedWitnessBeforeWeight", CommitmentLeftOut(), TooHeavy()),
      with_witness("CommitmentBeforeMissing", CommitmentAltered(), InputMissing(1, 0)),
      with_witness("WeightBeforeMissing", TooHeavy(), InputMissing(1, 0)),
      with_witness("WeightBeforeCoinbaseAmount", TooHeavy(), CoinbaseGreedy()),
  };
}

std::vector<Pair> SpendPairs() {
  return {
      {"Bip30BeforeMissing", CoinbaseRepeated(), InputMissing(1, 0), WithoutBip34},
      {"Bip30BeforeScript", CoinbaseRepeated(), ScriptFalse(1, 0), WithoutBip34},
      {"NotFinalBeforeBip30", NotFinal(1), CoinbaseRepeated(), WithoutBip34},
      // Every input of a transaction is looked for before any is judged.
      {"MissingBeforePrematureInput", InputMissing(1, 1), InputPremature(1, 0)},
      {"PrematureBeforeNextPaymentsMissing", InputPremature(1, 1), InputMissing(2, 0)},
      {"MissingBeforeNextPaymentsPremature", InputMissing(1, 1), InputPremature(2, 0)},
      {"FirstMissingInput", InputMissing(1, 0), InputMissing(1, 1)},
      {"MissingOfTheFirstPayment", InputMissing(1, 1), InputMissing(2, 0)},
      {"PrematureBeforeCreatesTooMuch", InputPremature(1, 1), CreatesTooMuch(1)},
      {"CreatesTooMuchBeforeNextPremature", CreatesTooMuch(1), InputPremature(2, 0)},
      {"CreatesTooMuchBeforeSequence", CreatesTooMuch(1), SequenceLocked(1)},
      {"SequenceBeforeNextCreatesTooMuch", SequenceLocked(1), CreatesTooMuch(2)},
      {"SequenceBeforeNextMissing", SequenceLocked(1), InputMissing(2, 1)},
      {"SequenceBeforeSigops", SequenceLocked(1), RedeemSigops(1)},
      {"SigopsBeforeNextMissing", RedeemSigops(1), InputMissing(2, 0)},
      {"MissingBeforeNextSigops", InputMissing(1, 0), RedeemSigops(2)},
      {"SigopsBeforeNextSequence", RedeemSigops(1), SequenceLocked(2)},
      {"SigopsBeforeCoinbaseAmount", RedeemSigops(2), CoinbaseGreedy()},
      {"CreatesTooMuchBeforeCoinbaseAmount", CreatesTooMuch(2), CoinbaseGreedy()},
      {"SequenceBeforeCoinbaseAmount", SequenceLocked(2), CoinbaseGreedy()},
      // Scripts come last, whichever transaction they are in.
      {"CoinbaseAmountBeforeScript", CoinbaseGreedy(), ScriptFalse(1, 0)},
      {"MissingBeforeEarlierScript", InputMissing(2, 0), ScriptFalse(1, 0)},
      {"PrematureBeforeEarlierScript", InputPremature(2, 1), ScriptFalse(1, 0)},
      {"CreatesTooMuchBeforeEarlierScript", CreatesTooMuch(2), ScriptFalse(1, 1)},
      {"SequenceBeforeEarlierScript", SequenceLocked(2), ScriptFalse(1, 0)},
      {"SigopsBeforeEarlierScript", RedeemSigops(2), ScriptFalse(1, 0)},
      {"FirstInputsScript", ScriptFalse(1, 0), ScriptFalse(1, 1)},
      {"FirstPaymentsScript", ScriptFalse(1, 1), ScriptFalse(2, 0)},
      {"LegacySigopsBeforeScript", LegacySigops(), ScriptFalse(1, 0)},
  };
}

std::vector<Pair> AllPairs() {
  std::vector<Pair> all;
  for (std::vector<Pair> more : {HeaderPairs(), BlockPairs(), ContextPairs(), SpendPairs()}) {
    all.insert(all.end(), more.begin(), more.end());
  }
  return all;
}

// The block with or without either. The second is done first, so that the first finds what it left.
MinedBlock Make(const Pair& pair, const Scene& scene, bool has_first, bool has_second) {
  Draft draft = scene.Base();
  // A witness can be altered without the hash: each of the four needs a header of its own.
  draft.header.time_s += (has_first ? 2 : 0) + (has_second ? 1 : 0);
  if (pair.has_witness) {
    TransactionInput& input = draft.transactions[2].inputs[0];
    input.prevout = scene.open.outpoint;
    input.witness = {{1}};
    draft.commits_by_hand = true;
  }
  std::vector<Offence> done;
  if (has_second) done.push_back(pair.second);
  if (has_first) done.push_back(pair.first);
  for (const bool is_late : {false, true}) {
    if (is_late && pair.has_witness) AppendCommitment(draft);
    for (const Offence& offence : done) {
      if (offence.is_late == is_late) offence.commit(draft, scene);
    }
  }
  return scene.branch.Mine(std::move(draft));
}

class PrecedenceTest : public ::testing::TestWithParam<Pair> {};

TEST_P(PrecedenceTest, NamesTheFirst) {
  const Pair& pair = GetParam();
  ++CurrentRun().pairs;
  const ChainParams& params = pair.params == nullptr ? ParamsFor(ChainId::kRegtest) : pair.params();
  const Scene scene(params, pair.base_height);
  NodeTrial trial(params, kNow_s);
  trial.Import(scene.branch.blocks());
  trial.ExpectAt(scene.branch);
  const auto expect = [&](bool has_first, bool has_second, const Offence& named) {
    SCOPED_TRACE(named.reject);
    const Reception reception = trial.OfferByPeer(Make(pair, scene, has_first, has_second));
    ASSERT_TRUE(reception.verdict.has_value());
    EXPECT_EQ(reception.verdict->reason, named.reject);
    EXPECT_EQ(reception.verdict->transaction, named.transaction);
    EXPECT_EQ(reception.verdict->input, named.input);
    EXPECT_TRUE(reception.is_disconnected);
  };
  expect(true, true, pair.first);
  expect(true, false, pair.first);
  expect(false, true, pair.second);
  trial.ExpectAt(scene.branch);
  const MinedBlock good = Make(pair, scene, false, false);
  const Reception reception = trial.OfferByPeer(good);
  EXPECT_EQ(reception.verdict ? reception.verdict->reason : "", "");
  EXPECT_EQ(trial.tip().hash, good.hash);
}

INSTANTIATE_TEST_SUITE_P(All, PrecedenceTest, ::testing::ValuesIn(AllPairs()),
                         [](const auto& info) { return info.param.name; });

void PrintTo(const Pair& pair, std::ostream* out) { *out << pair.name; }

// Proof of work is judged before the parent is looked for, so that asking costs something; being known comes before
// both.
TEST(Precedence, OfHeadersWithoutAGoodParent) {
  const ChainParams& params = ParamsFor(ChainId::kRegtest);
  const Branch branch = Branch::OfHeight(params, 3);
  HeaderTree tree(BlockHeader::Load(GenesisBlock(params).data()));
  const BlockHeader first = branch.blocks()[0]->header;
  const HeaderId first_id = AcceptHeader(tree, first, params, kNow_s).id;
  const auto reason = [&](const BlockHeader& header) {
    return AcceptHeader(tree, header, params, kNow_s).verdict.RejectReason();
  };
  const auto remine = [&](BlockHeader header, bool misses) {
    while ((header.Hash().bytes[31] >= 0x80) != misses) ++header.nonce;
    return header;
  };
  BlockHeader orphan = branch.blocks()[2]->header;
  orphan.version = 1;
  EXPECT_EQ(reason(remine(orphan, false)), "prev-blk-not-found");
  EXPECT_EQ(reason(remine(orphan, true)), "high-hash");
  BlockHeader child = branch.blocks()[1]->header;
  child.version = 1;
  EXPECT_EQ(reason(remine(child, false)), "bad-version(0x00000001)");
  tree.MarkInvalid(first_id);
  EXPECT_EQ(reason(remine(child, false)), "bad-prevblk");
  EXPECT_EQ(reason(remine(child, true)), "high-hash");
  EXPECT_EQ(reason(first), "duplicate-invalid");
}

}  // namespace
}  // namespace headrace::testing
