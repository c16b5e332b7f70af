// The Executor port without threads: ranges of a ParallelFor run inline in a seeded order, and the tokens of task
// graphs wait until the world turns the executor, which then picks one at random. A token may be held back for a while,
// so that the stages of different blocks overlap in orders that a real machine shows once in a year.
//
// One thread. What it cannot find: two tasks that touch the same memory at the same time; those are for the thread
// sanitizer.
#pragma once

#include <deque>
#include <memory>
#include <vector>

#include "engine/ports/executor.h"
#include "tests/sim/sim_clock.h"
#include "tests/sim/sim_entropy.h"

namespace headrace::sim {

class SimExecutor final : public Executor {
 public:
  // One token in `hold_one_in` is held back for up to `hold_ns_max`. `wakeup` is the executor's own.
  SimExecutor(SimEntropy entropy, SimClock& clock, Wakeup& wakeup, uint64_t hold_one_in, int64_t hold_ns_max)
      : entropy_(entropy), clock_(clock), wakeup_(wakeup), hold_one_in_(hold_one_in), hold_ns_max_(hold_ns_max) {}

  size_t worker_count() const override { return 3; }
  void ParallelFor(size_t count, size_t grain, absl::FunctionRef<void(size_t, size_t)> body) override;
  std::unique_ptr<TaskGraph> MakeGraph(std::vector<TaskNode> nodes) override;

  // Takes one token through one node of its graph, when one may go.
  void Step();
  // When the next token may go; far away when there is none.
  int64_t NextDueNs() const;
  // The machine is off: tokens are forgotten, and nothing runs any more.
  void Drop();

 private:
  class Graph;
  struct Waiting {
    Graph* graph;
    int node;
    TaskToken token;
    int64_t not_before_ns;
  };

  void Enqueue(Graph* graph, int node, TaskToken token);
  void Run(size_t index);
  void RunAll(Graph* graph);

  SimEntropy entropy_;
  SimClock& clock_;
  Wakeup& wakeup_;
  const uint64_t hold_one_in_;
  const int64_t hold_ns_max_;
  std::vector<Waiting> waiting_;
  std::vector<size_t> order_;  // kept for its memory
  bool is_dropped_ = false;
};

}  // namespace headrace::sim
