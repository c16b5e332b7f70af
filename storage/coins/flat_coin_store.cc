#include "storage/coins/flat_coin_store.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "engine/base/check.h"
#include "engine/base/span.h"
#include "engine/base/status_macros.h"
#include "engine/crypto/small_hashes.h"
#include "storage/coins/pinned_coins.h"
#include "storage/coins/snapshot_file.h"

namespace headrace {
namespace {

// Shards a task takes at a time: few enough that the workers end together.
constexpr size_t kShardGrain = 8;
constexpr uint64_t kEvictedBytesAtOnce = 16 << 20;

}  // namespace

absl::Status FlatCoinStore::CheckPlans(bool& is_violated) const {
  is_violated = false;
  for (uint32_t number = 0; number < kCoinShardCount; ++number) {
    if (outcomes_[number] == ShardPlan::Outcome::kDamaged) return state_.space.DamageAt(plans_[number].damage());
    is_violated = is_violated || outcomes_[number] == ShardPlan::Outcome::kViolated;
  }
  return absl::OkStatus();
}

void FlatCoinStore::ExecutePlans(std::span<const WindowBlock> window, const BlockPoint& point) {
  state_.executor->ParallelFor(kCoinShardCount, kShardGrain, [&](size_t begin, size_t end) {
    const Span span(SpanKind::kExecute);
    for (size_t number = begin; number < end; ++number) {
      plans_[number].Execute(state_.shards[number], state_.space, window);
    }
  });
  resolved_ = point;
  has_changed_ = true;
}

absl::Status FlatCoinStore::FillSpent(std::span<WindowBlock> window) {
  // A block's arena belongs to one task.
  std::vector<RecordLocation> damage(window.size());
  state_.executor->ParallelFor(window.size(), 1, [&](size_t begin, size_t end) {
    const Span span(SpanKind::kFillSpent);
    for (size_t number = begin; number < end; ++number) {
      WindowBlock& block = window[number];
      const CoinSource* sources = sources_.data() + ops_.first_input(static_cast<uint32_t>(number));
      const size_t count = block.columns->input_count();
      for (size_t input = 0; input < count; ++input) {
        constexpr size_t kAhead = 16;
        if (input + kAhead < count && !sources[input + kAhead].IsNowhere() && !sources[input + kAhead].IsInWindow()) {
          state_.space.Prefetch(sources[input + kAhead].location());
        }
        const CoinSource source = sources[input];
        Coin& coin = block.spent[input];
        if (source.IsNowhere()) continue;
        if (source.IsInWindow()) {
          const CoinOp& creation = *source.creation();
          const WindowBlock& creator = window[creation.block];
          const BlockColumns& columns = *creator.columns;
          coin = {columns.amount[creation.item], creator.height, creation.kind == CoinOp::kCreateInCoinbase,
                  block.arena->Copy(columns.script_pubkey[creation.item].In(columns.raw))};
          continue;
        }
        CoinRecord record;
        if (state_.space.Read(source.location(), record) == RecordSpace::ReadResult::kDamaged ||
            !RestoreCoin(record, *block.arena, coin)) {
          damage[number] = source.location();
        }
      }
    }
  });
  for (const RecordLocation location : damage) {
    if (location != 0) return state_.space.DamageAt(location);
  }
  return absl::OkStatus();
}

absl::Status FlatCoinStore::CheckBranch(std::span<const WindowBlock> window) const {
  if (resolved_.height >= recovery_end_.height) return absl::OkStatus();
  for (const CoinShard& shard : state_.shards) {
    if (shard.point.height <= resolved_.height || shard.point.height > window.back().height) continue;
    const WindowBlock& block = window[shard.point.height - window.front().height];
    if (block.columns->hash == shard.point.hash) continue;
    return absl::FailedPreconditionError(absl::StrCat(
        "The coin store in ", state_.directory, " holds block ", shard.point.hash.ToHex(), " at height ", shard.point.height,
        ", and recovery offers it ", block.columns->hash.ToHex(), "; ", kReindexRemedy, "."));
  }
  return absl::OkStatus();
}

absl::StatusOr<WindowOutcome> FlatCoinStore::Apply(std::span<WindowBlock> window) {
  if (window.empty()) return WindowOutcome::kApplied;
  HR_CHECK(window.front().height == resolved_.height + 1);
  for (const WindowBlock& block : window) HR_CHECK(block.spent.size() == block.columns->input_count());
  HR_RETURN_IF_ERROR(CheckBranch(window));

  ops_.Partition(window, state_.hash_key, state_.executor);
  sources_.assign(ops_.input_count(), CoinSource());
  state_.executor->ParallelFor(kCoinShardCount, kShardGrain, [&](size_t begin, size_t end) {
    const Span span(SpanKind::kPlan);
    for (size_t number = begin; number < end; ++number) {
      outcomes_[number] = plans_[number].PlanApply(state_.shards[number], state_.space, ops_, static_cast<uint32_t>(number),
                                                   window, sources_.data());
    }
  });
  bool is_violated;
  HR_RETURN_IF_ERROR(CheckPlans(is_violated));
  if (is_violated) return WindowOutcome::kViolated;
  // Filled first: a record that cannot be read must stop the window before anything has changed.
  HR_RETURN_IF_ERROR(FillSpent(window));

  const WindowBlock& last = window.back();
  const BlockPoint point{last.columns->hash, last.height};
  ExecutePlans(window, point);
  for (CoinShard& shard : state_.shards) {
    if (shard.point.height < point.height) shard.point = point;
  }
  HR_RETURN_IF_ERROR(KeepYoungBounded());
  return WindowOutcome::kApplied;
}

absl::Status FlatCoinStore::Unapply(std::span<const WindowBlock> window, const BlockPoint& previous) {
  if (window.empty()) return absl::OkStatus();
  HR_CHECK(window.back().height == resolved_.height && window.front().height == previous.height + 1);
  // While recovery re-applies blocks the shards disagree; the engine lets it end first.
  for (const CoinShard& shard : state_.shards) HR_CHECK(shard.point == resolved_);

  ops_.Partition(window, state_.hash_key, state_.executor);
  state_.executor->ParallelFor(kCoinShardCount, kShardGrain, [&](size_t begin, size_t end) {
    for (size_t number = begin; number < end; ++number) {
      outcomes_[number] =
          plans_[number].PlanUnapply(state_.shards[number], state_.space, ops_, static_cast<uint32_t>(number));
    }
  });
  bool is_violated;
  HR_RETURN_IF_ERROR(CheckPlans(is_violated));
  if (is_violated) {
    return absl::DataLossError(absl::StrCat("Block ", window.back().columns->hash.ToHex(), " cannot be taken back from the coin store in ",
                                            state_.directory, ": the undo data does not fit the coins; ", kReindexRemedy, "."));
  }
  HR_RETURN_IF_ERROR(checkpoint_->Rewind(previous.height));
  ExecutePlans(window, previous);
  for (CoinShard& shard : state_.shards) shard.point = previous;
  if (recovery_end_.height > previous.height) recovery_end_ = previous;
  return KeepYoungBounded();
}

void FlatCoinStore::CountWindowMemory() {
  state_.window_bytes = ops_.memory_bytes() + sources_.capacity() * sizeof(CoinSource);
  for (const ShardPlan& plan : plans_) state_.window_bytes += plan.memory_bytes();
}

absl::Status FlatCoinStore::KeepYoungBounded() {
  if (is_read_only_) return absl::OkStatus();
  CountWindowMemory();
  writer_.set_segment_bytes_max(state_.segment_bytes_max());
  // Before anything moves: where survivors go counts as well, and the next window makes up for it.
  const uint64_t most = state_.young_bytes_max();
  uint64_t young = state_.young_memory();
  const Span span(SpanKind::kMoveYoung);
  // A little after every window, so that none waits for much: twice what windows commonly bring, and more only to stay within
  // the budget.
  uint64_t left = kEvictedBytesAtOnce;
  while (young > most || (young > most / 8 * 7 && left > 0)) {
    CoinShard& shard = state_.shards[next_evicted_];
    next_evicted_ = (next_evicted_ + 1) % kCoinShardCount;
    // The older half: most of what dies dies young.
    HR_ASSIGN_OR_RETURN(const uint64_t walked, copier_.MoveYoung(shard, (shard.young_bytes() + 1) / 2));
    young = state_.young_memory();
    left -= std::min(left, walked);
    HR_RETURN_IF_ERROR(writer_.Settle(false, state_.kept_bytes_max()).status());
  }
  return writer_.Settle(false, state_.kept_bytes_max()).status();
}

absl::Status FlatCoinStore::BeginCheckpoint() {
  HR_CHECK(!is_read_only_);
  if (checkpoint_->under_way() || (!has_changed_ && checkpoint_->is_published())) return absl::OkStatus();
  HR_RETURN_IF_ERROR(checkpoint_->Begin());
  // What is applied from here on is the next one's.
  has_changed_ = false;
  return absl::OkStatus();
}

absl::Status FlatCoinStore::StepCheckpoint() { return checkpoint_->Step(applied_, false); }

absl::Status FlatCoinStore::FinishCheckpoint() {
  HR_CHECK(resolved_ == applied_);
  // A clean stop leaves all shards at one block, so that the set can be read without replaying anything.
  if (checkpoint_->under_way() && checkpoint_->IsUniform(resolved_)) {
    HR_RETURN_IF_ERROR(checkpoint_->Step(applied_, true));
  }
  if (checkpoint_->under_way()) HR_RETURN_IF_ERROR(checkpoint_->Abandon());
  const bool is_whole = durable() == resolved_ && checkpoint_->published().Highest() == resolved_;
  if (checkpoint_->is_published() && is_whole) return absl::OkStatus();
  HR_RETURN_IF_ERROR(checkpoint_->Begin());
  has_changed_ = false;
  return checkpoint_->Step(applied_, true);
}

void FlatCoinStore::BeginScrub() {
  if (!scrub_.under_way()) scrub_.Begin(checkpoint_->is_published() ? &checkpoint_->published() : nullptr);
}

absl::Status FlatCoinStore::StepScrub() {
  // While a manifest is on its way to its place, either one may be found there.
  return checkpoint_->publishing() != nullptr ? absl::OkStatus() : scrub_.Step(checkpoint_->published());
}

CoinStoreCounters FlatCoinStore::counters() const {
  CoinStoreCounters counters;
  counters.coins = state_.coins();
  counters.memory = {state_.index_bytes(),         state_.space.taken_bytes(),   state_.space.free_bytes(),
                     state_.space.written_bytes(), state_.space.filling_bytes(), state_.copies_bytes,
                     state_.window_bytes};
  counters.disk_bytes = checkpoint_->published().image_bytes;
  for (const Segment* segment : state_.space.OldSegments()) counters.disk_bytes += segment->file_bytes;
  counters.checkpoints = checkpoint_->published_count();
  counters.image_bytes_written = checkpoint_->bytes_written();
  counters.segment_bytes_written = writer_.bytes_written();
  counters.cold_reads = cold_reader_.reads();
  counters.scrub_rounds = scrub_.rounds();
  counters.scrub_bytes = scrub_.bytes_checked();
  return counters;
}

std::optional<BlockPoint> FlatCoinStore::durable_through() const {
  if (!checkpoint_->is_published()) return std::nullopt;
  return checkpoint_->published().Highest();
}

std::unique_ptr<PinnedCoinSet> FlatCoinStore::Pin() const {
  HR_CHECK(checkpoint_->is_published());
  PinnedCoins::Source source{state_.files, state_.whole_set_executor, state_.directory, state_.pins,
                             state_.whole_set_part_bytes};
  return std::make_unique<PinnedCoins>(std::move(source), checkpoint_->published());
}

absl::Status FlatCoinStore::CheckSnapshotPath(const std::string& path) const {
  return CheckSnapshotPathIsFree(state_.files, path);
}

std::vector<FlatCoinStore::FileVerdict> FlatCoinStore::VerifyAll() const {
  std::vector<FileVerdict> verdicts;
  for (const Segment* segment : state_.space.OldSegments()) {
    if (!HasWholeFile(segment->kind)) continue;
    FileVerdict& verdict = verdicts.emplace_back(FileVerdict{segment->path, segment->file_bytes});
    for (size_t page = 0; page < segment->checksums.page_count() && verdict.status.ok(); ++page) {
      if (segment->checksums.PageIsGood(segment->base, page)) continue;
      verdict.status = state_.space.DamageAt(LocationOf(segment->id, page * kPageBytes));
    }
  }
  // The images were verified when they were loaded; what they say must lead to records of the right outpoints' hashes.
  FileVerdict& index = verdicts.emplace_back(FileVerdict{state_.directory, state_.index_bytes()});
  std::vector<RecordLocation> damage(kCoinShardCount);
  std::vector<uint8_t> is_consistent(kCoinShardCount, 1);
  state_.executor->ParallelFor(kCoinShardCount, 1, [&](size_t begin, size_t end) {
    for (size_t number = begin; number < end; ++number) {
      const CoinShard& shard = state_.shards[number];
      is_consistent[number] = shard.table.IsConsistent();
      shard.table.ForEach([&](CoinTable::Position position, RecordLocation location) {
        CoinRecord record;
        bool is_good = state_.space.Read(location, record) == RecordSpace::ReadResult::kRead;
        if (is_good) {
          const uint64_t hash = SipHash13OutPoint(state_.hash_key[0], state_.hash_key[1], record.outpoint);
          is_good = ShardOf(hash) == number &&
                    shard.table.Find(hash, [&](RecordLocation at) { return at == location; }) == position;
        }
        if (!is_good) damage[number] = location;
      });
    }
  });
  for (uint32_t number = 0; number < kCoinShardCount && index.status.ok(); ++number) {
    if (damage[number] != 0) index.status = state_.space.DamageAt(damage[number]);
    if (is_consistent[number] == 0) {
      index.status = absl::DataLossError(absl::StrCat("Shard ", number, " of the coin index in ", state_.directory,
                                                      " contradicts itself; ", kReindexRemedy, "."));
    }
  }
  return verdicts;
}

}  // namespace headrace
