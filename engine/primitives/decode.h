// Raw bytes to columns: strict, one pass, no allocation per transaction once the columns are warm. Nothing is hashed
// here but the header (see transaction_hashes.h).
#pragma once

#include "engine/primitives/block_columns.h"
#include "engine/primitives/byte_reader.h"
#include "engine/primitives/decode_error.h"

namespace headrace {

// Decodes a whole block; every byte must belong to it. On failure the columns are in no defined state. `raw` must
// outlive the columns.
[[nodiscard]] DecodeError DecodeBlock(ByteSpan raw, BlockColumns& columns);

enum class WitnessEncoding : uint8_t { kAllowed, kForbidden };

// Decodes one transaction, and the whole span must be it. `kForbidden` reads the encoding from before BIP144, in which a
// transaction without inputs is not mistaken for the marker.
[[nodiscard]] DecodeError DecodeTransaction(ByteSpan raw, WitnessEncoding encoding, TransactionColumns& columns);

// The bytes of the transaction that comes next, for messages that hold several (BIP152); nothing when the reader fails. `scratch`
// is memory to work in, warm when it is given again, and means nothing afterwards.
ByteSpan ReadTransaction(ByteReader& reader, TransactionColumns& scratch);

}  // namespace headrace
