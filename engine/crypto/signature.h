// Signature checks as consensus has them, over libsecp256k1. Any thread; one verification context for all.
#pragma once

#include <cstdint>

#include "engine/base/bytes.h"
#include "engine/crypto/sha256.h"

namespace headrace {

// ECDSA (legacy and segwit v0). `public_key` is 33 or 65 bytes, hybrid encodings (06, 07) included. `der` is the
// signature without its hash type, parsed as leniently as the network always has (before BIP66), S normalised.
bool VerifyEcdsa(ByteSpan public_key, ByteSpan der, const Digest256& message_hash);

// BIP146 LOW_S: whether S of a signature (strict DER, without hash type) is at most half the group order.
bool IsLowS(ByteSpan der);

// Schnorr (BIP340): 32-byte x-only key, 64-byte signature.
bool VerifySchnorr(ByteSpan x_only_key, ByteSpan signature, const Digest256& message_hash);

// BIP341: whether `output_key` is `internal_key` tweaked by `tweak`, with the given parity of the output's y.
bool CheckTaprootTweak(ByteSpan internal_key, ByteSpan output_key, bool output_is_odd, const Digest256& tweak);

// Whether the bytes parse as a point on the curve.
bool IsValidPublicKey(ByteSpan public_key);

}  // namespace headrace
