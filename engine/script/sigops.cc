#include "engine/script/sigops.h"

#include <optional>

#include "engine/primitives/byte_reader.h"
#include "engine/script/interpreter.h"
#include "engine/script/script_iterator.h"
#include "engine/script/witness_program.h"
#include "engine/script/witness_stack.h"

namespace headrace {
namespace {

// The last push of a scriptSig that only pushes, which is the redeem script of a pay-to-script-hash spend; empty when
// the scriptSig does anything else. The number opcodes push no bytes here, as in the field's count.
ByteSpan RedeemScript(ByteSpan script_sig) {
  ScriptIterator operation(script_sig);
  ByteSpan last;
  while (operation.Next()) {
    if (operation.opcode() > Opcode::k16) return {};
    last = operation.data();
  }
  return operation.malformed() ? ByteSpan() : last;
}

uint64_t CountProgramSigops(const WitnessProgram& program, ByteSpan serialized_witness) {
  if (program.version != 0) return 0;
  if (program.program.size() == kWitnessV0KeyHashBytes) return 1;
  if (program.program.size() != kWitnessV0ScriptHashBytes) return 0;
  const WitnessStack witness(serialized_witness);
  return witness.empty() ? 0 : CountScriptSigops(witness.Top(1), true);
}

uint64_t CountWitnessSigops(ByteSpan script_sig, ByteSpan script_pubkey, ByteSpan witness) {
  if (const auto program = ParseWitnessProgram(script_pubkey)) return CountProgramSigops(*program, witness);
  if (!IsPayToScriptHash(script_pubkey)) return 0;
  if (const auto program = ParseWitnessProgram(RedeemScript(script_sig))) return CountProgramSigops(*program, witness);
  return 0;
}

// Four outputs of five have one of these shapes, whose counts need no walk.
std::optional<uint32_t> CountOfTemplate(ByteSpan script) {
  if (script.empty()) return 0;
  // OP_DUP, OP_HASH160, 20 bytes, OP_EQUALVERIFY, OP_CHECKSIG.
  if (script.size() == 25 && script[0] == static_cast<uint8_t>(Opcode::kDup) &&
      script[1] == static_cast<uint8_t>(Opcode::kHash160) && script[2] == 20 &&
      script[23] == static_cast<uint8_t>(Opcode::kEqualVerify) && script[24] == static_cast<uint8_t>(Opcode::kCheckSig)) {
    return 1;
  }
  if (IsPayToScriptHash(script) || ParseWitnessProgram(script)) return 0;
  return std::nullopt;
}

}  // namespace

uint32_t CountScriptSigops(ByteSpan script, bool accurate) {
  if (const auto count = CountOfTemplate(script)) return *count;
  uint32_t count = 0;
  Opcode previous = Opcode::kInvalid;
  for (ScriptIterator operation(script); operation.Next();) {
    const Opcode opcode = operation.opcode();
    if (opcode == Opcode::kCheckSig || opcode == Opcode::kCheckSigVerify) {
      ++count;
    } else if (opcode == Opcode::kCheckMultisig || opcode == Opcode::kCheckMultisigVerify) {
      count += accurate && IsSmallNumber(previous) ? static_cast<uint32_t>(SmallNumber(previous)) : kMaxMultisigKeys;
    }
    previous = opcode;
  }
  return count;
}

uint32_t CountLegacySigops(TransactionView transaction) {
  uint32_t count = 0;
  for (uint32_t input = 0; input < transaction.input_count(); ++input) {
    count += CountScriptSigops(transaction.script_sig(input), false);
  }
  for (uint32_t output = 0; output < transaction.output_count(); ++output) {
    count += CountScriptSigops(transaction.script_pubkey(output), false);
  }
  return count;
}

uint64_t SigopCost(TransactionView transaction, std::span<const Coin> spent, ScriptFlags flags) {
  uint64_t cost = uint64_t{CountLegacySigops(transaction)} * kWitnessScaleFactor;
  if (transaction.IsCoinbase()) return cost;
  for (uint32_t input = 0; input < transaction.input_count(); ++input) {
    const ByteSpan script_pubkey = spent[input].script;
    const ByteSpan script_sig = transaction.script_sig(input);
    if ((flags & kVerifyP2sh) != 0 && IsPayToScriptHash(script_pubkey)) {
      cost += uint64_t{CountScriptSigops(RedeemScript(script_sig), true)} * kWitnessScaleFactor;
    }
    if ((flags & kVerifyWitness) != 0) {
      cost += CountWitnessSigops(script_sig, script_pubkey, transaction.witness(input));
    }
  }
  return cost;
}

}  // namespace headrace
