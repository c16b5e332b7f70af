// The judge of a simulated world: what must be true at every moment, whatever goes wrong.
//
//  1. A node's applied tip is a block that the model knows and holds valid, and after it the node has exactly the
//  model's coins.
//  2. No node rejects a valid block or header for a rule, and none disconnects an honest node for misbehaviour.
//  3. A node stops by itself only when its disk gave it a reason, and says in a sentence what happened; it asks for a
//  rebuild
//     only after bits rotted.
//  4. A restart finds at least what was durable: the checkpoint that was published last, and every block below it.
//  5. What waits in memory stays within the limits.
//  6. A crash loses no address book: the file is the one written last, or the one before.
//
// What a node says is read from its log lines, as its operator would. One thread.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "engine/ports/coin_store.h"
#include "tests/sim/chain_model.h"
#include "tests/sim/sim_node.h"

namespace headrace::sim {

class World;

class Judge {
 public:
  explicit Judge(World& world) : world_(world) {}

  void AfterEngineTurn(SimNode& node);
  void OnStarted(SimNode& node);
  // `is_between_turns`: what the judge saw last is what was true at the end. `is_clean`: the stop was in order.
  void OnGone(SimNode& node, bool is_between_turns, bool is_clean);
  // A start or a turn failed: what the next start has to rebuild.
  SimNode::Rebuild OnStatus(SimNode& node, const absl::Status& status);
  void OnRot(SimNode& node);
  bool is_rotten(const SimNode& node) { return RecordOf(node).is_rotten; }
  void OnLogLine(std::string_view line);
  // The whole set, when the store stands at the applied tip.
  void CompareSets(SimNode& node, const ModelBlock& tip);

 private:
  struct Record {
    Hash256 tip;
    BlockPoint durable;
    std::optional<BlockPoint> publishing;  // what the next start may find instead of `durable`
    BlockPoint applied;
    bool is_known = false;   // `durable` is what the next start must find
    bool is_certain = true;  // the life ended between turns, so nothing newer can have been published
    bool is_clean = false;
    bool is_rotten = false;
    bool must_compare = true;
    uint64_t turns = 0;
    uint64_t blocks = 0;
    uint64_t errors_seen = 0;
  };

  Record& RecordOf(const SimNode& node);
  void CompareTip(SimNode& node, const ModelBlock& tip);
  void CheckMemory(SimNode& node);
  void OnBookLost(std::string_view line);
  void OnDisconnecting(std::string_view line);
  void OnRejected(std::string_view line, bool is_header);

  World& world_;
  std::vector<Record> records_;
};

}  // namespace headrace::sim
