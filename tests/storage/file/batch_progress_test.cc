#include "storage/file/batch_progress.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <vector>

namespace headrace {
namespace {

using Kind = FileOperation::Kind;

// A batch of random operations, some of them empty, carried out in random order, some of them failing.
class RandomRun {
 public:
  explicit RandomRun(uint32_t seed) : random_(seed) {
    auto batch = std::make_shared<FileBatch>();
    const size_t count = random_() % 12;
    for (size_t i = 0; i < count; ++i) {
      FileOperation operation{static_cast<Kind>(random_() % 6), nullptr};
      const bool is_empty = random_() % 6 == 0;
      if (operation.kind == Kind::kRead && !is_empty) operation.read_into = memory_;
      if (operation.kind == Kind::kWrite && !is_empty) operation.write_from = memory_;
      batch->operations.push_back(operation);
    }
    batch_ = std::move(batch);
    fails_ = random_() % 3 == 0;
  }

  void Run() {
    BatchProgress progress(batch_);
    while (true) {
      const std::optional<size_t> next = progress.Next();
      if (next && (in_flight_.empty() || random_() % 2 == 0)) {
        Begin(progress, *next);
      } else if (!in_flight_.empty()) {
        EndOne(progress);
      } else {
        break;
      }
      ASSERT_EQ(progress.in_flight(), in_flight_.size());
    }
    ExpectAllWasDone();
    progress.Complete();
    ASSERT_TRUE(batch_->done());
    ASSERT_EQ(batch_->status().message(), first_failure_ == SIZE_MAX ? "" : std::to_string(first_failure_));
  }

 private:
  bool IsBarrier(size_t number) const {
    const Kind kind = batch_->operations[number].kind;
    return kind != Kind::kRead && kind != Kind::kWrite;
  }
  bool IsEmpty(size_t number) const {
    const FileOperation& operation = batch_->operations[number];
    return !IsBarrier(number) && operation.read_into.empty() && operation.write_from.empty();
  }

  void Begin(BatchProgress& progress, size_t number) {
    ASSERT_FALSE(IsEmpty(number));
    ASSERT_EQ(first_failure_, SIZE_MAX) << "something began after a failure";
    if (IsBarrier(number)) {
      ASSERT_TRUE(in_flight_.empty()) << "a barrier beside what stands before it";
    }
    for (const size_t other : in_flight_) {
      ASSERT_FALSE(IsBarrier(other)) << "something beside a barrier";
    }
    for (size_t before = begun_; before < number; ++before) {
      ASSERT_TRUE(IsEmpty(before)) << "an operation was passed over";
    }
    begun_ = number + 1;
    in_flight_.push_back(number);
    progress.Begin(number);
  }
  void EndOne(BatchProgress& progress) {
    const size_t at = random_() % in_flight_.size();
    const size_t number = in_flight_[at];
    in_flight_.erase(in_flight_.begin() + static_cast<ptrdiff_t>(at));
    const bool fails = fails_ && random_() % 4 == 0;
    if (fails) first_failure_ = std::min(first_failure_, number);
    progress.End(number, fails ? absl::DataLossError(std::to_string(number)) : absl::OkStatus());
  }
  void ExpectAllWasDone() const {
    if (first_failure_ != SIZE_MAX) return;
    for (size_t number = begun_; number < batch_->operations.size(); ++number) ASSERT_TRUE(IsEmpty(number));
  }

  std::mt19937 random_;
  std::vector<uint8_t> memory_ = {1};
  FileBatchRef batch_;
  bool fails_ = false;
  std::vector<size_t> in_flight_;
  size_t begun_ = 0;
  size_t first_failure_ = SIZE_MAX;
};

TEST(BatchProgress, KeepsTheOrderOfSyncsAndStopsAtAFailure) {
  for (uint32_t seed = 0; seed < 20'000; ++seed) {
    SCOPED_TRACE(seed);
    RandomRun run(seed);
    ASSERT_NO_FATAL_FAILURE(run.Run());
  }
}

}  // namespace
}  // namespace headrace
