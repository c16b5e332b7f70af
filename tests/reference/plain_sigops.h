// Counting signature operations, written from the text of BIP16 and BIP141, one script at a time and by copies.
#pragma once

#include <optional>

#include "engine/script/script_flags.h"
#include "tests/engine/script/spend_fixture.h"

namespace headrace::testing {

struct PlainOperation {
  uint8_t opcode;
  Bytes data;
};

// The operations of a script up to the first malformed push, and whether there was one.
inline std::pair<std::vector<PlainOperation>, bool> PlainOperations(const Bytes& script) {
  std::vector<PlainOperation> operations;
  size_t at = 0;
  while (at < script.size()) {
    const uint8_t opcode = script[at++];
    uint64_t size = opcode <= 75 ? opcode : 0;
    const size_t width = opcode == 76 ? 1 : opcode == 77 ? 2 : opcode == 78 ? 4 : 0;
    if (at + width > script.size()) return {operations, false};
    for (size_t i = 0; i < width; ++i) size |= uint64_t{script[at + i]} << (8 * i);
    at += width;
    if (at + size > script.size()) return {operations, false};
    operations.push_back({opcode, Bytes(script.begin() + at, script.begin() + at + size)});
    at += size;
  }
  return {operations, true};
}

inline uint64_t PlainScriptSigops(const Bytes& script, bool accurate) {
  uint64_t count = 0;
  const auto operations = PlainOperations(script).first;
  for (size_t i = 0; i < operations.size(); ++i) {
    const uint8_t opcode = operations[i].opcode;
    const uint8_t before = i == 0 ? 0xff : operations[i - 1].opcode;
    if (opcode == 0xac || opcode == 0xad) count += 1;
    if (opcode == 0xae || opcode == 0xaf) count += accurate && before >= 0x51 && before <= 0x60 ? before - 0x50 : 20;
  }
  return count;
}

// The last push of a script that only pushes.
inline std::optional<Bytes> PlainLastPush(const Bytes& script) {
  const auto [operations, well_formed] = PlainOperations(script);
  if (!well_formed || operations.empty()) return std::nullopt;
  for (const PlainOperation& operation : operations) {
    if (operation.opcode > 0x60) return std::nullopt;
  }
  return operations.back().data;
}

inline bool PlainIsScriptHash(const Bytes& script) {
  return script.size() == 23 && script[0] == 0xa9 && script[1] == 0x14 && script[22] == 0x87;
}

inline uint64_t PlainWitnessSigops(const Bytes& program, const std::vector<Bytes>& witness) {
  if (program.size() == 22 && program[0] == 0 && program[1] == 20) return 1;
  if (program.size() == 34 && program[0] == 0 && program[1] == 32 && !witness.empty()) {
    return PlainScriptSigops(witness.back(), true);
  }
  return 0;
}

inline uint64_t PlainSigopCost(const MutableTransaction& transaction, const std::vector<TransactionOutput>& spent,
                               ScriptFlags flags) {
  uint64_t cost = 0;
  for (const TransactionInput& input : transaction.inputs) cost += 4 * PlainScriptSigops(input.script_sig, false);
  for (const TransactionOutput& output : transaction.outputs) cost += 4 * PlainScriptSigops(output.script, false);
  for (size_t i = 0; i < transaction.inputs.size(); ++i) {
    const TransactionInput& input = transaction.inputs[i];
    const bool is_script_hash = PlainIsScriptHash(spent[i].script);
    const auto redeem = is_script_hash ? PlainLastPush(input.script_sig) : std::nullopt;
    if ((flags & kVerifyP2sh) != 0 && redeem) cost += 4 * PlainScriptSigops(*redeem, true);
    if ((flags & kVerifyWitness) == 0) continue;
    if (redeem) cost += PlainWitnessSigops(*redeem, input.witness);
    if (!is_script_hash) cost += PlainWitnessSigops(spent[i].script, input.witness);
  }
  return cost;
}

}  // namespace headrace::testing
