#include "tools/chaingen/sighash.h"

#include <algorithm>

#include "engine/primitives/byte_writer.h"
#include "tools/chaingen/script_builder.h"

namespace headrace::chaingen {
namespace {

uint32_t BaseType(uint32_t hash_type) { return hash_type & 0x1f; }

void PutOutPoint(Bytes& out, const OutPoint& outpoint) {
  uint8_t bytes[OutPoint::kSerializedBytes];
  outpoint.Store(bytes);
  ByteWriter(out).Bytes(bytes);
}

void PutOutput(Bytes& out, const TransactionOutput& output) {
  ByteWriter writer(out);
  writer.U64(static_cast<uint64_t>(output.amount));
  writer.VarBytes(output.script);
}

// The script without its OP_CODESEPARATORs. Bytes that no longer parse are kept as they are.
Bytes WithoutSeparators(ByteSpan script) {
  Bytes kept;
  size_t at = 0;
  while (at < script.size()) {
    const uint8_t opcode = script[at];
    size_t size = 1;
    const auto length = [&](size_t bytes) {
      size_t value = 0;
      for (size_t i = 0; i < bytes && at + 1 + i < script.size(); ++i) value |= size_t{script[at + 1 + i]} << (8 * i);
      return bytes + value;
    };
    if (opcode < kOpPushData1) size += opcode;
    if (opcode == kOpPushData1) size += length(1);
    if (opcode == kOpPushData2) size += length(2);
    if (opcode == kOpPushData4) size += length(4);
    size = std::min(size, script.size() - at);
    if (opcode != kOpCodeSeparator) kept.insert(kept.end(), script.begin() + at, script.begin() + at + size);
    at += size;
  }
  return kept;
}

Digest256 HashOfOutPoints(const MutableTransaction& transaction, Digest256 (*hash)(ByteSpan)) {
  Bytes bytes;
  for (const TransactionInput& input : transaction.inputs) PutOutPoint(bytes, input.prevout);
  return hash(bytes);
}

Digest256 HashOfSequences(const MutableTransaction& transaction, Digest256 (*hash)(ByteSpan)) {
  Bytes bytes;
  for (const TransactionInput& input : transaction.inputs) ByteWriter(bytes).U32(input.sequence);
  return hash(bytes);
}

Digest256 HashOfOutputs(const std::vector<TransactionOutput>& outputs, Digest256 (*hash)(ByteSpan)) {
  Bytes bytes;
  for (const TransactionOutput& output : outputs) PutOutput(bytes, output);
  return hash(bytes);
}

}  // namespace

Digest256 LegacySighash(const MutableTransaction& transaction, uint32_t input, ByteSpan script_code, uint32_t hash_type) {
  const bool is_none = BaseType(hash_type) == kSighashNone;
  const bool is_single = BaseType(hash_type) == kSighashSingle;
  // The network's first software answered "one" here, and so must everybody: the number 1, little-endian.
  if (input >= transaction.inputs.size() || (is_single && input >= transaction.outputs.size())) return Digest256{1};
  MutableTransaction copy = transaction;
  for (size_t i = 0; i < copy.inputs.size(); ++i) {
    copy.inputs[i].witness.clear();
    copy.inputs[i].script_sig = i == input ? WithoutSeparators(script_code) : Bytes();
    if (i != input && (is_none || is_single)) copy.inputs[i].sequence = 0;
  }
  if (is_none) copy.outputs.clear();
  if (is_single) {
    copy.outputs.resize(input + 1);
    for (uint32_t i = 0; i < input; ++i) copy.outputs[i] = {-1, {}};
  }
  if ((hash_type & kSighashAnyoneCanPay) != 0) copy.inputs = {copy.inputs[input]};
  Bytes bytes = copy.Serialize(false);
  ByteWriter(bytes).U32(hash_type);
  return Sha256d(bytes);
}

Digest256 WitnessV0Sighash(const MutableTransaction& transaction, uint32_t input, ByteSpan script_code, Amount amount,
                           uint32_t hash_type) {
  const bool is_none = BaseType(hash_type) == kSighashNone;
  const bool is_single = BaseType(hash_type) == kSighashSingle;
  const bool is_alone = (hash_type & kSighashAnyoneCanPay) != 0;
  Digest256 prevouts{}, sequences{}, outputs{};
  if (!is_alone) prevouts = HashOfOutPoints(transaction, Sha256d);
  if (!is_alone && !is_none && !is_single) sequences = HashOfSequences(transaction, Sha256d);
  if (!is_none && !is_single) {
    outputs = HashOfOutputs(transaction.outputs, Sha256d);
  } else if (is_single && input < transaction.outputs.size()) {
    outputs = HashOfOutputs({transaction.outputs[input]}, Sha256d);
  }
  Bytes bytes;
  bytes.reserve(256);
  ByteWriter writer(bytes);
  writer.U32(static_cast<uint32_t>(transaction.version));
  writer.Bytes(prevouts);
  writer.Bytes(sequences);
  PutOutPoint(bytes, transaction.inputs[input].prevout);
  writer.VarBytes(script_code);
  writer.U64(static_cast<uint64_t>(amount));
  writer.U32(transaction.inputs[input].sequence);
  writer.Bytes(outputs);
  writer.U32(transaction.lock_time);
  writer.U32(hash_type);
  return Sha256d(bytes);
}

std::optional<Digest256> TaprootSighash(const MutableTransaction& transaction, uint32_t input, const std::vector<TransactionOutput>& spent,
                                        uint8_t hash_type, const std::optional<TapLeafContext>& leaf,
                                        const std::optional<Bytes>& annex) {
  const bool is_known = hash_type <= 3 || (hash_type >= 0x81 && hash_type <= 0x83);
  const uint8_t outputs_type = hash_type == kSighashDefault ? kSighashAll : hash_type & 3;
  const bool is_alone = (hash_type & kSighashAnyoneCanPay) != 0;
  if (!is_known || (outputs_type == kSighashSingle && input >= transaction.outputs.size())) return std::nullopt;

  Bytes bytes;
  ByteWriter writer(bytes);
  writer.U8(0);  // epoch
  writer.U8(hash_type);
  writer.U32(static_cast<uint32_t>(transaction.version));
  writer.U32(transaction.lock_time);
  if (!is_alone) {
    Bytes amounts, scripts;
    for (const TransactionOutput& output : spent) {
      ByteWriter(amounts).U64(static_cast<uint64_t>(output.amount));
      ByteWriter(scripts).VarBytes(output.script);
    }
    writer.Bytes(HashOfOutPoints(transaction, Sha256));
    writer.Bytes(Sha256(amounts));
    writer.Bytes(Sha256(scripts));
    writer.Bytes(HashOfSequences(transaction, Sha256));
  }
  if (outputs_type == kSighashAll) writer.Bytes(HashOfOutputs(transaction.outputs, Sha256));
  writer.U8(static_cast<uint8_t>((leaf ? 2 : 0) + (annex ? 1 : 0)));
  if (is_alone) {
    PutOutPoint(bytes, transaction.inputs[input].prevout);
    PutOutput(bytes, spent[input]);
    writer.U32(transaction.inputs[input].sequence);
  } else {
    writer.U32(input);
  }
  if (annex) {
    Bytes counted;
    ByteWriter(counted).VarBytes(*annex);
    writer.Bytes(Sha256(counted));
  }
  if (outputs_type == kSighashSingle) writer.Bytes(HashOfOutputs({transaction.outputs[input]}, Sha256));
  if (leaf) {
    writer.Bytes(leaf->leaf_hash);
    writer.U8(0);  // key version
    writer.U32(leaf->code_separator_position);
  }
  return TaggedHasher("TapSighash").Write(bytes).Finish();
}

Digest256 TapLeafHash(ByteSpan script) {
  Bytes bytes;
  ByteWriter writer(bytes);
  writer.U8(0xc0);
  writer.VarBytes(script);
  static const Sha256Hasher kTagged = TaggedHasher("TapLeaf");
  return Sha256Hasher(kTagged).Write(bytes).Finish();
}

Digest256 TapTweak(ByteSpan internal_key, ByteSpan merkle_root) {
  return TaggedHasher("TapTweak").Write(internal_key).Write(merkle_root).Finish();
}

}  // namespace headrace::chaingen
