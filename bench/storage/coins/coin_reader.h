// Single reads of coins that stay: one at a time, and by a thread beside the windows.
//
// Only reads that begin while a window is being applied count. Time includes what the reader waits for a processor when
// there are more threads than cores.
#pragma once

#include <atomic>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <thread>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "bench/storage/coins/benched_store.h"

namespace headrace::bench {

struct KnownCoin {
  OutPoint outpoint;
  uint32_t height;
  Amount amount;
  uint32_t script_size;
};

// An error when the store does not have the coin, or another.
absl::Status FindKnown(BenchedStore& store, const KnownCoin& known, std::vector<uint8_t>& script);

class CoinReader {
 public:
  // Starts reading `known`, over and over, while `is_applying`; whoever sets that notifies, and the reader sleeps until
  // then. All of it outlives this.
  CoinReader(BenchedStore& store, const std::vector<KnownCoin>& known, std::atomic<bool>& is_applying);
  ~CoinReader();

  // Ends it: how many reads there were, and how long they took.
  absl::StatusOr<nlohmann::ordered_json> Finish();

 private:
  void Read();
  void Stop();

  BenchedStore& store_;
  const std::vector<KnownCoin>& known_;
  std::atomic<bool>& is_applying_;
  // The last reads' nanoseconds, the oldest overwritten.
  std::vector<uint32_t> nanoseconds_;
  uint64_t reads_ = 0;
  uint64_t nanoseconds_max_ = 0;
  absl::Status status_;
  std::atomic<bool> must_stop_{false};
  std::thread thread_;
};

}  // namespace headrace::bench
