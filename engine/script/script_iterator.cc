#include "engine/script/script_iterator.h"

namespace headrace {

bool IsMinimalPush(Opcode opcode, ByteSpan data) {
  if (data.empty()) return opcode == Opcode::k0;
  // What OP_1 to OP_16 and OP_1NEGATE push must come from them.
  if (data.size() == 1 && ((data[0] >= 1 && data[0] <= 16) || data[0] == 0x81)) return false;
  if (data.size() < static_cast<size_t>(Opcode::kPushData1)) return static_cast<size_t>(opcode) == data.size();
  if (data.size() <= 0xff) return opcode == Opcode::kPushData1;
  if (data.size() <= 0xffff) return opcode == Opcode::kPushData2;
  return true;
}

bool IsPushOnly(ByteSpan script) {
  ScriptIterator operation(script);
  while (operation.Next()) {
    if (operation.opcode() > Opcode::k16) return false;
  }
  return !operation.malformed();
}

}  // namespace headrace
