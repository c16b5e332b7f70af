#include "net/wire/address_messages.h"

#include <cstring>

#include "engine/primitives/byte_reader.h"
#include "engine/primitives/byte_writer.h"

namespace headrace {
namespace {

DecodeError Finished(ByteReader& reader) {
  if (reader.ok() && reader.remaining() != 0) reader.Fail(DecodeError::kTrailingBytes);
  return reader.error();
}

uint32_t ReadCount(ByteReader& reader) {
  const uint32_t count = reader.CompactSize();
  if (count > kMaxAddressesPerMessage) reader.Fail(DecodeError::kOversizedCount);
  return reader.ok() ? count : 0;
}

// The length that BIP155 fixes for a network, or 0 for networks it does not know.
uint32_t AddressBytesOf(uint8_t network) {
  switch (network) {
    case kNetworkIpv4: return 4;
    case kNetworkIpv6: return 16;
    case kNetworkTorV2: return 10;
    case kNetworkTorV3: return 32;
    case kNetworkI2p: return 32;
    case kNetworkCjdns: return 16;
    default: return 0;
  }
}

}  // namespace

void EncodeAddr(const std::vector<TimedAddress>& addresses, std::vector<uint8_t>& out) {
  ByteWriter writer(out);
  writer.CompactSize(addresses.size());
  for (const TimedAddress& entry : addresses) {
    writer.U32(entry.time_s);
    writer.U64(entry.address.services);
    writer.Bytes(entry.address.ip);
    writer.U16(__builtin_bswap16(entry.address.port));
  }
}

DecodeError DecodeAddr(ByteSpan body, std::vector<TimedAddress>& addresses) {
  ByteReader reader(body);
  const uint32_t count = ReadCount(reader);
  addresses.clear();
  for (uint32_t i = 0; i < count && reader.ok(); ++i) {
    TimedAddress entry;
    entry.time_s = reader.U32();
    entry.address.services = reader.U64();
    const ByteSpan ip = reader.Bytes(16);
    entry.address.port = __builtin_bswap16(reader.U16());
    if (!reader.ok()) break;
    std::memcpy(entry.address.ip.data(), ip.data(), 16);
    addresses.push_back(entry);
  }
  return Finished(reader);
}

void EncodeAddrV2(const std::vector<NetworkAddress>& addresses, std::vector<uint8_t>& out) {
  ByteWriter writer(out);
  writer.CompactSize(addresses.size());
  for (const NetworkAddress& entry : addresses) {
    writer.U32(entry.time_s);
    writer.CompactSize(entry.services);
    writer.U8(entry.network);
    writer.VarBytes(entry.bytes);
    writer.U16(__builtin_bswap16(entry.port));
  }
}

DecodeError DecodeAddrV2(ByteSpan body, std::vector<NetworkAddress>& addresses) {
  ByteReader reader(body);
  const uint32_t count = ReadCount(reader);
  addresses.clear();
  for (uint32_t i = 0; i < count && reader.ok(); ++i) {
    NetworkAddress entry;
    entry.time_s = reader.U32();
    entry.services = reader.CompactSize64();
    entry.network = reader.U8();
    const uint32_t size = reader.CompactSize();
    const uint32_t fixed_size = AddressBytesOf(entry.network);
    if (size > kMaxAddressBytes || (fixed_size != 0 && size != fixed_size)) reader.Fail(DecodeError::kOversizedCount);
    const ByteSpan bytes = reader.Bytes(size);
    entry.bytes.assign(bytes.begin(), bytes.end());
    entry.port = __builtin_bswap16(reader.U16());
    if (reader.ok()) addresses.push_back(std::move(entry));
  }
  return Finished(reader);
}

}  // namespace headrace
