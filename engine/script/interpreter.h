// Runs one script over a stack, for legacy scripts, witness version 0 and tapscript.
//
// The loop and the flow control are in interpreter.cc; each family of opcodes has a file (interpreter_stack,
// interpreter_arithmetic, interpreter_crypto, interpreter_locktime). Made on the stack for one evaluation; the workspace
// keeps its memory from spend to spend, so that evaluating allocates nothing once warm. One thread at a time.
#pragma once

#include <vector>

#include "engine/script/opcode.h"
#include "engine/script/script_error.h"
#include "engine/script/script_iterator.h"
#include "engine/script/script_stack.h"
#include "engine/script/signature_check.h"
#include "engine/script/spend_context.h"

namespace headrace {

inline constexpr size_t kMaxElementBytes = 520;
inline constexpr size_t kMaxStackElements = 1000;
inline constexpr int kMaxOperations = 201;
inline constexpr int kMaxMultisigKeys = 20;

// The memory of a thread's evaluations.
struct ScriptWorkspace {
  ScriptStack main;
  ScriptStack alternate;
  // The stack as the scriptSig left it, for pay-to-script-hash.
  ScriptStack saved;
  // A script code from which signatures were deleted, and the next one in the making.
  std::vector<uint8_t> script_code;
  std::vector<uint8_t> script_code_next;
};

// What a tapscript evaluation carries beside the stack: the scope of its signatures, and how much signature checking its
// witness still pays for. (BIP342)
struct TapscriptState {
  TaprootSignatureScope scope;
  int64_t validation_weight_left = 0;
};

// IF, ELSE and ENDIF in constant space: which branches are nested does not matter, only how many there are and where the
// first false one is.
class ConditionStack {
 public:
  bool empty() const { return size_ == 0; }
  bool all_true() const { return first_false_ == kNone; }
  void Push(bool value) {
    if (all_true() && !value) first_false_ = size_;
    ++size_;
  }
  void Pop() {
    --size_;
    if (first_false_ == size_) first_false_ = kNone;
  }
  void ToggleTop() {
    if (all_true()) {
      first_false_ = size_ - 1;
    } else if (first_false_ == size_ - 1) {
      first_false_ = kNone;
    }
  }

 private:
  static constexpr uint32_t kNone = ~uint32_t{0};
  uint32_t size_ = 0;
  uint32_t first_false_ = kNone;
};

class Interpreter {
 public:
  // `tapscript` is given for that version and for no other.
  Interpreter(const SpendContext& context, ScriptVersion version, ScriptWorkspace& workspace, TapscriptState* tapscript);

  // Evaluates `script` on workspace.main. The script's bytes must outlive the stack's use.
  ScriptError Run(ByteSpan script);

 private:
  bool Has(ScriptFlag flag) const { return context_.Has(flag); }
  bool RequiresMinimal() const { return Has(kVerifyMinimalData); }
  bool HasOperationLimits() const { return version_ != ScriptVersion::kTapscript; }
  // The number at `depth` of the stack; false when it is none.
  bool Number(size_t depth, int64_t& number) const {
    return DecodeScriptNumber(stack_.Top(depth).span(), RequiresMinimal(), kScriptNumberBytes, number);
  }
  // Replaces the `count` topmost elements by one.
  void Replace(size_t count, StackElement result) {
    stack_.Pop(count);
    stack_.Push(result);
  }
  // The end of a ...VERIFY operation: what was pushed must be true and goes.
  ScriptError VerifyTop(ScriptError otherwise) {
    if (!stack_.Top().IsTrue()) return otherwise;
    stack_.Pop();
    return ScriptError::kOk;
  }

  ScriptError Step(const ScriptIterator& operation);
  ScriptError Push(const ScriptIterator& operation);
  ScriptError Execute(Opcode opcode);

  ScriptError FlowOperation(Opcode opcode);
  ScriptError BeginConditional(Opcode opcode);
  ScriptError CheckConditionEncoding(ByteSpan condition) const;

  ScriptError StackOperation(Opcode opcode);
  ScriptError TwoElementOperation(Opcode opcode);
  ScriptError PickOrRoll(Opcode opcode);
  ScriptError CompareOperation(Opcode opcode);

  ScriptError ArithmeticOperation(Opcode opcode);
  ScriptError UnaryOperation(Opcode opcode);
  ScriptError BinaryOperation(Opcode opcode);
  ScriptError Within();

  ScriptError HashOperation(Opcode opcode);
  ScriptError SignatureOperation(Opcode opcode);
  ScriptError CheckSig(Opcode opcode);
  ScriptError CheckSigAdd();
  ScriptError CheckMultisig(Opcode opcode);
  ScriptError VerifySignatureList(size_t signatures_at, int signatures, size_t keys_at, int keys, bool& success);
  ScriptError CheckEcdsaSignature(ByteSpan signature, ByteSpan public_key, bool& success);
  ScriptError CheckTapscriptSignature(ByteSpan signature, ByteSpan public_key, bool& success);
  void BeginScriptCode();
  ScriptError DeleteSignature(ByteSpan signature);

  ScriptError LockTimeOperation(Opcode opcode);
  ScriptError CheckLockTime();
  ScriptError CheckSequence();

  const SpendContext& context_;
  const ScriptVersion version_;
  ScriptWorkspace& workspace_;
  ScriptStack& stack_;
  ScriptStack& alternate_;
  TapscriptState* const tapscript_;

  ByteSpan script_;
  ConditionStack conditions_;
  int operations_ = 0;
  // Where the operation after the current one begins, and after the last executed OP_CODESEPARATOR.
  size_t next_offset_ = 0;
  size_t script_code_begin_ = 0;
  uint32_t opcode_position_ = 0;
  ByteSpan script_code_;
  EcdsaChecker ecdsa_;
};

// The field's FindAndDelete: every occurrence of `needle` (not empty) that begins where an operation would. Puts what is
// left into `out` and returns true; returns false, with `out` untouched, when there is none. `out` must not overlap.
bool FindAndDelete(ByteSpan script, ByteSpan needle, std::vector<uint8_t>& out);

}  // namespace headrace
