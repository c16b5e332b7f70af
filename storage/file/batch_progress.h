// How far a batch has come, and what of it may begin next: reads and writes as they come; a sync or a change of names alone, after
// everything before it and before everything behind it; nothing more after a failure, so that no sync and no commit
// record ever follows data that did not arrive.
//
// Threads: one, that of the storage.
#pragma once

#include <cstdint>
#include <optional>
#include <utility>

#include "absl/status/status.h"
#include "engine/base/check.h"
#include "storage/file/file_system.h"

namespace headrace {

class BatchProgress {
 public:
  explicit BatchProgress(FileBatchRef batch) : batch_(std::move(batch)) {}

  const FileOperation& operation(size_t number) const { return batch_->operations[number]; }
  uint32_t in_flight() const { return in_flight_; }

  // The operation that may begin now. None: something in flight must end first, or, when nothing is, all is over.
  std::optional<size_t> Next() {
    const auto& operations = batch_->operations;
    if (!status_.ok() || is_at_barrier_) return std::nullopt;
    while (next_ < operations.size() && !operations[next_].IsBarrier() && IsEmpty(operations[next_])) ++next_;
    if (next_ == operations.size()) return std::nullopt;
    if (operations[next_].IsBarrier() && in_flight_ != 0) return std::nullopt;
    return next_;
  }
  // Begins what Next has named.
  void Begin(size_t number) {
    HR_CHECK(number == next_);
    ++next_;
    ++in_flight_;
    is_at_barrier_ = operation(number).IsBarrier();
  }
  void End(size_t number, absl::Status status) {
    // Among operations in flight together the first in the batch names the failure, whichever ended first.
    if (!status.ok() && number < failed_) {
      failed_ = number;
      status_ = std::move(status);
    }
    is_at_barrier_ = false;
    --in_flight_;
  }
  // When all is over.
  void Complete() { batch_->Complete(std::move(status_)); }

 private:
  static bool IsEmpty(const FileOperation& operation) {
    return operation.read_into.empty() && operation.write_from.empty();
  }

  const FileBatchRef batch_;
  size_t next_ = 0;
  uint32_t in_flight_ = 0;
  bool is_at_barrier_ = false;
  size_t failed_ = SIZE_MAX;
  absl::Status status_;
};

}  // namespace headrace
