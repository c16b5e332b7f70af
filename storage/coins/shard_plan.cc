#include "storage/coins/shard_plan.h"

#include <algorithm>
#include <bit>
#include <cstring>

#include "engine/base/check.h"

namespace headrace {
namespace {

// How far ahead of the walk buckets and records are asked for: enough to cover memory, few enough to stay in the cache.
constexpr size_t kBucketAhead = 24;
constexpr size_t kRecordAhead = 12;
// The same for what new records are made of: where a script is, and then the script.
constexpr size_t kColumnsAhead = 16;
constexpr size_t kScriptAhead = 8;
constexpr size_t kStoredAhead = 12;

bool SameOutPoint(const CoinOp& a, const CoinOp& b) {
  return a.hash == b.hash && a.index == b.index && std::memcmp(a.txid, b.txid, 32) == 0;
}

void PrefetchBucket(const CoinShard& shard, const CoinOp& op) {
  shard.table.PrefetchHome(op.hash);
  __builtin_prefetch(op.txid);
}

void PrefetchRecord(const CoinShard& shard, const RecordSpace& space, const CoinOp& op) {
  const RecordLocation location = shard.table.FirstCandidate(op.hash);
  if (location != 0) space.Prefetch(location);
}

// What the first operations of a walk need. A shard has some hundreds of a window's: it pays not to let the first ones wait.
template <typename At>
void PrefetchFirst(const CoinShard& shard, const RecordSpace& space, size_t count, At&& at) {
  for (size_t i = 0; i < std::min(kBucketAhead, count); ++i) PrefetchBucket(shard, at(i));
  for (size_t i = 0; i < std::min(kRecordAhead, count); ++i) PrefetchRecord(shard, space, at(i));
}

// `at(i)` is the i-th operation of the walk.
template <typename At>
void PrefetchAhead(const CoinShard& shard, const RecordSpace& space, size_t i, size_t count, At&& at) {
  if (i + kBucketAhead < count) PrefetchBucket(shard, at(i + kBucketAhead));
  if (i + kRecordAhead < count) PrefetchRecord(shard, space, at(i + kRecordAhead));
}

}  // namespace

void ShardPlan::Reset(size_t op_count) {
  entries_.clear();
  cells_.assign(std::bit_ceil(op_count * 2 + 1), 0);
  damage_ = 0;
}

ShardPlan::Entry* ShardPlan::Find(const CoinOp& op, size_t& cell) {
  const size_t mask = cells_.size() - 1;
  // The bits below the shard's number and above the table's home: any will do for so small a table.
  for (cell = (op.hash >> 28) & mask; cells_[cell] != 0; cell = (cell + 1) & mask) {
    Entry& entry = entries_[cells_[cell] - 1];
    if (SameOutPoint(*entry.first, op)) return &entry;
  }
  return nullptr;
}

ShardPlan::Entry& ShardPlan::Add(const CoinOp& op, size_t cell) {
  entries_.push_back({&op});
  cells_[cell] = static_cast<uint32_t>(entries_.size());
  return entries_.back();
}

bool ShardPlan::Lookup(const CoinShard& shard, const RecordSpace& space, const CoinOp& op, CoinTable::Position& position) {
  position = shard.table.Find(op.hash, [&](RecordLocation location) {
    const RecordSpace::Answer answer = space.IsRecordOf(location, op.txid, op.index);
    if (answer == RecordSpace::Answer::kDamaged) damage_ = location;
    return answer != RecordSpace::Answer::kNo;
  });
  return damage_ == 0;
}

ShardPlan::Outcome ShardPlan::Spend(const CoinShard& shard, const RecordSpace& space, const CoinOp& op, CoinSource& source) {
  size_t cell;
  if (Entry* entry = Find(op, cell); entry != nullptr) {
    // Every entry that is there was put there by a creation of this window: stored coins get theirs when they go.
    if (!entry->is_there) return Outcome::kViolated;
    source = CoinSource::InWindow(entry->added);
    entry->added = nullptr;
    entry->is_there = false;
    entry->spent_in = op.block;
    return Outcome::kPlanned;
  }
  CoinTable::Position position;
  if (!Lookup(shard, space, op, position)) return Outcome::kDamaged;
  if (position == CoinTable::kNowhere) return Outcome::kViolated;
  Entry& entry = Add(op, cell);
  entry.stored = position;
  entry.spent_in = op.block;
  // Its record is read once, by whoever fills the block's spent coins, before anything changes.
  source = CoinSource::Stored(shard.table.LocationAt(position));
  return Outcome::kPlanned;
}

ShardPlan::Outcome ShardPlan::Create(const CoinShard& shard, const RecordSpace& space, const CoinOp& op, bool may_overwrite) {
  size_t cell;
  Entry* entry = Find(op, cell);
  if (entry != nullptr) {
    // A block MUST NOT create an output that exists unspent: now, or when the block began. (BIP30)
    const bool was_there_at_start = entry->spent_in == op.block && entry->created_in != op.block;
    if ((entry->is_there || was_there_at_start) && !may_overwrite) return Outcome::kViolated;
  } else {
    CoinTable::Position position;
    if (!Lookup(shard, space, op, position)) return Outcome::kDamaged;
    if (position != CoinTable::kNowhere && !may_overwrite) return Outcome::kViolated;
    entry = &Add(op, cell);
    entry->stored = position;
  }
  entry->added = &op;
  entry->is_there = true;
  entry->created_in = op.block;
  return Outcome::kPlanned;
}

ShardPlan::Outcome ShardPlan::Uncreate(const CoinShard& shard, const RecordSpace& space, const CoinOp& op) {
  // A coinbase's output may be gone already: a later one with its identifier replaced it, and only that one was there to
  // be taken back. (BIP30's two exceptions)
  const Outcome absent = op.kind == CoinOp::kCreateInCoinbase ? Outcome::kPlanned : Outcome::kViolated;
  size_t cell;
  if (Entry* entry = Find(op, cell); entry != nullptr) {
    if (!entry->is_there) return absent;
    entry->added = nullptr;
    entry->is_there = false;
    return Outcome::kPlanned;
  }
  CoinTable::Position position;
  if (!Lookup(shard, space, op, position)) return Outcome::kDamaged;
  if (position == CoinTable::kNowhere) return absent;
  Add(op, cell).stored = position;
  return Outcome::kPlanned;
}

ShardPlan::Outcome ShardPlan::Unspend(const CoinShard& shard, const RecordSpace& space, const CoinOp& op) {
  size_t cell;
  Entry* entry = Find(op, cell);
  if (entry != nullptr) {
    if (entry->is_there) return Outcome::kViolated;
  } else {
    CoinTable::Position position;
    if (!Lookup(shard, space, op, position)) return Outcome::kDamaged;
    if (position != CoinTable::kNowhere) return Outcome::kViolated;
    entry = &Add(op, cell);
  }
  entry->added = &op;
  entry->is_there = true;
  return Outcome::kPlanned;
}

ShardPlan::Outcome ShardPlan::PlanApply(const CoinShard& shard, const RecordSpace& space, const WindowOps& ops,
                                        uint32_t shard_number, std::span<const WindowBlock> window, CoinSource* sources) {
  std::span<const CoinOp> list = ops.shard(shard_number);
  // Recovery: blocks that this shard's image holds already are not its business.
  const auto is_held = [&](const CoinOp& op) { return window[op.block].height <= shard.point.height; };
  list = list.subspan(std::partition_point(list.begin(), list.end(), is_held) - list.begin());
  Reset(list.size());
  const auto forwards = [&](size_t at) -> const CoinOp& { return list[at]; };
  PrefetchFirst(shard, space, list.size(), forwards);
  for (size_t i = 0; i < list.size(); ++i) {
    PrefetchAhead(shard, space, i, list.size(), forwards);
    const CoinOp& op = list[i];
    const Outcome outcome = op.kind == CoinOp::kSpend
                                ? Spend(shard, space, op, sources[ops.first_input(op.block) + op.item])
                                : Create(shard, space, op, window[op.block].may_overwrite);
    if (outcome != Outcome::kPlanned) return outcome;
  }
  return Outcome::kPlanned;
}

ShardPlan::Outcome ShardPlan::PlanUnapply(const CoinShard& shard, const RecordSpace& space, const WindowOps& ops,
                                          uint32_t shard_number) {
  const std::span<const CoinOp> list = ops.shard(shard_number);
  Reset(list.size());
  const auto backwards = [&](size_t at) -> const CoinOp& { return list[list.size() - 1 - at]; };
  PrefetchFirst(shard, space, list.size(), backwards);
  for (size_t i = 0; i < list.size(); ++i) {
    PrefetchAhead(shard, space, i, list.size(), backwards);
    const CoinOp& op = backwards(i);
    const Outcome outcome = op.kind == CoinOp::kSpend ? Unspend(shard, space, op) : Uncreate(shard, space, op);
    if (outcome != Outcome::kPlanned) return outcome;
  }
  return Outcome::kPlanned;
}

void ShardPlan::PrefetchAdded(const CoinShard& shard, size_t i, std::span<const WindowBlock> window) const {
  if (i + kColumnsAhead < entries_.size()) {
    if (const CoinOp* op = entries_[i + kColumnsAhead].added; op != nullptr && op->kind != CoinOp::kSpend) {
      const BlockColumns& columns = *window[op->block].columns;
      __builtin_prefetch(&columns.amount[op->item]);
      __builtin_prefetch(&columns.script_pubkey[op->item]);
      __builtin_prefetch(op->txid);
      shard.table.PrefetchHome(op->hash);
    }
  }
  if (i + kScriptAhead < entries_.size()) {
    if (const CoinOp* op = entries_[i + kScriptAhead].added; op != nullptr && op->kind != CoinOp::kSpend) {
      const BlockColumns& columns = *window[op->block].columns;
      __builtin_prefetch(columns.raw.data() + columns.script_pubkey[op->item].offset);
    }
  }
}

void ShardPlan::Execute(CoinShard& shard, RecordSpace& space, std::span<const WindowBlock> window) {
  // Removals come first: positions hold only until the first insertion.
  for (size_t i = 0; i < entries_.size(); ++i) {
    // All shards were planned since this one was.
    if (i + kStoredAhead < entries_.size() && entries_[i + kStoredAhead].stored != CoinTable::kNowhere) {
      shard.table.Prefetch(entries_[i + kStoredAhead].stored);
    }
    const Entry& entry = entries_[i];
    if (entry.stored == CoinTable::kNowhere) continue;
    Segment* segment = space.segment(SegmentOf(shard.table.LocationAt(entry.stored)));
    if (segment->kind != SegmentKind::kYoung) segment->live_count.fetch_sub(1, std::memory_order_relaxed);
    shard.table.Erase(entry.stored);
  }
  for (size_t i = 0; i < entries_.size(); ++i) {
    PrefetchAdded(shard, i, window);
    const Entry& entry = entries_[i];
    if (entry.added == nullptr) continue;
    const CoinOp& op = *entry.added;
    const WindowBlock& block = window[op.block];
    Coin coin;
    if (op.kind == CoinOp::kSpend) {
      coin = block.spent[op.item];
    } else {
      const BlockColumns& columns = *block.columns;
      coin = {columns.amount[op.item], block.height, op.kind == CoinOp::kCreateInCoinbase,
              columns.script_pubkey[op.item].In(columns.raw)};
    }
    shard.table.Insert(op.hash, shard.AppendYoung(space, op.txid, op.index, coin));
  }
}

}  // namespace headrace
