// Sums over the whole unspent set, and the hashes the field compares sets by.
//
// The set is read from a pin, part by part (pinned_coins.h). Of a part, runs of coins are serialised on all cores; what
// is made over the order of the coins, that is hash_serialized_3 and the bytes of a snapshot, is taken up by one of
// them, one batch behind the others.
//
// Threads: the caller's, with the executor's workers inside; the pin is the caller's alone.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "storage/coins/pinned_coins.h"

namespace headrace {

// Takes pieces of a snapshot in order.
using SnapshotSink = std::function<absl::Status(std::vector<uint8_t> bytes)>;

// Fails when the pin's parts stand at different blocks (a directory that was not closed cleanly): no block's set is
// there. With `snapshot`, what a snapshot file holds behind its header goes there; `what` is the name of the work in
// the log.
absl::StatusOr<CoinSetStatistics> ComputeSetStatistics(PinnedCoins& coins, CoinSetHashes hashes,
                                                       const std::atomic<bool>& must_stop,
                                                       const SnapshotSink& snapshot = nullptr,
                                                       const std::string& what = "statistics");

}  // namespace headrace
