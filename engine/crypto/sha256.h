// SHA-256 (FIPS 180-4) with run-time dispatch: the fastest path this processor has is chosen once, at first use (see
// sha256_path.h). All paths give the same digests; tests force each one. Any thread.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>
#include <vector>

#include "engine/base/bytes.h"

namespace headrace {

using Digest256 = std::array<uint8_t, 32>;

// A running hash. Copying it copies the midstate, which is how shared prefixes are hashed once.
class Sha256Hasher {
 public:
  Sha256Hasher() { Reset(); }

  Sha256Hasher& Write(ByteSpan bytes);
  // The digest of everything written; the hasher must be Reset before further use.
  Digest256 Finish();
  // SHA-256 of the digest: the field's "double SHA-256".
  Digest256 FinishDouble();
  void Reset();

  uint64_t size() const { return size_; }

 private:
  uint32_t state_[8];
  uint8_t buffer_[64];
  uint64_t size_;
};

Digest256 Sha256(ByteSpan bytes);
Digest256 Sha256d(ByteSpan bytes);

// Double SHA-256 of `count` nodes of 64 bytes each (two Merkle children): `out` takes 32 bytes a node and may be `in`.
void Sha256dNodes(uint8_t* out, const uint8_t* in, size_t count);

// Double SHA-256 of each message, whatever their lengths: out[i] is that of messages[i].
void Sha256dMany(std::span<const ByteSpan> messages, Digest256* out);

// A hasher that starts with SHA256(tag) twice (BIP340 tagged hashes).
Sha256Hasher TaggedHasher(std::string_view tag);

}  // namespace headrace
