#include "net/wire/version_message.h"

#include <cstring>

#include "engine/primitives/byte_reader.h"
#include "engine/primitives/byte_writer.h"

namespace headrace {
namespace {

void WriteAddress(ByteWriter& writer, const WireAddress& address) {
  writer.U64(address.services);
  writer.Bytes(address.ip);
  writer.U16(__builtin_bswap16(address.port));
}

WireAddress ReadAddress(ByteReader& reader) {
  WireAddress address;
  address.services = reader.U64();
  const ByteSpan ip = reader.Bytes(16);
  if (reader.ok()) std::memcpy(address.ip.data(), ip.data(), 16);
  address.port = __builtin_bswap16(reader.U16());
  return address;
}

}  // namespace

void EncodeVersion(const VersionMessage& message, std::vector<uint8_t>& out) {
  ByteWriter writer(out);
  writer.U32(static_cast<uint32_t>(message.protocol_version));
  writer.U64(message.services);
  writer.U64(static_cast<uint64_t>(message.time_s));
  WriteAddress(writer, message.receiver);
  WriteAddress(writer, message.sender);
  writer.U64(message.nonce);
  writer.VarBytes(AsBytes(message.user_agent));
  writer.U32(static_cast<uint32_t>(message.start_height));
  writer.U8(message.relay_transactions ? 1 : 0);
}

DecodeError DecodeVersion(ByteSpan body, VersionMessage& message) {
  ByteReader reader(body);
  message.protocol_version = static_cast<int32_t>(reader.U32());
  message.services = reader.U64();
  message.time_s = static_cast<int64_t>(reader.U64());
  message.receiver = ReadAddress(reader);
  message.sender = ReadAddress(reader);
  message.nonce = reader.U64();
  const uint32_t user_agent_bytes = reader.CompactSize();
  if (user_agent_bytes > kMaxUserAgentBytes) reader.Fail(DecodeError::kOversizedCount);
  message.user_agent = AsText(reader.Bytes(user_agent_bytes));
  message.start_height = static_cast<int32_t>(reader.U32());
  message.relay_transactions = !reader.ok() || reader.remaining() == 0 || reader.U8() != 0;
  return reader.error();
}

}  // namespace headrace
