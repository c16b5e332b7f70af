// Misfortune: what happens to nodes, disks and wires while a world runs, at random moments and of the kinds that the
// world allows. One thread.
#pragma once

#include "tests/sim/sim_clock.h"
#include "tests/sim/sim_entropy.h"

namespace headrace::sim {

class SimNode;
class World;

class Misfortune {
 public:
  Misfortune(World& world, SimEntropy entropy);

  Wakeup& wakeup() { return wakeup_; }
  void Turn();
  // Takes back everything that lasts.
  void Lift();
  // Bits of a machine that is down; true when any changed.
  bool Rot(SimNode& node);

 private:
  void Strike();
  void StrikeNode(SimNode& node);
  void StrikeNetwork();

  World& world_;
  SimEntropy entropy_;
  Wakeup wakeup_;
  int64_t partition_ends_ns_ = INT64_MAX;
  int64_t strike_ns_;
};

}  // namespace headrace::sim
