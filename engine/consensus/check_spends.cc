#include "engine/consensus/check_spends.h"

#include <algorithm>

#include "engine/consensus/check_block.h"
#include "engine/script/sigops.h"

namespace headrace {

namespace {

// BIP68: a sequence with the disable bit says nothing; the type bit chooses between blocks and units of 512 seconds.
constexpr uint32_t kSequenceDisableBit = 1u << 31;
constexpr uint32_t kSequenceTypeBit = 1u << 22;
constexpr uint32_t kSequenceMask = 0xffff;
constexpr int kSequenceGranularityBits = 9;

// Amounts were checked, so no sum of theirs overflows.
Amount OutputTotal(TransactionView transaction) {
  Amount total = 0;
  for (uint32_t output = 0; output < transaction.output_count(); ++output) total += transaction.amount(output);
  return total;
}

bool IsSequenceLocked(TransactionView transaction, std::span<const Coin> spent, const BlockContext& context,
                      const Ancestry& parent_chain) {
  return context.csv && !SequenceLockOf(transaction, spent, parent_chain).Allows(context.height, context.median_time_past);
}

}  // namespace

Amount Subsidy(uint32_t height, const ChainParams& params) {
  const uint32_t halvings = height / params.subsidy_halving_interval;
  // Shifting by 64 and more is undefined, and once made the subsidy start over. (BIP42)
  return halvings >= 64 ? 0 : (50 * kCoin) >> halvings;
}

Verdict CheckTransactionSpends(TransactionView transaction, std::span<const Coin> spent, uint32_t spend_height,
                               Amount* fee) {
  const auto broken = [&](Rule rule, uint32_t input = 0) -> Verdict {
    return {rule, transaction.transaction_index(), input};
  };
  Amount total = 0;
  for (uint32_t input = 0; input < transaction.input_count(); ++input) {
    const Coin& coin = spent[input];
    if (coin.is_coinbase && int64_t{spend_height} - coin.height < kCoinbaseMaturity) {
      return broken(Rule::kCoinbasePremature, input);
    }
    if (!IsMoney(coin.amount)) return broken(Rule::kInputValuesOutOfRange, input);
    total += coin.amount;
    if (!IsMoney(total)) return broken(Rule::kInputValuesOutOfRange, input);
  }
  const Amount outputs = OutputTotal(transaction);
  if (total < outputs) return broken(Rule::kInBelowOut);
  if (!IsMoney(total - outputs)) return broken(Rule::kFeeOutOfRange);
  *fee = total - outputs;
  return {};
}

SequenceLock SequenceLockOf(TransactionView transaction, std::span<const Coin> spent, const Ancestry& chain) {
  SequenceLock lock;
  // Versions are compared as unsigned numbers: a "negative" one is high.
  if (static_cast<uint32_t>(transaction.version()) < 2) return lock;
  for (uint32_t input = 0; input < transaction.input_count(); ++input) {
    const uint32_t sequence = transaction.sequence(input);
    if ((sequence & kSequenceDisableBit) != 0) continue;
    const int64_t span = sequence & kSequenceMask;
    const uint32_t coin_height = spent[input].height;
    if ((sequence & kSequenceTypeBit) != 0) {
      // Measured from the earliest time that the coin's block could have had.
      const int64_t coin_time_s = chain.median_time_past(coin_height == 0 ? 0 : coin_height - 1);
      lock.time_s = std::max(lock.time_s, coin_time_s + (span << kSequenceGranularityBits) - 1);
    } else {
      lock.height = std::max(lock.height, coin_height + span - 1);
    }
  }
  return lock;
}

Verdict CheckBlockSpends(const BlockColumns& block, std::span<const Coin> spent, const BlockContext& context,
                         const Ancestry& parent_chain, const ChainParams& params, Amount* fees,
                         uint32_t first_missing_input) {
  Amount total_fees = 0;
  uint64_t sigop_cost = 0;
  for (uint32_t t = 0; t < block.transaction_count(); ++t) {
    const TransactionView transaction = block.transaction(t);
    const std::span<const Coin> coins = spent.subspan(transaction.first_input(), transaction.input_count());
    if (t > 0) {
      if (first_missing_input - transaction.first_input() < transaction.input_count()) {
        return {Rule::kInputsMissingOrSpent, t, first_missing_input - transaction.first_input()};
      }
      Amount fee = 0;
      if (const Verdict verdict = CheckTransactionSpends(transaction, coins, context.height, &fee); !verdict.ok()) {
        return verdict;
      }
      total_fees += fee;
      if (!IsMoney(total_fees)) return {Rule::kAccumulatedFeeOutOfRange, t};
      if (IsSequenceLocked(transaction, coins, context, parent_chain)) return {Rule::kSequenceLocked, t};
    }
    sigop_cost += SigopCost(transaction, coins, context.script_flags);
    if (sigop_cost > kMaxBlockSigopCost) return {Rule::kSigopsTooMany, t};
  }
  if (OutputTotal(block.transaction(0)) > total_fees + Subsidy(context.height, params)) return {Rule::kCoinbaseAmount};
  *fees = total_fees;
  return {};
}

}  // namespace headrace
