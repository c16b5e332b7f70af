// `version`: how two nodes introduce themselves.
//
// Values; any thread. Decoders are strict: they give an error and leave `message` undefined.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "engine/base/bytes.h"
#include "engine/primitives/decode_error.h"

namespace headrace {

// The field's MAX_SUBVERSION_LENGTH.
inline constexpr uint32_t kMaxUserAgentBytes = 256;

// An address as old messages carry it: 16 bytes (IPv4 mapped into IPv6) and a big-endian port.
struct WireAddress {
  uint64_t services = 0;
  std::array<uint8_t, 16> ip{};
  uint16_t port = 0;
  bool operator==(const WireAddress&) const = default;
};

struct VersionMessage {
  int32_t protocol_version = 0;
  uint64_t services = 0;
  int64_t time_s = 0;
  WireAddress receiver;
  WireAddress sender;        // protocol 106 and later, as all that follows
  uint64_t nonce = 0;
  std::string user_agent;
  int32_t start_height = 0;
  bool relay_transactions = true;  // BIP37; what is not said counts as true
  bool operator==(const VersionMessage&) const = default;
};

void EncodeVersion(const VersionMessage& message, std::vector<uint8_t>& out);
// Everything up to the start height must be there, the relay flag may be. Bytes after it are left to future versions, as
// the field does.
[[nodiscard]] DecodeError DecodeVersion(ByteSpan body, VersionMessage& message);

}  // namespace headrace
