// The executor of production: nested loops, graphs fed from many threads, and ends with work still pending. What tasks
// write is plain memory, so that the thread sanitizer checks the order that the executor promises.

#include <atomic>
#include <memory>
#include <thread>
#include <vector>

#include "engine/runtime/tbb_executor.h"
#include "gtest/gtest.h"
#include "tests/stress/stress_size.h"

namespace headrace::testing {
namespace {

TEST(ExecutorStress, NestedLoopsFromManyCallersAddUp) {
  const auto executor = MakeTbbExecutor(3);
  std::vector<std::thread> callers;
  for (size_t caller = 0; caller < 4; ++caller) {
    callers.emplace_back([&, caller] {
      for (int round = 0; round < StressRounds(150); ++round) {
        const size_t rows = 1 + caller + static_cast<size_t>(round) % 40;
        std::vector<std::vector<uint64_t>> table(rows);
        executor->ParallelFor(rows, 1, [&](size_t begin, size_t end) {
          for (size_t row = begin; row < end; ++row) {
            table[row].resize(200);
            executor->ParallelFor(200, 16, [&](size_t from, size_t to) {
              for (size_t column = from; column < to; ++column) table[row][column] = row * 1000 + column;
            });
          }
        });
        for (size_t row = 0; row < rows; ++row) {
          for (size_t column = 0; column < 200; ++column) ASSERT_EQ(table[row][column], row * 1000 + column);
        }
      }
    });
  }
  for (std::thread& caller : callers) caller.join();
}

// What flows through the graphs below. Plain: one task at a time has it.
struct StressToken {
  uint64_t value = 0;
  std::vector<int> way;
};

std::vector<TaskNode> ThreeStages(std::atomic<uint64_t>& ended) {
  const auto pass = [](int stage) {
    return [stage](TaskToken token) {
      auto& mine = *static_cast<StressToken*>(token);
      mine.way.push_back(stage);
      mine.value = mine.value * 31 + static_cast<uint64_t>(stage);
      return mine.value % 2 == 0 ? 0 : 1;
    };
  };
  return {{"first", 0, pass(1), {1, 2}},
          {"narrow", 1, pass(2), {2, 2}},
          {"last",
           0,
           [&ended](TaskToken token) {
             static_cast<StressToken*>(token)->way.push_back(3);
             ended.fetch_add(1, std::memory_order_relaxed);
             return -1;
           },
           {}}};
}

void ExpectTheWayOf(const StressToken& token, uint64_t start) {
  uint64_t value = start * 31 + 1;
  std::vector<int> way = {1};
  if (value % 2 == 0) {
    way.push_back(2);
    value = value * 31 + 2;
  }
  way.push_back(3);
  EXPECT_EQ(token.value, value);
  EXPECT_EQ(token.way, way);
}

TEST(ExecutorStress, TokensOfManyThreadsKeepTheirWayBesideBusyLoops) {
  constexpr uint64_t kTokens = 800;
  const auto executor = MakeTbbExecutor(3);
  for (int round = 0; round < StressRounds(30); ++round) {
    std::atomic<uint64_t> ended{0};
    const auto graph = executor->MakeGraph(ThreeStages(ended));
    std::vector<StressToken> tokens(3 * kTokens);
    std::vector<std::thread> threads;
    for (uint64_t feeder = 0; feeder < 3; ++feeder) {
      threads.emplace_back([&, feeder] {
        for (uint64_t i = feeder * kTokens; i < (feeder + 1) * kTokens; ++i) {
          tokens[i].value = i;
          graph->Put(0, &tokens[i]);
        }
      });
    }
    uint64_t sum = 0;
    for (int loop = 0; loop < 20; ++loop) {
      std::vector<uint64_t> parts(256);
      executor->ParallelFor(parts.size(), 4, [&](size_t begin, size_t end) {
        for (size_t i = begin; i < end; ++i) parts[i] = i;
      });
      for (const uint64_t part : parts) sum += part;
    }
    EXPECT_EQ(sum, uint64_t{20} * 255 * 128);
    for (std::thread& thread : threads) thread.join();
    graph->WaitUntilEmpty();
    EXPECT_EQ(ended.load(), 3 * kTokens);
    for (uint64_t i = 0; i < tokens.size(); ++i) ExpectTheWayOf(tokens[i], i);
  }
}

TEST(ExecutorStress, EndsWithWorkPendingAfterDoingAllOfIt) {
  for (int round = 0; round < StressRounds(100); ++round) {
    auto executor = MakeTbbExecutor(1 + static_cast<size_t>(round) % 3);
    std::atomic<uint64_t> ended{0};
    auto graph = executor->MakeGraph(ThreeStages(ended));
    std::vector<StressToken> tokens(300);
    for (uint64_t i = 0; i < tokens.size(); ++i) {
      tokens[i].value = i;
      graph->Put(0, &tokens[i]);
    }
    // Nobody waits until it is empty: whatever is pending runs before the graph is gone.
    graph.reset();
    EXPECT_EQ(ended.load(), tokens.size());
    executor.reset();
  }
}

// A task that starts others, of its own graph and of another, as a block starts its batches of script checks.
TEST(ExecutorStress, TasksStartTasksOfOtherGraphs) {
  struct Job {
    std::atomic<int> left{0};
    uint64_t done_sum = 0;
    std::vector<std::pair<Job*, uint64_t>> batches;
    std::vector<uint64_t> results;
  };
  const auto executor = MakeTbbExecutor(3);
  for (int round = 0; round < StressRounds(30); ++round) {
    std::atomic<uint64_t> jobs_done{0};
    const auto batches = executor->MakeGraph({{"batch",
                                               0,
                                               [&](TaskToken token) {
                                                 auto& [job, number] = *static_cast<std::pair<Job*, uint64_t>*>(token);
                                                 job->results[number] = number + 1;
                                                 // The last one closes the job, and must see what the others wrote.
                                                 if (job->left.fetch_sub(1, std::memory_order_acq_rel) == 1) {
                                                   for (const uint64_t result : job->results) job->done_sum += result;
                                                   jobs_done.fetch_add(1, std::memory_order_release);
                                                 }
                                                 return -1;
                                               },
                                               {}}});
    const auto jobs_graph = executor->MakeGraph({{"job",
                                                  0,
                                                  [&](TaskToken token) {
                                                    Job& job = *static_cast<Job*>(token);
                                                    for (auto& batch : job.batches) batches->Put(0, &batch);
                                                    return -1;
                                                  },
                                                  {}}});
    std::vector<Job> jobs(200);
    for (size_t j = 0; j < jobs.size(); ++j) {
      const size_t count = 1 + j % 17;
      jobs[j].left = static_cast<int>(count);
      jobs[j].results.resize(count);
      for (size_t b = 0; b < count; ++b) jobs[j].batches.emplace_back(&jobs[j], b);
    }
    for (Job& job : jobs) jobs_graph->Put(0, &job);
    jobs_graph->WaitUntilEmpty();
    batches->WaitUntilEmpty();
    EXPECT_EQ(jobs_done.load(std::memory_order_acquire), jobs.size());
    for (const Job& job : jobs) EXPECT_EQ(job.done_sum, job.results.size() * (job.results.size() + 1) / 2);
  }
}

}  // namespace
}  // namespace headrace::testing
