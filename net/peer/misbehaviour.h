// What a peer can do wrong, and what follows: one table, one row per misbehaviour.
#pragma once

#include <cstdint>
#include <string_view>

namespace headrace {

enum class Misbehaviour : uint8_t {
  kWrongMagic,
  kBadCommand,
  kOversizedMessage,
  kBadChecksum,
  kMalformedMessage,
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

enum class Consequence : uint8_t {
  kIgnore,      // the message is dropped, the connection stays
  kDisconnect,
  kDiscourage,  // disconnected, and its address is not accepted again for a while (loopback and manual peers: only
                // disconnected)
};

struct MisbehaviourRow {
  Misbehaviour misbehaviour;
  Consequence consequence;
  std::string_view sentence;
};

const MisbehaviourRow& RowOf(Misbehaviour misbehaviour);

}  // namespace headrace
