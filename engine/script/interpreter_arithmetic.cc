// Opcodes over numbers of at most four bytes; results may have five and are then no operands any more.
#include <algorithm>

#include "engine/script/interpreter.h"

namespace headrace {

ScriptError Interpreter::ArithmeticOperation(Opcode opcode) {
  if (opcode <= Opcode::k0NotEqual) return UnaryOperation(opcode);
  return opcode == Opcode::kWithin ? Within() : BinaryOperation(opcode);
}

ScriptError Interpreter::UnaryOperation(Opcode opcode) {
  if (stack_.empty()) return ScriptError::kInvalidStackOperation;
  int64_t number;
  if (!Number(1, number)) return ScriptError::kScriptNum;
  switch (opcode) {
    case Opcode::k1Add: number += 1; break;
    case Opcode::k1Sub: number -= 1; break;
    case Opcode::kNegate: number = -number; break;
    case Opcode::kAbs: number = number < 0 ? -number : number; break;
    case Opcode::kNot: number = number == 0; break;
    default: number = number != 0; break;  // OP_0NOTEQUAL
  }
  Replace(1, StackElement::Number(number));
  return ScriptError::kOk;
}

ScriptError Interpreter::BinaryOperation(Opcode opcode) {
  if (stack_.size() < 2) return ScriptError::kInvalidStackOperation;
  int64_t a;
  int64_t b;
  if (!Number(2, a) || !Number(1, b)) return ScriptError::kScriptNum;
  int64_t result;
  switch (opcode) {
    case Opcode::kAdd: result = a + b; break;
    case Opcode::kSub: result = a - b; break;
    case Opcode::kBoolAnd: result = a != 0 && b != 0; break;
    case Opcode::kBoolOr: result = a != 0 || b != 0; break;
    case Opcode::kNumEqual:
    case Opcode::kNumEqualVerify: result = a == b; break;
    case Opcode::kNumNotEqual: result = a != b; break;
    case Opcode::kLessThan: result = a < b; break;
    case Opcode::kGreaterThan: result = a > b; break;
    case Opcode::kLessThanOrEqual: result = a <= b; break;
    case Opcode::kGreaterThanOrEqual: result = a >= b; break;
    case Opcode::kMin: result = std::min(a, b); break;
    default: result = std::max(a, b); break;  // OP_MAX
  }
  Replace(2, StackElement::Number(result));
  return opcode == Opcode::kNumEqualVerify ? VerifyTop(ScriptError::kNumEqualVerify) : ScriptError::kOk;
}

// Whether the third element from the top is at least the second and less than the first.
ScriptError Interpreter::Within() {
  if (stack_.size() < 3) return ScriptError::kInvalidStackOperation;
  int64_t value;
  int64_t least;
  int64_t limit;
  if (!Number(3, value) || !Number(2, least) || !Number(1, limit)) return ScriptError::kScriptNum;
  Replace(3, StackElement::Bool(least <= value && value < limit));
  return ScriptError::kOk;
}

}  // namespace headrace
