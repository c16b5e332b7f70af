// The hashes that scripts and indexes need beside SHA-256. Any thread.
#pragma once

#include <array>
#include <cstdint>

#include "engine/base/bytes.h"

namespace headrace {

using Digest160 = std::array<uint8_t, 20>;

Digest160 Sha1(ByteSpan bytes);
Digest160 Ripemd160(ByteSpan bytes);
// RIPEMD-160 of SHA-256: what pay-to-pubkey-hash and pay-to-script-hash commit to.
Digest160 Hash160(ByteSpan bytes);
// SHA3-256 (FIPS 202): checksums of Tor's onion names. A microsecond and an allocation: for cold paths.
std::array<uint8_t, 32> Sha3_256(ByteSpan bytes);

// Keyed pseudo-random function for hash tables (Aumasson and Bernstein): `compression` and `finalization` rounds, 1-3 for
// tables, 2-4 where the field fixes it (BIP152, BIP158).
uint64_t SipHash13(uint64_t key0, uint64_t key1, ByteSpan bytes);
uint64_t SipHash24(uint64_t key0, uint64_t key1, ByteSpan bytes);
// SipHash-1-3 of a 32-byte txid followed by a 4-byte output index, unrolled: the coin index's hash.
uint64_t SipHash13OutPoint(uint64_t key0, uint64_t key1, const uint8_t* outpoint36);

// CRC-32C (Castagnoli; RFC 3720), by instruction where there is one: the checksum of our files. `seed` continues a sum.
uint32_t Crc32c(ByteSpan bytes, uint32_t seed = 0);

}  // namespace headrace
