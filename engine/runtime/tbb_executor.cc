#include "engine/runtime/tbb_executor.h"

#include <algorithm>
#include <utility>

#include <tbb/blocked_range.h>
#include <tbb/flow_graph.h>
#include <tbb/global_control.h>
#include <tbb/parallel_for.h>
#include <tbb/task_arena.h>

#include "engine/base/check.h"

#if defined(HEADRACE_THREAD_SANITIZER)
extern "C" void __tsan_acquire(void* address);
extern "C" void __tsan_release(void* address);
#endif

namespace headrace {
namespace {

// oneTBB orders what it runs, but its library is not built for the thread sanitizer, which therefore is told: what came
// before Publish(x) has happened before what comes after Observe(x). Nothing in other builds.
inline void Publish([[maybe_unused]] void* address) {
#if defined(HEADRACE_THREAD_SANITIZER)
  __tsan_release(address);
#endif
}
inline void Observe([[maybe_unused]] void* address) {
#if defined(HEADRACE_THREAD_SANITIZER)
  __tsan_acquire(address);
#endif
}

class TbbTaskGraph : public TaskGraph {
 public:
  using Node = tbb::flow::function_node<TaskToken, tbb::flow::continue_msg, tbb::flow::queueing>;

  // The graph belongs to the arena in which it is made.
  TbbTaskGraph(tbb::task_arena& arena, std::vector<TaskNode> nodes) : arena_(arena) {
    arena_.execute([&] {
      graph_ = std::make_unique<tbb::flow::graph>();
      for (TaskNode& node : nodes) AddNode(std::move(node));
    });
  }

  ~TbbTaskGraph() override {
    arena_.execute([&] {
      graph_->wait_for_all();
      nodes_.clear();
      graph_.reset();
    });
  }

  void Put(int node, TaskToken token) override {
    Publish(token);
    nodes_[node]->try_put(token);
  }

  void WaitUntilEmpty() override {
    arena_.execute([&] { graph_->wait_for_all(); });
    Observe(this);
  }

 private:
  void AddNode(TaskNode node) {
    const size_t concurrency = node.concurrency == 0 ? size_t{tbb::flow::unlimited} : node.concurrency;
    for (int successor : node.successors) HR_CHECK(successor > static_cast<int>(nodes_.size()));
    nodes_.push_back(std::make_unique<Node>(
        *graph_, concurrency,
        [this, body = std::move(node.body), successors = std::move(node.successors)](TaskToken token) {
          Observe(token);
          const int choice = body(token);
          if (choice >= 0) Put(successors[choice], token);
          Publish(this);
          return tbb::flow::continue_msg();
        }));
  }

  tbb::task_arena& arena_;
  std::unique_ptr<tbb::flow::graph> graph_;
  std::vector<std::unique_ptr<Node>> nodes_;
};

tbb::task_arena::priority FrontierPriority(ExecutorUrgency urgency) {
  return urgency == ExecutorUrgency::kUrgent ? tbb::task_arena::priority::high : tbb::task_arena::priority::low;
}

tbb::task_arena::priority BackgroundPriority(ExecutorUrgency urgency) {
  return urgency == ExecutorUrgency::kUrgent ? tbb::task_arena::priority::normal : tbb::task_arena::priority::low;
}

class TbbExecutor : public Executor {
 public:
  // One slot of each arena is kept for the thread that calls in, so that it never waits for a worker to let it in.
  TbbExecutor(size_t workers, ExecutorUrgency urgency)
      : workers_(workers),
        parallelism_(tbb::global_control::max_allowed_parallelism, workers + 1),
        frontier_(static_cast<int>(workers + 1), 1, FrontierPriority(urgency)),
        background_(static_cast<int>(workers + 1), 1, BackgroundPriority(urgency)) {
    frontier_.initialize();
    background_.initialize();
  }

  size_t worker_count() const override { return workers_; }

  void ParallelFor(size_t count, size_t grain, absl::FunctionRef<void(size_t, size_t)> body) override {
    if (count == 0) return;
    grain = std::max<size_t>(grain, 1);
    if (count <= grain) {
      body(0, count);
      return;
    }
    Publish(&body);
    frontier_.execute([&] {
      tbb::parallel_for(tbb::blocked_range<size_t>(0, count, grain), [&](const tbb::blocked_range<size_t>& range) {
        Observe(&body);
        body(range.begin(), range.end());
        Publish(&body);
      });
    });
    Observe(&body);
  }

  std::unique_ptr<TaskGraph> MakeGraph(std::vector<TaskNode> nodes) override {
    return std::make_unique<TbbTaskGraph>(background_, std::move(nodes));
  }

 private:
  const size_t workers_;
  tbb::global_control parallelism_;
  tbb::task_arena frontier_;
  tbb::task_arena background_;
};

}  // namespace

std::unique_ptr<Executor> MakeTbbExecutor(size_t workers, ExecutorUrgency urgency) {
  return std::make_unique<TbbExecutor>(std::max<size_t>(workers, 1), urgency);
}

}  // namespace headrace
