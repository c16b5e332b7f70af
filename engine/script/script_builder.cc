#include "engine/script/script_builder.h"

#include "engine/script/script_number.h"

namespace headrace {

ScriptBuilder& ScriptBuilder::Op(Opcode opcode) {
  script_.push_back(static_cast<uint8_t>(opcode));
  return *this;
}

ScriptBuilder& ScriptBuilder::Data(ByteSpan data) {
  const size_t size = data.size();
  if (size < static_cast<size_t>(Opcode::kPushData1)) {
    script_.push_back(static_cast<uint8_t>(size));
  } else {
    const size_t width = size <= 0xff ? 1 : size <= 0xffff ? 2 : 4;
    Op(width == 1 ? Opcode::kPushData1 : width == 2 ? Opcode::kPushData2 : Opcode::kPushData4);
    for (size_t i = 0; i < width; ++i) script_.push_back(static_cast<uint8_t>(size >> (8 * i)));
  }
  return Raw(data);
}

ScriptBuilder& ScriptBuilder::Number(int64_t number) {
  if (number == 0) return Op(Opcode::k0);
  if (number == -1) return Op(Opcode::k1Negate);
  if (number >= 1 && number <= 16) return Op(SmallNumberOpcode(static_cast<int>(number)));
  return Data(EncodedScriptNumber(number).span());
}

ScriptBuilder& ScriptBuilder::Raw(ByteSpan bytes) {
  script_.insert(script_.end(), bytes.begin(), bytes.end());
  return *this;
}

}  // namespace headrace
