#include "net/wire/small_messages.h"

#include "engine/primitives/byte_reader.h"
#include "engine/primitives/byte_writer.h"

namespace headrace {
namespace {

DecodeError Finished(ByteReader& reader) {
  if (reader.ok() && reader.remaining() != 0) reader.Fail(DecodeError::kTrailingBytes);
  return reader.error();
}

}  // namespace

void EncodeNonce(uint64_t nonce, std::vector<uint8_t>& out) { ByteWriter(out).U64(nonce); }

DecodeError DecodeNonce(ByteSpan body, uint64_t& nonce) {
  ByteReader reader(body);
  nonce = reader.U64();
  return Finished(reader);
}

void EncodeSendCompact(const SendCompactMessage& message, std::vector<uint8_t>& out) {
  ByteWriter writer(out);
  writer.U8(message.wants_announcements ? 1 : 0);
  writer.U64(message.version);
}

DecodeError DecodeSendCompact(ByteSpan body, SendCompactMessage& message) {
  ByteReader reader(body);
  const uint8_t announce = reader.U8();
  // BIP152: the first byte is a boolean and MUST be 0 or 1.
  if (announce > 1) reader.Fail(DecodeError::kOversizedCount);
  message.wants_announcements = announce == 1;
  message.version = reader.U64();
  return Finished(reader);
}

void EncodeFeeFilter(int64_t fee_rate, std::vector<uint8_t>& out) { ByteWriter(out).U64(static_cast<uint64_t>(fee_rate)); }

DecodeError DecodeFeeFilter(ByteSpan body, int64_t& fee_rate) {
  ByteReader reader(body);
  fee_rate = static_cast<int64_t>(reader.U64());
  return Finished(reader);
}

DecodeError DecodeEmpty(ByteSpan body) { return body.empty() ? DecodeError::kNone : DecodeError::kTrailingBytes; }

}  // namespace headrace
