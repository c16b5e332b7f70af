#include "net/discovery/node_address.h"

#include <algorithm>
#include <cstring>
#include <initializer_list>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "engine/crypto/sha256.h"
#include "engine/crypto/small_hashes.h"

namespace headrace {
namespace {

struct Prefix {
  uint8_t bytes[12];
  int bits;
};

// RFC 6890 and its like: what the internet does not carry, or carries to somebody else every time.
constexpr Prefix kUnroutableIpv4[] = {
    {{0}, 8},                // "this" network
    {{10}, 8},               // private (RFC 1918)
    {{100, 64}, 10},         // shared by a provider's customers (RFC 6598)
    {{127}, 8},              // loopback
    {{169, 254}, 16},        // link-local (RFC 3927)
    {{172, 16}, 12},         // private
    {{192, 0, 2}, 24},       // documentation (RFC 5737)
    {{192, 168}, 16},        // private
    {{198, 18}, 15},         // benchmarks (RFC 2544)
    {{198, 51, 100}, 24},    // documentation
    {{203, 0, 113}, 24},     // documentation
    {{224}, 3},              // multicast, reserved, broadcast
};
constexpr Prefix kUnroutableIpv6[] = {
    {{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}, 96},  // unspecified, loopback, IPv4-compatible
    {{0x20, 0x01, 0x00, 0x10}, 28},              // ORCHID (RFC 4843)
    {{0x20, 0x01, 0x00, 0x20}, 28},              // ORCHIDv2 (RFC 7343)
    {{0x20, 0x01, 0x0d, 0xb8}, 32},              // documentation (RFC 3849)
    {{0xfc}, 7},                                 // unique local (RFC 4193); CJDNS has a network of its own
    {{0xfe, 0x80}, 10},                          // link-local (RFC 4862)
    {{0xff}, 8},                                 // multicast
};

constexpr Prefix kMappedIpv4Prefix = {{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff}, 96};
constexpr Prefix kOnionCatPrefix = {{0xfd, 0x87, 0xd8, 0x7e, 0xeb, 0x43}, 48};
constexpr Prefix kCjdnsPrefix = {{0xfc}, 8};

bool StartsWith(ByteSpan bytes, const Prefix& prefix) {
  const size_t whole_bytes = static_cast<size_t>(prefix.bits / 8);
  if (!std::equal(prefix.bytes, prefix.bytes + whole_bytes, bytes.begin())) return false;
  const int rest = prefix.bits % 8;
  return rest == 0 || (bytes[whole_bytes] ^ prefix.bytes[whole_bytes]) >> (8 - rest) == 0;
}

template <size_t N>
bool StartsWithAny(ByteSpan bytes, const Prefix (&prefixes)[N]) {
  return std::any_of(std::begin(prefixes), std::end(prefixes),
                     [&](const Prefix& prefix) { return StartsWith(bytes, prefix); });
}

// The IPv4 address that an IPv6 one is a tunnel to: whoever owns that, owns as many of these as he likes.
std::optional<std::array<uint8_t, 4>> LinkedIpv4(ByteSpan ip) {
  auto bytes_at = [&](size_t at, uint8_t mask) {
    std::array<uint8_t, 4> v4;
    for (size_t i = 0; i < 4; ++i) v4[i] = ip[at + i] ^ mask;
    return v4;
  };
  constexpr Prefix kSixToFour = {{0x20, 0x02}, 16};                                      // RFC 3964
  constexpr Prefix kTeredo = {{0x20, 0x01, 0, 0}, 32};                                   // RFC 4380
  constexpr Prefix kTranslated = {{0, 0x64, 0xff, 0x9b, 0, 0, 0, 0, 0, 0, 0, 0}, 96};    // RFC 6052
  constexpr Prefix kStateless = {{0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 0, 0}, 96};        // RFC 6145
  if (StartsWith(ip, kSixToFour)) return bytes_at(2, 0);
  if (StartsWith(ip, kTeredo)) return bytes_at(12, 0xff);
  if (StartsWith(ip, kTranslated) || StartsWith(ip, kStateless)) return bytes_at(12, 0);
  return std::nullopt;
}

NetworkGroup MakeGroup(uint8_t network, std::initializer_list<uint8_t> bytes) {
  NetworkGroup group = network;
  for (const uint8_t byte : bytes) group = group << 8 | byte;
  for (size_t i = bytes.size(); i < 7; ++i) group <<= 8;
  return group;
}

constexpr std::string_view kDigits = "abcdefghijklmnopqrstuvwxyz234567";

std::string Base32(ByteSpan bytes) {
  std::string text;
  uint32_t pending = 0;
  int pending_bits = 0;
  for (const uint8_t byte : bytes) {
    pending = pending << 8 | byte;
    pending_bits += 8;
    for (; pending_bits >= 5; pending_bits -= 5) text += kDigits[pending >> (pending_bits - 5) & 31];
  }
  if (pending_bits > 0) text += kDigits[pending << (5 - pending_bits) & 31];
  return text;
}

// As many whole bytes as the digits hold; nothing when one is no digit, or when bits that are left over are set.
std::optional<std::vector<uint8_t>> Base32Bytes(std::string_view text) {
  std::vector<uint8_t> bytes;
  uint32_t pending = 0;
  int pending_bits = 0;
  for (const char letter : text) {
    const size_t digit = kDigits.find(letter);
    if (digit == std::string_view::npos) return std::nullopt;
    pending = pending << 5 | static_cast<uint32_t>(digit);
    pending_bits += 5;
    if (pending_bits < 8) continue;
    pending_bits -= 8;
    bytes.push_back(static_cast<uint8_t>(pending >> pending_bits));
    pending &= (1u << pending_bits) - 1;
  }
  return pending == 0 ? std::optional(std::move(bytes)) : std::nullopt;
}

// Version 3 onion names: key, two bytes of checksum, version (Tor's rend-spec-v3, section 6).
std::string OnionText(ByteSpan key) {
  constexpr uint8_t kOnionVersion = 3;
  std::vector<uint8_t> input;
  const ByteSpan label = AsBytes(".onion checksum");
  input.insert(input.end(), label.begin(), label.end());
  input.insert(input.end(), key.begin(), key.end());
  input.push_back(kOnionVersion);
  const auto checksum = Sha3_256(input);
  std::vector<uint8_t> name(key.begin(), key.end());
  name.insert(name.end(), {checksum[0], checksum[1], kOnionVersion});
  return Base32(name) + ".onion";
}

}  // namespace

size_t NodeAddress::SizeOf(uint8_t network) {
  switch (network) {
    case kNetworkIpv4: return 4;
    case kNetworkIpv6: return 16;
    case kNetworkTorV3: return 32;
    case kNetworkI2p: return 32;
    case kNetworkCjdns: return 16;
    default: return 0;
  }
}

NodeAddress NodeAddress::Of(const Address& address) {
  NodeAddress node;
  node.port = address.port;
  if (address.is_ipv4()) {
    node.network = kNetworkIpv4;
    std::copy(address.ip.begin() + 12, address.ip.end(), node.bytes.begin());
  } else {
    node.network = kNetworkIpv6;
    std::copy(address.ip.begin(), address.ip.end(), node.bytes.begin());
  }
  return node;
}

std::optional<NodeAddress> NodeAddress::FromWire(const NetworkAddress& entry) {
  const size_t size = SizeOf(entry.network);
  if (size == 0 || entry.bytes.size() != size) return std::nullopt;
  NodeAddress node;
  node.network = entry.network;
  node.port = entry.port;
  std::copy(entry.bytes.begin(), entry.bytes.end(), node.bytes.begin());
  const bool is_disguised = entry.network == kNetworkIpv6 && (StartsWith(node.span(), kMappedIpv4Prefix) ||
                                                             StartsWith(node.span(), kOnionCatPrefix));
  if (is_disguised) return std::nullopt;
  return node;
}

std::optional<NodeAddress> NodeAddress::FromWire(const WireAddress& entry) {
  if (StartsWith(entry.ip, kOnionCatPrefix)) return std::nullopt;
  return Of(Address{entry.ip, entry.port});
}

std::optional<NodeAddress> NodeAddress::ParseOnion(std::string_view host, uint16_t port) {
  constexpr std::string_view kSuffix = ".onion";
  constexpr size_t kKeyBytes = 32;
  constexpr size_t kNameBytes = kKeyBytes + 3;
  std::string text(host);
  absl::AsciiStrToLower(&text);
  if (!text.ends_with(kSuffix)) return std::nullopt;
  const std::optional<std::vector<uint8_t>> name =
      Base32Bytes(std::string_view(text).substr(0, text.size() - kSuffix.size()));
  if (!name || name->size() != kNameBytes) return std::nullopt;
  NodeAddress node;
  node.network = kNetworkTorV3;
  node.port = port;
  std::copy_n(name->begin(), kKeyBytes, node.bytes.begin());
  // Checksum and version follow from the key.
  return node.HostText() == text ? std::optional(node) : std::nullopt;
}

std::optional<NodeAddress> NodeAddress::Parse(const HostPort& host) {
  if (const std::optional<Address> numeric = ParseNumericHost(host.host, host.port)) return Of(*numeric);
  return ParseOnion(host.host, host.port);
}

NodeAddress NodeAddress::SourceNamed(std::string_view name) {
  NodeAddress source;
  const Digest256 digest = Sha256(AsBytes(name));
  std::copy(digest.begin(), digest.end(), source.bytes.begin());
  return source;
}

std::optional<Address> NodeAddress::ToAddress() const {
  if (network == kNetworkIpv4) return Address::Ipv4(bytes[0], bytes[1], bytes[2], bytes[3], port);
  if (network != kNetworkIpv6) return std::nullopt;
  Address address;
  std::copy_n(bytes.begin(), 16, address.ip.begin());
  address.port = port;
  return address;
}

NetworkAddress NodeAddress::ToWire(uint64_t services, uint32_t time_s) const {
  return {time_s, services, network, {span().begin(), span().end()}, port};
}

bool NodeAddress::IsValid() const {
  if (size() == 0) return false;
  if (port == 0 && network != kNetworkI2p) return false;
  switch (network) {
    case kNetworkIpv4: return bytes[0] != 0 && bytes[0] < 224;
    case kNetworkIpv6: {
      const bool is_unspecified = std::all_of(bytes.begin(), bytes.end(), [](uint8_t byte) { return byte == 0; });
      return !is_unspecified && bytes[0] != 0xff && !StartsWith(span(), kMappedIpv4Prefix);
    }
    case kNetworkCjdns: return StartsWith(span(), kCjdnsPrefix);
    default: return true;
  }
}

bool NodeAddress::IsRoutable() const {
  if (!IsValid()) return false;
  if (network == kNetworkIpv4) return !StartsWithAny(span(), kUnroutableIpv4);
  if (network == kNetworkIpv6) return !StartsWithAny(span(), kUnroutableIpv6);
  return true;
}

bool NodeAddress::is_loopback() const {
  const std::optional<Address> address = ToAddress();
  return address && address->is_loopback();
}

NetworkGroup NodeAddress::Group() const {
  // One machine has all of them: what tells nodes on it apart is the port.
  if (is_loopback()) {
    const ByteSpan ip = span();
    return MakeGroup(network, {ip[0], ip[ip.size() - 2], ip[ip.size() - 1], static_cast<uint8_t>(port >> 8),
                               static_cast<uint8_t>(port)});
  }
  const auto& b = bytes;
  switch (network) {
    // Sources that have no address (DNS seeds) are a group each.
    case 0: return MakeGroup(0, {b[0], b[1], b[2], b[3], b[4], b[5], b[6]});
    case kNetworkIpv4: return MakeGroup(kNetworkIpv4, {b[0], b[1]});
    case kNetworkIpv6: {
      if (const auto v4 = LinkedIpv4(span())) return MakeGroup(kNetworkIpv4, {(*v4)[0], (*v4)[1]});
      // A tunnel broker that hands out a /48 to whoever asks is looked at more closely, as the field does.
      constexpr Prefix kHurricaneElectric = {{0x20, 0x01, 0x04, 0x70}, 32};
      if (!StartsWith(span(), kHurricaneElectric)) return MakeGroup(network, {b[0], b[1], b[2], b[3]});
      return MakeGroup(network, {b[0], b[1], b[2], b[3], static_cast<uint8_t>(b[4] & 0xf0)});
    }
    // Every CJDNS address begins with fc; the others are keys, of which anybody makes as many as he likes: few groups.
    case kNetworkCjdns: return MakeGroup(network, {b[0], static_cast<uint8_t>(b[1] & 0xf0)});
    default: return MakeGroup(network, {static_cast<uint8_t>(b[0] & 0xf0)});
  }
}

std::string NodeAddress::HostText() const {
  switch (network) {
    case kNetworkTorV3: return OnionText(span());
    case kNetworkI2p: return Base32(span()) + ".b32.i2p";
    case kNetworkCjdns: {
      Address address;
      std::copy_n(bytes.begin(), 16, address.ip.begin());
      return address.HostText();
    }
    default: {
      const std::optional<Address> address = ToAddress();
      return address ? address->HostText() : "";
    }
  }
}

std::string NodeAddress::ToString() const {
  const bool has_brackets = network == kNetworkIpv6 || network == kNetworkCjdns;
  return has_brackets ? absl::StrCat("[", HostText(), "]:", port) : absl::StrCat(HostText(), ":", port);
}

std::string_view AddressNetworkName(uint8_t network) {
  switch (network) {
    case kNetworkIpv4: return "ipv4";
    case kNetworkIpv6: return "ipv6";
    case kNetworkTorV3: return "onion";
    case kNetworkI2p: return "i2p";
    case kNetworkCjdns: return "cjdns";
    default: return "unknown";
  }
}

}  // namespace headrace
