// Taproot's tree of scripts (BIP341): leaf and branch hashes, the path of a control block, the tweak that commits an
// output key to all of it. Pure; any thread.
#pragma once

#include <optional>

#include "engine/base/bytes.h"
#include "engine/crypto/sha256.h"

namespace headrace {

inline constexpr uint8_t kTapscriptLeafVersion = 0xc0;
inline constexpr uint8_t kTaprootLeafMask = 0xfe;
inline constexpr uint8_t kAnnexTag = 0x50;
inline constexpr size_t kControlBlockBaseBytes = 33;
inline constexpr size_t kControlBlockNodeBytes = 32;
inline constexpr size_t kControlBlockMaxBytes = kControlBlockBaseBytes + kControlBlockNodeBytes * 128;

Digest256 TapLeafHash(uint8_t leaf_version, ByteSpan script);
// The order of the two children does not matter.
Digest256 TapBranchHash(ByteSpan a, ByteSpan b);
// What the internal key is tweaked by; a key without scripts has no root.
Digest256 TapTweakHash(ByteSpan internal_key, const std::optional<Digest256>& merkle_root);
// The digest of an annex with its length, as signatures commit to it.
Digest256 AnnexHash(ByteSpan annex);

// A control block is one byte of leaf version and parity, the internal key, and 0 to 128 nodes.
bool IsControlBlockSize(size_t size);
// Whether `output_key` (32 bytes) commits to the leaf along the control block's path. The size was checked.
bool IsTaprootCommitment(ByteSpan control_block, ByteSpan output_key, const Digest256& leaf_hash);

}  // namespace headrace
