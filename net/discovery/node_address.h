// The address of a node as gossip carries it (BIP155): a network, the bytes that it knows nodes by, and a port.
//
// Wider than Address, which the transport can dial: Tor v3, I2P and CJDNS addresses are kept and handed on, though this node
// connects to none of them. A value type; any thread. Text of a Tor address costs a hash, all else a few comparisons.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "engine/base/bytes.h"
#include "net/transport/address.h"
#include "net/wire/address_messages.h"

namespace headrace {

// Who is likely to be in one hand: the same provider's or organisation's part of a network. A network's number in the top
// byte, then as much of the address as names the part. Equal or not is all that it says.
using NetworkGroup = uint64_t;

struct NodeAddress {
  uint8_t network = 0;  // AddressNetwork; 0 in an address that is nobody's
  std::array<uint8_t, 32> bytes{};  // the first size() of them; the rest is zero
  uint16_t port = 0;

  auto operator<=>(const NodeAddress&) const = default;
  template <typename H>
  friend H AbslHashValue(H state, const NodeAddress& address) {
    return H::combine(std::move(state), address.network, address.bytes, address.port);
  }

  static NodeAddress Of(const Address& address);
  // Nothing for networks that are unknown or gone (Tor v2), and for IPv6 addresses that stand for something else (BIP155:
  // IPv4 has its own network, and OnionCat's embedding of Tor v2 is to be ignored).
  static std::optional<NodeAddress> FromWire(const NetworkAddress& entry);
  static std::optional<NodeAddress> FromWire(const WireAddress& entry);

  // `....onion`, as HostText writes it, in letters of either case; nothing when its checksum or version is wrong.
  static std::optional<NodeAddress> ParseOnion(std::string_view host, uint16_t port);
  // A numeric address, or an onion name.
  static std::optional<NodeAddress> Parse(const HostPort& host);

  // Whoever tells addresses and has none himself, as a seed by its name: nobody's address, in a group of its own.
  static NodeAddress SourceNamed(std::string_view name);

  // The bytes that the network's addresses have; 0 for networks that are not kept.
  static size_t SizeOf(uint8_t network);
  size_t size() const { return SizeOf(network); }
  ByteSpan span() const { return ByteSpan(bytes).first(size()); }
  // What the transport can dial, and what `addr` can carry; nothing for other networks.
  std::optional<Address> ToAddress() const;
  NetworkAddress ToWire(uint64_t services, uint32_t time_s) const;

  // Whether a node can be there at all: no unspecified, broadcast or multicast address, and a port (I2P has none).
  bool IsValid() const;
  // Whether it means the same node to everybody on the internet.
  bool IsRoutable() const;
  bool is_loopback() const;
  NetworkGroup Group() const;
  // `1.2.3.4:8333`, `[2001:db8::1]:8333`, `....onion:8333`, `....b32.i2p:0`.
  std::string HostText() const;
  std::string ToString() const;
};
static_assert(sizeof(NodeAddress) == 36);

// `ipv4`, `ipv6`, `onion`, `i2p`, `cjdns`.
std::string_view AddressNetworkName(uint8_t network);

}  // namespace headrace
