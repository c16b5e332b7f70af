#include "engine/validation/verify_stage.h"

#include <algorithm>

#include "engine/base/span.h"
#include "engine/script/spend_verifier.h"

namespace headrace {
namespace {

// About ten milliseconds of signatures: small enough to spread one block over all workers, large enough that handing a
// batch over costs nothing beside it.
constexpr uint32_t kInputsPerBatch = 128;

void RecordFailure(BlockJob& job, uint32_t input, ScriptError error) {
  const uint64_t failure = uint64_t{input} << 8 | static_cast<uint8_t>(error);
  uint64_t earliest = job.first_failure.load(std::memory_order_relaxed);
  // Relaxed: read again only after the countdown's acquire.
  while (failure < earliest && !job.first_failure.compare_exchange_weak(earliest, failure, std::memory_order_relaxed)) {
  }
}

uint32_t TransactionOfInput(const BlockColumns& columns, uint32_t input) {
  const auto after = std::upper_bound(columns.first_input.begin(), columns.first_input.end(), input);
  return static_cast<uint32_t>(after - columns.first_input.begin()) - 1;
}

// Null when the transaction is checked in one batch.
BlockJob::SharedMidstates* SharedMidstatesOf(BlockJob& job, uint32_t transaction) {
  const auto found = std::lower_bound(job.shared_midstates.begin(), job.shared_midstates.end(), transaction,
                                      [](const BlockJob::SharedMidstates& shared, uint32_t t) { return shared.transaction < t; });
  return found != job.shared_midstates.end() && found->transaction == transaction ? &*found : nullptr;
}

}  // namespace

void CutScriptBatches(BlockJob& job) {
  const BlockColumns& columns = job.columns;
  job.batches.clear();
  job.shared_midstates.clear();
  uint32_t begin = columns.first_input[1];  // after the coinbase
  for (uint32_t t = 1; t < columns.transaction_count(); ++t) {
    const uint32_t end_of_transaction = columns.first_input[t + 1];
    // Only these can be cut. Hashing all that such a transaction spends once a batch would be quadratic.
    if (end_of_transaction - columns.first_input[t] > kInputsPerBatch) job.shared_midstates.emplace_back().transaction = t;
    while (end_of_transaction - begin > 2 * kInputsPerBatch) {
      job.batches.push_back({&job, begin, begin + kInputsPerBatch});
      begin += kInputsPerBatch;
    }
    if (end_of_transaction - begin >= kInputsPerBatch) {
      job.batches.push_back({&job, begin, end_of_transaction});
      begin = end_of_transaction;
    }
  }
  if (begin < columns.input_count()) job.batches.push_back({&job, begin, columns.input_count()});
  job.batches_left.store(static_cast<uint32_t>(job.batches.size()), std::memory_order_relaxed);
}

bool VerifyScriptBatch(const ScriptBatch& batch) {
  const Span span(SpanKind::kVerify);
  BlockJob& job = *batch.job;
  const BlockColumns& columns = job.columns;
  TransactionMidstates own;
  uint32_t t = TransactionOfInput(columns, batch.first_input);
  bool failed = false;
  for (uint32_t input = batch.first_input; input < batch.end_input && !failed; ++t) {
    const TransactionView transaction = columns.transaction(t);
    const std::span<const Coin> spent =
        std::span<const Coin>(job.spent).subspan(transaction.first_input(), transaction.input_count());
    BlockJob::SharedMidstates* const shared = SharedMidstatesOf(job, t);
    TransactionMidstates& midstates = shared == nullptr ? own : shared->midstates;
    if (shared == nullptr) {
      PrepareMidstates(transaction, spent, own);
    } else {
      std::call_once(shared->once, [&] { PrepareMidstates(transaction, spent, shared->midstates); });
    }
    const uint32_t end = std::min(columns.first_input[t + 1], batch.end_input);
    for (; input < end && !failed; ++input) {
      const ScriptError error =
          VerifySpend(transaction, input - transaction.first_input(), spent, job.context.script_flags, midstates);
      if (error != ScriptError::kOk) {
        RecordFailure(job, input, error);
        failed = true;
      }
    }
  }
  // Acquire and release: the last batch sees every other batch's failures.
  return job.batches_left.fetch_sub(1, std::memory_order_acq_rel) == 1;
}

Verdict ScriptVerdict(const BlockJob& job) {
  const uint64_t failure = job.first_failure.load(std::memory_order_acquire);
  Verdict verdict;
  if (failure == ~uint64_t{0}) return verdict;
  const uint32_t input = static_cast<uint32_t>(failure >> 8);
  verdict.rule = Rule::kScript;
  verdict.transaction = TransactionOfInput(job.columns, input);
  verdict.input = input - job.columns.first_input[verdict.transaction];
  verdict.script_error = static_cast<ScriptError>(failure & 0xff);
  return verdict;
}

}  // namespace headrace
