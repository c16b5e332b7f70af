// Opcodes that move elements, measure them and compare them.
#include <algorithm>

#include "engine/script/interpreter.h"

namespace headrace {

ScriptError Interpreter::StackOperation(Opcode opcode) {
  switch (opcode) {
    case Opcode::kFromAltStack:
      if (alternate_.empty()) return ScriptError::kInvalidAltStackOperation;
      stack_.Push(alternate_.Top());
      alternate_.Pop();
      return ScriptError::kOk;
    case Opcode::kDepth:
      stack_.Push(StackElement::Number(static_cast<int64_t>(stack_.size())));
      return ScriptError::kOk;
    case Opcode::kPick:
    case Opcode::kRoll:
      return PickOrRoll(opcode);
    case Opcode::kEqual:
    case Opcode::kEqualVerify:
      return CompareOperation(opcode);
    case Opcode::k2Drop:
    case Opcode::k2Dup:
    case Opcode::k3Dup:
    case Opcode::k2Over:
    case Opcode::k2Rot:
    case Opcode::k2Swap:
    case Opcode::kNip:
    case Opcode::kOver:
    case Opcode::kRot:
    case Opcode::kSwap:
    case Opcode::kTuck:
      return TwoElementOperation(opcode);
    default:
      break;
  }
  // What is left needs one element, or is no operation at all.
  switch (opcode) {
    case Opcode::kToAltStack:
    case Opcode::kIfDup:
    case Opcode::kDrop:
    case Opcode::kDup:
    case Opcode::kSize:
      break;
    default:
      return ScriptError::kBadOpcode;
  }
  if (stack_.empty()) return ScriptError::kInvalidStackOperation;
  if (opcode == Opcode::kToAltStack) alternate_.Push(stack_.Top());
  if (opcode == Opcode::kToAltStack || opcode == Opcode::kDrop) {
    stack_.Pop();
  } else if (opcode == Opcode::kSize) {
    stack_.Push(StackElement::Number(static_cast<int64_t>(stack_.Top().size())));
  } else if (opcode == Opcode::kDup || stack_.Top().IsTrue()) {
    stack_.Push(stack_.Top());
  }
  return ScriptError::kOk;
}

ScriptError Interpreter::TwoElementOperation(Opcode opcode) {
  size_t needed = 2;
  if (opcode == Opcode::k3Dup || opcode == Opcode::kRot) needed = 3;
  if (opcode == Opcode::k2Over || opcode == Opcode::k2Swap) needed = 4;
  if (opcode == Opcode::k2Rot) needed = 6;
  if (stack_.size() < needed) return ScriptError::kInvalidStackOperation;
  switch (opcode) {
    case Opcode::k2Drop:
      stack_.Pop(2);
      break;
    case Opcode::k2Dup:
    case Opcode::k3Dup:
      for (size_t i = 0; i < needed; ++i) stack_.Push(stack_.Top(needed));
      break;
    case Opcode::k2Over:
      for (size_t i = 0; i < 2; ++i) stack_.Push(stack_.Top(4));
      break;
    case Opcode::k2Rot:
    case Opcode::k2Swap:
    case Opcode::kRot: {
      // The deepest element, or pair, comes to the top.
      const size_t moved = opcode == Opcode::kRot ? 1 : 2;
      for (size_t i = 0; i < moved; ++i) {
        const StackElement element = stack_.Top(needed);
        stack_.Remove(needed);
        stack_.Push(element);
      }
      break;
    }
    case Opcode::kNip:
      stack_.Remove(2);
      break;
    case Opcode::kOver:
      stack_.Push(stack_.Top(2));
      break;
    case Opcode::kSwap:
      std::swap(stack_.Top(1), stack_.Top(2));
      break;
    default:  // OP_TUCK
      stack_.InsertBelow(2, stack_.Top());
      break;
  }
  return ScriptError::kOk;
}

ScriptError Interpreter::PickOrRoll(Opcode opcode) {
  if (stack_.size() < 2) return ScriptError::kInvalidStackOperation;
  int64_t index;
  if (!Number(1, index)) return ScriptError::kScriptNum;
  stack_.Pop();
  if (index < 0 || index >= static_cast<int64_t>(stack_.size())) return ScriptError::kInvalidStackOperation;
  const size_t depth = static_cast<size_t>(index) + 1;
  const StackElement element = stack_.Top(depth);
  if (opcode == Opcode::kRoll) stack_.Remove(depth);
  stack_.Push(element);
  return ScriptError::kOk;
}

ScriptError Interpreter::CompareOperation(Opcode opcode) {
  if (stack_.size() < 2) return ScriptError::kInvalidStackOperation;
  const bool equal = std::ranges::equal(stack_.Top(2).span(), stack_.Top(1).span());
  Replace(2, StackElement::Bool(equal));
  return opcode == Opcode::kEqualVerify ? VerifyTop(ScriptError::kEqualVerify) : ScriptError::kOk;
}

}  // namespace headrace
