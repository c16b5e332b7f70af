// Opcodes that hash and that check signatures.
#include <algorithm>
#include <array>
#include <cstring>

#include "engine/crypto/small_hashes.h"
#include "engine/script/interpreter.h"
#include "engine/script/witness_program.h"

namespace headrace {
namespace {

// The bytes of a push of a signature, as it would stand in a script; a signature on the stack has at most 520 bytes.
class SerializedPush {
 public:
  explicit SerializedPush(ByteSpan data) {
    const size_t size = data.size();
    if (size >= static_cast<size_t>(Opcode::kPushData1)) {
      Append(static_cast<uint8_t>(size <= 0xff ? Opcode::kPushData1 : Opcode::kPushData2));
    }
    Append(static_cast<uint8_t>(size));
    if (size > 0xff) Append(static_cast<uint8_t>(size >> 8));
    if (size != 0) std::memcpy(bytes_.data() + size_, data.data(), size);
    size_ += size;
  }
  ByteSpan span() const { return {bytes_.data(), size_}; }

 private:
  void Append(uint8_t byte) { bytes_[size_++] = byte; }
  std::array<uint8_t, 3 + kMaxElementBytes> bytes_;
  size_t size_ = 0;
};

}  // namespace

bool FindAndDelete(ByteSpan script, ByteSpan needle, std::vector<uint8_t>& out) {
  // Almost no script contains a signature that it checks, so the common answer comes from one search.
  if (needle.size() > script.size() ||
      memmem(script.data(), script.size(), needle.data(), needle.size()) == nullptr) {
    return false;
  }
  bool found = false;
  size_t kept_from = 0;
  size_t position = 0;
  const auto matches = [&] {
    return script.size() - position >= needle.size() &&
           std::memcmp(script.data() + position, needle.data(), needle.size()) == 0;
  };
  for (;;) {
    if (matches()) {
      if (!found) out.clear();
      found = true;
      out.insert(out.end(), script.begin() + static_cast<ptrdiff_t>(kept_from),
                 script.begin() + static_cast<ptrdiff_t>(position));
      while (matches()) position += needle.size();
      kept_from = position;
    }
    // Operations are read from wherever the deletion ended, which need not be where the script's author began one.
    ScriptIterator operation(script.subspan(position));
    if (!operation.Next()) break;
    position += operation.position();
  }
  if (found) out.insert(out.end(), script.begin() + static_cast<ptrdiff_t>(kept_from), script.end());
  return found;
}

ScriptError Interpreter::HashOperation(Opcode opcode) {
  if (stack_.empty()) return ScriptError::kInvalidStackOperation;
  const ByteSpan input = stack_.Top().span();
  StackElement result;
  switch (opcode) {
    case Opcode::kRipemd160: result = StackElement::Copy(Ripemd160(input)); break;
    case Opcode::kSha1: result = StackElement::Copy(Sha1(input)); break;
    case Opcode::kSha256: result = StackElement::Copy(Sha256(input)); break;
    case Opcode::kHash160: result = StackElement::Copy(Hash160(input)); break;
    default: result = StackElement::Copy(Sha256d(input)); break;  // OP_HASH256
  }
  Replace(1, result);
  return ScriptError::kOk;
}

ScriptError Interpreter::SignatureOperation(Opcode opcode) {
  switch (opcode) {
    case Opcode::kCodeSeparator:
      script_code_begin_ = next_offset_;
      if (tapscript_ != nullptr) tapscript_->scope.code_separator_position = opcode_position_;
      return ScriptError::kOk;
    case Opcode::kCheckSig:
    case Opcode::kCheckSigVerify:
      return CheckSig(opcode);
    case Opcode::kCheckSigAdd:
      // OP_CHECKSIGADD exists in tapscript alone. (BIP342)
      return tapscript_ != nullptr ? CheckSigAdd() : ScriptError::kBadOpcode;
    default:
      // OP_CHECKMULTISIG and OP_CHECKMULTISIGVERIFY MUST NOT be executed in tapscript. (BIP342)
      return tapscript_ != nullptr ? ScriptError::kTapscriptCheckMultisig : CheckMultisig(opcode);
  }
}

ScriptError Interpreter::CheckSig(Opcode opcode) {
  if (stack_.size() < 2) return ScriptError::kInvalidStackOperation;
  const ByteSpan signature = stack_.Top(2).span();
  const ByteSpan public_key = stack_.Top(1).span();
  bool success = false;
  const ScriptError error = tapscript_ != nullptr ? CheckTapscriptSignature(signature, public_key, success)
                                                  : CheckEcdsaSignature(signature, public_key, success);
  if (error != ScriptError::kOk) return error;
  Replace(2, StackElement::Bool(success));
  return opcode == Opcode::kCheckSigVerify ? VerifyTop(ScriptError::kCheckSigVerify) : ScriptError::kOk;
}

ScriptError Interpreter::CheckSigAdd() {
  if (stack_.size() < 3) return ScriptError::kInvalidStackOperation;
  int64_t count;
  if (!Number(2, count)) return ScriptError::kScriptNum;
  bool success = false;
  const ScriptError error = CheckTapscriptSignature(stack_.Top(3).span(), stack_.Top(1).span(), success);
  if (error != ScriptError::kOk) return error;
  Replace(3, StackElement::Number(count + (success ? 1 : 0)));
  return ScriptError::kOk;
}

void Interpreter::BeginScriptCode() {
  script_code_ = script_.subspan(script_code_begin_);
  ecdsa_.ForgetDigest();
}

// A signature cannot sign itself: in legacy scripts it is deleted from the script code before the digest is taken.
ScriptError Interpreter::DeleteSignature(ByteSpan signature) {
  if (version_ != ScriptVersion::kLegacy) return ScriptError::kOk;
  if (!FindAndDelete(script_code_, SerializedPush(signature).span(), workspace_.script_code_next)) return ScriptError::kOk;
  if (Has(kVerifyConstScriptCode)) return ScriptError::kSigFindAndDelete;
  workspace_.script_code.swap(workspace_.script_code_next);
  script_code_ = workspace_.script_code;
  return ScriptError::kOk;
}

ScriptError Interpreter::CheckEcdsaSignature(ByteSpan signature, ByteSpan public_key, bool& success) {
  BeginScriptCode();
  ScriptError error = DeleteSignature(signature);
  if (error == ScriptError::kOk) error = CheckSignatureEncoding(signature, context_.flags);
  if (error == ScriptError::kOk) error = CheckPublicKeyEncoding(public_key, context_.flags, version_);
  if (error != ScriptError::kOk) return error;
  success = ecdsa_.Check(signature, public_key, script_code_);
  if (!success && Has(kVerifyNullFail) && !signature.empty()) return ScriptError::kSigNullFail;
  return ScriptError::kOk;
}

ScriptError Interpreter::CheckTapscriptSignature(ByteSpan signature, ByteSpan public_key, bool& success) {
  constexpr int64_t kWeightPerSignature = 50;
  success = !signature.empty();
  if (success) {
    // Every signature that is not empty MUST be paid for by 50 units of witness, known key type or not. (BIP342)
    tapscript_->validation_weight_left -= kWeightPerSignature;
    if (tapscript_->validation_weight_left < 0) return ScriptError::kTapscriptValidationWeight;
  }
  if (public_key.empty()) return ScriptError::kTapscriptEmptyPubkey;
  if (public_key.size() == kTaprootProgramBytes) {
    return success ? CheckSchnorrSignature(context_, signature, public_key, tapscript_->scope) : ScriptError::kOk;
  }
  // Keys of other sizes are left to future rules: every signature for them is valid. (BIP342)
  return Has(kVerifyDiscourageUpgradablePubkeyType) ? ScriptError::kDiscourageUpgradablePubkeyType : ScriptError::kOk;
}

// Stack, from below: one element that is not used, the signatures, their count, the keys, their count.
ScriptError Interpreter::CheckMultisig(Opcode opcode) {
  if (stack_.empty()) return ScriptError::kInvalidStackOperation;
  int64_t keys;
  if (!Number(1, keys)) return ScriptError::kScriptNum;
  if (keys < 0 || keys > kMaxMultisigKeys) return ScriptError::kPubkeyCount;
  operations_ += static_cast<int>(keys);
  if (operations_ > kMaxOperations) return ScriptError::kOpCount;
  const size_t keys_at = 2;
  const size_t signature_count_at = keys_at + static_cast<size_t>(keys);
  if (stack_.size() < signature_count_at) return ScriptError::kInvalidStackOperation;
  int64_t signatures;
  if (!Number(signature_count_at, signatures)) return ScriptError::kScriptNum;
  if (signatures < 0 || signatures > keys) return ScriptError::kSigCount;
  const size_t signatures_at = signature_count_at + 1;
  const size_t unused_at = signatures_at + static_cast<size_t>(signatures);
  if (stack_.size() < unused_at) return ScriptError::kInvalidStackOperation;

  bool success = false;
  const ScriptError error = VerifySignatureList(signatures_at, static_cast<int>(signatures), keys_at,
                                                static_cast<int>(keys), success);
  if (error != ScriptError::kOk) return error;
  if (!success && Has(kVerifyNullFail)) {
    for (size_t depth = signatures_at; depth < unused_at; ++depth) {
      if (!stack_.Top(depth).empty()) return ScriptError::kSigNullFail;
    }
  }
  // The unused element MUST be empty. (BIP147)
  if (Has(kVerifyNullDummy) && !stack_.Top(unused_at).empty()) return ScriptError::kSigNullDummy;
  Replace(unused_at, StackElement::Bool(success));
  return opcode == Opcode::kCheckMultisigVerify ? VerifyTop(ScriptError::kCheckMultisigVerify) : ScriptError::kOk;
}

// Each signature must match a key, in the same order; a key that does not match is skipped. Encodings are checked only
// of what is really tried, which consensus depends on.
ScriptError Interpreter::VerifySignatureList(size_t signatures_at, int signatures, size_t keys_at, int keys,
                                             bool& success) {
  BeginScriptCode();
  for (int i = 0; i < signatures; ++i) {
    const ScriptError error = DeleteSignature(stack_.Top(signatures_at + static_cast<size_t>(i)).span());
    if (error != ScriptError::kOk) return error;
  }
  success = true;
  while (success && signatures > 0) {
    const ByteSpan signature = stack_.Top(signatures_at).span();
    const ByteSpan public_key = stack_.Top(keys_at).span();
    ScriptError error = CheckSignatureEncoding(signature, context_.flags);
    if (error == ScriptError::kOk) error = CheckPublicKeyEncoding(public_key, context_.flags, version_);
    if (error != ScriptError::kOk) return error;
    if (ecdsa_.Check(signature, public_key, script_code_)) {
      ++signatures_at;
      --signatures;
    }
    ++keys_at;
    --keys;
    success = signatures <= keys;
  }
  return ScriptError::kOk;
}

}  // namespace headrace
