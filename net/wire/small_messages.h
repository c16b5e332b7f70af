// Messages of a few fixed fields: `ping`, `pong` (BIP31), `sendcmpct` (BIP152), `feefilter` (BIP133). Those without a
// body (verack, getaddr, sendheaders, wtxidrelay, sendaddrv2, mempool) have no codec: their body must be empty.
//
// Values; any thread. Decoders are strict: the whole body must be the message.
#pragma once

#include <cstdint>
#include <vector>

#include "engine/base/bytes.h"
#include "engine/primitives/decode_error.h"

namespace headrace {

void EncodeNonce(uint64_t nonce, std::vector<uint8_t>& out);
[[nodiscard]] DecodeError DecodeNonce(ByteSpan body, uint64_t& nonce);

// BIP152: the version whose short ids are of wtxids.
inline constexpr uint64_t kCompactVersion = 2;

struct SendCompactMessage {
  bool wants_announcements = false;  // high bandwidth mode
  uint64_t version = 0;
  bool operator==(const SendCompactMessage&) const = default;
};

void EncodeSendCompact(const SendCompactMessage& message, std::vector<uint8_t>& out);
[[nodiscard]] DecodeError DecodeSendCompact(ByteSpan body, SendCompactMessage& message);

// Satoshi per thousand virtual bytes.
void EncodeFeeFilter(int64_t fee_rate, std::vector<uint8_t>& out);
[[nodiscard]] DecodeError DecodeFeeFilter(ByteSpan body, int64_t& fee_rate);

[[nodiscard]] DecodeError DecodeEmpty(ByteSpan body);

}  // namespace headrace
