// The witness commitment (BIP141). Witnesses can be altered under a good hash, so these blocks are dropped and their
// hashes stay good; wherever only witnesses differ, the twin has the same hash.
#include "engine/script/script_builder.h"
#include "tests/rules/keys.h"
#include "tests/rules/rule_case.h"

namespace headrace::testing {
namespace {

const KeyPair kKey = TestKey(5);

// A block with a signed spend of a witness key hash, committed to.
Draft Committed(Branch& branch) {
  const auto coins = branch.Fund({{kCoin, PayToWitnessKeyHash(kKey)}});
  Draft draft = branch.NextDraft();
  MutableTransaction spend = Spend(coins);
  SignWitnessKeyHash(spend, coins, 0, kKey);
  draft.transactions.push_back(spend);
  draft.commits_by_hand = true;
  AppendCommitment(draft);
  return draft;
}

// The good block, and the same header with other witnesses behind it.
auto SameHash(std::function<void(BuiltBlock&)> alter, uint32_t transaction = 0) {
  return [=](Branch& branch) {
    const Draft draft = Committed(branch);
    Attempt attempt{branch.Mine(draft), branch.Mine(draft), transaction};
    alter(attempt.breaking);
    attempt.breaking.raw = Slab::Copy(attempt.breaking.Serialize());
    return attempt;
  };
}

auto CoinbaseWitness(std::vector<Bytes> items) {
  return SameHash([=](BuiltBlock& block) { block.transactions[0].inputs[0].witness = items; });
}

// Drafts before and after what makes them two blocks.
auto TwoBlocks(std::function<void(Draft&)> breaking, std::function<void(Draft&)> twin, uint32_t transaction = 0) {
  return [=](Branch& branch) {
    Draft bad = Committed(branch);
    Draft good = bad;
    breaking(bad);
    twin(good);
    Attempt attempt = Try(branch, std::move(bad), std::move(good));
    attempt.transaction = transaction;
    return attempt;
  };
}

Bytes WrongCommitment() {
  Bytes script(38, 0x33);
  const Bytes prefix = {kOpReturn, 0x24, 0xaa, 0x21, 0xa9, 0xed};
  std::copy(prefix.begin(), prefix.end(), script.begin());
  return script;
}

// A wrong commitment in a further output, before or behind the right one (which is the last).
void PutBehind(Draft& draft, const Bytes& script) { draft.coinbase().outputs.push_back({0, script}); }
void PutBefore(Draft& draft, const Bytes& script) {
  auto& outputs = draft.coinbase().outputs;
  outputs.insert(outputs.begin(), {0, script});
}

const ChainParams& LateSegwitParams() {
  static const ChainParams params = [] {
    ChainParams late = ParamsFor(ChainId::kRegtest);
    late.segwit_height = 113;
    return late;
  }();
  return params;
}

// Nobody commits, and a witness appears.
Attempt Uncommitted(Branch& branch) {
  Draft draft = branch.NextDraft();
  draft.transactions.push_back(Spend({branch.TakeCoin()}));
  Attempt attempt{branch.Mine(draft), branch.Mine(draft), 1};
  attempt.breaking.transactions[1].inputs[0].witness = {{1}};
  attempt.breaking.raw = Slab::Copy(attempt.breaking.Serialize());
  return attempt;
}

// At the first height of segwit a commitment counts that means nothing below it: there, wrong ones are part of the
// chain.
Attempt FromSegwitOn(Branch& branch) {
  branch.Grow(1);
  Draft last = branch.NextDraft();
  PutBehind(last, WrongCommitment());
  branch.Connect(branch.Mine(std::move(last)));
  Draft bad = branch.NextDraft(), good = branch.NextDraft();
  PutBehind(bad, WrongCommitment());
  bad.coinbase().inputs[0].witness = {Bytes(32, 0)};
  return Try(branch, std::move(bad), std::move(good));
}

Attempt BeforeSegwit(Branch& branch) {
  Draft draft = branch.NextDraft();
  draft.transactions.push_back(Spend({branch.TakeCoin()}));
  draft.commits_by_hand = true;
  draft.transactions[1].inputs[0].witness = {{1}};
  AppendCommitment(draft);
  Attempt attempt{branch.Mine(draft), branch.Mine(draft), 0};
  for (MutableTransaction& transaction : attempt.twin.transactions) transaction.inputs[0].witness.clear();
  attempt.twin.raw = Slab::Copy(attempt.twin.Serialize());
  return attempt;
}

}  // namespace

std::vector<RuleCase> WitnessCases() {
  constexpr auto kNonce = Rule::kWitnessNonceSize;
  constexpr auto kMatch = Rule::kWitnessCommitmentMismatch;
  constexpr auto kUnexpected = Rule::kWitnessUnexpected;
  const std::string nonce = "bad-witness-nonce-size", match = "bad-witness-merkle-match",
                    unexpected = "unexpected-witness";
  const std::string same = "the good block, the same hash";
  const auto nothing = [](Draft&) {};
  return {
      {kNonce, "ReservedValueMissing", "a commitment, and no witness in the coinbase", same, nonce,
       CoinbaseWitness({})},
      {kNonce, "ReservedValue31", "a reserved value of 31 bytes", same, nonce, CoinbaseWitness({Bytes(31, 0)})},
      {kNonce, "ReservedValue33", "a reserved value of 33 bytes", same, nonce, CoinbaseWitness({Bytes(33, 0)})},
      {kNonce, "ReservedValueTwice", "the reserved value twice", same, nonce,
       CoinbaseWitness({Bytes(32, 0), Bytes(32, 0)})},
      {kNonce, "ReservedValueAndNothing", "the reserved value and an empty item", same, nonce,
       CoinbaseWitness({Bytes(32, 0), {}})},
      {kMatch, "ReservedValueWrong", "another reserved value", same, match, CoinbaseWitness({Bytes(32, 1)})},
      {kMatch, "SignatureAltered", "a signature altered", same, match,
       SameHash([](BuiltBlock& block) { block.transactions[1].inputs[0].witness[0][9] ^= 1; })},
      {kMatch, "WitnessLeftOut", "a payment without its witness", same, match,
       SameHash([](BuiltBlock& block) { block.transactions[1].inputs[0].witness.clear(); })},
      {kMatch, "CommitmentWrong", "a commitment to something else", "to the witnesses", match,
       TwoBlocks([](Draft& draft) { draft.coinbase().outputs[1].script = WrongCommitment(); }, nothing)},
      {kMatch, "LastCommitmentWrong", "two commitments, the last one wrong", "the first one wrong", match,
       TwoBlocks([](Draft& draft) { PutBehind(draft, WrongCommitment()); },
                 [](Draft& draft) { PutBefore(draft, WrongCommitment()); })},
      {kMatch, "CommitmentWithTail", "a wrong commitment with bytes behind it, last", "a byte too short for one, last",
       match,
       TwoBlocks(
           [](Draft& draft) {
             Bytes script = WrongCommitment();
             script.push_back(0x51);
             PutBehind(draft, script);
           },
           [](Draft& draft) {
             Bytes script = WrongCommitment();
             script.pop_back();
             PutBehind(draft, script);
           })},
      {.rule = kMatch,
       .name = "FirstHeightOfSegwit",
       .breaking = "a wrong commitment at the first height of segwit (one below it is part of the chain)",
       .twin = "no commitment and no witness",
       .reject = match,
       .build = FromSegwitOn,
       .params = LateSegwitParams},
      {kUnexpected, "WitnessUncommitted", "a witness in a block without a commitment",
       "the same without it, the same hash", unexpected, Uncommitted},
      {kUnexpected, "CommitmentOfAnotherForm", "a commitment whose tag is wrong, and witnesses", "the right tag",
       unexpected, TwoBlocks([](Draft& draft) { draft.coinbase().outputs[1].script[5] ^= 1; }, nothing)},
      {kUnexpected, "CoinbaseWitnessAlone", "a coinbase's witness without a commitment", "without it, the same hash",
       unexpected,
       [](Branch& branch) {
         Attempt attempt{branch.Mine(branch.NextDraft()), branch.Mine(branch.NextDraft())};
         attempt.breaking.transactions[0].inputs[0].witness = {Bytes(32, 0)};
         attempt.breaking.raw = Slab::Copy(attempt.breaking.Serialize());
         return attempt;
       }},
      {.rule = kUnexpected,
       .name = "BeforeSegwit",
       .breaking = "witnesses below segwit's height, committed to",
       .twin = "the same without them, the same hash",
       .reject = unexpected,
       .build = BeforeSegwit,
       .params = LateSegwitParams},
  };
}

}  // namespace headrace::testing
