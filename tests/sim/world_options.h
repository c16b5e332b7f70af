// How a world is made: everything follows from its seed, and a few choices can be overridden from outside, to look
// closer at one world or to shrink it. Values; any thread.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "tests/sim/sim_network.h"
#include "tests/sim/sim_node.h"

namespace headrace::sim {

// What may go wrong in a world, class by class; each can be left out.
enum FaultClass : uint32_t {
  kKills = 1 << 0,            // processes end without warning, or are stopped cleanly
  kPowerFailures = 1 << 1,    // machines lose power, also in the middle of a write
  kDiskErrors = 1 << 2,       // EIO
  kDiskFull = 1 << 3,         // ENOSPC
  kBitRot = 1 << 4,           // stored bits change
  kNetworkFaults = 1 << 5,    // resets, stalls, drips, partitions
  kAdversaries = 1 << 6,      // peers that lie
  kReorganisations = 1 << 7,  // miners that fork
  kAllFaults = (1 << 8) - 1,
};
struct FaultClassName {
  FaultClass fault;
  const char* name;
};
inline constexpr FaultClassName kFaultClassNames[] = {{kKills, "kills"},
                                                      {kPowerFailures, "power"},
                                                      {kDiskErrors, "eio"},
                                                      {kDiskFull, "enospc"},
                                                      {kBitRot, "rot"},
                                                      {kNetworkFaults, "network"},
                                                      {kAdversaries, "adversaries"},
                                                      {kReorganisations, "reorganisations"}};

struct WorldOptions {
  uint64_t seed = 0;
  // Turns of components before everything is healed.
  uint64_t ticks = 0;
  int nodes = 0;
  int adversaries = 0;
  uint32_t faults = kAllFaults;
  int64_t mining_interval_ns = kNsPerSecond;
  int64_t fault_interval_ns = kNsPerSecond;
  uint32_t reorganisation_depth_max = 12;
  uint32_t transactions_max = 6;
  uint32_t compare_every = 4;
  // The first of the adversaries lies in compact blocks and does nothing else.
  bool has_compact_liar = false;
  SimNetworkOptions network;
  // Of every disk; see sim_disk.h.
  std::string forgotten_syncs;
  std::string swallowed_errors;
};

// All that the seed decides about the world as a whole.
WorldOptions DrawWorldOptions(uint64_t seed);
// Limits of one node: many are tiny, so that every queue is full and every bound is reached sometimes.
SimNodeOptions DrawNodeOptions(SimEntropy& entropy);

Address HostAddress(int node);

}  // namespace headrace::sim
