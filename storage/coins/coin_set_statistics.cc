#include "storage/coins/coin_set_statistics.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <mutex>

#include "absl/strings/str_cat.h"
#include "engine/base/arena.h"
#include "engine/base/status_macros.h"
#include "engine/crypto/muhash.h"
#include "engine/crypto/small_hashes.h"
#include "engine/primitives/byte_writer.h"

namespace headrace {
namespace {

// Coins of one part at most: their sort keys and hash input are in memory together.
constexpr uint64_t kPartCoinsMax = 4 << 20;
// Coins whose serialisations are made at once, to be hashed in order and multiplied in parallel.
constexpr size_t kSerializeCoins = 1 << 16;
constexpr size_t kSerializeGrain = 1 << 11;

struct LiveRecord {
  std::array<uint8_t, OutPoint::kSerializedBytes> outpoint;
  RecordLocation location;

  bool operator<(const LiveRecord& other) const {
    const int order = std::memcmp(outpoint.data(), other.outpoint.data(), 32);
    return order != 0 ? order < 0 : LoadLittle32(&outpoint[32]) < LoadLittle32(&other.outpoint[32]);
  }
};

// Records one behind the other: so many of them (old segments, whose memory may go on with zeros), and at most to the end
// of the bytes (young chunks).
struct Stretch {
  RecordLocation location;
  uint64_t bytes;
  uint64_t record_count;
};

std::vector<Stretch> StretchesOf(const CoinState& state) {
  std::vector<Stretch> stretches;
  for (const Segment* segment : state.space.OldSegments()) {
    stretches.push_back({LocationOf(segment->id, kSegmentHeaderBytes), segment->records_end - kSegmentHeaderBytes,
                         segment->record_count});
  }
  for (const CoinShard& shard : state.shards) {
    shard.ForEachYoungChunk([&](RecordLocation location, ByteSpan bytes) { stretches.push_back({location, bytes.size(), ~uint64_t{0}}); });
  }
  return stretches;
}

bool IsAlive(const CoinState& state, const uint8_t* outpoint, RecordLocation location) {
  const uint64_t hash = SipHash13OutPoint(state.hash_key[0], state.hash_key[1], outpoint);
  const CoinTable& table = state.shards[ShardOf(hash)].table;
  return table.Find(hash, [&](RecordLocation at) { return at == location; }) != CoinTable::kNowhere;
}

// Appends the living records of a stretch whose txid's first byte is in [first, last].
absl::Status Collect(const CoinState& state, const Stretch& stretch, uint8_t first, uint8_t last,
                     std::vector<LiveRecord>& found) {
  uint64_t offset = 0;
  for (uint64_t count = 0; count < stretch.record_count && offset < stretch.bytes; ++count) {
    const RecordLocation location = stretch.location + offset / kRecordAlignment;
    CoinRecord record;
    if (state.space.Read(location, record) == RecordSpace::ReadResult::kDamaged) return state.space.DamageAt(location);
    if (record.outpoint[0] >= first && record.outpoint[0] <= last && IsAlive(state, record.outpoint, location)) {
      LiveRecord& live = found.emplace_back();
      std::memcpy(live.outpoint.data(), record.outpoint, OutPoint::kSerializedBytes);
      live.location = location;
    }
    offset += record.size;
  }
  return absl::OkStatus();
}

// One part, sorted.
absl::Status CollectPart(const CoinState& state, const std::vector<Stretch>& stretches, uint8_t first, uint8_t last,
                         std::vector<LiveRecord>& part) {
  part.clear();
  std::mutex mutex;
  absl::Status status;
  state.executor->ParallelFor(stretches.size(), 1, [&](size_t begin, size_t end) {
    std::vector<LiveRecord> found;
    absl::Status collected;
    for (size_t i = begin; i < end && collected.ok(); ++i) collected = Collect(state, stretches[i], first, last, found);
    // The order of arrival does not matter: the part is sorted below.
    std::lock_guard lock(mutex);
    part.insert(part.end(), found.begin(), found.end());
    status.Update(collected);
  });
  HR_RETURN_IF_ERROR(status);
  std::sort(part.begin(), part.end());
  return absl::OkStatus();
}

// Calls visit(sorted records) for each part in turn.
absl::Status ForEachPart(const CoinState& state, absl::FunctionRef<absl::Status(std::span<const LiveRecord>)> visit) {
  const std::vector<Stretch> stretches = StretchesOf(state);
  uint64_t parts = 1;
  while (parts < 256 && state.coins() / parts > kPartCoinsMax) parts *= 2;
  const uint64_t width = 256 / parts;
  std::vector<LiveRecord> part;
  uint64_t coins = 0;
  for (uint64_t first = 0; first < 256; first += width) {
    HR_RETURN_IF_ERROR(
        CollectPart(state, stretches, static_cast<uint8_t>(first), static_cast<uint8_t>(first + width - 1), part));
    coins += part.size();
    HR_RETURN_IF_ERROR(visit(part));
  }
  if (coins != state.coins()) {
    return absl::DataLossError(absl::StrCat("The coin store in ", state.directory, " names ", state.coins(), " coins and holds ",
                                            coins, "; ", kReindexRemedy, "."));
  }
  return absl::OkStatus();
}

absl::Status Restore(const CoinState& state, RecordLocation location, Arena& arena, Coin& coin) {
  CoinRecord record;
  if (state.space.Read(location, record) == RecordSpace::ReadResult::kDamaged || !RestoreCoin(record, arena, coin)) {
    return state.space.DamageAt(location);
  }
  return absl::OkStatus();
}

// txid | index | height * 2 + coinbase | amount | script with its size: what both set hashes are made over.
void SerializeCoin(const uint8_t* outpoint, const Coin& coin, std::vector<uint8_t>& out) {
  ByteWriter writer(out);
  writer.Bytes({outpoint, OutPoint::kSerializedBytes});
  writer.U32(coin.height << 1 | (coin.is_coinbase ? 1 : 0));
  writer.U64(static_cast<uint64_t>(coin.amount));
  writer.VarBytes(coin.script);
}

// What one task makes of a run of coins.
struct SerializedRun {
  std::vector<uint8_t> bytes;
  MuHash muhash;
  Amount total_amount = 0;
  uint64_t bogosize = 0;
  absl::Status status;

  void Add(const CoinState& state, std::span<const LiveRecord> records, CoinSetHashes hashes) {
    Arena arena;
    for (const LiveRecord& live : records) {
      Coin coin;
      arena.Reset();
      status = Restore(state, live.location, arena, coin);
      if (!status.ok()) return;
      const size_t begin = bytes.size();
      if (hashes.serialized || hashes.muhash) SerializeCoin(live.outpoint.data(), coin, bytes);
      if (hashes.muhash) muhash.Insert(ByteSpan(bytes).subspan(begin));
      total_amount += coin.amount;
      bogosize += 50 + coin.script.size();
    }
  }
};

}  // namespace

absl::Status ForEachCoinSorted(const FlatCoinStore& store, absl::FunctionRef<void(const OutPoint&, const Coin&)> visit) {
  const CoinState& state = store.state();
  Arena arena;
  return ForEachPart(state, [&](std::span<const LiveRecord> part) -> absl::Status {
    for (const LiveRecord& live : part) {
      Coin coin;
      arena.Reset();
      HR_RETURN_IF_ERROR(Restore(state, live.location, arena, coin));
      visit(OutPoint::Load(live.outpoint.data()), coin);
    }
    return absl::OkStatus();
  });
}

absl::StatusOr<CoinSetStatistics> ComputeSetStatistics(const FlatCoinStore& store, Executor* executor,
                                                       CoinSetHashes hashes) {
  const CoinState& state = store.state();
  for (const CoinShard& shard : state.shards) {
    if (shard.point == store.resolved()) continue;
    return absl::FailedPreconditionError(
        absl::StrCat("The coin store in ", state.directory, " was not closed cleanly: its parts stand at heights ",
                     store.recovery_start().height, " to ", store.recovery_end().height, "; start headraced and stop it once."));
  }
  CoinSetStatistics statistics;
  statistics.best = store.resolved();
  Sha256Hasher hasher;
  MuHash muhash;
  HR_RETURN_IF_ERROR(ForEachPart(state, [&](std::span<const LiveRecord> part) -> absl::Status {
    // Outputs of one transaction are neighbours, and in one part.
    for (size_t i = 0; i < part.size(); ++i) {
      if (i == 0 || std::memcmp(part[i].outpoint.data(), part[i - 1].outpoint.data(), 32) != 0) ++statistics.transactions;
    }
    for (size_t at = 0; at < part.size(); at += kSerializeCoins) {
      const std::span<const LiveRecord> some = part.subspan(at, std::min(kSerializeCoins, part.size() - at));
      std::vector<SerializedRun> runs((some.size() + kSerializeGrain - 1) / kSerializeGrain);
      executor->ParallelFor(runs.size(), 1, [&](size_t begin, size_t end) {
        for (size_t run = begin; run < end; ++run) {
          const size_t first = run * kSerializeGrain;
          runs[run].Add(state, some.subspan(first, std::min(kSerializeGrain, some.size() - first)), hashes);
        }
      });
      for (const SerializedRun& run : runs) {
        HR_RETURN_IF_ERROR(run.status);
        if (hashes.serialized) hasher.Write(run.bytes);
        if (hashes.muhash) muhash.Combine(run.muhash);
        statistics.total_amount += run.total_amount;
        statistics.bogosize += run.bogosize;
      }
      statistics.coins += some.size();
    }
    return absl::OkStatus();
  }));
  if (hashes.serialized) statistics.hash_serialized = Hash256(hasher.FinishDouble());
  if (hashes.muhash) statistics.muhash = Hash256(muhash.Finish());
  return statistics;
}

}  // namespace headrace
