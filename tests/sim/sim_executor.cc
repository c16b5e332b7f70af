#include "tests/sim/sim_executor.h"

#include <algorithm>
#include <utility>

#include "engine/base/check.h"

namespace headrace::sim {

class SimExecutor::Graph final : public TaskGraph {
 public:
  Graph(SimExecutor& executor, std::vector<TaskNode> nodes) : executor_(executor), nodes_(std::move(nodes)) {}
  ~Graph() override { WaitUntilEmpty(); }

  void Put(int node, TaskToken token) override { executor_.Enqueue(this, node, token); }
  void WaitUntilEmpty() override { executor_.RunAll(this); }

  const TaskNode& node(int number) const { return nodes_[static_cast<size_t>(number)]; }

 private:
  SimExecutor& executor_;
  const std::vector<TaskNode> nodes_;
};

void SimExecutor::ParallelFor(size_t count, size_t grain, absl::FunctionRef<void(size_t, size_t)> body) {
  const size_t step = std::max<size_t>(grain, 1);
  const size_t ranges = (count + step - 1) / step;
  // The body may come back here, so the order is taken along.
  std::vector<size_t> order = std::move(order_);
  order.resize(ranges);
  for (size_t i = 0; i < ranges; ++i) order[i] = i;
  for (size_t i = ranges; i > 1; --i) std::swap(order[i - 1], order[entropy_.Below(i)]);
  for (const size_t range : order) body(range * step, std::min(count, (range + 1) * step));
  order_ = std::move(order);
}

std::unique_ptr<TaskGraph> SimExecutor::MakeGraph(std::vector<TaskNode> nodes) {
  return std::make_unique<Graph>(*this, std::move(nodes));
}

void SimExecutor::Enqueue(Graph* graph, int node, TaskToken token) {
  if (is_dropped_) return;
  int64_t not_before_ns = clock_.now_ns();
  if (entropy_.OneIn(hold_one_in_)) not_before_ns += entropy_.Between(0, hold_ns_max_);
  waiting_.push_back({graph, node, token, not_before_ns});
  wakeup_.At(not_before_ns);
}

void SimExecutor::Run(size_t index) {
  const Waiting run = waiting_[index];
  waiting_[index] = waiting_.back();
  waiting_.pop_back();
  const TaskNode& node = run.graph->node(run.node);
  const int next = node.body(run.token);
  HR_CHECK(next < static_cast<int>(node.successors.size()));
  if (next >= 0) Enqueue(run.graph, node.successors[static_cast<size_t>(next)], run.token);
}

void SimExecutor::Step() {
  std::vector<size_t> ready;
  for (size_t i = 0; i < waiting_.size(); ++i) {
    if (waiting_[i].not_before_ns <= clock_.now_ns()) ready.push_back(i);
  }
  if (!ready.empty()) Run(ready[entropy_.Below(ready.size())]);
}

int64_t SimExecutor::NextDueNs() const {
  int64_t due_ns = INT64_MAX;
  for (const Waiting& waiting : waiting_) due_ns = std::min(due_ns, waiting.not_before_ns);
  return due_ns;
}

void SimExecutor::RunAll(Graph* graph) {
  std::vector<size_t> own;
  while (true) {
    own.clear();
    for (size_t i = 0; i < waiting_.size(); ++i) {
      if (waiting_[i].graph == graph) own.push_back(i);
    }
    if (own.empty()) return;
    Run(own[entropy_.Below(own.size())]);
  }
}

void SimExecutor::Drop() {
  waiting_.clear();
  is_dropped_ = true;
}

}  // namespace headrace::sim
