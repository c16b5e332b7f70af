// Where parallel work runs. The engine has no threads of its own: production gives it oneTBB arenas and flow graphs, the
// simulation runs every task inline in seeded order. A task writes only its own slot, and never waits for data.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"

namespace headrace {

// A token is what flows through a task graph: a block job, a batch of script checks. The graph never owns it.
using TaskToken = void*;

// One node of a task graph.
struct TaskNode {
  std::string name;
  // Tokens worked on at once; 0 means as many as there are workers.
  size_t concurrency = 0;
  // Returns which of `successors` the token goes to next, or -1 when its way through the graph ends here.
  std::function<int(TaskToken)> body;
  // Nodes by their position in the list that was given to MakeGraph; only later ones (the graph has no cycles).
  std::vector<int> successors;
};

class TaskGraph {
 public:
  virtual ~TaskGraph() = default;
  // Starts a token at a node. Any thread; does not wait.
  virtual void Put(int node, TaskToken token) = 0;
  // Returns when no token is in the graph. For shutdown.
  virtual void WaitUntilEmpty() = 0;
};

class Executor {
 public:
  virtual ~Executor() = default;
  virtual size_t worker_count() const = 0;
  // Calls body(begin, end) over disjoint ranges that cover [0, count), each of at least `grain` items but the last;
  // returns when all are done. The caller works too.
  virtual void ParallelFor(size_t count, size_t grain, absl::FunctionRef<void(size_t, size_t)> body) = 0;
  // The graph must be empty (WaitUntilEmpty) before it is destroyed, and goes before the executor.
  virtual std::unique_ptr<TaskGraph> MakeGraph(std::vector<TaskNode> nodes) = 0;
};

}  // namespace headrace
