#include "tests/rules/signet_solution.h"

#include "engine/consensus/check_block.h"
#include "engine/primitives/byte_writer.h"
#include "engine/primitives/coin.h"
#include "engine/script/script_builder.h"
#include "tests/rules/branch.h"
#include "tests/rules/keys.h"

namespace headrace::testing {
namespace {

const Bytes kTag = {0xec, 0xc7, 0xda, 0xa2};

// The last output that has a commitment's form, as in FindWitnessCommitment.
Bytes& CommitmentScript(BuiltBlock& block) {
  auto& outputs = block.transactions[0].outputs;
  for (size_t o = outputs.size(); o > 0; --o) {
    const Bytes& script = outputs[o - 1].script;
    if (script.size() >= 38 && script[0] == kOpReturn && script[2] == 0xaa) return outputs[o - 1].script;
  }
  HR_CHECK(false);
  return outputs[0].script;
}

}  // namespace

Bytes TrivialChallenge() { return {0x51}; }

Bytes MultisigChallenge() {
  return ScriptBuilder()
      .Number(1)
      .Data(TestKey(1).public_key)
      .Data(TestKey(2).public_key)
      .Number(2)
      .Op(Opcode::kCheckMultisig)
      .Take();
}

void AppendSignetCommitment(BuiltBlock& block) {
  if (block.transactions[0].inputs[0].witness.empty()) AppendCommitment(block);
}

Digest256 SignetDigest(BuiltBlock block, const Bytes& challenge) {
  Bytes& script = CommitmentScript(block);
  ByteWriter(script).VarBytes(kTag);
  block.FixMerkleRoot();
  Bytes data;
  ByteWriter writer(data);
  writer.U32(static_cast<uint32_t>(block.header.version));
  writer.Bytes(block.header.previous.span());
  writer.Bytes(block.header.merkle_root.span());
  writer.U32(block.header.time_s);
  MutableTransaction to_spend;
  to_spend.version = 0;
  to_spend.inputs = {{{Hash256(), OutPoint::kNullIndex}, ScriptBuilder().Op(Opcode::k0).Data(data).Take(), 0, {}}};
  to_spend.outputs = {{0, challenge}};
  MutableTransaction to_sign;
  to_sign.version = 0;
  to_sign.inputs = {{{to_spend.Txid(), 0}, {}, 0, {}}};
  to_sign.outputs = {{0, {kOpReturn}}};
  return LegacyDigest(to_sign, 0, challenge, kSighashAll);
}

void PutSignetSolution(BuiltBlock& block, const Bytes& script_sig, const Bytes& trailing) {
  Bytes solution = kTag;
  ByteWriter writer(solution);
  writer.VarBytes(script_sig);
  writer.CompactSize(0);
  writer.Bytes(trailing);
  Bytes& script = CommitmentScript(block);
  const Bytes push = ScriptBuilder().Data(solution).Take();
  script.insert(script.end(), push.begin(), push.end());
}

void SolveSignet(BuiltBlock& block, const Bytes& challenge) {
  AppendSignetCommitment(block);
  if (challenge == TrivialChallenge()) return;
  HR_CHECK(challenge == MultisigChallenge());
  const Bytes signature = EcdsaSignature(TestKey(2), SignetDigest(block, challenge), kSighashAll);
  PutSignetSolution(block, ScriptBuilder().Op(Opcode::k0).Data(signature).Take());
}

}  // namespace headrace::testing
