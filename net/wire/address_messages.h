// Messages about the addresses of nodes: `addr` and `addrv2` (BIP155).
//
// Values; any thread. Decoders are strict: the whole body must be the message.
#pragma once

#include <cstdint>
#include <vector>

#include "engine/base/bytes.h"
#include "engine/primitives/decode_error.h"
#include "net/wire/version_message.h"

namespace headrace {

// The field's MAX_ADDR_TO_SEND.
inline constexpr uint32_t kMaxAddressesPerMessage = 1000;
// BIP155: an address MUST NOT be longer than 512 bytes.
inline constexpr uint32_t kMaxAddressBytes = 512;

struct TimedAddress {
  uint32_t time_s = 0;
  WireAddress address;
  bool operator==(const TimedAddress&) const = default;
};

// BIP155's networks; others may come, and are carried without being understood.
enum AddressNetwork : uint8_t {
  kNetworkIpv4 = 1,
  kNetworkIpv6 = 2,
  kNetworkTorV2 = 3,
  kNetworkTorV3 = 4,
  kNetworkI2p = 5,
  kNetworkCjdns = 6,
};

struct NetworkAddress {
  uint32_t time_s = 0;
  uint64_t services = 0;
  uint8_t network = 0;
  std::vector<uint8_t> bytes;
  uint16_t port = 0;
  bool operator==(const NetworkAddress&) const = default;
};

void EncodeAddr(const std::vector<TimedAddress>& addresses, std::vector<uint8_t>& out);
[[nodiscard]] DecodeError DecodeAddr(ByteSpan body, std::vector<TimedAddress>& addresses);

void EncodeAddrV2(const std::vector<NetworkAddress>& addresses, std::vector<uint8_t>& out);
// BIP155: an address of a known network whose length is not that network's makes the message malformed.
[[nodiscard]] DecodeError DecodeAddrV2(ByteSpan body, std::vector<NetworkAddress>& addresses);

}  // namespace headrace
