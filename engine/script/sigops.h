// Counting signature operations, as the block's limit of 80,000 cost counts them (BIP16, BIP141).
#pragma once

#include <span>

#include "engine/primitives/coin.h"
#include "engine/primitives/transaction_view.h"
#include "engine/script/script_flags.h"

namespace headrace {

// Legacy count of one script. `accurate` counts CHECKMULTISIG by the number pushed before it, otherwise as 20. Counting
// stops at the first malformed push.
uint32_t CountScriptSigops(ByteSpan script, bool accurate);

// Legacy count over a transaction's scriptSigs and outputs, not scaled.
uint32_t CountLegacySigops(TransactionView transaction);

// The full cost: legacy and P2SH scaled by four, witness as it is. `spent` has one coin an input; a coinbase has the
// legacy part only, and `spent` is not looked at.
uint64_t SigopCost(TransactionView transaction, std::span<const Coin> spent, ScriptFlags flags);

}  // namespace headrace
