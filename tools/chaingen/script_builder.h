// Scripts written opcode by opcode, pushes in their shortest form.
#pragma once

#include <cstdint>
#include <utility>

#include "engine/base/bytes.h"
#include "tools/chaingen/transaction.h"

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
  ScriptBuilder& Op(uint8_t opcode) {
    script_.push_back(opcode);
    return *this;
  }

  // At most 520 bytes, the longest element that a script may push.
  ScriptBuilder& Push(ByteSpan data) {
    if (data.size() >= 256) {
      Op(kOpPushData2).Op(static_cast<uint8_t>(data.size())).Op(static_cast<uint8_t>(data.size() >> 8));
    } else if (data.size() >= kOpPushData1) {
      Op(kOpPushData1).Op(static_cast<uint8_t>(data.size()));
    } else {
      Op(static_cast<uint8_t>(data.size()));
    }
    script_.insert(script_.end(), data.begin(), data.end());
    return *this;
  }

  // A number that is not negative: small ones are opcodes, others little-endian with room for the sign.
  ScriptBuilder& Number(uint32_t number) {
    if (number == 0) return Op(kOp0);
    if (number <= 16) return Op(static_cast<uint8_t>(kOp1 + number - 1));
    Bytes digits;
    for (; number != 0; number >>= 8) digits.push_back(static_cast<uint8_t>(number));
    if (digits.back() >= 0x80) digits.push_back(0);
    return Push(digits);
  }

  Bytes Take() { return std::move(script_); }

 private:
  Bytes script_;
};

}  // namespace headrace::chaingen
