// Signs an input: fills its script_sig and witness for the lock it spends. Any thread; several may sign different
// inputs of one transaction only if they have their own copies of it.
#pragma once

#include <cstdint>
#include <vector>

#include "engine/primitives/mutable_transaction.h"
#include "tools/chaingen/key_ring.h"
#include "tools/chaingen/nonce_table.h"
#include "tools/chaingen/sighash_cache.h"

namespace headrace::chaingen {

// All but the scripts and witnesses of `transaction` must be final. `spent` are the outputs its inputs spend, in order.
// SIGHASH_ALL becomes SIGHASH_DEFAULT in taproot spends. Returns the number of signatures made.
uint32_t Unlock(const KeyRing& keys, Lock lock, uint8_t hash_type, const std::vector<TransactionOutput>& spent,
                uint32_t input, MutableTransaction& transaction);

// The same with nonces from a table and hashes from a cache that was made for `transaction` and `spent`: other
// signatures, equally valid, several times as fast.
uint32_t UnlockWith(const KeyRing& keys, const NonceTable& nonces, SighashCache& hashes, Lock lock, uint8_t hash_type,
                    const std::vector<TransactionOutput>& spent, uint32_t input, MutableTransaction& transaction);

}  // namespace headrace::chaingen
