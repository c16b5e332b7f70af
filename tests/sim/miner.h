// Miners: every now and then somebody makes a block, mostly on the tip of a node, sometimes on an older block, and
// hands it to a node. Branches race, draw level, overtake one another, and are returned to. One thread.
#pragma once

#include <deque>
#include <vector>

#include "tests/sim/chain_model.h"
#include "tests/sim/sim_clock.h"
#include "tests/sim/sim_entropy.h"

namespace headrace::sim {

class SimNode;
class World;

class Miner {
 public:
  Miner(World& world, SimEntropy entropy);

  Wakeup& wakeup() { return wakeup_; }
  void Turn();
  // Hands the branch that ends with `tip` to a node, from where its own chain leaves it.
  void Offer(SimNode& node, const ModelBlock& tip);
  // No more blocks by itself.
  void Rest() { is_resting_ = true; }

 private:
  struct Handover {
    int node;
    std::deque<const ModelBlock*> blocks;
  };

  void Mine();
  const ModelBlock* Extend(const ModelBlock& tip);
  void HandOver();

  World& world_;
  SimEntropy entropy_;
  Wakeup wakeup_;
  bool is_resting_ = false;
  int64_t mine_ns_;
  std::vector<Handover> handovers_;
};

}  // namespace headrace::sim
