// ECDSA signatures as the network read them before BIP66 made strict DER a rule. Blocks from then are still verified,
// so this reader accepts what the network accepted: any sequence length, long forms of lengths, superfluous or negative
// leading bytes, and bytes after the end.
#pragma once

#include <array>
#include <cstdint>
#include <optional>

#include "engine/base/bytes.h"

namespace headrace {

// R and S, 32 bytes each, big-endian. Where either integer is longer than 32 bytes both are zero: the signature is read
// but can verify nothing.
using CompactSignature = std::array<uint8_t, 64>;

// Nothing when the bytes are no signature even so.
std::optional<CompactSignature> ReadLaxDer(ByteSpan der);

}  // namespace headrace
