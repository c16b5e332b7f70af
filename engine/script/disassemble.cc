#include "engine/script/disassemble.h"

#include "engine/base/hex.h"
#include "engine/script/script_iterator.h"
#include "engine/script/script_number.h"

namespace headrace {
namespace {

void AppendPush(ByteSpan data, std::string& words) {
  int64_t number = 0;
  if (DecodeScriptNumber(data, /*require_minimal=*/false, kScriptNumberBytes, number)) {
    words += std::to_string(number);
  } else {
    words += HexEncode(data);
  }
}

}  // namespace

std::string DisassembleScript(ByteSpan script) {
  std::string words;
  ScriptIterator operation(script);
  while (operation.Next()) {
    if (!words.empty()) words += ' ';
    if (IsPushData(operation.opcode())) {
      AppendPush(operation.data(), words);
    } else {
      words += OpcodeName(operation.opcode());
    }
  }
  if (operation.malformed()) words += words.empty() ? "[error]" : " [error]";
  return words;
}

}  // namespace headrace
