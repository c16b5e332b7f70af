// Recognising the output scripts that consensus treats specially: pay-to-script-hash and witness programs. Pure.
#pragma once

#include <optional>

#include "engine/base/bytes.h"
#include "engine/script/opcode.h"

namespace headrace {

inline constexpr size_t kWitnessV0KeyHashBytes = 20;
inline constexpr size_t kWitnessV0ScriptHashBytes = 32;
inline constexpr size_t kTaprootProgramBytes = 32;

struct WitnessProgram {
  int version;
  ByteSpan program;

  bool IsTaproot() const { return version == 1 && program.size() == kTaprootProgramBytes; }
  // Pay-to-anchor: a two-byte program that anybody may spend without a witness.
  bool IsAnchor() const { return version == 1 && program.size() == 2 && program[0] == 0x4e && program[1] == 0x73; }
};

// A version (OP_0 to OP_16) and one direct push of 2 to 40 bytes, nothing else. (BIP141)
inline std::optional<WitnessProgram> ParseWitnessProgram(ByteSpan script) {
  if (script.size() < 4 || script.size() > 42 || script[1] + size_t{2} != script.size()) return std::nullopt;
  const Opcode version = static_cast<Opcode>(script[0]);
  if (version == Opcode::k0) return WitnessProgram{0, script.subspan(2)};
  if (!IsSmallNumber(version)) return std::nullopt;
  return WitnessProgram{SmallNumber(version), script.subspan(2)};
}

inline bool IsTaprootOutput(ByteSpan script) {
  return script.size() == 34 && script[0] == static_cast<uint8_t>(Opcode::k1) && script[1] == kTaprootProgramBytes;
}

// OP_HASH160, 20 bytes, OP_EQUAL. (BIP16)
inline bool IsPayToScriptHash(ByteSpan script) {
  return script.size() == 23 && script[0] == static_cast<uint8_t>(Opcode::kHash160) && script[1] == 20 &&
         script[22] == static_cast<uint8_t>(Opcode::kEqual);
}

}  // namespace headrace
