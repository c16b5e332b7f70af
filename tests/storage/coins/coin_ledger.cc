#include "tests/storage/coins/coin_ledger.h"

#include <algorithm>
#include <cstring>

#include "engine/base/check.h"
#include "engine/base/endian.h"

namespace headrace::testing {
namespace {

constexpr uint32_t kLedgerTransactions = CoinLedger::kCoins / CoinLedger::kOutputsOfATransaction;

}  // namespace

CoinLedger::CoinLedger(uint64_t seed, Scripts scripts, uint32_t blocks_max, uint32_t steps_max)
    : seed_(seed), scripts_(scripts), histories_(blocks_max), heights_(steps_max), deaths_(1) {
  tip_.bytes[0] = 1;
}

uint64_t CoinLedger::Mix(uint64_t number, uint64_t salt) const {
  uint64_t z = seed_ + number * 0x9e3779b97f4a7c15 + salt * 0xd1b54a32d192ed03;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
  z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
  return z ^ (z >> 31);
}

Hash256 CoinLedger::TxidOf(uint32_t block, uint32_t transaction) const {
  Hash256 txid;
  for (uint64_t word = 0; word < 4; ++word) {
    StoreLittle(&txid.bytes[word * 8], Mix(uint64_t{block} << 32 | transaction, 10 + word));
  }
  return txid;
}

OutPoint CoinLedger::OutPointOf(uint32_t number) const {
  const uint32_t place = number % kCoins;
  return {TxidOf(number / kCoins, place / kOutputsOfATransaction), place % kOutputsOfATransaction};
}

uint32_t CoinLedger::LifetimeOf(uint32_t number) const {
  // As coins are: two in five die within ten blocks, most within a hundred, some never.
  const uint64_t mixed = Mix(number, 1);
  const uint64_t fate = mixed % 1000;
  const auto chance = static_cast<uint32_t>(mixed >> 32);
  if (fate < 50) return 0;
  if (fate < 410) return 1 + chance % 10;
  if (fate < 800) return 1 + chance % 100;
  if (fate < 995) return 1 + chance % 1000;
  return LedgerCoin::kNever;
}

void CoinLedger::Describe(uint32_t number, LedgerCoin& coin) const {
  const uint64_t mixed = Mix(number, 2);
  coin.outpoint = OutPointOf(number);
  coin.amount = static_cast<Amount>((mixed >> 8) % kMaxMoney);
  // Round sums are stored shorter.
  if ((mixed & 0xc0) == 0) coin.amount -= coin.amount % 100'000;
  coin.is_coinbase = number % kCoins < kOutputsOfATransaction;
  coin.lifetime = LifetimeOf(number);
  uint8_t bytes[32];
  for (uint64_t word = 0; word < 4; ++word) StoreLittle(bytes + word * 8, Mix(number, 3 + word));
  const auto around = [&](std::initializer_list<uint8_t> head, size_t count, std::initializer_list<uint8_t> tail) {
    coin.script.assign(head);
    coin.script.insert(coin.script.end(), bytes, bytes + count);
    coin.script.insert(coin.script.end(), tail);
  };
  coin.is_none = IsNone(number);
  if (scripts_ == Scripts::kLong && !coin.is_none && mixed % 2 == 0) {
    around({0x51}, 32, {});
    return coin.script.resize(kMaxScriptBytes - bytes[1] * 8, bytes[2]);
  }
  switch (mixed % 64) {
    case 9:
      return around({kOpReturn}, 20, {});
    case 10:
      return around({0x51}, mixed >> 8 & 31, {});
    case 11:
      // Some are longer than a page.
      around({0x51}, 32, {});
      return coin.script.resize(bytes[0] == 0 ? 1000 + bytes[1] * 35 : 33 + bytes[1], bytes[2]);
    case 12:
      return coin.script.clear();
    default:
      switch (mixed % 64 % 5) {
        case 0:
          return around({0x76, 0xa9, 0x14}, 20, {0x88, 0xac});
        case 1:
          return around({0xa9, 0x14}, 20, {0x87});
        case 2:
          return around({0x00, 0x14}, 20, {});
        case 3:
          return around({0x00, 0x20}, 32, {});
        default:
          return around({0x51, 0x20}, 32, {});
      }
  }
}

LedgerBlockRef CoinLedger::Build(uint32_t number, std::span<const uint32_t> spends, const OutPoint* missing) {
  auto block = std::make_shared<LedgerBlock>();
  block->number = number;
  block->height = height_ + 1;
  block->previous = tip_;
  for (uint64_t word = 0; word < 4; ++word) StoreLittle(&block->hash.bytes[word * 8], Mix(number, 20 + word));
  // The last transaction has inputs alone: what the one before creates can die in the block as well.
  std::vector<std::vector<uint32_t>> inputs(kLedgerTransactions + 1);
  for (size_t i = 0; i < spends.size(); ++i) inputs[1 + i % kLedgerTransactions].push_back(spends[i]);
  const uint32_t first = number * kCoins;
  for (uint32_t coin = first; coin < first + kCoins; ++coin) {
    if (LifetimeOf(coin) != 0 || IsNone(coin)) continue;
    const uint32_t transaction = coin % kCoins / kOutputsOfATransaction;
    inputs[transaction + 1 + Mix(coin, 7) % (kLedgerTransactions - transaction)].push_back(coin);
  }

  BlockColumns& columns = block->columns;
  columns.hash = block->hash;
  columns.first_input.push_back(0);
  columns.first_output.push_back(0);
  const auto spend = [&](const OutPoint& outpoint) {
    columns.prevout_offset.push_back(static_cast<uint32_t>(block->raw.size()));
    columns.sequence.push_back(0);
    block->raw.resize(block->raw.size() + OutPoint::kSerializedBytes);
    outpoint.Store(&block->raw[block->raw.size() - OutPoint::kSerializedBytes]);
  };
  LedgerCoin coin;
  for (uint32_t transaction = 0; transaction <= kLedgerTransactions; ++transaction) {
    if (transaction == 0) spend({Hash256(), OutPoint::kNullIndex});
    for (const uint32_t spent : inputs[transaction]) {
      spend(OutPointOf(spent));
      block->spends.push_back(spent);
    }
    if (transaction == kLedgerTransactions && missing != nullptr) spend(*missing);
    const uint32_t outputs = transaction < kLedgerTransactions ? kOutputsOfATransaction : 0;
    for (uint32_t output = 0; output < outputs; ++output) {
      Describe(first + transaction * kOutputsOfATransaction + output, coin);
      columns.amount.push_back(coin.amount);
      columns.script_pubkey.push_back(
          {static_cast<uint32_t>(block->raw.size()), static_cast<uint32_t>(coin.script.size())});
      block->raw.insert(block->raw.end(), coin.script.begin(), coin.script.end());
      block->creations += coin.is_none ? 0 : 1;
    }
    columns.txid.push_back(TxidOf(number, transaction));
    columns.version.push_back(2);
    columns.first_input.push_back(columns.input_count());
    columns.first_output.push_back(columns.output_count());
  }
  columns.raw = block->raw;
  return block;
}

LedgerBlockRef CoinLedger::MakeBlock() {
  const uint32_t number = blocks_made_.fetch_add(1, std::memory_order_relaxed);
  HR_CHECK(number < histories_.size());
  if (deaths_.size() <= height_ + 1) deaths_.resize(height_ + 2);
  return Build(number, deaths_[height_ + 1], nullptr);
}

LedgerBlockRef CoinLedger::MakeBadBlock(uint64_t chance) {
  const uint32_t number = blocks_made_.fetch_add(1, std::memory_order_relaxed);
  HR_CHECK(number < histories_.size());
  if (deaths_.size() <= height_ + 1) deaths_.resize(height_ + 2);
  OutPoint missing{TxidOf(number, UINT32_MAX), 0};
  // A coin of the past, where there is one.
  if (chance % 2 == 0 && height_ > 0 && !deaths_[height_].empty()) {
    missing = OutPointOf(deaths_[height_][chance / 2 % deaths_[height_].size()]);
  }
  return Build(number, deaths_[height_ + 1], &missing);
}

void CoinLedger::Turn(uint32_t block) {
  for (std::atomic<uint32_t>& turn : histories_[block].turns) {
    if (turn.load(std::memory_order_relaxed) != 0) continue;
    // Before the step begins, and not seen by who knows only earlier ones.
    turn.store(begun_.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
    return;
  }
  HR_CHECK(!"a block comes and goes too often");
}

bool CoinLedger::MayComeAgain(const LedgerBlock& block) const {
  return histories_[block.number].turns[kTurns - 2].load(std::memory_order_relaxed) == 0;
}

void CoinLedger::Connect(const LedgerBlock& block) {
  HR_CHECK(block.height == height_ + 1 && block.previous == tip_);
  histories_[block.number].height.store(block.height, std::memory_order_relaxed);
  Turn(block.number);
  coins_ -= deaths_[block.height].size();
  const uint32_t first = block.number * kCoins;
  for (uint32_t number = first; number < first + kCoins; ++number) {
    const uint32_t lifetime = LifetimeOf(number);
    if (lifetime == 0 || IsNone(number)) continue;
    ++coins_;
    if (lifetime == LedgerCoin::kNever) {
      immortal_.push_back(number);
      continue;
    }
    if (deaths_.size() <= block.height + lifetime) deaths_.resize(block.height + lifetime + 1);
    deaths_[block.height + lifetime].push_back(number);
  }
  height_ = block.height;
  tip_ = block.hash;
}

void CoinLedger::Disconnect(const LedgerBlock& block) {
  HR_CHECK(block.height == height_ && block.hash == tip_);
  Turn(block.number);
  const uint32_t first = block.number * kCoins;
  for (uint32_t number = first + kCoins; number-- > first;) {
    const uint32_t lifetime = LifetimeOf(number);
    if (lifetime == 0 || IsNone(number)) continue;
    --coins_;
    std::vector<uint32_t>& list = lifetime == LedgerCoin::kNever ? immortal_ : deaths_[block.height + lifetime];
    HR_CHECK(!list.empty() && list.back() == number);
    list.pop_back();
  }
  coins_ += deaths_[block.height].size();
  height_ = block.height - 1;
  tip_ = block.previous;
}

void CoinLedger::BeginStep() {
  const uint32_t step = begun_.load(std::memory_order_relaxed) + 1;
  HR_CHECK(step < heights_.size());
  heights_[step] = height_;
  begun_.store(step, std::memory_order_release);
}

bool CoinLedger::IsThere(uint32_t number, uint32_t step) const {
  const History& history = histories_[number / kCoins];
  bool is_on_chain = false;
  for (const std::atomic<uint32_t>& turn : history.turns) {
    const uint32_t at = turn.load(std::memory_order_relaxed);
    if (at == 0 || at > step) break;
    is_on_chain = !is_on_chain;
  }
  if (!is_on_chain) return false;
  const uint32_t lifetime = LifetimeOf(number);
  return lifetime == LedgerCoin::kNever ||
         heights_[step] < history.height.load(std::memory_order_relaxed) + uint64_t{lifetime};
}

bool CoinLedger::IsPossible(uint32_t number, bool is_there, uint32_t first, uint32_t last) const {
  if (IsNone(number) || number / kCoins >= histories_.size()) return !is_there;
  for (uint32_t step = first; step <= last; ++step) {
    if (IsThere(number, step) == is_there) return true;
  }
  return false;
}

}  // namespace headrace::testing
