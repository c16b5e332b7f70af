// A world in one process: nodes, their disks and the network between them, miners, liars and misfortune, all turned by
// one thread in an order that one seed decides.
//
// Run lets things go wrong for the world's number of ticks, then heals everything and demands what must be true then.
// The first demand that is not met ends the world with a sentence; see judge.h for what is demanded.
#pragma once

#include <functional>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "tests/sim/block_maker.h"
#include "tests/sim/chain_model.h"
#include "tests/sim/sim_node.h"
#include "tests/sim/trace.h"
#include "tests/sim/world_options.h"

namespace headrace::sim {

class Adversary;
class Judge;
class Misfortune;
class Miner;
class NodeLog;

struct WorldResult {
  std::string failure;  // empty: all demands were met
  uint64_t trace_hash = 0;
  uint64_t trace_events = 0;
  uint64_t blocks_connected = 0;
  uint64_t blocks_made = 0;
  uint64_t starts = 0;
  uint64_t power_failures = 0;
  uint64_t statuses = 0;
  uint64_t disk_operations = 0;
  uint64_t absent_pages = 0;  // that a node was told are not in memory
  uint64_t set_comparisons = 0;
  uint64_t reorganisations = 0;
  uint64_t compact_questions = 0;  // that liars were asked about their compact blocks: a node puts one together
  uint64_t compact_lies = 0;       // that nodes saw through: what came was not what was named
  uint32_t height = 0;
  int64_t simulated_ns = 0;
};

class World {
 public:
  World(const WorldOptions& options, bool is_verbose);
  ~World();

  WorldResult Run();

  // For the actors.
  const WorldOptions& options() const { return options_; }
  bool has(FaultClass fault) const { return !is_healed_ && (options_.faults & fault) != 0; }
  SimClock& clock() { return clock_; }
  Trace& trace() { return trace_; }
  ChainModel& model() { return model_; }
  BlockMaker& maker() { return *maker_; }
  SimNetwork& network() { return network_; }
  Judge& judge() { return *judge_; }
  std::vector<std::unique_ptr<SimNode>>& nodes() { return nodes_; }
  // The best block that an honest miner made or a node applied; the first of equals.
  const ModelBlock& best_public() const { return *best_public_; }
  void Publish(const ModelBlock& block);
  void Fail(const std::string& sentence);
  bool has_failed() const { return !result_.failure.empty(); }
  WorldResult& result() { return result_; }

  // Lives and deaths of nodes, by whoever causes them.
  void StartNode(SimNode& node);
  void StopNode(SimNode& node, int64_t down_ns);
  void CrashNode(SimNode& node, bool has_power, int64_t down_ns);
  // Whose node the calls under way are made for; nobody's between turns.
  SimNode* current() const { return current_; }

 private:
  void MakeNodes();
  void Tick();
  void TurnNode(SimNode& node, int component);
  // A node's call ended with a status, or its machine without power.
  void AfterFailure(SimNode& node, const absl::Status& status);
  void RunFor(int64_t simulated_ns, const std::function<bool()>& is_done);
  void Heal();
  void DemandConvergence();
  void DemandDurability();

  const WorldOptions options_;
  SimEntropy entropy_;
  SimClock clock_;
  Trace trace_;
  ChainModel model_;
  SimNetwork network_;
  std::unique_ptr<BlockMaker> maker_;
  std::unique_ptr<NodeLog> log_;
  std::unique_ptr<Judge> judge_;
  std::vector<std::unique_ptr<SimNode>> nodes_;
  std::vector<Wakeup> starts_;  // of nodes that are down
  std::vector<SimNode::Rebuild> rebuilds_;
  std::vector<int> failed_starts_;  // in a row
  std::unique_ptr<Miner> miner_;
  std::unique_ptr<Misfortune> misfortune_;
  std::vector<std::unique_ptr<Adversary>> adversaries_;
  const ModelBlock* best_public_;
  SimNode* current_ = nullptr;
  bool is_healed_ = false;
  WorldResult result_;
};

}  // namespace headrace::sim
