// The legacy signature hash as it was first written: copy the transaction, change the copy, serialise it, hash it. Here
// too are the copying twins of deleting a push from a script.
#pragma once

#include "engine/crypto/sha256.h"
#include "engine/primitives/byte_writer.h"
#include "engine/script/script_iterator.h"
#include "tests/engine/script/spend_fixture.h"

namespace headrace::testing {

// Every occurrence of `needle` that begins where an operation would begin, byte by byte.
inline Bytes PlainFindAndDelete(const Bytes& script, const Bytes& needle) {
  if (needle.empty()) return script;
  Bytes result;
  size_t at = 0;
  for (;;) {
    while (script.size() - at >= needle.size() && std::equal(needle.begin(), needle.end(), script.begin() + at)) {
      at += needle.size();
    }
    ScriptIterator operation(ByteSpan(script).subspan(at));
    if (!operation.Next()) break;
    result.insert(result.end(), script.begin() + at, script.begin() + at + operation.position());
    at += operation.position();
  }
  result.insert(result.end(), script.begin() + at, script.end());
  return result;
}

inline Digest256 PlainLegacySignatureHash(MutableTransaction transaction, uint32_t input, const Bytes& script_code,
                                          uint32_t hash_type) {
  const uint32_t outputs = hash_type & 0x1f;
  if (outputs == 3 && input >= transaction.outputs.size()) return Digest256{1};
  for (TransactionInput& other : transaction.inputs) {
    other.script_sig.clear();
    other.witness.clear();
  }
  transaction.inputs[input].script_sig =
      PlainFindAndDelete(script_code, {static_cast<uint8_t>(Opcode::kCodeSeparator)});
  if (outputs == 2) transaction.outputs.clear();
  if (outputs == 3) {
    transaction.outputs.resize(input + 1);
    for (uint32_t i = 0; i < input; ++i) transaction.outputs[i] = {-1, {}};
  }
  if (outputs == 2 || outputs == 3) {
    for (uint32_t i = 0; i < transaction.inputs.size(); ++i) {
      if (i != input) transaction.inputs[i].sequence = 0;
    }
  }
  if ((hash_type & 0x80) != 0) transaction.inputs = {TransactionInput(transaction.inputs[input])};
  Bytes bytes = transaction.Serialize();
  ByteWriter(bytes).U32(hash_type);
  return Sha256d(bytes);
}

}  // namespace headrace::testing
