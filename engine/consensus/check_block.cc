#include "engine/consensus/check_block.h"

#include <algorithm>
#include <array>
#include <vector>

#include "engine/base/limits.h"
#include "engine/consensus/check_header.h"
#include "engine/consensus/check_transaction.h"
#include "engine/consensus/merkle.h"
#include "engine/consensus/signet.h"
#include "engine/crypto/sha256.h"
#include "engine/primitives/byte_reader.h"
#include "engine/script/sigops.h"

namespace headrace {

namespace {

// BIP141: OP_RETURN, a push of 36 bytes, a tag of four, the commitment of 32.
constexpr std::array<uint8_t, 6> kCommitmentPrefix = {kOpReturn, 0x24, 0xaa, 0x21, 0xa9, 0xed};
constexpr size_t kCommitmentScriptBytesMin = 38;
constexpr uint32_t kAmbiguousTransactionBytes = 64;

std::vector<Hash256>& MerkleBuffer() {
  thread_local std::vector<Hash256> buffer;
  return buffer;
}

// Verdicts of rules that concern the whole block.
constexpr Verdict Broken(Rule rule, uint32_t transaction = 0) { return {rule, transaction}; }

Verdict CheckMerkleRoot(const BlockColumns& block) {
  const MerkleRoot merkle = ComputeMerkleRoot(block.txid, MerkleBuffer());
  if (merkle.root != block.header.merkle_root) return Broken(Rule::kMerkleRootMismatch);
  if (merkle.is_ambiguous) return Broken(Rule::kMerkleDuplicate);
  return {};
}

Verdict CheckSolution(const BlockColumns& block, const ChainParams& params) {
  if (params.signet_challenge.empty()) return {};
  return Broken(CheckSignetSolution(block, params) ? Rule::kNone : Rule::kSignetSolution);
}

Verdict CheckLength(const BlockColumns& block, const ChainParams&) {
  const uint64_t count = block.transaction_count();
  const bool fits = count * kWitnessScaleFactor <= kMaxBlockWeight &&
                    uint64_t{block.stripped_size()} * kWitnessScaleFactor <= kMaxBlockWeight;
  return Broken(count > 0 && fits ? Rule::kNone : Rule::kBlockLength);
}

// Two inner hashes of a good block's tree can pose as one transaction of 64 bytes; that they pose as a coinbase as well
// would take 2^224 attempts.
bool MayBeAnotherBlock(const BlockColumns& block) {
  for (uint32_t t = 0; t < block.transaction_count(); ++t) {
    if (block.transaction(t).stripped_size() == kAmbiguousTransactionBytes) return true;
  }
  return false;
}

Verdict CheckMerkle(const BlockColumns& block, const ChainParams&) { return CheckMerkleRoot(block); }

Verdict CheckAmbiguity(const BlockColumns& block, const ChainParams&) {
  const bool is_ambiguous = block.transaction_count() > 0 && !block.transaction(0).IsCoinbase() && MayBeAnotherBlock(block);
  return Broken(is_ambiguous ? Rule::kCoinbaseMissingAmbiguous : Rule::kNone);
}

Verdict CheckCoinbases(const BlockColumns& block, const ChainParams&) {
  if (!block.transaction(0).IsCoinbase()) return Broken(Rule::kCoinbaseMissing);
  for (uint32_t t = 1; t < block.transaction_count(); ++t) {
    if (block.transaction(t).IsCoinbase()) return Broken(Rule::kCoinbaseMultiple, t);
  }
  return {};
}

Verdict CheckTransactions(const BlockColumns& block, const ChainParams&) {
  for (uint32_t t = 0; t < block.transaction_count(); ++t) {
    if (const Verdict verdict = CheckTransaction(block.transaction(t)); !verdict.ok()) return verdict;
  }
  return {};
}

// A lower bound of the cost: what P2SH and witnesses add is known once the coins are.
Verdict CheckLegacySigops(const BlockColumns& block, const ChainParams&) {
  uint64_t sigops = 0;
  for (uint32_t t = 0; t < block.transaction_count(); ++t) sigops += CountLegacySigops(block.transaction(t));
  return Broken(sigops * kWitnessScaleFactor <= kMaxBlockSigopCost ? Rule::kNone : Rule::kSigopsTooMany);
}

// The rules that need only the block. What may be mutation comes before everything that would condemn the hash.
constexpr std::array kBlockRules = {
    // The header's Merkle root MUST be that of the transactions, and theirs alone. (CVE-2012-2459)
    CheckMerkle,
    // Transactions of 64 bytes in place of inner hashes MUST NOT be taken for the block that the header commits to.
    CheckAmbiguity,
    // A signet block MUST solve the challenge; judged after the Merkle root, so that altered transactions are never
    // taken for a bad solution under a good hash. (BIP325)
    CheckSolution,
    // The size without witnesses, times four, MUST NOT exceed the maximal weight. (BIP141)
    CheckLength,
    // The first transaction, and no other, MUST be a coinbase.
    CheckCoinbases,
    // Every transaction MUST be well-formed.
    CheckTransactions,
    // The number of legacy signature operations, times four, MUST NOT exceed 80,000. (BIP141)
    CheckLegacySigops,
};

Verdict CheckFinality(const BlockColumns& block, const BlockContext& context) {
  for (uint32_t t = 0; t < block.transaction_count(); ++t) {
    if (!IsFinal(block.transaction(t), context.height, context.lock_time_cutoff)) return Broken(Rule::kNotFinal, t);
  }
  return {};
}

// The height as the shortest push of a script number.
std::vector<uint8_t> HeightPush(uint32_t height) {
  constexpr uint8_t kOp1 = 0x51;
  if (height == 0) return {0};
  if (height <= 16) return {static_cast<uint8_t>(kOp1 + height - 1)};
  std::vector<uint8_t> push = {0};
  for (uint32_t rest = height; rest != 0; rest >>= 8) push.push_back(static_cast<uint8_t>(rest));
  // The highest bit is the sign.
  if ((push.back() & 0x80) != 0) push.push_back(0);
  push[0] = static_cast<uint8_t>(push.size() - 1);
  return push;
}

Verdict CheckCoinbaseHeight(const BlockColumns& block, const BlockContext& context) {
  if (!context.bip34) return {};
  const std::vector<uint8_t> push = HeightPush(context.height);
  const ByteSpan script = block.transaction(0).script_sig(0);
  const bool matches = script.size() >= push.size() && std::equal(push.begin(), push.end(), script.begin());
  return Broken(matches ? Rule::kNone : Rule::kCoinbaseHeight);
}

// The reserved value: the only item of the coinbase's witness, if it has 32 bytes.
ByteSpan WitnessReservedValue(TransactionView coinbase) {
  ByteReader reader(coinbase.witness(0));
  const uint32_t items = reader.CompactSize();
  const ByteSpan item = reader.VarBytes();
  return reader.ok() && items == 1 && item.size() == 32 ? item : ByteSpan();
}

Verdict CheckWitnesses(const BlockColumns& block, int output) {
  const TransactionView coinbase = block.transaction(0);
  if (output < 0) {
    for (uint32_t t = 0; t < block.transaction_count(); ++t) {
      if (block.has_witness[t] != 0) return Broken(Rule::kWitnessUnexpected, t);
    }
    return {};
  }
  const ByteSpan reserved = WitnessReservedValue(coinbase);
  if (reserved.empty()) return Broken(Rule::kWitnessNonceSize);
  const Hash256 root = ComputeWitnessRoot(block.wtxid, MerkleBuffer());
  const Digest256 commitment = Sha256Hasher().Write(root.span()).Write(reserved).FinishDouble();
  const ByteSpan script = coinbase.script_pubkey(static_cast<uint32_t>(output));
  const bool matches = std::equal(commitment.begin(), commitment.end(), script.begin() + kCommitmentPrefix.size());
  return Broken(matches ? Rule::kNone : Rule::kWitnessCommitmentMismatch);
}

Verdict CheckWitnessCommitment(const BlockColumns& block, const BlockContext& context) {
  return CheckWitnesses(block, context.segwit ? FindWitnessCommitment(block.transaction(0)) : -1);
}

Verdict CheckWeight(const BlockColumns& block, const BlockContext&) {
  const uint64_t weight = uint64_t{block.stripped_size()} * (kWitnessScaleFactor - 1) + block.total_size();
  return Broken(weight <= kMaxBlockWeight ? Rule::kNone : Rule::kBlockWeight);
}

// The rules that need the block's place among the headers.
constexpr std::array kContextRules = {
    // Every transaction MUST be final at this height and time. (BIP113)
    CheckFinality,
    // The coinbase's script MUST begin with the height. (BIP34)
    CheckCoinbaseHeight,
    // Witnesses MUST be committed to, and match. (BIP141)
    CheckWitnessCommitment,
    // The weight MUST NOT exceed 4,000,000; judged after the witnesses, which could be padded without a trace. (BIP141)
    CheckWeight,
};

}  // namespace

int FindWitnessCommitment(TransactionView coinbase) {
  for (uint32_t output = coinbase.output_count(); output > 0; --output) {
    const ByteSpan script = coinbase.script_pubkey(output - 1);
    if (script.size() >= kCommitmentScriptBytesMin &&
        std::equal(kCommitmentPrefix.begin(), kCommitmentPrefix.end(), script.begin())) {
      return static_cast<int>(output - 1);
    }
  }
  return -1;
}

bool MatchesCommitments(const BlockColumns& block) {
  if (block.transaction_count() == 0 || !CheckMerkleRoot(block).ok()) return false;
  const int output = FindWitnessCommitment(block.transaction(0));
  const bool any_witness = std::any_of(block.has_witness.begin(), block.has_witness.end(), [](uint8_t has) { return has != 0; });
  // Before witnesses were introduced an output may look like a commitment by chance.
  return !any_witness || (output >= 0 && CheckWitnesses(block, output).ok());
}

Verdict CheckBlock(const BlockColumns& block, const ChainParams& params) {
  if (const Verdict verdict = CheckHeader(block.header, block.hash, params); !verdict.ok()) return verdict;
  for (const auto& check : kBlockRules) {
    if (const Verdict verdict = check(block, params); !verdict.ok()) return verdict;
  }
  return {};
}

Verdict CheckBlockContext(const BlockColumns& block, const BlockContext& context) {
  for (const auto& check : kContextRules) {
    if (const Verdict verdict = check(block, context); !verdict.ok()) return verdict;
  }
  return {};
}

}  // namespace headrace
