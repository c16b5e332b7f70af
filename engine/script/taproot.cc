#include "engine/script/taproot.h"

#include <algorithm>

#include "engine/crypto/signature.h"
#include "engine/script/hash_stream.h"

namespace headrace {
namespace {

// Each tag's prefix is hashed once and copied from then on.
const Sha256Hasher& LeafHasher() {
  static const Sha256Hasher hasher = TaggedHasher("TapLeaf");
  return hasher;
}
const Sha256Hasher& BranchHasher() {
  static const Sha256Hasher hasher = TaggedHasher("TapBranch");
  return hasher;
}
const Sha256Hasher& TweakHasher() {
  static const Sha256Hasher hasher = TaggedHasher("TapTweak");
  return hasher;
}

}  // namespace

Digest256 TapLeafHash(uint8_t leaf_version, ByteSpan script) {
  HashStream stream(LeafHasher());
  stream.U8(leaf_version);
  stream.VarBytes(script);
  return stream.Finish();
}

Digest256 TapBranchHash(ByteSpan a, ByteSpan b) {
  const bool in_order = std::ranges::lexicographical_compare(a, b);
  Sha256Hasher hasher = BranchHasher();
  return hasher.Write(in_order ? a : b).Write(in_order ? b : a).Finish();
}

Digest256 TapTweakHash(ByteSpan internal_key, const std::optional<Digest256>& merkle_root) {
  Sha256Hasher hasher = TweakHasher();
  hasher.Write(internal_key);
  if (merkle_root) hasher.Write(*merkle_root);
  return hasher.Finish();
}

Digest256 AnnexHash(ByteSpan annex) {
  HashStream stream;
  stream.VarBytes(annex);
  return stream.Finish();
}

bool IsControlBlockSize(size_t size) {
  return size >= kControlBlockBaseBytes && size <= kControlBlockMaxBytes &&
         (size - kControlBlockBaseBytes) % kControlBlockNodeBytes == 0;
}

bool IsTaprootCommitment(ByteSpan control_block, ByteSpan output_key, const Digest256& leaf_hash) {
  const ByteSpan internal_key = control_block.subspan(1, 32);
  Digest256 node = leaf_hash;
  for (size_t at = kControlBlockBaseBytes; at < control_block.size(); at += kControlBlockNodeBytes) {
    node = TapBranchHash(node, control_block.subspan(at, kControlBlockNodeBytes));
  }
  const bool output_is_odd = (control_block[0] & 1) != 0;
  return CheckTaprootTweak(internal_key, output_key, output_is_odd, TapTweakHash(internal_key, node));
}

}  // namespace headrace
