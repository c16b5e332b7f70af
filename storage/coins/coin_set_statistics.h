// Work on the whole unspent set: walking it in the order of outpoints, and the hashes the field compares sets by.
//
// The set is cut into parts by the first byte of the txid, so that one part at a time is held and sorted: memory is
// bounded (about `kPartBytesMax` and 16 bytes a coin of a part), whatever the set's size. Segments are read front to back,
// once a part; the index tells which records are alive.
//
// Threads: the caller's, with the executor's workers inside. The store must be quiescent: opened for reading, or with
// nobody applying.
#pragma once

#include <cstdint>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "engine/primitives/outpoint.h"
#include "storage/coins/flat_coin_store.h"

namespace headrace {

// Calls visit for every coin in ascending order of (txid bytes in memory order, output index). The script is valid during
// the call only. Damage ends it with a sentence.
absl::Status ForEachCoinSorted(const FlatCoinStore& store, absl::FunctionRef<void(const OutPoint&, const Coin&)> visit);

// Fails when the shards stand at different blocks (a directory that was not closed cleanly): no block's set is there.
absl::StatusOr<CoinSetStatistics> ComputeSetStatistics(const FlatCoinStore& store, Executor* executor,
                                                       CoinSetHashes hashes = {});

}  // namespace headrace
