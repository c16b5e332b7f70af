// An executor that runs everything on the calling thread: for tests that want no threads, and reproducible ones.
#pragma once

#include <algorithm>

#include "engine/base/check.h"
#include "engine/ports/executor.h"

namespace headrace::testing {

class InlineExecutor : public Executor {
 public:
  size_t worker_count() const override { return 1; }
  void ParallelFor(size_t count, size_t grain, absl::FunctionRef<void(size_t, size_t)> body) override {
    // In pieces, so that code which forgets a range's bounds is found out.
    const size_t step = std::max<size_t>(grain, 1);
    for (size_t begin = 0; begin < count; begin += step) body(begin, std::min(count, begin + step));
  }
  std::unique_ptr<TaskGraph> MakeGraph(std::vector<TaskNode> nodes) override {
    return std::make_unique<InlineGraph>(std::move(nodes));
  }

 private:
  class InlineGraph : public TaskGraph {
   public:
    explicit InlineGraph(std::vector<TaskNode> nodes) : nodes_(std::move(nodes)) {}
    void Put(int node, TaskToken token) override {
      while (node >= 0) {
        const int next = nodes_[node].body(token);
        HR_CHECK(next < static_cast<int>(nodes_[node].successors.size()));
        node = next < 0 ? -1 : nodes_[node].successors[next];
      }
    }
    void WaitUntilEmpty() override {}

   private:
    std::vector<TaskNode> nodes_;
  };
};

}  // namespace headrace::testing
