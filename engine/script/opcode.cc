#include "engine/script/opcode.h"

namespace headrace {

std::string_view OpcodeName(Opcode opcode) {
  switch (opcode) {
#define X(enumerator, value, name) \
  case Opcode::enumerator:         \
    return name;
    HR_OPCODES(X)
#undef X
  }
  return "OP_UNKNOWN";
}

}  // namespace headrace
