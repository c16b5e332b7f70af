#include "engine/consensus/difficulty.h"
#include "engine/consensus/signet.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "engine/consensus/check_block.h"
#include "engine/crypto/signing.h"
#include "engine/primitives/coin.h"
#include "tests/reference/block_builder.h"

namespace headrace {
namespace {

using testing::BuiltBlock;

using testing::CoinbaseAt;
using testing::DecodedBlock;

const SecretKey kSecret = {1, 2, 3, 4, 5, 6, 7, 8, 9, 1, 2, 3, 4, 5, 6, 7, 8, 9, 1, 2, 3, 4, 5, 6, 7, 8, 9, 1, 2, 3, 4, 5};

Bytes KeyChallenge() {
  Bytes challenge = {33};
  const Bytes key = PublicKeyOf(kSecret, true);
  challenge.insert(challenge.end(), key.begin(), key.end());
  challenge.push_back(0xac);
  return challenge;
}

// An output that commits to no witness in particular: the solution is independent of that rule.
Bytes CommitmentOutput() {
  Bytes script(38, 0x11);
  std::ranges::copy(Bytes{kOpReturn, 0x24, 0xaa, 0x21, 0xa9, 0xed}, script.begin());
  return script;
}

BuiltBlock UnsolvedBlock() {
  BuiltBlock block;
  block.header.version = 0x20000000;
  block.header.time_s = 1'700'000'000;
  MutableTransaction payment;
  payment.inputs.push_back({{Hash256(), 3}, {}});
  payment.outputs.push_back({5, {0x51}});
  block.transactions = {CoinbaseAt(10, 50 * kCoin), payment};
  block.transactions[0].outputs.push_back({0, CommitmentOutput()});
  block.transactions[0].outputs.push_back({0, {kOpReturn}});
  return block;
}

// Appends a push of tag, scriptSig and witness to the commitment.
void PutSolution(BuiltBlock& block, const Bytes& script_sig, const std::vector<Bytes>& witness, const Bytes& trailing = {}) {
  Bytes solution = {0xec, 0xc7, 0xda, 0xa2};
  ByteWriter writer(solution);
  writer.VarBytes(script_sig);
  writer.CompactSize(witness.size());
  for (const Bytes& item : witness) writer.VarBytes(item);
  writer.Bytes(trailing);
  Bytes& script = block.transactions[0].outputs[1].script;
  script.push_back(0x4c);
  ByteWriter(script).U8(static_cast<uint8_t>(solution.size()));
  script.insert(script.end(), solution.begin(), solution.end());
}

// The legacy hash of BIP325's spending transaction, put together from structs: what a solution of a key challenge signs.
Digest256 MessageToSign(BuiltBlock block, const Bytes& challenge) {
  Bytes& script = block.transactions[0].outputs[1].script;
  const Bytes tag_push = {4, 0xec, 0xc7, 0xda, 0xa2};
  script.insert(script.end(), tag_push.begin(), tag_push.end());
  block.FixMerkleRoot();
  Bytes data;
  ByteWriter writer(data);
  writer.U32(static_cast<uint32_t>(block.header.version));
  writer.Bytes(block.header.previous.span());
  writer.Bytes(block.header.merkle_root.span());
  writer.U32(block.header.time_s);
  MutableTransaction to_spend;
  to_spend.version = 0;
  to_spend.inputs.push_back({{Hash256(), OutPoint::kNullIndex}, {0, 72}, 0});
  to_spend.inputs[0].script_sig.insert(to_spend.inputs[0].script_sig.end(), data.begin(), data.end());
  to_spend.outputs.push_back({0, challenge});
  MutableTransaction to_sign;
  to_sign.version = 0;
  to_sign.inputs.push_back({{to_spend.Txid(), 0}, challenge, 0});
  to_sign.outputs.push_back({0, {kOpReturn}});
  Bytes preimage = to_sign.Serialize(false);
  ByteWriter(preimage).U32(1);
  return Sha256d(preimage);
}

Bytes SignatureScript(const BuiltBlock& unsolved) {
  Bytes signature = SignEcdsa(kSecret, MessageToSign(unsolved, KeyChallenge()));
  signature.push_back(1);
  Bytes script_sig = {static_cast<uint8_t>(signature.size())};
  script_sig.insert(script_sig.end(), signature.begin(), signature.end());
  return script_sig;
}

bool Solves(BuiltBlock block, const Bytes& challenge) {
  block.FixMerkleRoot();
  return CheckSignetSolution(DecodedBlock(block.Serialize()).columns, SignetParams(challenge));
}

TEST(Signet, GenesisNeedsNoSolution) {
  const ChainParams& params = ParamsFor(ChainId::kSignet);
  EXPECT_TRUE(CheckSignetSolution(DecodedBlock(GenesisBlock(params)).columns, params));
}

TEST(Signet, InnerHashesThatPoseAsATransactionDoNotCondemnTheHash) {
  // Regtest's proof of work, so that the block can be made.
  ChainParams params = ParamsFor(ChainId::kRegtest);
  params.signet_challenge = {0x51};
  BuiltBlock block;
  MutableTransaction disguise;
  disguise.inputs = {{{Hash256(), 5}, {}, 0, {}}};
  disguise.outputs = {{1, {1, 2, 3, 4}}};
  ASSERT_EQ(disguise.Serialize().size(), 64u);
  block.transactions = {disguise};
  block.FixMerkleRoot();
  block.header.bits = 0x207fffff;
  while (!CheckProofOfWork(block.header.Hash(), block.header.bits, params)) ++block.header.nonce;
  const Verdict verdict = CheckBlock(DecodedBlock(block.Serialize()).columns, params);
  EXPECT_EQ(verdict.rule, Rule::kCoinbaseMissingAmbiguous);
  EXPECT_TRUE(verdict.is_mutation());
}

TEST(Signet, TrivialChallengesNeedACommitmentAlone) {
  EXPECT_TRUE(Solves(UnsolvedBlock(), {0x51}));
  BuiltBlock block = UnsolvedBlock();
  block.transactions[0].outputs.erase(block.transactions[0].outputs.begin() + 1);
  EXPECT_FALSE(Solves(block, {0x51}));
  block.transactions.clear();
  EXPECT_FALSE(Solves(block, {0x51}));
}

TEST(Signet, SignaturesCoverTheBlock) {
  const BuiltBlock unsolved = UnsolvedBlock();
  BuiltBlock block = unsolved;
  EXPECT_FALSE(Solves(block, KeyChallenge()));
  PutSolution(block, SignatureScript(unsolved), {});
  EXPECT_TRUE(Solves(block, KeyChallenge()));
  EXPECT_FALSE(Solves(block, ParamsFor(ChainId::kSignet).signet_challenge));

  BuiltBlock other = block;
  ++other.header.time_s;
  EXPECT_FALSE(Solves(other, KeyChallenge()));
  other = block;
  other.header.version ^= 1;
  EXPECT_FALSE(Solves(other, KeyChallenge()));
  other = block;
  other.header.previous.bytes[0] ^= 1;
  EXPECT_FALSE(Solves(other, KeyChallenge()));
  other = block;
  ++other.transactions[1].outputs[0].amount;
  EXPECT_FALSE(Solves(other, KeyChallenge()));
  other = block;
  --other.transactions[0].outputs[0].amount;
  EXPECT_FALSE(Solves(other, KeyChallenge()));
  other = block;
  other.header.nonce = 77;
  other.header.bits = 1;
  EXPECT_TRUE(Solves(other, KeyChallenge())) << "the solution leaves nonce and bits to the miner";
}

TEST(Signet, WitnessSolutions) {
  // Pay to the hash of a script that is just true.
  const Bytes inner = {0x51};
  const Digest256 program = Sha256(inner);
  Bytes challenge = {0, 32};
  challenge.insert(challenge.end(), program.begin(), program.end());
  BuiltBlock block = UnsolvedBlock();
  EXPECT_FALSE(Solves(block, challenge));
  PutSolution(block, {}, {inner});
  EXPECT_TRUE(Solves(block, challenge));
}

TEST(Signet, MalformedSolutionsFail) {
  BuiltBlock block = UnsolvedBlock();
  PutSolution(block, {}, {});
  EXPECT_TRUE(Solves(block, {0x51}));
  block = UnsolvedBlock();
  PutSolution(block, {}, {}, {0});
  EXPECT_FALSE(Solves(block, {0x51})) << "bytes after the witness";
  for (const Bytes& bad : {Bytes{5, 0xec, 0xc7, 0xda, 0xa2, 0x00}, Bytes{6, 0xec, 0xc7, 0xda, 0xa2, 0x02, 0x51}}) {
    block = UnsolvedBlock();
    Bytes& script = block.transactions[0].outputs[1].script;
    script.insert(script.end(), bad.begin(), bad.end());
    EXPECT_FALSE(Solves(block, {0x51}));
  }
  // The tag alone is no solution, and no error either.
  block = UnsolvedBlock();
  Bytes& script = block.transactions[0].outputs[1].script;
  const Bytes tag_push = {4, 0xec, 0xc7, 0xda, 0xa2};
  script.insert(script.end(), tag_push.begin(), tag_push.end());
  EXPECT_TRUE(Solves(block, {0x51}));
  // What does not decode as a script ends the search.
  script.push_back(0x4e);
  EXPECT_TRUE(Solves(block, {0x51}));
}

}  // namespace
}  // namespace headrace
