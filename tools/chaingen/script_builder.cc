#include "tools/chaingen/script_builder.h"

namespace headrace::chaingen {

ScriptBuilder& ScriptBuilder::Op(uint8_t opcode) {
  script_.push_back(opcode);
  return *this;
}

ScriptBuilder& ScriptBuilder::Push(ByteSpan data) {
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

ScriptBuilder& ScriptBuilder::Number(uint32_t number) {
  if (number == 0) return Op(kOp0);
  if (number <= 16) return Op(static_cast<uint8_t>(kOp1 + number - 1));
  Bytes digits;
  for (; number != 0; number >>= 8) digits.push_back(static_cast<uint8_t>(number));
  if (digits.back() >= 0x80) digits.push_back(0);
  return Push(digits);
}

}  // namespace headrace::chaingen
