// Threads that carry out jobs from a bounded queue, first come, first served.
//
// Offer may be called from any thread; Close and the destructor from the owner's. Cost: a lock and a wake-up each job.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace headrace {

class WorkerPool {
 public:
  using Job = std::function<void()>;

  // At most `waiting_max` jobs wait beside those that are being carried out.
  WorkerPool(size_t worker_count, size_t waiting_max);
  // Drops the jobs that wait and ends with those under way.
  ~WorkerPool();
  WorkerPool(const WorkerPool&) = delete;
  WorkerPool& operator=(const WorkerPool&) = delete;

  // False when too many wait.
  bool Offer(Job job);

 private:
  void Work();

  const size_t waiting_max_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Job> waiting_;
  size_t idle_count_ = 0;
  bool is_closed_ = false;
  std::vector<std::thread> workers_;
};

}  // namespace headrace
