// Writes scripts: opcodes and the shortest pushes for data and numbers.
#pragma once

#include <cstdint>
#include <utility>
#include <vector>

#include "engine/base/bytes.h"
#include "engine/script/opcode.h"

namespace headrace {

class ScriptBuilder {
 public:
  ScriptBuilder& Op(Opcode opcode);
  // A push of exactly these bytes by length: numbers that have an opcode of their own go through Number.
  ScriptBuilder& Data(ByteSpan data);
  ScriptBuilder& Number(int64_t number);
  // Bytes that are script already.
  ScriptBuilder& Raw(ByteSpan bytes);

  const std::vector<uint8_t>& script() const { return script_; }
  std::vector<uint8_t> Take() { return std::move(script_); }

 private:
  std::vector<uint8_t> script_;
};

}  // namespace headrace
