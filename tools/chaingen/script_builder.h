// Scripts written opcode by opcode, pushes in their shortest form.
#pragma once

#include <cstdint>
#include <utility>

#include "engine/base/bytes.h"
#include "engine/primitives/mutable_transaction.h"

namespace headrace::chaingen {

enum Opcode : uint8_t {
  kOp0 = 0x00,
  kOpPushData1 = 0x4c,
  kOpPushData2 = 0x4d,
  kOpPushData4 = 0x4e,
  kOp1 = 0x51,
  kOpReturn = 0x6a,
  kOpDrop = 0x75,
  kOpDup = 0x76,
  kOpEqual = 0x87,
  kOpEqualVerify = 0x88,
  kOpHash160 = 0xa9,
  kOpCodeSeparator = 0xab,
  kOpCheckSig = 0xac,
  kOpCheckMultisig = 0xae,
  kOpCheckLockTimeVerify = 0xb1,
  kOpCheckSequenceVerify = 0xb2,
};

class ScriptBuilder {
 public:
  ScriptBuilder& Op(uint8_t opcode);
  // At most 520 bytes, the longest element that a script may push.
  ScriptBuilder& Push(ByteSpan data);
  // A number that is not negative: small ones are opcodes, others little-endian with room for the sign.
  ScriptBuilder& Number(uint32_t number);

  Bytes Take() { return std::move(script_); }

 private:
  Bytes script_;
};

}  // namespace headrace::chaingen
