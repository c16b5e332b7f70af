// What a peer can do wrong with bytes, handshakes and limits, and what follows: one table, one row per misbehaviour. What it
// can do wrong with headers and blocks stands in engine/sync/peer_fault.h.
#pragma once

#include <cstdint>
#include <string_view>

#include "engine/ports/consequence.h"

namespace headrace {

enum class Misbehaviour : uint8_t {
  kWrongMagic,
  kBadCommand,
  kOversizedMessage,
  kBadChecksum,
  kMalformedMessage,
  kMalformedCompactBlock,
  kMessageBeforeVersion,
  kMessageBeforeVerack,
  kDuplicateVersion,
  kDuplicateVerack,
  kLateNegotiation,
  kObsoleteVersion,
  kSelfConnection,
  kUnexpectedPong,
  kHandshakeTimeout,
  kPongTimeout,
  kSilence,
  kSendQueueOverflow,
  kMemoryExhausted,
  kInboundSlotsFull,
  kDiscouragedAddress,
  kOversizedAddresses,
  kAddressFlood,
  kAddressesUnwanted,
  kAddressesAskedAgain,
  kServicesMissing,
  kEvicted,
  kCount,
};

struct MisbehaviourRow {
  Misbehaviour misbehaviour;
  Consequence consequence;
  std::string_view sentence;
};

const MisbehaviourRow& RowOf(Misbehaviour misbehaviour);

}  // namespace headrace
