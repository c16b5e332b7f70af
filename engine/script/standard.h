// The templates that output scripts follow in practice: what wallets, relay policy and RPC call an output.
// Pure; any thread; results are views into the script.
#pragma once

#include <string_view>
#include <vector>

#include "engine/base/bytes.h"

namespace headrace {

enum class OutputKind : uint8_t {
  kNonStandard,
  kAnchor,
  kPubkey,
  kPubkeyHash,
  kScriptHash,
  kMultisig,
  kNullData,
  kWitnessV0KeyHash,
  kWitnessV0ScriptHash,
  kWitnessV1Taproot,
  kWitnessUnknown,
};

// As the interface spells it ("pubkeyhash", "witness_v1_taproot").
std::string_view OutputKindName(OutputKind kind);

struct OutputTemplate {
  OutputKind kind = OutputKind::kNonStandard;
  // The key, the key hash, the script hash or the witness program.
  ByteSpan payload;
  // Of witness programs.
  int witness_version = -1;
  // Of multisigs: how many signatures, of which keys.
  int required = 0;
  std::vector<ByteSpan> keys;
};

OutputTemplate MatchOutput(ByteSpan script);
// The same without the details; never allocates.
OutputKind ClassifyOutput(ByteSpan script);

}  // namespace headrace
