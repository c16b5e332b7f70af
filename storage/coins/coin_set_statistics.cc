#include "storage/coins/coin_set_statistics.h"

#include <algorithm>
#include <cstring>

#include "absl/strings/str_cat.h"
#include "engine/base/arena.h"
#include "engine/base/status_macros.h"
#include "engine/crypto/muhash.h"
#include "engine/primitives/byte_writer.h"
#include "storage/coins/record_space.h"
#include "storage/coins/snapshot_coding.h"

namespace headrace {
namespace {

// Coins that are serialised before any is taken up: what they make stays in memory twice, as the next ones are begun.
constexpr size_t kBatchCoins = 1 << 16;
// Coins of one run at least; all outputs of a transaction are in one.
constexpr size_t kRunCoins = 1 << 11;

bool SameTransaction(const PinnedRecord& a, const PinnedRecord& b) {
  return a.prefix == b.prefix && std::memcmp(a.bytes, b.bytes, 32) == 0;
}

// txid | index | height * 2 + coinbase | amount | script with its size: what both set hashes are made over.
void SerializeCoin(const uint8_t* outpoint, const Coin& coin, std::vector<uint8_t>& out) {
  ByteWriter writer(out);
  writer.Bytes({outpoint, OutPoint::kSerializedBytes});
  writer.U32(coin.height << 1 | (coin.is_coinbase ? 1 : 0));
  writer.U64(static_cast<uint64_t>(coin.amount));
  writer.VarBytes(coin.script);
}

// What is wanted of every coin.
struct Wanted {
  CoinSetHashes hashes;
  bool snapshot = false;
};

// What one task makes of a run of coins.
struct Run {
  std::span<const PinnedRecord> records;
  std::vector<uint8_t> serialized;
  std::vector<uint8_t> snapshot;
  MuHash muhash;
  uint64_t transactions = 0;
  Amount total_amount = 0;
  uint64_t bogosize = 0;
  absl::Status status;

  void Make(const Wanted& wanted) {
    Arena arena;
    for (size_t begin = 0; begin < records.size() && status.ok();) {
      size_t end = begin + 1;
      while (end < records.size() && SameTransaction(records[begin], records[end])) ++end;
      ++transactions;
      for (size_t i = begin; i < end && status.ok(); ++i) MakeOne(records[i], wanted, arena);
      if (wanted.snapshot) AppendSnapshotTransaction(records.subspan(begin, end - begin), snapshot);
      begin = end;
    }
  }

  void MakeOne(const PinnedRecord& at, const Wanted& wanted, Arena& arena) {
    const CoinRecord record = PinnedCoins::Decode(at);
    total_amount += record.amount;
    bogosize += 50 + record.script.script_size;
    if (!wanted.hashes.serialized && !wanted.hashes.muhash) return;
    Coin coin;
    arena.Reset();
    if (!RestoreCoin(record, arena, coin)) {
      status =
          absl::DataLossError(absl::StrCat("The coin store holds a key that is no point of the curve, of transaction ",
                                           Hash256::Load(at.bytes).ToHex(), "; ", kReindexRemedy, "."));
      return;
    }
    const size_t begin = serialized.size();
    SerializeCoin(at.bytes, coin, serialized);
    if (wanted.hashes.muhash) muhash.Insert(ByteSpan(serialized).subspan(begin));
  }
};

// Makes runs of a part, batch by batch, and takes up what they made in their order.
class Summation {
 public:
  Summation(Executor* executor, const Wanted& wanted, const SnapshotSink& sink)
      : executor_(executor), wanted_(wanted), sink_(sink) {}

  absl::Status AddPart(std::span<const PinnedRecord> part, const std::atomic<bool>& must_stop) {
    std::vector<Run> made;
    for (size_t begin = 0; begin < part.size();) {
      if (must_stop) return absl::CancelledError("The work on the unspent set was broken off.");
      std::vector<Run> making = CutRuns(part, begin);
      absl::Status taken;
      executor_->ParallelFor(making.size() + 1, 1, [&](size_t first, size_t end) {
        for (size_t i = first; i < end; ++i) {
          if (i == 0) {
            taken = Take(made);
          } else {
            making[i - 1].Make(wanted_);
          }
        }
      });
      HR_RETURN_IF_ERROR(taken);
      made = std::move(making);
    }
    return Take(made);
  }

  CoinSetStatistics Finish(const BlockPoint& best) {
    sums_.best = best;
    if (wanted_.hashes.serialized) sums_.hash_serialized = Hash256(hasher_.FinishDouble());
    if (wanted_.hashes.muhash) sums_.muhash = Hash256(muhash_.Finish());
    return sums_;
  }

 private:
  // The runs of one batch; `begin` moves behind it.
  std::vector<Run> CutRuns(std::span<const PinnedRecord> part, size_t& begin) const {
    std::vector<Run> runs;
    for (const size_t batch = begin; begin < part.size() && begin - batch < kBatchCoins;) {
      size_t end = std::min(begin + kRunCoins, part.size());
      while (end < part.size() && SameTransaction(part[end - 1], part[end])) ++end;
      runs.emplace_back().records = part.subspan(begin, end - begin);
      begin = end;
    }
    return runs;
  }

  absl::Status Take(std::vector<Run>& runs) {
    for (Run& run : runs) {
      HR_RETURN_IF_ERROR(run.status);
      if (wanted_.hashes.serialized) hasher_.Write(run.serialized);
      if (wanted_.hashes.muhash) muhash_.Combine(run.muhash);
      if (wanted_.snapshot) HR_RETURN_IF_ERROR(sink_(std::move(run.snapshot)));
      sums_.coins += run.records.size();
      sums_.transactions += run.transactions;
      sums_.total_amount += run.total_amount;
      sums_.bogosize += run.bogosize;
    }
    return absl::OkStatus();
  }

  Executor* const executor_;
  const Wanted wanted_;
  const SnapshotSink& sink_;
  Sha256Hasher hasher_;
  MuHash muhash_;
  CoinSetStatistics sums_;
};

}  // namespace

absl::StatusOr<CoinSetStatistics> ComputeSetStatistics(PinnedCoins& coins, CoinSetHashes hashes,
                                                       const std::atomic<bool>& must_stop, const SnapshotSink& snapshot,
                                                       const std::string& what) {
  Summation summation(coins.executor(), {hashes, snapshot != nullptr}, snapshot);
  HR_RETURN_IF_ERROR(coins.ForEachPart(
      what, must_stop, [&](std::span<const PinnedRecord> part) { return summation.AddPart(part, must_stop); }));
  return summation.Finish(coins.point());
}

}  // namespace headrace
