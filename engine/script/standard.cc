#include "engine/script/standard.h"

#include <optional>

#include "engine/script/interpreter.h"
#include "engine/script/script_iterator.h"
#include "engine/script/signature_encoding.h"
#include "engine/script/witness_program.h"

namespace headrace {
namespace {

constexpr uint8_t Byte(Opcode opcode) { return static_cast<uint8_t>(opcode); }

// The number an operation pushes when it is a minimal push of one in [least, most].
std::optional<int> PushedNumber(const ScriptIterator& operation, int least, int most) {
  int64_t number;
  if (IsSmallNumber(operation.opcode())) {
    number = SmallNumber(operation.opcode());
  } else if (operation.data().empty() || !IsMinimalPush(operation.opcode(), operation.data()) ||
             !DecodeScriptNumber(operation.data(), true, kScriptNumberBytes, number)) {
    return std::nullopt;
  }
  if (number < least || number > most) return std::nullopt;
  return static_cast<int>(number);
}

// [push of a key] OP_CHECKSIG
bool MatchPubkey(ByteSpan script, ByteSpan& key) {
  if (script.size() < 2 || script[0] + size_t{2} != script.size() || script.back() != Byte(Opcode::kCheckSig)) {
    return false;
  }
  key = script.subspan(1, script[0]);
  return HasPublicKeySize(key);
}

// OP_DUP OP_HASH160 [20 bytes] OP_EQUALVERIFY OP_CHECKSIG
bool MatchPubkeyHash(ByteSpan script) {
  return script.size() == 25 && script[0] == Byte(Opcode::kDup) && script[1] == Byte(Opcode::kHash160) &&
         script[2] == 20 && script[23] == Byte(Opcode::kEqualVerify) && script[24] == Byte(Opcode::kCheckSig);
}

// [required] [key]... [count of keys] OP_CHECKMULTISIG. Keys go to `keys` unless it is null.
bool MatchMultisig(ByteSpan script, int& required, std::vector<ByteSpan>* keys) {
  if (script.empty() || script.back() != Byte(Opcode::kCheckMultisig)) return false;
  ScriptIterator operation(script);
  if (!operation.Next()) return false;
  const auto required_keys = PushedNumber(operation, 1, kMaxMultisigKeys);
  if (!required_keys) return false;
  required = *required_keys;
  int count = 0;
  bool has_operation;
  while ((has_operation = operation.Next()) && HasPublicKeySize(operation.data())) {
    ++count;
    if (keys != nullptr) keys->push_back(operation.data());
  }
  if (!has_operation) return false;
  const auto stated = PushedNumber(operation, required, kMaxMultisigKeys);
  return stated && *stated == count && operation.position() + 1 == script.size();
}

OutputKind KindOfProgram(const WitnessProgram& program) {
  if (program.version == 0) {
    if (program.program.size() == kWitnessV0KeyHashBytes) return OutputKind::kWitnessV0KeyHash;
    if (program.program.size() == kWitnessV0ScriptHashBytes) return OutputKind::kWitnessV0ScriptHash;
    return OutputKind::kNonStandard;
  }
  if (program.IsTaproot()) return OutputKind::kWitnessV1Taproot;
  return program.IsAnchor() ? OutputKind::kAnchor : OutputKind::kWitnessUnknown;
}

OutputTemplate Match(ByteSpan script, bool with_keys) {
  OutputTemplate match;
  if (IsPayToScriptHash(script)) {
    match.kind = OutputKind::kScriptHash;
    match.payload = script.subspan(2, 20);
  } else if (const auto program = ParseWitnessProgram(script)) {
    match.kind = KindOfProgram(*program);
    if (match.kind != OutputKind::kNonStandard) {
      match.payload = program->program;
      match.witness_version = program->version;
    }
  } else if (!script.empty() && script[0] == Byte(Opcode::kReturn) && IsPushOnly(script.subspan(1))) {
    match.kind = OutputKind::kNullData;
  } else if (MatchPubkey(script, match.payload)) {
    match.kind = OutputKind::kPubkey;
  } else if (MatchPubkeyHash(script)) {
    match.kind = OutputKind::kPubkeyHash;
    match.payload = script.subspan(3, 20);
  } else if (MatchMultisig(script, match.required, with_keys ? &match.keys : nullptr)) {
    match.kind = OutputKind::kMultisig;
    match.payload = {};
  } else {
    match = {};
  }
  return match;
}

}  // namespace

std::string_view OutputKindName(OutputKind kind) {
  switch (kind) {
    case OutputKind::kNonStandard: return "nonstandard";
    case OutputKind::kAnchor: return "anchor";
    case OutputKind::kPubkey: return "pubkey";
    case OutputKind::kPubkeyHash: return "pubkeyhash";
    case OutputKind::kScriptHash: return "scripthash";
    case OutputKind::kMultisig: return "multisig";
    case OutputKind::kNullData: return "nulldata";
    case OutputKind::kWitnessV0KeyHash: return "witness_v0_keyhash";
    case OutputKind::kWitnessV0ScriptHash: return "witness_v0_scripthash";
    case OutputKind::kWitnessV1Taproot: return "witness_v1_taproot";
    case OutputKind::kWitnessUnknown: return "witness_unknown";
  }
  return "nonstandard";
}

OutputTemplate MatchOutput(ByteSpan script) { return Match(script, true); }

OutputKind ClassifyOutput(ByteSpan script) { return Match(script, false).kind; }

}  // namespace headrace
