#include "engine/consensus/check_transaction.h"

#include <algorithm>
#include <cstring>
#include <vector>

#include "engine/base/limits.h"

namespace headrace {

namespace {

constexpr size_t kCoinbaseScriptBytesMin = 2;
constexpr size_t kCoinbaseScriptBytesMax = 100;
// Up to here comparing every pair is faster than sorting, and allocates nothing.
constexpr uint32_t kPairwiseInputs = 16;

Rule CheckAmounts(TransactionView transaction) {
  Amount total = 0;
  for (uint32_t output = 0; output < transaction.output_count(); ++output) {
    const Amount amount = transaction.amount(output);
    if (amount < 0) return Rule::kOutputNegative;
    if (amount > kMaxMoney) return Rule::kOutputTooLarge;
    // Cannot overflow: both are within range here.
    total += amount;
    if (!IsMoney(total)) return Rule::kOutputTotalTooLarge;
  }
  return Rule::kNone;
}

bool SpendsTwice(TransactionView transaction) {
  const uint32_t count = transaction.input_count();
  if (count <= kPairwiseInputs) {
    for (uint32_t i = 1; i < count; ++i) {
      for (uint32_t j = 0; j < i; ++j) {
        if (std::memcmp(transaction.prevout_bytes(i), transaction.prevout_bytes(j), OutPoint::kSerializedBytes) == 0) {
          return true;
        }
      }
    }
    return false;
  }
  std::vector<const uint8_t*> prevouts(count);
  for (uint32_t i = 0; i < count; ++i) prevouts[i] = transaction.prevout_bytes(i);
  const auto compare = [](const uint8_t* a, const uint8_t* b) { return std::memcmp(a, b, OutPoint::kSerializedBytes); };
  std::sort(prevouts.begin(), prevouts.end(), [&](auto* a, auto* b) { return compare(a, b) < 0; });
  return std::adjacent_find(prevouts.begin(), prevouts.end(), [&](auto* a, auto* b) { return compare(a, b) == 0; }) !=
         prevouts.end();
}

}  // namespace

Verdict CheckTransaction(TransactionView transaction) {
  const auto broken = [&](Rule rule, uint32_t input = 0) -> Verdict {
    return {rule, transaction.transaction_index(), input};
  };
  if (transaction.input_count() == 0) return broken(Rule::kInputsEmpty);
  if (transaction.output_count() == 0) return broken(Rule::kOutputsEmpty);
  if (uint64_t{transaction.stripped_size()} * kWitnessScaleFactor > kMaxBlockWeight) {
    return broken(Rule::kTransactionOversize);
  }
  if (const Rule rule = CheckAmounts(transaction); rule != Rule::kNone) return broken(rule);
  if (SpendsTwice(transaction)) return broken(Rule::kInputsDuplicate);
  if (transaction.IsCoinbase()) {
    const size_t size = transaction.script_sig(0).size();
    if (size < kCoinbaseScriptBytesMin || size > kCoinbaseScriptBytesMax) return broken(Rule::kCoinbaseLength);
    return {};
  }
  for (uint32_t input = 0; input < transaction.input_count(); ++input) {
    if (transaction.prevout(input).IsNull()) return broken(Rule::kPrevoutNull, input);
  }
  return {};
}

bool IsFinal(TransactionView transaction, uint32_t height, int64_t lock_time_cutoff) {
  const int64_t lock_time = transaction.lock_time();
  if (lock_time == 0) return true;
  if (lock_time < (lock_time < kLockTimeThreshold ? int64_t{height} : lock_time_cutoff)) return true;
  for (uint32_t input = 0; input < transaction.input_count(); ++input) {
    if (transaction.sequence(input) != kSequenceFinal) return false;
  }
  return true;
}

}  // namespace headrace
