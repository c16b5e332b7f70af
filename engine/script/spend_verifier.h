// The verdict on one input: does its scriptSig and witness satisfy the script of the coin that it spends?
//
// Any thread; no allocation on the standard paths beyond the interpreter's reused stacks. The columns' txids are
// filled.
#pragma once

#include <span>

#include "engine/primitives/coin.h"
#include "engine/primitives/transaction_view.h"
#include "engine/script/script_error.h"
#include "engine/script/script_flags.h"

namespace headrace {

// Hashes that every input of a transaction shares, computed once: BIP143's (double SHA-256) and BIP341's (single).
struct TransactionMidstates {
  bool segwit_v0_ready = false;
  bool taproot_ready = false;
  Digest256 prevouts_single, sequences_single, outputs_single, amounts_single, scripts_single;
  Digest256 prevouts_double, sequences_double, outputs_double;
};

// `spent` has one coin an input of the transaction. Prepares what the transaction's spends can need and no more:
// nothing without a witness; taproot's part only when a spent script is a version 1 program of 32 bytes.
void PrepareMidstates(TransactionView transaction, std::span<const Coin> spent, TransactionMidstates& midstates);

// `input` counts from the transaction's first. `midstates` were prepared for the same transaction and coins.
ScriptError VerifySpend(TransactionView transaction, uint32_t input, std::span<const Coin> spent, ScriptFlags flags,
                        const TransactionMidstates& midstates);

}  // namespace headrace
