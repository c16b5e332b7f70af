// Messages on their way out: a header and a body as shared bytes, ready for a send queue.
#pragma once

#include <vector>

#include "engine/base/slab.h"
#include "net/wire/message_header.h"

namespace headrace {

// Header and body in one piece; the body is copied behind the header.
SharedBytes EncodeMessage(const NetworkMagic& magic, const Command& command, ByteSpan body);

// The header alone, for a body that is sent from where it lies. Computes the body's checksum.
SharedBytes EncodeMessageHeader(const NetworkMagic& magic, const Command& command, ByteSpan body);

}  // namespace headrace
