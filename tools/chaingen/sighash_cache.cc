#include "tools/chaingen/sighash_cache.h"

#include "engine/base/check.h"
#include "engine/primitives/byte_writer.h"

namespace headrace::chaingen {
namespace {

void PutOutPoint(ByteWriter& writer, const OutPoint& outpoint) {
  writer.Bytes(outpoint.txid.bytes);
  writer.U32(outpoint.index);
}

void PutOutputs(const std::vector<TransactionOutput>& outputs, Bytes& out) {
  ByteWriter writer(out);
  for (const TransactionOutput& output : outputs) {
    writer.U64(static_cast<uint64_t>(output.amount));
    writer.VarBytes(output.script);
  }
}

}  // namespace

Digest256 SighashCache::Legacy(uint32_t input, ByteSpan script_code, uint8_t hash_type) {
  if (hash_type != kSighashAll) return LegacySighash(transaction_, input, script_code, hash_type);
  if (outputs_.empty()) {
    ByteWriter(outputs_).CompactSize(transaction_.outputs.size());
    PutOutputs(transaction_.outputs, outputs_);
  }
  scratch_.clear();
  ByteWriter writer(scratch_);
  writer.U32(static_cast<uint32_t>(transaction_.version));
  writer.CompactSize(transaction_.inputs.size());
  for (uint32_t i = 0; i < transaction_.inputs.size(); ++i) {
    PutOutPoint(writer, transaction_.inputs[i].prevout);
    writer.VarBytes(i == input ? script_code : ByteSpan());
    writer.U32(transaction_.inputs[i].sequence);
  }
  writer.Bytes(outputs_);
  writer.U32(transaction_.lock_time);
  writer.U32(hash_type);
  return Sha256d(scratch_);
}

void SighashCache::HashParts() {
  if (parts_) return;
  Parts& parts = parts_.emplace();
  const auto hash = [&](Digest256& once, Digest256& twice) {
    once = Sha256(scratch_);
    twice = Sha256(once);
    scratch_.clear();
  };
  scratch_.clear();
  ByteWriter writer(scratch_);
  for (const TransactionInput& input : transaction_.inputs) PutOutPoint(writer, input.prevout);
  hash(parts.prevouts, parts.prevouts_twice);
  for (const TransactionInput& input : transaction_.inputs) writer.U32(input.sequence);
  hash(parts.sequences, parts.sequences_twice);
  PutOutputs(transaction_.outputs, scratch_);
  hash(parts.outputs, parts.outputs_twice);
}

Digest256 SighashCache::WitnessV0(uint32_t input, ByteSpan script_code, uint8_t hash_type) {
  if (hash_type != kSighashAll) {
    return WitnessV0Sighash(transaction_, input, script_code, spent_[input].amount, hash_type);
  }
  HashParts();
  scratch_.clear();
  ByteWriter writer(scratch_);
  writer.U32(static_cast<uint32_t>(transaction_.version));
  writer.Bytes(parts_->prevouts_twice);
  writer.Bytes(parts_->sequences_twice);
  PutOutPoint(writer, transaction_.inputs[input].prevout);
  writer.VarBytes(script_code);
  writer.U64(static_cast<uint64_t>(spent_[input].amount));
  writer.U32(transaction_.inputs[input].sequence);
  writer.Bytes(parts_->outputs_twice);
  writer.U32(transaction_.lock_time);
  writer.U32(hash_type);
  return Sha256d(scratch_);
}

void SighashCache::PrepareTaproot() {
  if (taproot_) return;
  HashParts();
  static const Sha256Hasher kTagged = TaggedHasher("TapSighash");
  scratch_.clear();
  ByteWriter writer(scratch_);
  writer.U8(0);  // epoch
  writer.U8(kSighashDefault);
  writer.U32(static_cast<uint32_t>(transaction_.version));
  writer.U32(transaction_.lock_time);
  writer.Bytes(parts_->prevouts);
  taproot_ = kTagged;
  taproot_->Write(scratch_);
  scratch_.clear();
  for (const TransactionOutput& output : spent_) writer.U64(static_cast<uint64_t>(output.amount));
  taproot_->Write(Sha256(scratch_));
  scratch_.clear();
  for (const TransactionOutput& output : spent_) writer.VarBytes(output.script);
  taproot_->Write(Sha256(scratch_)).Write(parts_->sequences).Write(parts_->outputs);
}

Digest256 SighashCache::Taproot(uint32_t input, uint8_t hash_type, const std::optional<TapLeafContext>& leaf) {
  if (hash_type != kSighashDefault) {
    const std::optional<Digest256> hash = TaprootSighash(transaction_, input, spent_, hash_type, leaf);
    HR_CHECK(hash.has_value());
    return *hash;
  }
  PrepareTaproot();
  scratch_.clear();
  ByteWriter writer(scratch_);
  writer.U8(leaf ? 2 : 0);
  writer.U32(input);
  if (leaf) {
    writer.Bytes(leaf->leaf_hash);
    writer.U8(0);  // key version
    writer.U32(leaf->code_separator_position);
  }
  return Sha256Hasher(*taproot_).Write(scratch_).Finish();
}

}  // namespace headrace::chaingen
