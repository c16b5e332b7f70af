// What follows when a peer does something wrong. Both tables speak of it: what is wrong with bytes, handshakes and
// limits (net/peer/misbehaviour.h), and with headers and blocks (engine/sync/peer_fault.h).
#pragma once

#include <cstdint>

namespace headrace {

enum class Consequence : uint8_t {
  kIgnore,  // what it sent is dropped, the connection stays
  kDisconnect,
  kDiscourage,  // disconnected, and its address is not accepted again for a while (loopback, manual and noban peers:
                // only disconnected)
};

}  // namespace headrace
