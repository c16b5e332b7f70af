#include "engine/script/interpreter.h"

#include "engine/primitives/coin.h"

namespace headrace {

Interpreter::Interpreter(const SpendContext& context, ScriptVersion version, ScriptWorkspace& workspace,
                         TapscriptState* tapscript)
    : context_(context),
      version_(version),
      workspace_(workspace),
      stack_(workspace.main),
      alternate_(workspace.alternate),
      tapscript_(tapscript),
      ecdsa_(context, version) {
  HR_CHECK((version == ScriptVersion::kTapscript) == (tapscript != nullptr));
}

ScriptError Interpreter::Run(ByteSpan script) {
  // A script MUST NOT be longer than 10,000 bytes, except in tapscript, which the block's weight bounds. (BIP342)
  if (HasOperationLimits() && script.size() > kMaxScriptBytes) return ScriptError::kScriptSize;
  script_ = script;
  alternate_.Clear();
  ScriptIterator operation(script);
  while (!operation.at_end()) {
    if (!operation.Next()) return ScriptError::kBadOpcode;
    const ScriptError error = Step(operation);
    if (error != ScriptError::kOk) return error;
    // Both stacks together MUST NOT hold more than 1,000 elements.
    if (stack_.size() + alternate_.size() > kMaxStackElements) return ScriptError::kStackSize;
    ++opcode_position_;
  }
  return conditions_.empty() ? ScriptError::kOk : ScriptError::kUnbalancedConditional;
}

ScriptError Interpreter::Step(const ScriptIterator& operation) {
  const Opcode opcode = operation.opcode();
  // A push MUST NOT be larger than 520 bytes, executed or not.
  if (operation.data().size() > kMaxElementBytes) return ScriptError::kPushSize;
  // A script MUST NOT have more than 201 operations that are no pushes.
  if (HasOperationLimits() && opcode > Opcode::k16 && ++operations_ > kMaxOperations) return ScriptError::kOpCount;
  if (IsDisabled(opcode)) return ScriptError::kDisabledOpcode;
  if (opcode == Opcode::kCodeSeparator && version_ == ScriptVersion::kLegacy && Has(kVerifyConstScriptCode)) {
    return ScriptError::kOpCodeSeparator;
  }
  const bool executed = conditions_.all_true();
  if (IsPushData(opcode)) return executed ? Push(operation) : ScriptError::kOk;
  // Conditionals nest in branches that are not executed too; OP_VERIF and OP_VERNOTIF are among them and always fail.
  if (!executed && (opcode < Opcode::kIf || opcode > Opcode::kEndIf)) return ScriptError::kOk;
  next_offset_ = operation.position();
  return Execute(opcode);
}

ScriptError Interpreter::Push(const ScriptIterator& operation) {
  if (RequiresMinimal() && !IsMinimalPush(operation.opcode(), operation.data())) return ScriptError::kMinimalData;
  stack_.PushView(operation.data());
  return ScriptError::kOk;
}

ScriptError Interpreter::Execute(Opcode opcode) {
  if (opcode == Opcode::k1Negate || IsSmallNumber(opcode)) {
    stack_.Push(StackElement::Number(SmallNumber(opcode)));
    return ScriptError::kOk;
  }
  if (opcode < Opcode::kNop) return ScriptError::kBadOpcode;
  if (opcode <= Opcode::kReturn) return FlowOperation(opcode);
  if (opcode <= Opcode::kReserved2) return StackOperation(opcode);
  if (opcode <= Opcode::kWithin) return ArithmeticOperation(opcode);
  if (opcode <= Opcode::kHash256) return HashOperation(opcode);
  if (opcode <= Opcode::kCheckMultisigVerify || opcode == Opcode::kCheckSigAdd) return SignatureOperation(opcode);
  if (opcode <= Opcode::kNop10) return LockTimeOperation(opcode);
  return ScriptError::kBadOpcode;
}

ScriptError Interpreter::FlowOperation(Opcode opcode) {
  switch (opcode) {
    case Opcode::kNop:
      return ScriptError::kOk;
    case Opcode::kIf:
    case Opcode::kNotIf:
      return BeginConditional(opcode);
    case Opcode::kElse:
      if (conditions_.empty()) return ScriptError::kUnbalancedConditional;
      conditions_.ToggleTop();
      return ScriptError::kOk;
    case Opcode::kEndIf:
      if (conditions_.empty()) return ScriptError::kUnbalancedConditional;
      conditions_.Pop();
      return ScriptError::kOk;
    case Opcode::kVerify:
      if (stack_.empty()) return ScriptError::kInvalidStackOperation;
      return VerifyTop(ScriptError::kVerify);
    case Opcode::kReturn:
      return ScriptError::kOpReturn;
    default:
      return ScriptError::kBadOpcode;
  }
}

ScriptError Interpreter::BeginConditional(Opcode opcode) {
  bool value = false;
  if (conditions_.all_true()) {
    if (stack_.empty()) return ScriptError::kInvalidStackOperation;
    const ScriptError error = CheckConditionEncoding(stack_.Top().span());
    if (error != ScriptError::kOk) return error;
    value = stack_.Top().IsTrue() == (opcode == Opcode::kIf);
    stack_.Pop();
  }
  conditions_.Push(value);
  return ScriptError::kOk;
}

ScriptError Interpreter::CheckConditionEncoding(ByteSpan condition) const {
  const bool is_minimal = condition.empty() || (condition.size() == 1 && condition[0] == 1);
  if (is_minimal) return ScriptError::kOk;
  // In tapscript the condition MUST be empty or exactly one. (BIP342)
  if (version_ == ScriptVersion::kTapscript) return ScriptError::kTapscriptMinimalIf;
  const bool is_policy = version_ == ScriptVersion::kWitnessV0 && Has(kVerifyMinimalIf);
  return is_policy ? ScriptError::kMinimalIf : ScriptError::kOk;
}

}  // namespace headrace
