// Spends made to measure: one input, one output, and whatever script and witness a test wants to see judged. Signatures
// are real. Values and functions; one thread.
#pragma once

#include <cstdint>
#include <vector>

#include "engine/script/script_builder.h"
#include "engine/script/signature_hash.h"
#include "engine/script/spend_verifier.h"
#include "tests/engine/script/spend_fixture.h"

namespace headrace::testing {

// The flags of a block of today.
inline constexpr ScriptFlags kConsensusFlags = kVerifyP2sh | kVerifyWitness | kVerifyTaproot | kVerifyDerSignatures |
                                               kVerifyCheckLockTimeVerify | kVerifyCheckSequenceVerify |
                                               kVerifyNullDummy;

// The spending transaction; tests change what they are about.
struct MadeSpend {
  Bytes script_pubkey;
  Bytes script_sig = {};
  std::vector<Bytes> witness = {};
  uint32_t sequence = 0xfffffffe;
  uint32_t lock_time = 0;

  MutableTransaction Transaction() const;
  ScriptError Verify(ScriptFlags flags = kConsensusFlags) const;
  // What is signed for script codes and scopes of this very spend, with SIGHASH_ALL or the default.
  Digest256 LegacyDigest(ByteSpan script_code) const;
  Digest256 TaprootDigest(const TaprootSignatureScope& scope) const;
};

// The key that signs in these tests, and its signature with SIGHASH_ALL behind it.
Bytes TestKey();
Bytes TestSignature(const Digest256& digest);

// An output script that is `script` itself; one that is its hash, and the witness that shows it behind `items`.
MadeSpend SpendOfScript(const Bytes& script);
MadeSpend SpendOfWitnessScript(const Bytes& script, std::vector<Bytes> items = {});
// A taproot output whose tree holds `script` at the end of `path` (32 bytes a node), and the witness that shows it.
MadeSpend SpendOfLeaf(const Bytes& script, std::vector<Bytes> items = {}, const Bytes& path = {});
// A taproot output of the test key alone.
MadeSpend SpendOfKey();

// `n` times the same operation.
Bytes Repeated(Opcode opcode, size_t n);

}  // namespace headrace::testing
