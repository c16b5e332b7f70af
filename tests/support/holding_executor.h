// An executor whose script checks, after the first `passing`, wait until they are let go: what comes before them runs
// on. For tests of what happens while the store is far ahead of the verdicts. The test's thread, which turns the
// engine.
#pragma once

#include <memory>
#include <vector>

#include "engine/ports/executor.h"

namespace headrace::testing {

class HoldingExecutor : public Executor {
 public:
  HoldingExecutor(Executor& inner, uint32_t passing) : inner_(inner), passing_(passing) {}
  size_t worker_count() const override { return inner_.worker_count(); }
  void ParallelFor(size_t count, size_t grain, absl::FunctionRef<void(size_t, size_t)> body) override {
    inner_.ParallelFor(count, grain, body);
  }
  std::unique_ptr<TaskGraph> MakeGraph(std::vector<TaskNode> nodes) override {
    auto graph = std::make_unique<Graph>(*this);
    for (size_t i = 0; i < nodes.size(); ++i) {
      if (nodes[i].name == "verify") graph->held_node_ = static_cast<int>(i);
    }
    graph->inner_ = inner_.MakeGraph(std::move(nodes));
    graph_ = graph.get();
    return graph;
  }
  void LetGo() {
    holds_ = false;
    for (TaskToken token : held_) graph_->inner_->Put(graph_->held_node_, token);
    held_.clear();
  }

 private:
  struct Graph : TaskGraph {
    explicit Graph(HoldingExecutor& owner) : owner_(owner) {}
    void Put(int node, TaskToken token) override {
      if (owner_.holds_ && node == held_node_ && owner_.passing_ == 0) {
        owner_.held_.push_back(token);
      } else {
        if (node == held_node_ && owner_.passing_ > 0) --owner_.passing_;
        inner_->Put(node, token);
      }
    }
    void WaitUntilEmpty() override { inner_->WaitUntilEmpty(); }
    HoldingExecutor& owner_;
    std::unique_ptr<TaskGraph> inner_;
    int held_node_ = -1;
  };
  Executor& inner_;
  uint32_t passing_;
  Graph* graph_ = nullptr;
  bool holds_ = true;
  std::vector<TaskToken> held_;
};

}  // namespace headrace::testing
