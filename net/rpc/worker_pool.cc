#include "net/rpc/worker_pool.h"

#include <utility>

namespace headrace {

WorkerPool::WorkerPool(size_t worker_count, size_t waiting_max) : waiting_max_(waiting_max) {
  // All count as idle from the start: a job that is offered before a thread has come up does not wait for want of one.
  idle_count_ = worker_count;
  for (size_t i = 0; i < worker_count; ++i) workers_.emplace_back([this] { Work(); });
}

WorkerPool::~WorkerPool() {
  {
    const std::lock_guard lock(mutex_);
    is_closed_ = true;
    waiting_.clear();
  }
  changed_.notify_all();
  for (std::thread& worker : workers_) worker.join();
}

bool WorkerPool::Offer(Job job) {
  {
    const std::lock_guard lock(mutex_);
    // Jobs that idle workers are about to take do not count as waiting.
    if (is_closed_ || waiting_.size() >= waiting_max_ + idle_count_) return false;
    waiting_.push_back(std::move(job));
  }
  changed_.notify_one();
  return true;
}

void WorkerPool::Work() {
  std::unique_lock lock(mutex_);
  while (true) {
    changed_.wait(lock, [this] { return is_closed_ || !waiting_.empty(); });
    if (is_closed_) return;
    const Job job = std::move(waiting_.front());
    waiting_.pop_front();
    --idle_count_;
    lock.unlock();
    job();
    lock.lock();
    ++idle_count_;
  }
}

}  // namespace headrace
