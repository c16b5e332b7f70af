#include "tests/sim/disk/coin_plan.h"

#include <algorithm>
#include <utility>

#include "engine/base/check.h"
#include "tests/sim/sim_entropy.h"

namespace headrace::sim {
namespace {

using testing::NaiveBlock;
using testing::NaiveTransaction;

// Where most coins fall, and nearly all others. A table of eight buckets grows at 48 coins; a shard that has any costs a
// life a page or two.
constexpr uint32_t kCrowdedShards = 2;
constexpr uint32_t kUsedShards = 16;

}  // namespace

CoinPlan::CoinPlan(uint64_t seed, uint32_t rounds) : random_(seed), key_seed_(seed) {
  SimEntropy key(key_seed_);
  for (uint64_t& word : hash_key_) word = key.Next64();
  origin_.hash = testing::RandomHash(random_);
  // The index alone takes 128 KiB: survivors leave memory with nearly every window, with some, or only in checkpoints.
  constexpr uint64_t kCaches[] = {16 << 10, 136 << 10, 8 << 20};
  cache_bytes_max_ = kCaches[rounds == 0 ? 0 : Below(std::size(kCaches))];
  // A shard a step, some shards, all of them.
  constexpr uint64_t kSteps[] = {1, 64 << 10, 8 << 20};
  checkpoint_step_bytes_ = kSteps[rounds == 0 ? 1 : Below(std::size(kSteps))];
  if (rounds == 0) {
    WriteSmall();
  } else {
    Apply(2, 0, 60);
    while (steps_.size() < rounds) WriteRound();
  }
}

BlockPoint CoinPlan::tip() const {
  return chain_.empty() ? origin_ : BlockPoint{chain_.back()->hash, chain_.back()->naive.height};
}

BlockWindow CoinPlan::Branch(const BlockPoint& from, const BlockPoint& to) const {
  BlockWindow branch;
  for (Hash256 hash = to.hash; hash != from.hash; hash = branch.back()->previous) branch.push_back(blocks_.at(hash));
  std::reverse(branch.begin(), branch.end());
  return branch;
}

bool CoinPlan::IsAncestor(const BlockPoint& point, const BlockPoint& of) const {
  Hash256 hash = of.hash;
  for (uint32_t height = of.height; height > point.height; --height) hash = blocks_.at(hash)->previous;
  return hash == point.hash;
}

Hash256 CoinPlan::CrowdedTxid() {
  while (true) {
    const Hash256 txid = testing::RandomHash(random_);
    const uint32_t shard = ShardOf(HashOutPoint(hash_key_, txid.bytes.data(), 0));
    if (shard < kCrowdedShards || (shard < kUsedShards && Below(32) == 0)) return txid;
  }
}

std::vector<uint8_t> CoinPlan::Script() {
  // Records that go over the ends of pages, and some larger than a page.
  if (Below(100) == 0) return std::vector<uint8_t>(kMaxScriptBytes - Below(3), 0x51);
  return testing::RandomScript(random_);
}

NaiveBlock CoinPlan::MakeBlock(size_t spends, size_t creations) {
  NaiveBlock block;
  block.height = tip().height + 1;
  block.transactions.push_back({CrowdedTxid(), {{Hash256(), OutPoint::kNullIndex}}, {{50, Script()}}});
  std::vector<OutPoint> fresh;
  size_t spent = 0;
  for (size_t created = 0; spent < spends || created < creations;) {
    NaiveTransaction transaction{CrowdedTxid()};
    for (size_t inputs = 1 + Below(3); inputs > 0 && spent < spends; --inputs, ++spent) {
      std::vector<OutPoint>& from = !fresh.empty() && Below(4) == 0 ? fresh : pool_;
      if (from.empty()) continue;
      // Half of the spends go to the youngest.
      const size_t recent = std::min<size_t>(from.size(), 20);
      const size_t at = Below(2) == 0 ? from.size() - 1 - Below(recent) : Below(from.size());
      const OutPoint outpoint = std::exchange(from[at], from.back());
      from.pop_back();
      if (&from == &pool_ && !naive_.coins().contains(outpoint)) continue;
      transaction.inputs.push_back(outpoint);
    }
    // One output as a rule: only the first is where it is wanted.
    for (size_t outputs = Below(16) == 0 ? 1 + Below(4) : 1; outputs > 0 && created < creations; --outputs, ++created) {
      transaction.outputs.push_back({static_cast<Amount>(Below(kMaxMoney)), Script()});
      const OutPoint outpoint{transaction.txid, static_cast<uint32_t>(transaction.outputs.size() - 1)};
      if (!IsUnspendable(transaction.outputs.back().script)) fresh.push_back(outpoint);
    }
    block.transactions.push_back(std::move(transaction));
  }
  pool_.insert(pool_.end(), fresh.begin(), fresh.end());
  outpoints_.insert(outpoints_.end(), fresh.begin(), fresh.end());
  return block;
}

void CoinPlan::Record(CoinStep step) {
  step.tip = tip();
  const bool is_same = !steps_.empty() && steps_.back().tip == step.tip;
  step.coins =
      is_same ? steps_.back().coins : std::make_shared<const std::map<OutPoint, testing::NaiveCoin>>(naive_.coins());
  steps_.push_back(std::move(step));
}

void CoinPlan::Apply(size_t count, size_t spends, size_t creations) {
  BlockWindow window;
  for (size_t i = 0; i < count; ++i) {
    const Hash256 hash = testing::RandomHash(random_);
    const BlockRef block = testing::MakeWorldBlock(MakeBlock(spends, creations), hash, tip().hash);
    const auto spent = naive_.Apply(block->naive);
    HR_CHECK(spent.has_value());
    block->undo.resize(1);
    block->undo.insert(block->undo.end(), spent->begin(), spent->end());
    blocks_[hash] = block;
    serials_[hash] = blocks_.size();
    chain_.push_back(block);
    window.push_back(block);
  }
  is_applied_ = false;
  Record({CoinStep::Kind::kApply, std::move(window)});
}

void CoinPlan::Refuse() {
  const std::vector<OutPoint> pool = pool_;
  const BlockRef good = testing::MakeWorldBlock(MakeBlock(10, 10), testing::RandomHash(random_), tip().hash);
  NaiveBlock bad;
  bad.height = good->naive.height + 1;
  bad.transactions.push_back({CrowdedTxid(), {{Hash256(), OutPoint::kNullIndex}}, {{1, {0x51}}}});
  bad.transactions.push_back({CrowdedTxid(), {{CrowdedTxid(), 0}}, {{1, {0x51}}}});
  const BlockRef offender = testing::MakeWorldBlock(std::move(bad), testing::RandomHash(random_), good->hash);
  pool_ = pool;
  Record({CoinStep::Kind::kRefuse, {good, offender}});
}

void CoinPlan::Unapply(size_t count) {
  count = std::min(count, chain_.size());
  if (count == 0) return;
  BlockWindow window(chain_.end() - static_cast<ptrdiff_t>(count), chain_.end());
  for (size_t i = count; i-- > 0;) {
    const testing::WorldBlock& block = *window[i];
    naive_.Unapply(block.naive, {block.undo.begin() + 1, block.undo.end()});
    for (size_t t = 1; t < block.naive.transactions.size(); ++t) {
      const auto& inputs = block.naive.transactions[t].inputs;
      pool_.insert(pool_.end(), inputs.begin(), inputs.end());
    }
    chain_.pop_back();
  }
  // What came back may be named twice.
  std::sort(pool_.begin(), pool_.end());
  pool_.erase(std::unique(pool_.begin(), pool_.end()), pool_.end());
  // Perhaps only what had no verdict yet.
  is_applied_ = false;
  Record({CoinStep::Kind::kUnapply, std::move(window)});
}

void CoinPlan::Note(CoinStep::Kind kind) {
  using Kind = CoinStep::Kind;
  // A clean stop and a checkpoint that is finished ask for verdicts on everything; after a crash there are none to wait
  // for.
  const bool needs_verdicts = kind == Kind::kFinish || kind == Kind::kStop;
  if (needs_verdicts && !is_applied_) Record({Kind::kSetApplied});
  if (needs_verdicts || kind == Kind::kSetApplied || kind == Kind::kKill || kind == Kind::kLosePower)
    is_applied_ = true;
  Record({kind});
}

void CoinPlan::Checkpoint(uint32_t calls, uint32_t turns) {
  Record({.kind = CoinStep::Kind::kStep, .calls = calls, .turns = turns});
}

void CoinPlan::WriteSmall() {
  using Kind = CoinStep::Kind;
  constexpr uint32_t kAll = 2000;
  Apply(2, 0, 60);
  Note(Kind::kSetApplied);
  // Fuzzy: windows come in between, the last of them without a verdict.
  Note(Kind::kBegin);
  Checkpoint(12, 20);
  Apply(2, 40, 30);
  Checkpoint(12, 20);
  Apply(1, 10, 20);
  Checkpoint(kAll, 8);
  Note(Kind::kSetApplied);
  Checkpoint(kAll, 8);
  // A branch goes while a checkpoint holds it.
  Note(Kind::kPin);
  Note(Kind::kBegin);
  Checkpoint(10, 30);
  Unapply(2);
  Refuse();
  Apply(3, 20, 40);
  Note(Kind::kLosePower);
  // Most of what the segments hold dies: the next checkpoint compacts.
  Apply(2, 60, 20);
  Note(Kind::kFinish);
  Apply(2, 60, 60);
  Note(Kind::kSetApplied);
  Note(Kind::kPin);
  Note(Kind::kBegin);
  Checkpoint(kAll, 40);
  Note(Kind::kUnpin);
  Apply(1, 10, 60);
  Note(Kind::kStop);
  Apply(1, 20, 60);
  Note(Kind::kBegin);
  Checkpoint(5, 30);
  Note(Kind::kKill);
  Unapply(1);
  Apply(2, 20, 40);
  Note(Kind::kStop);
}

void CoinPlan::WriteRound() {
  using Kind = CoinStep::Kind;
  const uint64_t what = Below(32);
  if (what < 10) return Apply(1 + Below(4), Below(60), Below(50));
  if (what < 12) return Unapply(1 + Below(4));
  if (what < 13) return Refuse();
  if (what < 16) return Note(Kind::kSetApplied);
  if (what < 19) return Note(Kind::kBegin);
  if (what < 26)
    return Checkpoint(static_cast<uint32_t>(Below(3) == 0 ? 2000 : 1 + Below(60)), static_cast<uint32_t>(Below(40)));
  if (what < 27) return Note(Kind::kFinish);
  if (what < 28) return Note(Kind::kPin);
  if (what < 29) return Note(Kind::kUnpin);
  if (what < 30) return Note(Kind::kStop);
  return Note(what == 30 ? Kind::kKill : Kind::kLosePower);
}

}  // namespace headrace::sim
