// Signed blocks (BIP325) on regtest's proof of work: a challenge that anybody solves, and one that takes a signature.
#include "engine/script/script_builder.h"
#include "tests/rules/keys.h"
#include "tests/rules/rule_case.h"
#include "tests/rules/signet_solution.h"

namespace headrace::testing {
namespace {

ChainParams With(Bytes challenge) {
  ChainParams params = ParamsFor(ChainId::kRegtest);
  params.signet_challenge = std::move(challenge);
  return params;
}

const ChainParams& TrivialSignet() {
  static const ChainParams params = With(TrivialChallenge());
  return params;
}

const ChainParams& MultisigSignet() {
  static const ChainParams params = With(MultisigChallenge());
  return params;
}

// The breaking block is solved as the case likes; the twin as it should be.
auto Solved(std::function<void(Draft&)> breaking) {
  return [=](Branch& branch) {
    Draft bad = branch.NextDraft();
    bad.solves_by_hand = true;
    breaking(bad);
    return Try(branch, std::move(bad), branch.NextDraft());
  };
}

Bytes Signature(const Draft& draft, uint8_t key) {
  return EcdsaSignature(TestKey(key), SignetDigest(draft, MultisigChallenge()), kSighashAll);
}

// A commitment, and behind its tag one element for CHECKMULTISIG to drop and one signature.
void Sign(Draft& draft, uint8_t key, Opcode dropped = Opcode::k0, const Bytes& trailing = {}) {
  AppendSignetCommitment(draft);
  PutSignetSolution(draft, ScriptBuilder().Op(dropped).Data(Signature(draft, key)).Take(), trailing);
}

void SignThen(Draft& draft, const std::function<void(Draft&)>& change) {
  Sign(draft, 1);
  change(draft);
}

// A push behind the commitment.
void Push(Draft& draft, const Bytes& data) {
  Bytes& script = draft.coinbase().outputs.back().script;
  const Bytes push = ScriptBuilder().Data(data).Take();
  script.insert(script.end(), push.begin(), push.end());
}

// Any of the two keys will do.
Attempt SignedByAStranger(Branch& branch) {
  Draft bad = branch.NextDraft(), good = branch.NextDraft();
  bad.solves_by_hand = good.solves_by_hand = true;
  Sign(bad, 3);
  Sign(good, 1);
  return Try(branch, std::move(bad), std::move(good));
}

// A solution of nothing for a challenge that needs none, and one that cannot be read.
Attempt UnreadableSolution(Branch& branch) {
  Draft bad = branch.NextDraft(), good = branch.NextDraft();
  bad.solves_by_hand = good.solves_by_hand = true;
  for (Draft* draft : {&bad, &good}) AppendSignetCommitment(*draft);
  PutSignetSolution(bad, {}, {0});
  PutSignetSolution(good, {});
  return Try(branch, std::move(bad), std::move(good));
}

Attempt TagAlone(Branch& branch) {
  Draft bad = branch.NextDraft(), good = branch.NextDraft();
  bad.solves_by_hand = good.solves_by_hand = true;
  good.commits_by_hand = true;
  AppendSignetCommitment(good);
  Push(good, {0xec, 0xc7, 0xda, 0xa2});
  return Try(branch, std::move(bad), std::move(good));
}

}  // namespace

std::vector<RuleCase> SignetCases() {
  const std::string signature = "a signature of one of the challenge's keys";
  const auto on = [](const ChainParams& (*params)(), std::string name, std::string breaking, std::string twin,
                     std::function<Attempt(Branch&)> build) {
    return RuleCase{.rule = Rule::kSignetSolution,
                    .name = name,
                    .breaking = breaking,
                    .twin = twin,
                    .reject = "bad-signet-blksig",
                    .build = build,
                    .params = params,
                    .base_height = 3};
  };
  return {
      on(TrivialSignet, "CommitmentMissing", "challenge OP_TRUE: a block without a commitment",
         "a commitment, and no solution", Solved([](Draft&) {})),
      on(TrivialSignet, "TagAlone", "challenge OP_TRUE: no commitment", "a commitment with the solution's tag alone",
         TagAlone),
      on(TrivialSignet, "SolutionUnreadable", "challenge OP_TRUE: a solution with a byte behind its end",
         "an empty solution", UnreadableSolution),
      on(MultisigSignet, "SolutionMissing", "a challenge of one key of two: a commitment and no solution", signature,
         Solved([](Draft& draft) { AppendSignetCommitment(draft); })),
      on(MultisigSignet, "SolutionByAStranger", "a signature of another key", "of the first of two keys",
         SignedByAStranger),
      on(MultisigSignet, "SolutionWithDummy", "something else than nothing for CHECKMULTISIG to drop (BIP147)",
         signature, Solved([](Draft& draft) { Sign(draft, 1, Opcode::k1); })),
      on(MultisigSignet, "SolutionWithTail", "a good signature and a byte behind the solution's end", signature,
         Solved([](Draft& draft) { Sign(draft, 1, Opcode::k0, {0}); })),
      on(MultisigSignet, "SolvedForAnotherTime", "the time changed after signing", signature,
         Solved([](Draft& draft) { SignThen(draft, [](Draft& signed_draft) { ++signed_draft.header.time_s; }); })),
      on(MultisigSignet, "SolvedForAnotherVersion", "the version changed after signing", signature,
         Solved([](Draft& draft) { SignThen(draft, [](Draft& signed_draft) { ++signed_draft.header.version; }); })),
      on(MultisigSignet, "SolvedForOtherTransactions", "the coinbase's amount changed after signing", signature,
         Solved([](Draft& draft) {
           SignThen(draft, [](Draft& signed_draft) { --signed_draft.coinbase().outputs[0].amount; });
         })),
  };
}

}  // namespace headrace::testing
