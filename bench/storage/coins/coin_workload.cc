#include "bench/storage/coins/coin_workload.h"

#include <algorithm>
#include <bit>

#include "absl/strings/str_cat.h"
#include "engine/base/check.h"
#include "engine/base/endian.h"

namespace headrace::bench {
namespace {

// Spans of mainnet's ages in blocks; `percent_through` sums up, and what is left over is of any age.
struct AgeSpan {
  uint32_t percent_through;
  uint32_t blocks_from;
  uint32_t blocks_to;
};
constexpr AgeSpan kSpans[] = {{41, 0, 10}, {65, 10, 100}, {80, 100, 1000}, {90, 1000, 10'000}};
// How often an age of the span is drawn again because its coin is spent already.
constexpr int kTriesInSpan = 64;
constexpr int kTriesAtRandom = 256;

}  // namespace

CoinWorkload::CoinWorkload(const WorkloadShape& shape)
    : shape_(shape), sequence_(shape.seed), random_state_(Scramble(~shape.seed)), blocks_(shape.blocks_per_window) {
  HR_CHECK(shape.creations_per_block % CoinSequence::kGroupCoins == 0 && shape.creations_per_block > 0);
  HR_CHECK(shape.blocks_per_window > 0);
}

uint64_t CoinWorkload::Random() { return Scramble(++random_state_); }

uint64_t CoinWorkload::Random(uint64_t below) {
  return static_cast<uint64_t>((static_cast<unsigned __int128>(Random()) * below) >> 64);
}

uint64_t CoinWorkload::PickUniform() {
  HR_CHECK(created_ > 0);
  uint64_t coin = Random(created_);
  for (int tries = 0; tries < kTriesAtRandom && !IsSpendable(coin); ++tries) coin = Random(created_);
  // Where nearly all are spent, the next one that is not.
  for (uint64_t walked = 0; !IsSpendable(coin); ++walked) {
    HR_CHECK(walked < created_);
    coin = (coin + 1) % created_;
  }
  return coin;
}

uint64_t CoinWorkload::PickMainnet() {
  const uint64_t dice = Random(100);
  for (const AgeSpan& span : kSpans) {
    if (dice >= span.percent_through) continue;
    const uint64_t youngest = std::max<uint64_t>(uint64_t{span.blocks_from} * shape_.creations_per_block, 1);
    const uint64_t oldest = std::min<uint64_t>(uint64_t{span.blocks_to} * shape_.creations_per_block, created_);
    if (youngest >= oldest) break;
    // Every octave of ages alike.
    const uint64_t octaves = std::bit_width(oldest / youngest);
    for (int tries = 0; tries < kTriesInSpan; ++tries) {
      const uint64_t least = youngest << Random(octaves);
      const uint64_t age = least + Random(least);
      if (age <= oldest && IsSpendable(created_ - age)) return created_ - age;
    }
    break;
  }
  return PickUniform();
}

uint64_t CoinWorkload::TakeCoin(SpentAges ages) {
  const uint64_t coin = ages == SpentAges::kMainnet ? PickMainnet() : PickUniform();
  if (ages == SpentAges::kMainnet) {
    const uint64_t age = created_ - coin;
    ++age_shares_.spends;
    age_shares_.within_10 += age <= uint64_t{10} * shape_.creations_per_block;
    age_shares_.within_100 += age <= uint64_t{100} * shape_.creations_per_block;
  }
  spendable_[coin / 64] &= ~(uint64_t{1} << (coin % 64));
  --unspent_;
  return coin;
}

void CoinWorkload::AddOutputs(Block& block, uint64_t transaction, size_t& at) {
  BlockColumns& columns = block.columns;
  for (uint32_t output = 0; output < CoinSequence::OutputsOf(transaction); ++output) {
    const uint64_t coin = created_++;
    if (coin / 64 >= spendable_.size()) spendable_.resize(coin / 64 + 1);
    spendable_[coin / 64] |= uint64_t{1} << (coin % 64);
    ++unspent_;
    columns.amount.push_back(sequence_.AmountOf(coin));
    const uint32_t size = sequence_.WriteScript(coin, &block.raw[at]);
    columns.script_pubkey.push_back({static_cast<uint32_t>(at), size});
    at += size;
  }
}

void CoinWorkload::MakeBlock(Block& block, const WindowKind& kind) {
  BlockColumns& columns = block.columns;
  columns.Clear();
  block.spent_coins.clear();
  block.arena.Reset();
  const uint32_t transactions =
      shape_.creations_per_block / CoinSequence::kGroupCoins * CoinSequence::kGroupTransactions;
  const uint32_t spends = kind.spends ? shape_.spends_per_block : 0;
  block.raw.resize((size_t{spends} + 1) * OutPoint::kSerializedBytes +
                   size_t{shape_.creations_per_block} * CoinSequence::kScriptBytesMax);
  StoreLittle(&columns.hash.bytes[0], Scramble(height_));
  if (kind.creates) {
    const uint64_t ordinal = created_ / shape_.creations_per_block;
    if (runs_.empty() || runs_.back().first_height + (ordinal - runs_.back().first_block) != height_) {
      runs_.push_back({ordinal, height_});
    }
  }
  columns.first_input.push_back(0);
  columns.first_output.push_back(0);
  size_t at = 0;
  const auto add_input = [&](const OutPoint& prevout, uint64_t coin) {
    columns.prevout_offset.push_back(static_cast<uint32_t>(at));
    columns.sequence.push_back(0xffffffff);
    prevout.Store(&block.raw[at]);
    at += OutPoint::kSerializedBytes;
    block.spent_coins.push_back(coin);
  };
  const uint64_t first_transaction = CoinSequence::TransactionOf(created_);
  for (uint32_t t = 0; t < transactions; ++t) {
    if (t == 0) {
      add_input({Hash256(), OutPoint::kNullIndex}, kNoCoin);
    } else {
      // The block's spends in equal shares.
      const uint64_t spent_before = uint64_t{spends} * (t - 1) / (transactions - 1);
      const uint64_t spent_after = uint64_t{spends} * t / (transactions - 1);
      for (uint64_t i = spent_before; i < spent_after; ++i) {
        const uint64_t coin = TakeCoin(kind.ages);
        add_input(sequence_.OutPointOf(coin), coin);
      }
    }
    columns.version.push_back(2);
    columns.txid.push_back(kind.creates ? sequence_.TxidOf(first_transaction + t) : Hash256());
    if (kind.creates) AddOutputs(block, first_transaction + t, at);
    columns.first_input.push_back(columns.input_count());
    columns.first_output.push_back(columns.output_count());
  }
  columns.raw = block.raw;
  block.spent.assign(columns.input_count(), Coin());
}

void CoinWorkload::MakeWindow(const WindowKind& kind) {
  window_.clear();
  creations_ = spends_ = 0;
  for (Block& block : blocks_) {
    ++height_;
    MakeBlock(block, kind);
    window_.push_back({height_, &block.columns, block.spent, &block.arena, false});
    creations_ += block.columns.output_count();
    spends_ += block.columns.input_count() - 1;
  }
}

uint32_t CoinWorkload::HeightOf(uint64_t coin) const {
  const uint64_t ordinal = coin / shape_.creations_per_block;
  const auto after = std::upper_bound(runs_.begin(), runs_.end(), ordinal,
                                      [](uint64_t block, const Run& run) { return block < run.first_block; });
  const Run& run = *(after - 1);
  return run.first_height + static_cast<uint32_t>(ordinal - run.first_block);
}

Coin CoinWorkload::Expected(uint64_t coin, uint8_t* script) const {
  const bool is_coinbase = CoinSequence::TransactionOf(coin % shape_.creations_per_block) == 0;
  return {sequence_.AmountOf(coin), HeightOf(coin), is_coinbase, {script, sequence_.WriteScript(coin, script)}};
}

absl::Status CoinWorkload::CheckSpent() const {
  uint8_t script[CoinSequence::kScriptBytesMax];
  for (const Block& block : blocks_) {
    for (size_t input = 0; input < block.spent_coins.size(); ++input) {
      const uint64_t coin = block.spent_coins[input];
      if (coin == kNoCoin) continue;
      const Coin expected = Expected(coin, script);
      const Coin& spent = block.spent[input];
      if (spent.amount == expected.amount && spent.height == expected.height &&
          spent.is_coinbase == expected.is_coinbase && std::ranges::equal(spent.script, expected.script)) {
        continue;
      }
      return absl::InternalError(absl::StrCat(
          "input ", input, " of block ", block.columns.hash.ToHex(), " spends coin ", coin, " of ", expected.amount,
          " satoshi at height ", expected.height, ", and the store answers with ", spent.amount, " at ", spent.height));
    }
  }
  return absl::OkStatus();
}

std::vector<uint64_t> CoinWorkload::Reserve(uint64_t count) {
  std::vector<uint64_t> chosen;
  for (uint64_t i = 0; i < count; ++i) {
    const uint64_t coin = PickUniform();
    spendable_[coin / 64] &= ~(uint64_t{1} << (coin % 64));
    chosen.push_back(coin);
  }
  reserved_.insert(reserved_.end(), chosen.begin(), chosen.end());
  std::sort(reserved_.begin(), reserved_.end());
  return chosen;
}

bool CoinWorkload::IsUnspent(uint64_t coin) const {
  return IsSpendable(coin) || std::binary_search(reserved_.begin(), reserved_.end(), coin);
}

}  // namespace headrace::bench
