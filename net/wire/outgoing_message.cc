#include "net/wire/outgoing_message.h"

#include <cstring>

#include "engine/base/check.h"
#include "engine/base/limits.h"

namespace headrace {
namespace {

MessageHeader HeaderOf(const NetworkMagic& magic, const Command& command, ByteSpan body) {
  HR_CHECK(body.size() <= kMaxMessageBytes);
  return {magic, command, static_cast<uint32_t>(body.size()), MessageChecksum(body)};
}

}  // namespace

SharedBytes EncodeMessage(const NetworkMagic& magic, const Command& command, ByteSpan body) {
  auto slab = std::make_shared<Slab>(MessageHeader::kSerializedBytes + body.size());
  HeaderOf(magic, command, body).Store(slab->writable().data());
  if (!body.empty()) std::memcpy(slab->writable().data() + MessageHeader::kSerializedBytes, body.data(), body.size());
  return SharedBytes::From(std::move(slab));
}

SharedBytes EncodeMessageHeader(const NetworkMagic& magic, const Command& command, ByteSpan body) {
  auto slab = std::make_shared<Slab>(MessageHeader::kSerializedBytes);
  HeaderOf(magic, command, body).Store(slab->writable().data());
  return SharedBytes::From(std::move(slab));
}

}  // namespace headrace
