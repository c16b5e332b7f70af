// Which script rules hold: consensus flags follow from a block's height, the others are policy.
#pragma once

#include <cstdint>

namespace headrace {

// A set of flags.
using ScriptFlags = uint32_t;

enum ScriptFlag : ScriptFlags {
  kVerifyNone = 0,
  kVerifyP2sh = 1u << 0,                  // BIP16
  kVerifyStrictEncoding = 1u << 1,        // policy
  kVerifyDerSignatures = 1u << 2,         // BIP66
  kVerifyLowS = 1u << 3,                  // policy (BIP146)
  kVerifyNullDummy = 1u << 4,             // BIP147
  kVerifySigPushOnly = 1u << 5,           // policy (BIP62)
  kVerifyMinimalData = 1u << 6,           // policy (BIP62)
  kVerifyDiscourageUpgradableNops = 1u << 7,
  kVerifyCleanStack = 1u << 8,            // policy (BIP62)
  kVerifyCheckLockTimeVerify = 1u << 9,   // BIP65
  kVerifyCheckSequenceVerify = 1u << 10,  // BIP112
  kVerifyWitness = 1u << 11,              // BIP141
  kVerifyDiscourageUpgradableWitnessProgram = 1u << 12,
  kVerifyMinimalIf = 1u << 13,            // policy in segwit v0
  kVerifyNullFail = 1u << 14,             // policy (BIP146)
  kVerifyWitnessPubkeyType = 1u << 15,    // policy (BIP143)
  kVerifyConstScriptCode = 1u << 16,      // policy
  kVerifyTaproot = 1u << 17,              // BIP341, BIP342
  kVerifyDiscourageUpgradableTaprootVersion = 1u << 18,
  kVerifyDiscourageOpSuccess = 1u << 19,
  kVerifyDiscourageUpgradablePubkeyType = 1u << 20,
};

}  // namespace headrace
