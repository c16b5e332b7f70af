#include "net/wire/message_header.h"

#include <algorithm>

#include "engine/base/endian.h"
#include "engine/crypto/sha256.h"

namespace headrace {

bool Command::is_well_formed() const {
  const std::string_view text = name();
  if (text.empty()) return false;
  const bool is_printable = std::all_of(text.begin(), text.end(), [](char c) { return c >= 0x20 && c <= 0x7e; });
  return is_printable && std::all_of(bytes.begin() + text.size(), bytes.end(), [](char c) { return c == 0; });
}

MessageHeader MessageHeader::Load(const uint8_t* at) {
  MessageHeader header;
  std::memcpy(header.magic.data(), at, 4);
  std::memcpy(header.command.bytes.data(), at + 4, Command::kBytes);
  header.body_bytes = LoadLittle32(at + 16);
  std::memcpy(header.checksum.data(), at + 20, 4);
  return header;
}

void MessageHeader::Store(uint8_t* at) const {
  std::memcpy(at, magic.data(), 4);
  std::memcpy(at + 4, command.bytes.data(), Command::kBytes);
  StoreLittle<uint32_t>(at + 16, body_bytes);
  std::memcpy(at + 20, checksum.data(), 4);
}

std::array<uint8_t, 4> MessageChecksum(ByteSpan body) {
  const Digest256 digest = Sha256d(body);
  return {digest[0], digest[1], digest[2], digest[3]};
}

}  // namespace headrace
