// What the operator allows a peer beyond what anybody may (-whitelist, -whitebind), as bits. Some include others, and
// some are known and mean nothing yet: there is no transaction relay.
#pragma once

#include <cstdint>

namespace headrace {

enum PeerPermission : uint32_t {
  kMayFilter = 1 << 0,                  // bloom filters (BIP37): no effect yet
  kMayRelay = 1 << 1,                   // transactions although none are relayed: no effect yet
  kMayForceRelay = 1 << 2 | kMayRelay,  // the same, of transactions that are here already: no effect yet
  kMayAskMempool = 1 << 3,              // BIP35: no effect yet
  kMayDownload = 1 << 4,                // old blocks although -maxuploadtarget is reached
  kMayStay = 1 << 5 | kMayDownload,     // `noban`: never discouraged, not refused for it, never evicted for others
  kMayGossip = 1 << 6,                  // `addr`: addresses at any rate, and getaddr answered from the book itself
};

// Whether all bits of one permission are there.
constexpr bool HasPermission(uint32_t permissions, PeerPermission wanted) { return (permissions & wanted) == wanted; }

}  // namespace headrace
