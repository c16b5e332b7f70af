// Reads single coins from any thread while windows are applied, tables grow, survivors move and segments go. No lock is
// taken and nobody waits for a reader, however long it is suspended.
//
// A coin is copied first and believed afterwards: only if neither the bucket nor the table that led there has changed.
// A coin that is unspent all the time is found; one that a window spends or creates meanwhile is found or not.
//
// Threads: any. Cost: a probe, a copy of the record's 128 first bytes (all of it when it is longer), and the checksum
// of a page of an old segment that no window has touched yet.
#pragma once

#include <cstdint>
#include <vector>

#include "absl/status/statusor.h"
#include "engine/primitives/coin.h"
#include "engine/primitives/outpoint.h"
#include "storage/coins/coin_state.h"

namespace headrace {

class CoinReader {
 public:
  explicit CoinReader(const CoinState* state) : state_(state) {}

  // As CoinStore::Find.
  absl::StatusOr<bool> Find(const OutPoint& outpoint, Coin& coin, std::vector<uint8_t>& script_buffer) const;

 private:
  const CoinState* const state_;
};

}  // namespace headrace
