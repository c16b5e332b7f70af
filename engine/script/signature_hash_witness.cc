#include <algorithm>

#include "engine/base/check.h"
#include "engine/script/hash_stream.h"
#include "engine/script/signature_hash.h"
#include "engine/script/witness_program.h"

namespace headrace {
namespace {

// The sequence numbers stand in a column of little-endian words: they are hashed as they are.
Digest256 HashSequences(TransactionView transaction) {
  const uint32_t* first = transaction.columns().sequence.data() + transaction.first_input();
  return Sha256({reinterpret_cast<const uint8_t*>(first), transaction.input_count() * sizeof(uint32_t)});
}

Digest256 HashPrevouts(TransactionView transaction) {
  HashStream stream;
  for (uint32_t input = 0; input < transaction.input_count(); ++input) stream.Prevout(transaction, input);
  return stream.Finish();
}

Digest256 HashOutputs(TransactionView transaction) {
  HashStream stream;
  for (uint32_t output = 0; output < transaction.output_count(); ++output) stream.Output(transaction, output);
  return stream.Finish();
}

Digest256 HashSpentAmounts(std::span<const Coin> spent) {
  HashStream stream;
  for (const Coin& coin : spent) stream.U64(static_cast<uint64_t>(coin.amount));
  return stream.Finish();
}

Digest256 HashSpentScripts(std::span<const Coin> spent) {
  HashStream stream;
  for (const Coin& coin : spent) stream.VarBytes(coin.script);
  return stream.Finish();
}

Digest256 HashSingleOutput(TransactionView transaction, uint32_t output) {
  HashStream stream;
  stream.Output(transaction, output);
  return stream.Finish();
}

bool IsDefinedTaprootHashType(uint8_t hash_type) {
  return hash_type <= kSighashSingle || (hash_type >= 0x81 && hash_type <= 0x83);
}

const Sha256Hasher& TaprootSighashHasher() {
  static const Sha256Hasher hasher = TaggedHasher("TapSighash");
  return hasher;
}

}  // namespace

void PrepareMidstates(TransactionView transaction, std::span<const Coin> spent, TransactionMidstates& midstates) {
  midstates.segwit_v0_ready = false;
  midstates.taproot_ready = false;
  if (!transaction.has_witness()) return;

  midstates.prevouts_single = HashPrevouts(transaction);
  midstates.sequences_single = HashSequences(transaction);
  midstates.outputs_single = HashOutputs(transaction);
  midstates.prevouts_double = Sha256(midstates.prevouts_single);
  midstates.sequences_double = Sha256(midstates.sequences_single);
  midstates.outputs_double = Sha256(midstates.outputs_single);
  midstates.segwit_v0_ready = true;

  const auto is_taproot = [](const Coin& coin) { return IsTaprootOutput(coin.script); };
  if (!std::any_of(spent.begin(), spent.end(), is_taproot)) return;
  midstates.amounts_single = HashSpentAmounts(spent);
  midstates.scripts_single = HashSpentScripts(spent);
  midstates.taproot_ready = true;
}

Digest256 WitnessV0SignatureHash(TransactionView transaction, uint32_t input, ByteSpan script_code, Amount amount,
                                 uint32_t hash_type, const TransactionMidstates& midstates) {
  HR_CHECK(midstates.segwit_v0_ready);
  constexpr Digest256 kZero{};
  const uint8_t outputs = hash_type & kSighashOutputMask;
  const bool commits_to_one_output_at_most = outputs == kSighashSingle || outputs == kSighashNone;
  const bool anyone_can_pay = (hash_type & kSighashAnyoneCanPay) != 0;

  HashStream stream;
  stream.U32(static_cast<uint32_t>(transaction.version()));
  stream.Bytes(anyone_can_pay ? kZero : midstates.prevouts_double);
  stream.Bytes(anyone_can_pay || commits_to_one_output_at_most ? kZero : midstates.sequences_double);
  stream.Prevout(transaction, input);
  stream.VarBytes(script_code);
  stream.U64(static_cast<uint64_t>(amount));
  stream.U32(transaction.sequence(input));
  if (!commits_to_one_output_at_most) {
    stream.Bytes(midstates.outputs_double);
  } else if (outputs == kSighashSingle && input < transaction.output_count()) {
    stream.Bytes(Sha256(HashSingleOutput(transaction, input)));
  } else {
    stream.Bytes(kZero);
  }
  stream.U32(transaction.lock_time());
  stream.U32(hash_type);
  return stream.FinishDouble();
}

std::optional<Digest256> TaprootSignatureHash(TransactionView transaction, uint32_t input, std::span<const Coin> spent,
                                              uint8_t hash_type, const TaprootSignatureScope& scope,
                                              const TransactionMidstates& midstates) {
  HR_CHECK(midstates.taproot_ready);
  constexpr uint8_t kEpoch = 0;
  constexpr uint8_t kKeyVersion = 0;
  if (!IsDefinedTaprootHashType(hash_type)) return std::nullopt;
  const uint8_t outputs = hash_type == kSighashDefault ? kSighashAll : hash_type & 3;
  const bool anyone_can_pay = (hash_type & kSighashAnyoneCanPay) != 0;
  if (outputs == kSighashSingle && input >= transaction.output_count()) return std::nullopt;

  HashStream stream(TaprootSighashHasher());
  stream.U8(kEpoch);
  stream.U8(hash_type);
  stream.U32(static_cast<uint32_t>(transaction.version()));
  stream.U32(transaction.lock_time());
  if (!anyone_can_pay) {
    stream.Bytes(midstates.prevouts_single);
    stream.Bytes(midstates.amounts_single);
    stream.Bytes(midstates.scripts_single);
    stream.Bytes(midstates.sequences_single);
  }
  if (outputs == kSighashAll) stream.Bytes(midstates.outputs_single);
  stream.U8(static_cast<uint8_t>((scope.is_tapscript ? 2 : 0) + (scope.annex_hash ? 1 : 0)));
  if (anyone_can_pay) {
    stream.Prevout(transaction, input);
    stream.U64(static_cast<uint64_t>(spent[input].amount));
    stream.VarBytes(spent[input].script);
    stream.U32(transaction.sequence(input));
  } else {
    stream.U32(input);
  }
  if (scope.annex_hash) stream.Bytes(*scope.annex_hash);
  if (outputs == kSighashSingle) stream.Bytes(HashSingleOutput(transaction, input));
  if (scope.is_tapscript) {
    stream.Bytes(scope.leaf_hash);
    stream.U8(kKeyVersion);
    stream.U32(scope.code_separator_position);
  }
  return stream.Finish();
}

}  // namespace headrace
