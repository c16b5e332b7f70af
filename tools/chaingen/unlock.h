// Signs an input: fills its script_sig and witness for the lock it spends. Any thread; several may sign different inputs
// of one transaction only if they have their own copies of it.
#pragma once

#include <cstdint>
#include <vector>

#include "tools/chaingen/key_ring.h"
#include "engine/primitives/mutable_transaction.h"

namespace headrace::chaingen {

// All but the scripts and witnesses of `transaction` must be final. `spent` are the outputs its inputs spend, in order.
// SIGHASH_ALL becomes SIGHASH_DEFAULT in taproot spends. Returns the number of signatures made.
uint32_t Unlock(const KeyRing& keys, Lock lock, uint8_t hash_type, const std::vector<TransactionOutput>& spent, uint32_t input,
                MutableTransaction& transaction);

}  // namespace headrace::chaingen
