#include "engine/consensus/signet.h"

#include <algorithm>
#include <array>
#include <optional>
#include <vector>

#include "engine/consensus/check_block.h"
#include "engine/consensus/merkle.h"
#include "engine/crypto/sha256.h"
#include "engine/primitives/byte_reader.h"
#include "engine/primitives/byte_writer.h"
#include "engine/primitives/coin.h"
#include "engine/primitives/decode.h"
#include "engine/primitives/transaction_hashes.h"
#include "engine/script/spend_verifier.h"

namespace headrace {

namespace {

constexpr std::array<uint8_t, 4> kSolutionTag = {0xec, 0xc7, 0xda, 0xa2};
constexpr ScriptFlags kSolutionFlags = kVerifyP2sh | kVerifyWitness | kVerifyDerSignatures | kVerifyNullDummy;

constexpr uint8_t kOpPushData1 = 0x4c;
constexpr uint8_t kOpPushData2 = 0x4d;
constexpr uint8_t kOpPushData4 = 0x4e;

// The data that follows a push opcode; nothing is read for other opcodes.
ByteSpan ReadPush(ByteReader& reader, uint8_t opcode) {
  if (opcode < kOpPushData1) return reader.Bytes(opcode);
  if (opcode == kOpPushData1) return reader.Bytes(reader.U8());
  if (opcode == kOpPushData2) return reader.Bytes(reader.U16());
  if (opcode == kOpPushData4) return reader.Bytes(reader.U32());
  return {};
}

void WritePush(ByteWriter& writer, ByteSpan data) {
  if (data.size() < kOpPushData1) {
    writer.U8(static_cast<uint8_t>(data.size()));
  } else if (data.size() <= 0xff) {
    writer.U8(kOpPushData1);
    writer.U8(static_cast<uint8_t>(data.size()));
  } else if (data.size() <= 0xffff) {
    writer.U8(kOpPushData2);
    writer.U16(static_cast<uint16_t>(data.size()));
  } else {
    writer.U8(kOpPushData4);
    writer.U32(static_cast<uint32_t>(data.size()));
  }
  writer.Bytes(data);
}

struct Solution {
  // What follows the tag: scriptSig and witness, serialised. Nothing when no push carries the tag and more.
  std::optional<std::vector<uint8_t>> bytes;
  // The commitment's script with the solution cut out of it: what the solution signs.
  std::vector<uint8_t> script_without;
};

// The rest of a script after a push that does not decode is left out of what is signed, as the network does.
Solution ExtractSolution(ByteSpan script) {
  Solution solution;
  ByteWriter writer(solution.script_without);
  ByteReader reader(script);
  while (reader.remaining() > 0) {
    const uint8_t opcode = reader.U8();
    ByteSpan data = ReadPush(reader, opcode);
    if (!reader.ok()) break;
    if (data.empty()) {
      writer.U8(opcode);
      continue;
    }
    if (!solution.bytes && data.size() > kSolutionTag.size() &&
        std::equal(kSolutionTag.begin(), kSolutionTag.end(), data.begin())) {
      solution.bytes.emplace(data.begin() + kSolutionTag.size(), data.end());
      data = data.first(kSolutionTag.size());
    }
    WritePush(writer, data);
  }
  if (!solution.bytes) solution.script_without.assign(script.begin(), script.end());
  return solution;
}

size_t CompactSizeBytes(size_t value) { return value < 0xfd ? 1 : value <= 0xffff ? 3 : 5; }

// The coinbase's txid, had its output `output` the given script.
Hash256 CoinbaseIdWithScript(const BlockColumns& block, uint32_t output, ByteSpan script) {
  const ByteRange body = block.body[0];
  const ByteRange old_script = block.script_pubkey[block.first_output[0] + output];
  const uint32_t cut_begin = old_script.offset - static_cast<uint32_t>(CompactSizeBytes(old_script.size));
  const uint32_t cut_end = old_script.offset + old_script.size;
  std::vector<uint8_t> raw;
  ByteWriter writer(raw);
  writer.U32(static_cast<uint32_t>(block.version[0]));
  writer.Bytes(block.raw.subspan(body.offset, cut_begin - body.offset));
  writer.VarBytes(script);
  writer.Bytes(block.raw.subspan(cut_end, body.offset + body.size - cut_end));
  writer.U32(block.lock_time[0]);
  return Hash256(Sha256d(raw));
}

// What the solution signs: version, parent, the modified Merkle root, time.
std::vector<uint8_t> SignedBlockData(const BlockColumns& block, const Hash256& coinbase_id) {
  std::vector<Hash256> leaves = block.txid;
  leaves[0] = coinbase_id;
  std::vector<Hash256> buffer;
  std::vector<uint8_t> data;
  ByteWriter writer(data);
  writer.U32(static_cast<uint32_t>(block.header.version));
  writer.Bytes(block.header.previous.span());
  writer.Bytes(ComputeMerkleRoot(leaves, buffer).root.span());
  writer.U32(block.header.time_s);
  return data;
}

// BIP325's first virtual transaction: its only output asks for the challenge. Only its identifier matters.
Hash256 ToSpendId(ByteSpan block_data, ByteSpan challenge) {
  std::vector<uint8_t> script_sig = {0};
  ByteWriter script_writer(script_sig);
  WritePush(script_writer, block_data);
  std::vector<uint8_t> raw;
  ByteWriter writer(raw);
  writer.U32(0);
  writer.CompactSize(1);
  writer.Bytes(Hash256().span());
  writer.U32(OutPoint::kNullIndex);
  writer.VarBytes(script_sig);
  writer.U32(0);
  writer.CompactSize(1);
  writer.U64(0);
  writer.VarBytes(challenge);
  writer.U32(0);
  return Hash256(Sha256d(raw));
}

// The second virtual transaction spends the first with the solution. Nothing when the solution does not decode.
std::optional<std::vector<uint8_t>> ToSign(const Hash256& to_spend, const std::optional<std::vector<uint8_t>>& solution) {
  ByteSpan script_sig;
  ByteSpan witness;
  if (solution) {
    ByteReader reader(*solution);
    script_sig = reader.VarBytes();
    const size_t witness_begin = reader.offset();
    const uint32_t items = reader.CompactSize();
    for (uint32_t item = 0; item < items && reader.ok(); ++item) reader.VarBytes();
    if (!reader.ok() || reader.remaining() != 0) return std::nullopt;
    // An empty stack is written as no witness at all.
    if (items != 0) witness = ByteSpan(*solution).subspan(witness_begin);
  }
  std::vector<uint8_t> raw;
  ByteWriter writer(raw);
  writer.U32(0);
  if (!witness.empty()) writer.Bytes(std::array<uint8_t, 2>{0, 1});
  writer.CompactSize(1);
  writer.Bytes(to_spend.span());
  writer.U32(0);
  writer.VarBytes(script_sig);
  writer.U32(0);
  writer.CompactSize(1);
  writer.U64(0);
  writer.VarBytes(std::array<uint8_t, 1>{kOpReturn});
  writer.Bytes(witness);
  writer.U32(0);
  return raw;
}

}  // namespace

bool CheckSignetSolution(const BlockColumns& block, const ChainParams& params) {
  if (block.hash == params.genesis_hash) return true;
  if (block.transaction_count() == 0) return false;
  const int output = FindWitnessCommitment(block.transaction(0));
  if (output < 0) return false;
  const Solution solution = ExtractSolution(block.transaction(0).script_pubkey(static_cast<uint32_t>(output)));
  const Hash256 coinbase_id = CoinbaseIdWithScript(block, static_cast<uint32_t>(output), solution.script_without);
  const Hash256 to_spend = ToSpendId(SignedBlockData(block, coinbase_id), params.signet_challenge);
  const std::optional<std::vector<uint8_t>> to_sign = ToSign(to_spend, solution.bytes);
  if (!to_sign) return false;
  TransactionColumns columns;
  if (DecodeTransaction(*to_sign, WitnessEncoding::kAllowed, columns) != DecodeError::kNone) return false;
  HashTransactions(columns);
  const TransactionView transaction(columns, 0);
  Coin challenge;
  challenge.script = params.signet_challenge;
  TransactionMidstates midstates;
  PrepareMidstates(transaction, {&challenge, 1}, midstates);
  return VerifySpend(transaction, 0, {&challenge, 1}, kSolutionFlags, midstates) == ScriptError::kOk;
}

}  // namespace headrace
