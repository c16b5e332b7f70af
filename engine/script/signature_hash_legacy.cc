#include "engine/script/hash_stream.h"
#include "engine/script/script_iterator.h"
#include "engine/script/signature_hash.h"

namespace headrace {
namespace {

// The script code without its OP_CODESEPARATORs. Where a malformed push follows, the rest is taken as it is: such a
// script fails when it gets there, whatever its signatures sign.
void WriteScriptCode(HashStream& stream, ByteSpan script_code) {
  uint32_t separators = 0;
  for (ScriptIterator operation(script_code); operation.Next();) {
    separators += operation.opcode() == Opcode::kCodeSeparator;
  }
  stream.CompactSize(script_code.size() - separators);
  size_t written = 0;
  for (ScriptIterator operation(script_code); separators != 0 && operation.Next();) {
    if (operation.opcode() != Opcode::kCodeSeparator) continue;
    stream.Bytes(script_code.subspan(written, operation.position() - 1 - written));
    written = operation.position();
    --separators;
  }
  stream.Bytes(script_code.subspan(written));
}

void WriteInputs(HashStream& stream, TransactionView transaction, uint32_t input, ByteSpan script_code,
                 bool others_may_resequence) {
  stream.CompactSize(transaction.input_count());
  for (uint32_t i = 0; i < transaction.input_count(); ++i) {
    stream.Prevout(transaction, i);
    if (i == input) {
      WriteScriptCode(stream, script_code);
    } else {
      stream.CompactSize(0);
    }
    stream.U32(i != input && others_may_resequence ? 0 : transaction.sequence(i));
  }
}

// SIGHASH_SINGLE: the output of the same position, and before it outputs of amount -1 with empty scripts.
void WriteSingleOutput(HashStream& stream, TransactionView transaction, uint32_t input) {
  stream.CompactSize(input + 1);
  for (uint32_t output = 0; output < input; ++output) {
    stream.U64(~uint64_t{0});
    stream.CompactSize(0);
  }
  stream.Output(transaction, input);
}

// The count of outputs and all of them, as they stand behind the last input.
ByteSpan SerializedOutputs(TransactionView transaction) {
  const TransactionColumns& columns = transaction.columns();
  const ByteRange body = columns.body[transaction.transaction_index()];
  const ByteRange last_script = columns.script_sig[transaction.first_input() + transaction.input_count() - 1];
  const uint32_t begin = last_script.offset + last_script.size + sizeof(uint32_t);
  return columns.raw.subspan(begin, body.offset + body.size - begin);
}

}  // namespace

Digest256 LegacySignatureHash(TransactionView transaction, uint32_t input, ByteSpan script_code, uint32_t hash_type) {
  const uint8_t outputs = hash_type & kSighashOutputMask;
  // A SIGHASH_SINGLE signature of an input without an output of the same position signs the number one. This began as a
  // fault and MUST stay.
  if (outputs == kSighashSingle && input >= transaction.output_count()) return Digest256{1};

  HashStream stream;
  stream.U32(static_cast<uint32_t>(transaction.version()));
  if ((hash_type & kSighashAnyoneCanPay) != 0) {
    stream.CompactSize(1);
    stream.Prevout(transaction, input);
    WriteScriptCode(stream, script_code);
    stream.U32(transaction.sequence(input));
  } else {
    WriteInputs(stream, transaction, input, script_code, outputs == kSighashNone || outputs == kSighashSingle);
  }
  if (outputs == kSighashNone) {
    stream.CompactSize(0);
  } else if (outputs == kSighashSingle) {
    WriteSingleOutput(stream, transaction, input);
  } else {
    stream.Bytes(SerializedOutputs(transaction));
  }
  stream.U32(transaction.lock_time());
  stream.U32(hash_type);
  return stream.FinishDouble();
}

}  // namespace headrace
