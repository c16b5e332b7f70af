// Who goes when all inbound slots are taken and another comes.
//
// Slots are what an attacker would take to keep others out. So peers are protected by qualities that are hard to have many
// times at once: a network group that chance favours, a low round trip, a block that was asked for and came, a long stay.
// Of the others the youngest of the group with the most of them goes: whoever comes from one place displaces his own.
//
// Pure; any thread. A few sorts of a thousand candidates at most: tens of microseconds, for each connection that comes.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "engine/ports/peer_gateway.h"
#include "net/discovery/node_address.h"

namespace headrace {

struct EvictionCandidate {
  PeerId id = 0;
  NetworkGroup group = 0;
  uint64_t group_rank = 0;           // keyed hash of the group: chance that nobody foresees
  bool is_local = false;             // comes over loopback, as those behind an onion service do
  int64_t created_ns = 0;
  int64_t ping_min_ns = INT64_MAX;   // INT64_MAX: not measured yet
  int64_t last_block_ns = 0;         // when it last delivered a block that it was asked for; 0: never
};

// How many are protected for each quality, as the field has it (there is no transaction relay here yet).
inline constexpr size_t kProtectedByGroup = 4;
inline constexpr size_t kProtectedByPing = 8;
inline constexpr size_t kProtectedByBlocks = 4;

// Nobody, when all are protected.
std::optional<PeerId> ChooseToEvict(std::vector<EvictionCandidate> candidates);

}  // namespace headrace
