#include "tests/fuzz/coin_story.h"

#include <algorithm>

#include "engine/validation/undo_codec.h"

namespace headrace::fuzz {
namespace {

using testing::NaiveCoin;

constexpr char kDirectory[] = "/coins";
constexpr uint32_t kMagic = 0xdab5bffa;

NaiveCoin ToNaive(const Coin& coin) {
  return {coin.amount, coin.height, coin.is_coinbase, {coin.script.begin(), coin.script.end()}};
}

}  // namespace

// A window over blocks, with memory for what they spend.
struct CoinStory::Window {
  explicit Window(const std::vector<BlockRef>& from) : arenas(from.size()), spent(from.size()) {
    for (size_t i = 0; i < from.size(); ++i) {
      const BlockColumns& columns = from[i]->decoded.columns;
      spent[i].resize(columns.input_count());
      blocks.push_back({from[i]->naive.height, &columns, spent[i], &arenas[i], from[i]->naive.may_overwrite});
    }
  }
  std::vector<Arena> arenas;
  std::vector<std::vector<Coin>> spent;
  std::vector<WindowBlock> blocks;
};

CoinStory::CoinStory(FuzzInput& in) : in_(in), entropy_(in.U32()), disk_(entropy_.Fork(), wakeup_) {
  constexpr uint64_t kCaches[] = {200 << 10, 300 << 10, 8 << 20, 64 << 20};
  cache_bytes_max_ = kCaches[in_.Below(std::size(kCaches))];
  step_bytes_ = in_.Flag() ? 1 : 8 << 20;
  origin_.hash.bytes[0] = 1;
  durable_ = origin_;
  Open();
}

CoinStory::~CoinStory() {
  // What is dropped must not write: the story is over.
  disk_.Kill();
  store_.reset();
}

void CoinStory::Open() {
  store_.reset();
  files_ = std::make_unique<sim::SimFileSystem>(disk_);
  CoinStoreOptions options;
  options.files = files_.get();
  options.executor = &executor_;
  options.entropy = &entropy_;
  options.directory = kDirectory;
  options.network_magic = kMagic;
  options.cache_bytes_max = cache_bytes_max_;
  options.checkpoint_step_bytes = step_bytes_;
  options.origin = origin_;
  options.make_durable = [] { return absl::OkStatus(); };
  auto store = OpenCoinStore(options);
  HR_CHECK(store.ok());
  store_ = *std::move(store);
}

Bytes CoinStory::AnyScript() {
  switch (in_.Below(8)) {
    case 0:
      return {};
    case 1:
      return {kOpReturn};
    case 2:
      return Bytes(in_.U8() == 0 ? kMaxScriptBytes + 1 : 300, 0x51);
    case 3: {
      Bytes script(34, static_cast<uint8_t>(salt_));
      script[0] = 0x51, script[1] = 0x20;
      return script;
    }
    default:
      return {0x51, static_cast<uint8_t>(salt_)};
  }
}

OutPoint CoinStory::AnyOutpoint(const std::vector<OutPoint>& fresh) {
  const uint64_t choice = in_.Below(16);
  if (choice < 4 && !fresh.empty()) return fresh[in_.Below(fresh.size())];
  if (choice == 15 || pool_.empty()) return {Hash256(Sha256({})), static_cast<uint32_t>(choice)};
  // The young ones die first.
  const size_t recent = std::min<size_t>(pool_.size(), 20);
  return choice < 10 ? pool_[pool_.size() - 1 - in_.Below(recent)] : pool_[in_.Below(pool_.size())];
}

CoinStory::BlockRef CoinStory::MakeBlock(const BlockPoint& previous) {
  testing::BuiltBlock built;
  built.header.previous = previous.hash;
  built.header.nonce = ++salt_;
  // Without the salt a coinbase is another one's twin, which BIP30 is about.
  MutableTransaction coinbase = testing::CoinbaseAt(in_.Below(12) == 0 ? 7 : 1000 + salt_, 50 * kCoin);
  for (uint64_t outputs = in_.Below(3); outputs > 0; --outputs) coinbase.outputs.push_back({kCoin, AnyScript()});
  built.transactions.push_back(coinbase);
  std::vector<OutPoint> fresh;
  for (uint64_t count = in_.Below(5); count > 0; --count) {
    MutableTransaction transaction;
    // As CheckTransaction would have it, no outpoint is named twice within one transaction.
    for (uint64_t inputs = 1 + in_.Below(3); inputs > 0; --inputs) {
      const OutPoint outpoint = AnyOutpoint(fresh);
      const bool is_new = std::none_of(transaction.inputs.begin(), transaction.inputs.end(),
                                       [&](const TransactionInput& one) { return one.prevout == outpoint; });
      if (is_new) transaction.inputs.push_back({outpoint, {}});
    }
    for (uint64_t outputs = 1 + in_.Below(6); outputs > 0; --outputs) {
      transaction.outputs.push_back({static_cast<Amount>(in_.U16()) * (in_.Flag() ? 1 : kCoin / 10), AnyScript()});
    }
    const Hash256 txid = transaction.Txid();
    for (uint32_t i = 0; i < transaction.outputs.size(); ++i) fresh.push_back({txid, i});
    built.transactions.push_back(transaction);
  }
  built.FixMerkleRoot();
  const auto block = std::make_shared<StoryBlock>(built.Serialize());
  block->previous = previous;
  block->naive.height = previous.height + 1;
  for (const MutableTransaction& transaction : built.transactions) {
    testing::NaiveTransaction& naive = block->naive.transactions.emplace_back();
    naive.txid = transaction.Txid();
    for (const TransactionInput& input : transaction.inputs) naive.inputs.push_back(input.prevout);
    for (const TransactionOutput& output : transaction.outputs) naive.outputs.push_back({output.amount, output.script});
  }
  pool_.insert(pool_.end(), fresh.begin(), fresh.end());
  pool_.push_back({block->naive.transactions[0].txid, 0});
  blocks_[block->hash()] = block;
  return block;
}

absl::Status CoinStory::Apply(const std::vector<BlockRef>& blocks, bool compares, WindowOutcome& outcome) {
  Window window(blocks);
  const BlockPoint before = store_->resolved();
  const auto applied = store_->Apply(window.blocks);
  if (!applied.ok()) return applied.status();
  outcome = *applied;
  HR_CHECK(store_->resolved() == (outcome == WindowOutcome::kApplied ? blocks.back()->point() : before));
  if (!compares || outcome != WindowOutcome::kApplied) return absl::OkStatus();
  for (size_t b = 0; b < blocks.size(); ++b) {
    for (size_t i = 0; i < blocks[b]->spent.size(); ++i) {
      HR_CHECK(ToNaive(window.spent[b][i + 1]) == blocks[b]->spent[i]);
    }
    blocks[b]->undo.clear();
    EncodeUndo(window.spent[b], 1, blocks[b]->undo);
  }
  return absl::OkStatus();
}

absl::Status CoinStory::Unapply(const std::vector<BlockRef>& blocks) {
  Window window(blocks);
  for (size_t b = 0; b < blocks.size(); ++b) {
    HR_CHECK(DecodeUndo(blocks[b]->undo, 1, window.spent[b], window.arenas[b]) == DecodeError::kNone);
  }
  const absl::Status status = store_->Unapply(window.blocks, blocks.front()->previous);
  if (status.ok()) HR_CHECK(store_->resolved() == blocks.front()->previous);
  return status;
}

bool CoinStory::Survived(const absl::Status& status) {
  if (status.ok()) return true;
  // Only the disk may make the store fail.
  HR_CHECK(has_faults_);
  if (files_->is_alive()) disk_.has_lost_writes() ? disk_.FailPower() : disk_.Kill();
  disk_.FailOneIn(0);
  disk_.FailPowerAfter(0);
  Recover();
  return false;
}

void CoinStory::Connect() {
  std::vector<BlockRef> window;
  size_t good = 0;
  const uint64_t count = 1 + in_.Below(4);
  for (uint64_t i = 0; i < count; ++i) {
    window.push_back(MakeBlock(window.empty() ? tip() : window.back()->point()));
    if (good != i) continue;
    const auto spent = naive_.Apply(window.back()->naive);
    if (!spent) continue;
    window.back()->spent = *spent;
    ++good;
  }
  const bool is_valid = good == count;
  WindowOutcome outcome = WindowOutcome::kViolated;
  const absl::Status status = Apply(window, is_valid, outcome);
  if (status.ok()) HR_CHECK((outcome == WindowOutcome::kApplied) == is_valid);
  if (status.ok() && is_valid) {
    chain_.insert(chain_.end(), window.begin(), window.end());
    if (!in_.Flag()) store_->SetApplied(store_->resolved());
    return;
  }
  // The naive set goes back over what was good in a window that did not come to be.
  while (good-- > 0) naive_.Unapply(window[good]->naive, window[good]->spent);
  Survived(status);
}

void CoinStory::Disconnect() {
  const size_t count = std::min<size_t>(chain_.size(), 1 + in_.Below(5));
  if (count == 0) return;
  const std::vector<BlockRef> window(chain_.end() - static_cast<ptrdiff_t>(count), chain_.end());
  const absl::Status status = Unapply(window);
  if (status.ok()) {
    for (size_t i = count; i-- > 0;) naive_.Unapply(window[i]->naive, window[i]->spent);
    chain_.resize(chain_.size() - count);
    store_->SetApplied(store_->resolved());
  }
  Survived(status);
}

// Everything but the last steps goes well, and the power fails among the few operations that publish: the order in
// which names and bytes become durable is decided there.
absl::Status CoinStory::PublishUnderFire() {
  store_->SetApplied(store_->resolved());
  const uint64_t quiet_steps = in_.Below(8);
  const uint64_t operations = 1 + in_.Below(12);
  absl::Status status = store_->BeginCheckpoint();
  for (uint64_t step = 0; step < 400 && status.ok() && store_->checkpoint_under_way(); ++step) {
    while (disk_.Step()) {
    }
    if (step == quiet_steps) {
      has_faults_ = true;
      disk_.FailPowerAfter(operations);
    }
    status = store_->StepCheckpoint();
  }
  return status;
}

void CoinStory::Checkpoint() {
  may_have_published_ = true;
  absl::Status status;
  switch (in_.Below(5)) {
    case 0:
      store_->SetApplied(store_->resolved());
      status = store_->FinishCheckpoint();
      if (status.ok()) HR_CHECK(store_->durable() == store_->resolved());
      break;
    case 1:
      status = store_->BeginCheckpoint();
      break;
    case 2:
      status = PublishUnderFire();
      break;
    default:
      for (uint64_t steps = 1 + in_.Below(64); steps > 0 && status.ok(); --steps) {
        // A disk without a thread moves when it is turned.
        while (disk_.has_work() && in_.Below(8) != 0 && disk_.Step()) {
        }
        status = store_->StepCheckpoint();
      }
  }
  if (!Survived(status)) return;
  may_have_published_ = false;
  durable_ = store_->durable();
}

void CoinStory::Crash() {
  has_faults_ = true;
  switch (in_.Below(4)) {
    case 0:
      disk_.FailPowerAfter(1 + in_.U8());
      return;
    case 1:
      disk_.KillAfter(1 + in_.U8());
      return;
    case 2:
      disk_.FailOneIn(1 + in_.U8());
      return;
    default:
      in_.Flag() ? disk_.FailPower() : disk_.Kill();
      Recover();
  }
}

absl::Status CoinStory::Replay() {
  // The branch that the shards ahead hold, from its tip down to where the store starts.
  std::vector<BlockRef> branch;
  for (Hash256 hash = store_->recovery_end().hash; hash != store_->recovery_start().hash;) {
    HR_CHECK(blocks_.contains(hash));
    branch.push_back(blocks_.at(hash));
    hash = branch.back()->previous.hash;
  }
  std::reverse(branch.begin(), branch.end());
  WindowOutcome outcome;
  for (size_t at = 0; at < branch.size();) {
    const size_t count = std::min<size_t>(1 + in_.Below(5), branch.size() - at);
    const absl::Status status =
        Apply({branch.begin() + static_cast<ptrdiff_t>(at), branch.begin() + static_cast<ptrdiff_t>(at + count)}, false,
              outcome);
    if (!status.ok()) return status;
    HR_CHECK(outcome == WindowOutcome::kApplied);
    at += count;
  }
  const auto is_ours = [&](const BlockPoint& point) {
    return point == origin_ || (point.height <= chain_.size() && chain_[point.height - 1]->point() == point);
  };
  while (!is_ours(store_->resolved())) {
    const absl::Status status = Unapply({blocks_.at(store_->resolved().hash)});
    if (!status.ok()) return status;
  }
  for (size_t at = store_->resolved().height; at < chain_.size();) {
    const size_t count = std::min<size_t>(1 + in_.Below(6), chain_.size() - at);
    const absl::Status status =
        Apply({chain_.begin() + static_cast<ptrdiff_t>(at), chain_.begin() + static_cast<ptrdiff_t>(at + count)}, true,
              outcome);
    if (!status.ok()) return status;
    HR_CHECK(outcome == WindowOutcome::kApplied);
    at += count;
  }
  store_->SetApplied(store_->resolved());
  return absl::OkStatus();
}

void CoinStory::Recover() {
  has_faults_ = false;
  disk_.FailOneIn(0);
  disk_.FailPowerAfter(0);
  Open();
  HR_CHECK(may_have_published_ || store_->recovery_start() == durable_);
  HR_CHECK(store_->durable() == store_->recovery_start());
  durable_ = store_->durable();
  may_have_published_ = false;
  HR_CHECK(Replay().ok());
  RequireEqual();
}

void CoinStory::RequireEqual() {
  HR_CHECK(store_->counters().coins == naive_.coins().size());
  Bytes script;
  Coin coin;
  for (const auto& [outpoint, expected] : naive_.coins()) {
    const auto found = store_->Find(outpoint, coin, script);
    HR_CHECK(found.ok() && *found && ToNaive(coin) == expected);
  }
  for (size_t i = 0; i < std::min<size_t>(pool_.size(), 40); ++i) {
    const OutPoint& outpoint = pool_[pool_.size() - 1 - i];
    const auto found = store_->Find(outpoint, coin, script);
    HR_CHECK(found.ok() && *found == naive_.coins().contains(outpoint));
  }
}

bool CoinStory::Step() {
  if (in_.empty()) return false;
  const uint64_t choice = in_.Below(16);
  if (choice < 7) {
    Connect();
  } else if (choice < 9) {
    Disconnect();
  } else if (choice < 13) {
    Checkpoint();
  } else if (choice < 15) {
    Crash();
  } else {
    RequireEqual();
  }
  // A crash that was to come while nothing touched the disk comes now or never.
  if (!files_->is_alive()) Recover();
  return true;
}

}  // namespace headrace::fuzz
