#include "engine/script/spend_verifier.h"

#include <algorithm>
#include <array>

#include "engine/script/interpreter.h"
#include "engine/script/script_iterator.h"
#include "engine/script/taproot.h"
#include "engine/script/witness_program.h"
#include "engine/script/witness_stack.h"

namespace headrace {
namespace {

// No operation takes more than 43 elements off the stack, so a script that begins with this many fails at its first
// operation, whatever lies below them: the deeper items of a larger witness need not be unpacked.
constexpr size_t kWitnessItemsUnpackedMax = 2 * kMaxStackElements;

ScriptWorkspace& ThreadWorkspace() {
  static thread_local ScriptWorkspace workspace;
  return workspace;
}

// One spend on its way through the rules. The order of checks is the field's, since errors are compared by name.
class SpendVerifier {
 public:
  explicit SpendVerifier(const SpendContext& context)
      : context_(context), workspace_(ThreadWorkspace()), witness_(context.transaction.witness(context.input)) {}

  ScriptError Verify();

 private:
  bool Has(ScriptFlag flag) const { return context_.Has(flag); }
  ByteSpan ScriptSig() const { return context_.transaction.script_sig(context_.input); }

  ScriptError Evaluate(ByteSpan script, ScriptVersion version, TapscriptState* tapscript = nullptr) {
    return Interpreter(context_, version, workspace_, tapscript).Run(script);
  }
  // Evaluates an output or redeem script, which must leave something true.
  ScriptError EvaluateToTrue(ByteSpan script);
  ScriptError VerifyScriptHash();
  ScriptError VerifyProgram(const WitnessProgram& program, bool is_wrapped);
  ScriptError VerifyV0(ByteSpan program);
  ScriptError VerifyTaproot(ByteSpan program);
  ScriptError VerifyTaprootScript(ByteSpan program, size_t items, TapscriptState& state);
  ScriptError RunTapscript(ByteSpan script, size_t items, TapscriptState& state);
  ScriptError UnpackWitness(size_t items);
  ScriptError RunWitnessScript(ByteSpan script, size_t items, ScriptVersion version, TapscriptState* tapscript);

  const SpendContext& context_;
  ScriptWorkspace& workspace_;
  WitnessStack witness_;
  // A witness program was spent, native or wrapped. It leaves exactly one true element behind.
  bool had_program_ = false;
};

ScriptError SpendVerifier::Verify() {
  const ByteSpan script_sig = ScriptSig();
  const ByteSpan script_pubkey = context_.spent[context_.input].script;
  if (Has(kVerifySigPushOnly) && !IsPushOnly(script_sig)) return ScriptError::kSigPushOnly;

  const bool is_script_hash = Has(kVerifyP2sh) && IsPayToScriptHash(script_pubkey);
  workspace_.main.Clear();
  ScriptError error = Evaluate(script_sig, ScriptVersion::kLegacy);
  if (error != ScriptError::kOk) return error;
  if (is_script_hash) workspace_.saved.CopyFrom(workspace_.main);
  error = EvaluateToTrue(script_pubkey);
  if (error != ScriptError::kOk) return error;

  if (Has(kVerifyWitness)) {
    if (const auto program = ParseWitnessProgram(script_pubkey)) {
      // The scriptSig of a native witness spend MUST be empty. (BIP141)
      if (!script_sig.empty()) return ScriptError::kWitnessMalleated;
      error = VerifyProgram(*program, false);
      if (error != ScriptError::kOk) return error;
    }
  }
  if (is_script_hash) {
    error = VerifyScriptHash();
    if (error != ScriptError::kOk) return error;
  }
  if (Has(kVerifyCleanStack) && !had_program_ && workspace_.main.size() != 1) return ScriptError::kCleanStack;
  // A witness MUST NOT be given where none is needed. (BIP141)
  if (Has(kVerifyWitness) && !had_program_ && !witness_.empty()) return ScriptError::kWitnessUnexpected;
  return ScriptError::kOk;
}

ScriptError SpendVerifier::EvaluateToTrue(ByteSpan script) {
  const ScriptError error = Evaluate(script, ScriptVersion::kLegacy);
  if (error != ScriptError::kOk) return error;
  const bool holds = !workspace_.main.empty() && workspace_.main.Top().IsTrue();
  return holds ? ScriptError::kOk : ScriptError::kEvalFalse;
}

// The scriptSig MUST only push, and the last push, as a script, MUST hold for the others. (BIP16)
ScriptError SpendVerifier::VerifyScriptHash() {
  const ByteSpan script_sig = ScriptSig();
  if (!IsPushOnly(script_sig)) return ScriptError::kSigPushOnly;
  workspace_.main.Swap(workspace_.saved);
  // The output script found a hash on this stack, so there is an element. Held here, since its slot is about to be reused.
  const StackElement redeem_element = workspace_.main.Top();
  const ByteSpan redeem_script = redeem_element.span();
  workspace_.main.Pop();
  const ScriptError error = EvaluateToTrue(redeem_script);
  if (error != ScriptError::kOk || !Has(kVerifyWitness)) return error;

  const auto program = ParseWitnessProgram(redeem_script);
  if (!program) return ScriptError::kOk;
  // The scriptSig of a wrapped witness spend MUST be exactly the push of the program, which has at most 42 bytes. (BIP141)
  const bool is_exact_push = script_sig.size() == redeem_script.size() + 1 && script_sig[0] == redeem_script.size() &&
                             std::ranges::equal(script_sig.subspan(1), redeem_script);
  if (!is_exact_push) return ScriptError::kWitnessMalleatedP2sh;
  return VerifyProgram(*program, true);
}

ScriptError SpendVerifier::VerifyProgram(const WitnessProgram& program, bool is_wrapped) {
  had_program_ = true;
  if (program.version == 0) return VerifyV0(program.program);
  if (program.IsTaproot() && !is_wrapped) {
    return Has(kVerifyTaproot) ? VerifyTaproot(program.program) : ScriptError::kOk;
  }
  if (program.IsAnchor() && !is_wrapped) return ScriptError::kOk;
  // Other versions and sizes are left to future rules: anybody may spend them.
  return Has(kVerifyDiscourageUpgradableWitnessProgram) ? ScriptError::kDiscourageUpgradableWitnessProgram
                                                        : ScriptError::kOk;
}

// Version 0 (BIP141): 32 bytes are the SHA-256 of a script that is the last witness item; 20 bytes stand for the
// pay-to-pubkey-hash script of that hash.
ScriptError SpendVerifier::VerifyV0(ByteSpan program) {
  if (program.size() == kWitnessV0ScriptHashBytes) {
    if (witness_.empty()) return ScriptError::kWitnessProgramWitnessEmpty;
    const ByteSpan script = witness_.Top(1);
    if (!std::ranges::equal(Sha256(script), program)) return ScriptError::kWitnessProgramMismatch;
    return RunWitnessScript(script, witness_.size() - 1, ScriptVersion::kWitnessV0, nullptr);
  }
  if (program.size() != kWitnessV0KeyHashBytes) return ScriptError::kWitnessProgramWrongLength;
  if (witness_.size() != 2) return ScriptError::kWitnessProgramMismatch;
  std::array<uint8_t, 25> script{0x76, 0xa9, 0x14};  // OP_DUP OP_HASH160 and the push of 20 bytes
  std::ranges::copy(program, script.begin() + 3);
  script[23] = static_cast<uint8_t>(Opcode::kEqualVerify);
  script[24] = static_cast<uint8_t>(Opcode::kCheckSig);
  return RunWitnessScript(script, 2, ScriptVersion::kWitnessV0, nullptr);
}

ScriptError SpendVerifier::VerifyTaproot(ByteSpan program) {
  if (witness_.empty()) return ScriptError::kWitnessProgramWitnessEmpty;
  size_t items = witness_.size();
  TapscriptState state;
  // The last of two or more items is the annex when it begins with 0x50. (BIP341)
  if (items >= 2 && !witness_.Top(1).empty() && witness_.Top(1)[0] == kAnnexTag) {
    state.scope.annex_hash = AnnexHash(witness_.Top(1));
    --items;
  }
  const size_t annex_items = witness_.size() - items;
  if (items == 1) return CheckSchnorrSignature(context_, witness_.Top(1 + annex_items), program, state.scope);
  return VerifyTaprootScript(program, items, state);
}

ScriptError SpendVerifier::VerifyTaprootScript(ByteSpan program, size_t items, TapscriptState& state) {
  const size_t annex_items = witness_.size() - items;
  const ByteSpan control_block = witness_.Top(1 + annex_items);
  const ByteSpan script = witness_.Top(2 + annex_items);
  if (!IsControlBlockSize(control_block.size())) return ScriptError::kTaprootWrongControlSize;
  const uint8_t leaf_version = control_block[0] & kTaprootLeafMask;
  state.scope.leaf_hash = TapLeafHash(leaf_version, script);
  // The output key MUST commit to the script. (BIP341)
  if (!IsTaprootCommitment(control_block, program, state.scope.leaf_hash)) return ScriptError::kWitnessProgramMismatch;
  if (leaf_version == kTapscriptLeafVersion) return RunTapscript(script, items - 2, state);
  return Has(kVerifyDiscourageUpgradableTaprootVersion) ? ScriptError::kDiscourageUpgradableTaprootVersion
                                                        : ScriptError::kOk;
}

ScriptError SpendVerifier::RunTapscript(ByteSpan script, size_t items, TapscriptState& state) {
  // A script with an OP_SUCCESS that can be reached by reading operations MUST succeed, before anything else is looked
  // at. (BIP342)
  ScriptIterator operation(script);
  while (operation.Next()) {
    if (!IsOpSuccess(operation.opcode())) continue;
    return Has(kVerifyDiscourageOpSuccess) ? ScriptError::kDiscourageOpSuccess : ScriptError::kOk;
  }
  if (operation.malformed()) return ScriptError::kBadOpcode;
  if (items > kMaxStackElements) return ScriptError::kStackSize;

  constexpr int64_t kValidationWeightBase = 50;
  state.scope.is_tapscript = true;
  state.validation_weight_left = static_cast<int64_t>(witness_.serialized_size()) + kValidationWeightBase;
  return RunWitnessScript(script, items, ScriptVersion::kTapscript, &state);
}

// Puts the first `items` of the witness on the stack. No item MUST be larger than 520 bytes. (BIP141)
ScriptError SpendVerifier::UnpackWitness(size_t items) {
  workspace_.main.Clear();
  const size_t skipped = items - std::min(items, kWitnessItemsUnpackedMax);
  const bool fits = witness_.VisitFirst(items, [&](size_t index, ByteSpan item) {
    if (item.size() > kMaxElementBytes) return false;
    if (index >= skipped) workspace_.main.PushView(item);
    return true;
  });
  return fits ? ScriptError::kOk : ScriptError::kPushSize;
}

ScriptError SpendVerifier::RunWitnessScript(ByteSpan script, size_t items, ScriptVersion version,
                                            TapscriptState* tapscript) {
  ScriptError error = UnpackWitness(items);
  if (error != ScriptError::kOk) return error;
  error = Evaluate(script, version, tapscript);
  if (error != ScriptError::kOk) return error;
  // A witness script MUST leave exactly one element. (BIP141)
  if (workspace_.main.size() != 1) return ScriptError::kCleanStack;
  return workspace_.main.Top().IsTrue() ? ScriptError::kOk : ScriptError::kEvalFalse;
}

}  // namespace

ScriptError VerifySpend(TransactionView transaction, uint32_t input, std::span<const Coin> spent, ScriptFlags flags,
                        const TransactionMidstates& midstates) {
  HR_CHECK(input < spent.size() && spent.size() == transaction.input_count());
  const SpendContext context{transaction, input, spent, flags, midstates};
  return SpendVerifier(context).Verify();
}

}  // namespace headrace
