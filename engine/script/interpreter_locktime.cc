// OP_CHECKLOCKTIMEVERIFY (BIP65), OP_CHECKSEQUENCEVERIFY (BIP112) and the operations that do nothing yet.
#include "engine/script/interpreter.h"

namespace headrace {
namespace {

// Lock times below are block heights, others are seconds since 1970.
constexpr int64_t kLockTimeThreshold = 500'000'000;
constexpr uint32_t kSequenceFinal = 0xffffffff;

// BIP68: the fields of a sequence number.
constexpr int64_t kSequenceDisableFlag = int64_t{1} << 31;
constexpr int64_t kSequenceTypeFlag = int64_t{1} << 22;
constexpr int64_t kSequenceMask = 0x0000ffff;

}  // namespace

ScriptError Interpreter::LockTimeOperation(Opcode opcode) {
  if (opcode == Opcode::kCheckLockTimeVerify) {
    return Has(kVerifyCheckLockTimeVerify) ? CheckLockTime() : ScriptError::kOk;
  }
  if (opcode == Opcode::kCheckSequenceVerify) {
    return Has(kVerifyCheckSequenceVerify) ? CheckSequence() : ScriptError::kOk;
  }
  return Has(kVerifyDiscourageUpgradableNops) ? ScriptError::kDiscourageUpgradableNops : ScriptError::kOk;
}

// The transaction's lock time MUST be of the same kind as the operand and not below it, and the input MUST NOT be final:
// otherwise the lock time would not bind. (BIP65)
ScriptError Interpreter::CheckLockTime() {
  if (stack_.empty()) return ScriptError::kInvalidStackOperation;
  int64_t operand;
  if (!DecodeScriptNumber(stack_.Top().span(), RequiresMinimal(), kLockTimeNumberBytes, operand)) {
    return ScriptError::kScriptNum;
  }
  if (operand < 0) return ScriptError::kNegativeLockTime;
  const int64_t lock_time = context_.transaction.lock_time();
  const bool same_kind = (lock_time < kLockTimeThreshold) == (operand < kLockTimeThreshold);
  const bool binds = context_.transaction.sequence(context_.input) != kSequenceFinal;
  return same_kind && operand <= lock_time && binds ? ScriptError::kOk : ScriptError::kUnsatisfiedLockTime;
}

// The input's relative lock time MUST be in force, of the same kind as the operand and not below it; an operand with the
// disable flag asks for nothing. (BIP112)
ScriptError Interpreter::CheckSequence() {
  if (stack_.empty()) return ScriptError::kInvalidStackOperation;
  int64_t operand;
  if (!DecodeScriptNumber(stack_.Top().span(), RequiresMinimal(), kLockTimeNumberBytes, operand)) {
    return ScriptError::kScriptNum;
  }
  if (operand < 0) return ScriptError::kNegativeLockTime;
  if ((operand & kSequenceDisableFlag) != 0) return ScriptError::kOk;
  const int64_t sequence = context_.transaction.sequence(context_.input);
  const bool in_force =
      static_cast<uint32_t>(context_.transaction.version()) >= 2 && (sequence & kSequenceDisableFlag) == 0;
  const bool same_kind = (sequence & kSequenceTypeFlag) == (operand & kSequenceTypeFlag);
  const bool satisfied = in_force && same_kind && (operand & kSequenceMask) <= (sequence & kSequenceMask);
  return satisfied ? ScriptError::kOk : ScriptError::kUnsatisfiedLockTime;
}

}  // namespace headrace
