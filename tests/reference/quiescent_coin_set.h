// The whole set of a store that stands still, one coin after another: all outpoints sorted in memory, each coin read
// through the index, one hash over all. What whole-set work, which reads a pinned manifest in parts beside a running
// store, is measured against.
#pragma once

#include <algorithm>
#include <cstring>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "engine/crypto/muhash.h"
#include "engine/primitives/byte_writer.h"
#include "storage/coins/flat_coin_store.h"

namespace headrace::testing {

// Calls visit for every coin in ascending order of (txid in memory order, index). The script is valid during the call
// only.
inline absl::Status ForEachCoinSorted(const FlatCoinStore& store,
                                      absl::FunctionRef<void(const OutPoint&, const Coin&)> visit) {
  struct Place {
    OutPoint outpoint;
    RecordLocation location;
  };
  const CoinState& state = store.state();
  std::vector<Place> places;
  for (const CoinShard& shard : state.shards) {
    absl::Status status;
    shard.table.ForEach([&](CoinTable::Position, RecordLocation location) {
      CoinRecord record;
      if (state.space.Read(location, record) == RecordSpace::ReadResult::kDamaged) {
        status.Update(state.space.DamageAt(location));
        return;
      }
      places.push_back({OutPoint::Load(record.outpoint), location});
    });
    if (!status.ok()) return status;
  }
  std::sort(places.begin(), places.end(), [](const Place& a, const Place& b) { return a.outpoint < b.outpoint; });
  Arena arena;
  for (const Place& place : places) {
    CoinRecord record;
    Coin coin;
    arena.Reset();
    if (state.space.Read(place.location, record) == RecordSpace::ReadResult::kDamaged ||
        !RestoreCoin(record, arena, coin)) {
      return state.space.DamageAt(place.location);
    }
    visit(place.outpoint, coin);
  }
  return absl::OkStatus();
}

// Fails when the shards stand at different blocks: no block's set is there.
inline absl::StatusOr<CoinSetStatistics> QuiescentStatistics(const FlatCoinStore& store) {
  for (const CoinShard& shard : store.state().shards) {
    if (shard.point == store.resolved()) continue;
    return absl::FailedPreconditionError("the shards stand at different blocks");
  }
  CoinSetStatistics statistics;
  statistics.best = store.resolved();
  Sha256Hasher hasher;
  MuHash muhash;
  Hash256 last_txid;
  const absl::Status walked = ForEachCoinSorted(store, [&](const OutPoint& outpoint, const Coin& coin) {
    std::vector<uint8_t> bytes;
    ByteWriter writer(bytes);
    writer.Bytes(outpoint.txid.span());
    writer.U32(outpoint.index);
    writer.U32(coin.height * 2 + (coin.is_coinbase ? 1 : 0));
    writer.U64(static_cast<uint64_t>(coin.amount));
    writer.VarBytes(coin.script);
    hasher.Write(bytes);
    muhash.Insert(bytes);
    statistics.transactions += statistics.coins == 0 || outpoint.txid != last_txid ? 1 : 0;
    last_txid = outpoint.txid;
    ++statistics.coins;
    statistics.total_amount += coin.amount;
    statistics.bogosize += 50 + coin.script.size();
  });
  if (!walked.ok()) return walked;
  statistics.hash_serialized = Hash256(hasher.FinishDouble());
  statistics.muhash = Hash256(muhash.Finish());
  return statistics;
}

}  // namespace headrace::testing
