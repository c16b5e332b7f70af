// The rules for what a block spends: maturity, amounts, fees, relative lock times, cost of signature operations, and what
// the coinbase may pay. Scripts are not run here.
//
// Any thread, when the Ancestry allows it; pure. The block passed CheckBlock and CheckBlockContext.
#pragma once

#include <cstdint>
#include <span>

#include "engine/consensus/ancestry.h"
#include "engine/consensus/block_context.h"
#include "engine/consensus/chain_params.h"
#include "engine/consensus/verdict.h"
#include "engine/primitives/block_columns.h"
#include "engine/primitives/coin.h"

namespace headrace {

inline constexpr uint32_t kCoinbaseMaturity = 100;
inline constexpr uint32_t kNoInput = 0xffffffff;

// What a block of this height may create: 50 coins, halved every interval, nothing after 64 halvings (BIP42).
Amount Subsidy(uint32_t height, const ChainParams& params);

// `spent` has one coin an input, in column order; the coinbase's are not looked at. `*fees` is their sum on success.
//
// Where a coin does not exist, `first_missing_input` is the column index of the first such input: the transactions before
// its own are judged, and if they pass, the verdict is kInputsMissingOrSpent there. Coins from that transaction on are
// not looked at. That names the first offence in the field's order.
Verdict CheckBlockSpends(const BlockColumns& block, std::span<const Coin> spent, const BlockContext& context,
                         const Ancestry& parent_chain, const ChainParams& params, Amount* fees,
                         uint32_t first_missing_input = kNoInput);

// One transaction, not a coinbase: maturity and ranges input by input, then sum against outputs. `spent` has one coin an
// input of the transaction. `*fee` is set on success.
Verdict CheckTransactionSpends(TransactionView transaction, std::span<const Coin> spent, uint32_t spend_height,
                               Amount* fee);

// BIP68: the last height and the last median time past at which the transaction still may not be included; -1 for none.
struct SequenceLock {
  int64_t height = -1;
  int64_t time_s = -1;

  // Whether a block of this height, over a parent with this median time past, may include the transaction.
  bool Allows(uint32_t block_height, int64_t parent_median_time_past) const {
    return height < static_cast<int64_t>(block_height) && time_s < parent_median_time_past;
  }
};

// `chain` reaches at least to one below the highest coin.
SequenceLock SequenceLockOf(TransactionView transaction, std::span<const Coin> spent, const Ancestry& chain);

}  // namespace headrace
