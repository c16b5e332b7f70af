#include "tests/sim/block_maker.h"

#include <algorithm>

#include "engine/base/check.h"
#include "engine/primitives/byte_writer.h"
#include "engine/primitives/coin.h"

namespace headrace::sim {
namespace {

constexpr uint32_t kRegtestBits = 0x207fffff;
constexpr uint32_t kMaturity = 100;
constexpr uint32_t kHalvingInterval = 150;

int64_t MedianTimePast(const ModelBlock* block) {
  std::vector<uint32_t> times;
  for (; block != nullptr && times.size() < 11; block = block->parent) times.push_back(block->header.time_s);
  std::sort(times.begin(), times.end());
  return times[times.size() / 2];
}

std::vector<uint8_t> CoinbaseScript(uint32_t height, uint64_t salt) {
  std::vector<uint8_t> script;
  if (height <= 16) {
    script.push_back(static_cast<uint8_t>(0x50 + height));
  } else {
    for (uint32_t rest = height; rest != 0; rest >>= 8) script.push_back(rest & 0xff);
    if ((script.back() & 0x80) != 0) script.push_back(0);
    script.insert(script.begin(), static_cast<uint8_t>(script.size()));
  }
  // Two branches never have the same coinbase.
  script.push_back(8);
  for (int i = 0; i < 8; ++i) script.push_back(static_cast<uint8_t>(salt >> (8 * i)));
  return script;
}

}  // namespace

const ModelBlock& BlockMaker::Extend(const ModelBlock& parent, uint32_t count) {
  const ModelBlock* tip = &parent;
  for (uint32_t i = 0; i < count; ++i) tip = &Make(*tip);
  return *tip;
}

const ModelBlock& BlockMaker::Make(const ModelBlock& parent, Flaw flaw) {
  // On an invalid parent there is no unspent set to spend from.
  Draft draft{&parent, flaw, {}, {}, {}, 0};
  draft.transactions.emplace_back();
  if (parent.is_valid()) {
    AddForeignSpends(draft);
    AddSpends(draft);
    AddFlaw(draft);
  }
  draft.transactions.front() = MakeCoinbase(draft);
  const BlockHeader header = MakeHeader(draft);
  const ModelBlock& block = model_.Add(parent, header, std::move(draft.transactions));
  // Maker and judge know nothing of each other.
  HR_CHECK(!parent.is_valid() || block.is_valid() == (draft.flaw == Flaw::kNone));
  return block;
}

bool BlockMaker::DrawCoin(Draft& draft, OwnedOutput& coin, bool is_mature) {
  const ModelCoins& coins = model_.CoinsAfter(*draft.parent);
  if (coins.empty()) return false;
  for (int tries = 0; tries < 12; ++tries) {
    OutPoint from;
    entropy_.Fill(from.txid.bytes);
    auto found = coins.lower_bound(from);
    if (found == coins.end()) found = coins.begin();
    const auto& [outpoint, drawn] = *found;
    const bool is_young = drawn.is_coinbase && draft.parent->height + 1 - drawn.height < kMaturity;
    if (is_young == is_mature || !wallet_.CanSpend(drawn.script) || !draft.used.insert(outpoint).second) continue;
    coin = {outpoint, {drawn.amount, drawn.script}};
    return true;
  }
  return false;
}

void BlockMaker::AddTransaction(Draft& draft, MutableTransaction transaction, Amount fee) {
  const Hash256 txid = transaction.Txid();
  for (uint32_t o = 0; o < transaction.outputs.size(); ++o) {
    const TransactionOutput& output = transaction.outputs[o];
    if (wallet_.CanSpend(output.script)) draft.fresh.push_back({{txid, o}, output});
  }
  draft.fees += fee;
  draft.transactions.push_back(std::move(transaction));
}

void BlockMaker::AddSpend(Draft& draft, const std::vector<OwnedOutput>& inputs, uint32_t outputs_count) {
  Amount sum = 0;
  for (const OwnedOutput& input : inputs) sum += input.output.amount;
  const Amount fee = static_cast<Amount>(entropy_.Below(static_cast<uint64_t>(std::min<Amount>(sum, 10'000)) + 1));
  AddTransaction(draft, wallet_.Spend(inputs, outputs_count, fee, entropy_), fee);
}

void BlockMaker::AddSpends(Draft& draft) {
  uint64_t left = entropy_.Below(transactions_max_ + 1);
  // Now and then a block that is much larger than the others.
  if (entropy_.OneIn(24)) left *= 4;
  while (left-- > 0) {
    std::vector<OwnedOutput> inputs;
    const uint64_t shape = entropy_.Below(8);
    const uint64_t wanted = shape == 0 ? entropy_.Between(4, 12) : shape < 3 ? 2 : 1;
    while (inputs.size() < wanted) {
      OwnedOutput coin;
      // A chain inside the block, or a coin of the set.
      if (!draft.fresh.empty() && entropy_.OneIn(3)) {
        const size_t chosen = entropy_.Below(draft.fresh.size());
        coin = draft.fresh[chosen];
        draft.fresh.erase(draft.fresh.begin() + static_cast<ptrdiff_t>(chosen));
      } else if (!DrawCoin(draft, coin, true)) {
        break;
      }
      inputs.push_back(coin);
    }
    if (inputs.empty()) return;
    AddSpend(draft, inputs, static_cast<uint32_t>(shape == 3 ? entropy_.Between(5, 20) : entropy_.Between(1, 3)));
  }
}

void BlockMaker::AddForeignSpends(Draft& draft) {
  if (!entropy_.OneIn(2)) return;
  const ModelCoins& coins = model_.CoinsAfter(*draft.parent);
  // Blocks made lately on other branches.
  const size_t count = model_.blocks().size();
  for (size_t back = 1; back <= 6 && back < count; ++back) {
    const ModelBlock& other = *model_.blocks()[count - back];
    if (!other.is_valid() || draft.parent->Ancestor(std::min(draft.parent->height, other.height)) == &other) continue;
    for (size_t t = 1; t < other.transactions.size(); ++t) {
      const MutableTransaction& transaction = other.transactions[t];
      Amount fee = 0;
      const bool fits =
          std::all_of(transaction.inputs.begin(), transaction.inputs.end(), [&](const TransactionInput& input) {
            const auto coin = coins.find(input.prevout);
            if (coin == coins.end() || draft.used.contains(input.prevout)) return false;
            fee += coin->second.amount;
            return !coin->second.is_coinbase || draft.parent->height + 1 - coin->second.height >= kMaturity;
          });
      const bool is_new = !coins.contains({transaction.Txid(), 0});
      if (!fits || !is_new || transaction.lock_time != 0) continue;
      for (const TransactionInput& input : transaction.inputs) draft.used.insert(input.prevout);
      for (const TransactionOutput& output : transaction.outputs) fee -= output.amount;
      AddTransaction(draft, transaction, fee);
    }
  }
}

void BlockMaker::SpoilSignature(Draft& draft) {
  // The last transaction whose input carries one; what is signed stays as it is.
  for (size_t t = draft.transactions.size(); t-- > 1;) {
    for (TransactionInput& input : draft.transactions[t].inputs) {
      if (input.script_sig.size() > 40 && input.witness.empty()) {
        // Inside the first signature, which every template pushes first or second.
        input.script_sig[20] ^= 1;
        // Its txid changes, and whatever spent its outputs goes with it.
        draft.transactions.resize(t + 1);
        return;
      }
      for (std::vector<uint8_t>& item : input.witness) {
        if (item.size() < 60) continue;
        item[20] ^= 1;
        return;
      }
    }
  }
  draft.flaw = Flaw::kCoinbaseValue;
}

void BlockMaker::AddFlaw(Draft& draft) {
  OwnedOutput coin;
  switch (draft.flaw) {
    case Flaw::kMissingInput:
      coin.output = {100'000, kAnyoneScript};
      entropy_.Fill(coin.outpoint.txid.bytes);
      return AddSpend(draft, {coin}, 1);
    case Flaw::kDoubleSpend:
      if (!DrawCoin(draft, coin, true)) break;
      AddSpend(draft, {coin}, 1);
      return AddSpend(draft, {coin}, 2);
    case Flaw::kSpentBefore:
      for (const ModelBlock* block = draft.parent; block != nullptr && block->height + 8 > draft.parent->height;
           block = block->parent) {
        if (block->spent.empty()) continue;
        const auto& [outpoint, spent] = block->spent[entropy_.Below(block->spent.size())];
        return AddSpend(draft, {{outpoint, {spent.amount, spent.script}}}, 1);
      }
      break;
    case Flaw::kBadSignature:
      // Coins with a signature are made sure of by trying.
      for (int i = 0; i < 8 && DrawCoin(draft, coin, true); ++i) AddSpend(draft, {coin}, 1);
      return SpoilSignature(draft);
    case Flaw::kPremature:
      if (!DrawCoin(draft, coin, false)) break;
      return AddSpend(draft, {coin}, 1);
    case Flaw::kInBelowOut: {
      if (!DrawCoin(draft, coin, true)) break;
      MutableTransaction transaction = wallet_.Spend({coin}, 1, 0, entropy_);
      transaction.outputs[0].amount += 1;
      for (TransactionInput& input : transaction.inputs) input.script_sig.clear(), input.witness.clear();
      wallet_.Sign({coin}, transaction);
      // No fee makes up for it.
      return AddTransaction(draft, std::move(transaction), 0);
    }
    case Flaw::kNotFinal: {
      if (!DrawCoin(draft, coin, true)) break;
      MutableTransaction transaction = wallet_.Spend({coin}, 1, 0, entropy_);
      transaction.lock_time = draft.parent->height + 1;
      for (TransactionInput& input : transaction.inputs) input = {input.prevout, {}, 0xfffffffe, {}};
      wallet_.Sign({coin}, transaction);
      return AddTransaction(draft, std::move(transaction), 0);
    }
    case Flaw::kWitnessCommitment:
      for (const MutableTransaction& transaction : draft.transactions) {
        if (transaction.HasWitness()) return;
      }
      break;
    default:
      return;
  }
  draft.flaw = Flaw::kCoinbaseValue;
}

MutableTransaction BlockMaker::MakeCoinbase(const Draft& draft) {
  const uint32_t height = draft.parent->height + 1;
  MutableTransaction coinbase;
  const uint32_t named = draft.flaw == Flaw::kCoinbaseHeight ? height + 1 : height;
  coinbase.inputs.push_back({{Hash256(), OutPoint::kNullIndex}, CoinbaseScript(named, ++salt_), 0xffffffff, {}});
  Amount value = (50 * kCoin >> (height / kHalvingInterval)) + draft.fees;
  if (draft.flaw == Flaw::kCoinbaseValue) value += 1;
  coinbase.outputs.push_back({value, wallet_.DrawScript(entropy_)});
  const bool has_witness = std::any_of(draft.transactions.begin() + 1, draft.transactions.end(),
                                       [](const MutableTransaction& transaction) { return transaction.HasWitness(); });
  if (!has_witness && !entropy_.OneIn(8)) return coinbase;
  Hash256 commitment = PlainWitnessCommitment(draft.transactions);
  if (draft.flaw == Flaw::kWitnessCommitment) commitment.bytes[7] ^= 1;
  std::vector<uint8_t> script = {0x6a, 0x24, 0xaa, 0x21, 0xa9, 0xed};
  script.insert(script.end(), commitment.bytes.begin(), commitment.bytes.end());
  coinbase.outputs.push_back({0, std::move(script)});
  coinbase.inputs[0].witness = {std::vector<uint8_t>(32, 0)};
  return coinbase;
}

BlockHeader BlockMaker::MakeHeader(const Draft& draft) {
  BlockHeader header;
  header.version = draft.flaw == Flaw::kOldVersion ? 1 : 0x20000000;
  header.previous = draft.parent->hash;
  std::vector<Hash256> txids;
  for (const MutableTransaction& transaction : draft.transactions) txids.push_back(transaction.Txid());
  header.merkle_root = PlainMerkleRoot(txids);
  if (draft.flaw == Flaw::kMerkleRoot) header.merkle_root.bytes[3] ^= 1;
  const int64_t median = MedianTimePast(draft.parent);
  // Miners' clocks differ by minutes.
  const int64_t time_s = std::max(median + 1, clock_.UnixSeconds() + entropy_.Between(-300, 300));
  header.time_s = static_cast<uint32_t>(draft.flaw == Flaw::kTimeTooOld ? median : time_s);
  header.bits = draft.flaw == Flaw::kWrongBits ? 0x207ffffe : kRegtestBits;
  // Half of all hashes meet regtest's target; the lower bits' is nearly the same.
  while (header.Hash().bytes[31] >= 0x7f) ++header.nonce;
  return header;
}

}  // namespace headrace::sim
