#include "tests/storage/coins/coin_world.h"

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "engine/base/endian.h"
#include "engine/crypto/signing.h"

namespace headrace::testing {
Hash256 RandomHash(std::mt19937_64& random) {
  Hash256 hash;
  for (uint8_t& byte : hash.bytes) byte = static_cast<uint8_t>(random());
  return hash;
}

std::vector<uint8_t> RandomScript(std::mt19937_64& random) {
  const auto bytes = [&](size_t count) {
    std::vector<uint8_t> out(count);
    for (uint8_t& byte : out) byte = static_cast<uint8_t>(random());
    return out;
  };
  const auto around = [&](std::vector<uint8_t> head, size_t count, std::vector<uint8_t> tail) {
    const std::vector<uint8_t> middle = bytes(count);
    head.insert(head.end(), middle.begin(), middle.end());
    head.insert(head.end(), tail.begin(), tail.end());
    return head;
  };
  switch (random() % 14) {
    case 12: return {0x51, 0x02, 0x4e, 0x73};
    case 13: {
      // Bare multisig of up to nine keys, one in eight of which begins as no key does, and perhaps with more to sign than keys.
      const auto keys = static_cast<uint8_t>(1 + random() % 9);
      std::vector<uint8_t> script{static_cast<uint8_t>(0x51 + random() % (keys + (random() % 8 == 0)))};
      for (uint8_t key = 0; key < keys; ++key) {
        const std::vector<uint8_t> push = around({33, static_cast<uint8_t>(random() % 8 == 0 ? random() : 2 + random() % 2)}, 32, {});
        script.insert(script.end(), push.begin(), push.end());
      }
      script.push_back(0x50 + keys);
      script.push_back(0xae);
      return script;
    }
    case 0: return around({0x76, 0xa9, 0x14}, 20, {0x88, 0xac});
    case 1: return around({0xa9, 0x14}, 20, {0x87});
    case 2: return around({0x00, 0x14}, 20, {});
    case 3: return around({0x00, 0x20}, 32, {});
    case 4: return around({0x51, 0x20}, 32, {});
    case 5: return around({0x21, static_cast<uint8_t>(2 + random() % 2)}, 32, {0xac});
    case 6: return around({0x41, 0x04}, 64, {0xac});  // hardly ever on the curve
    case 7: {
      SecretKey secret{};
      secret[31] = static_cast<uint8_t>(1 + random() % 200);
      std::vector<uint8_t> script = PublicKeyOf(secret, false);
      script.insert(script.begin(), 0x41);
      script.push_back(0xac);
      return script;
    }
    case 8: return {};
    case 9: return {kOpReturn, 0x01, 0x02};
    case 10: return around({0x51}, random() % 300, {});
    default: return random() % 50 == 0 ? around({0x51}, kMaxScriptBytes - random() % 3 + 1, {}) : around({0x52}, 3, {});
  }
}

WorldWindow::WorldWindow(std::span<const std::shared_ptr<WorldBlock>> from) : arenas(from.size()), spent(from.size()) {
  for (size_t i = 0; i < from.size(); ++i) {
    spent[i].resize(from[i]->columns.input_count());
    blocks.push_back({from[i]->naive.height, &from[i]->columns, spent[i], &arenas[i], from[i]->naive.may_overwrite});
  }
}

void WorldWindow::FillSpent(std::span<const std::shared_ptr<WorldBlock>> from) {
  for (size_t b = 0; b < from.size(); ++b) {
    for (size_t i = 1; i < from[b]->undo.size(); ++i) {
      const NaiveCoin& coin = from[b]->undo[i];
      spent[b][i] = {coin.amount, coin.height, coin.is_coinbase, coin.script};
    }
  }
}

void WriteFileBytes(const std::string& path, const std::vector<uint8_t>& bytes) {
  std::ofstream(path, std::ios::binary | std::ios::trunc).write(reinterpret_cast<const char*>(bytes.data()), bytes.size());
}

NaiveCoin ToNaive(const Coin& coin) {
  return {coin.amount, coin.height, coin.is_coinbase, {coin.script.begin(), coin.script.end()}};
}

CoinWorld::CoinWorld(uint64_t seed, uint64_t cache_bytes_max, Executor* executor,
                     std::function<void(CoinStoreOptions&)> change)
    : random_(seed),
      executor_(executor == nullptr ? &inline_executor_ : executor),
      entropy_(seed),
      files_(std::make_unique<ShortMemoryFileSystem>(OpenFileSystem().value())),
      cache_bytes_max_(cache_bytes_max),
      change_(std::move(change)) {
  origin_.hash = RandomHash(random_);
  store_ = OpenCoinStore(Options(directory_.path())).value();
}

CoinStoreOptions CoinWorld::Options(const std::string& directory) {
  CoinStoreOptions options;
  options.files = files_.get();
  options.executor = executor_;
  options.entropy = &entropy_;
  options.directory = directory;
  options.network_magic = kTestMagic;
  options.cache_bytes_max = cache_bytes_max_;
  options.origin = origin_;
  options.make_durable = [] { return absl::OkStatus(); };
  if (change_) change_(options);
  return options;
}

NaiveBlock CoinWorld::MakeBlock(size_t spends, size_t creations) {
  NaiveBlock block;
  block.height = height() + 1;
  block.transactions.emplace_back();
  block.transactions[0].txid = RandomHash(random_);
  block.transactions[0].inputs.push_back({Hash256(), OutPoint::kNullIndex});
  size_t spent = 0;
  size_t created = 0;
  std::vector<OutPoint> fresh;
  while (true) {
    NaiveTransaction& transaction = block.transactions.back();
    for (size_t outputs = 1 + Below(4); outputs > 0 && created < creations; --outputs, ++created) {
      const Amount amount = Below(3) == 0 ? static_cast<Amount>(Below(2'000'000) * 100'000) : static_cast<Amount>(Below(kMaxMoney));
      transaction.outputs.push_back({amount, RandomScript(random_)});
      if (!IsUnspendable(transaction.outputs.back().script)) {
        fresh.push_back({transaction.txid, static_cast<uint32_t>(transaction.outputs.size() - 1)});
      }
    }
    if (spent >= spends && created >= creations) break;
    block.transactions.emplace_back();
    block.transactions.back().txid = RandomHash(random_);
    for (size_t inputs = 1 + Below(3); inputs > 0 && spent < spends; --inputs, ++spent) {
      const bool is_own = !fresh.empty() && Below(3) == 0;
      std::vector<OutPoint>& from = is_own ? fresh : pool_;
      if (from.empty()) continue;
      // Half of the spends go to the youngest.
      const size_t at = Below(2) == 0 ? from.size() - 1 - Below(std::min<size_t>(from.size(), 20)) : Below(from.size());
      const OutPoint outpoint = from[at];
      from[at] = from.back();
      from.pop_back();
      const bool is_own_transaction = outpoint.txid == block.transactions.back().txid;
      if (is_own_transaction || (!is_own && !naive_.coins().contains(outpoint))) continue;
      block.transactions.back().inputs.push_back(outpoint);
    }
  }
  pool_.insert(pool_.end(), fresh.begin(), fresh.end());
  return block;
}

std::shared_ptr<WorldBlock> MakeWorldBlock(NaiveBlock naive, const Hash256& hash, const Hash256& previous) {
  auto block = std::make_shared<WorldBlock>();
  block->previous = previous;
  block->hash = hash;
  BlockColumns& columns = block->columns;
  columns.hash = block->hash;
  columns.first_input.push_back(0);
  columns.first_output.push_back(0);
  for (const NaiveTransaction& transaction : naive.transactions) {
    for (const OutPoint& input : transaction.inputs) {
      columns.prevout_offset.push_back(static_cast<uint32_t>(block->raw.size()));
      block->raw.resize(block->raw.size() + OutPoint::kSerializedBytes);
      input.Store(&block->raw[block->raw.size() - OutPoint::kSerializedBytes]);
      columns.sequence.push_back(0);
    }
    for (const auto& output : transaction.outputs) {
      columns.amount.push_back(output.amount);
      columns.script_pubkey.push_back({static_cast<uint32_t>(block->raw.size()), static_cast<uint32_t>(output.script.size())});
      block->raw.insert(block->raw.end(), output.script.begin(), output.script.end());
    }
    columns.txid.push_back(transaction.txid);
    columns.version.push_back(2);
    columns.first_input.push_back(columns.input_count());
    columns.first_output.push_back(columns.output_count());
  }
  columns.raw = block->raw;
  block->naive = std::move(naive);
  return block;
}

std::shared_ptr<WorldBlock> CoinWorld::Finish(NaiveBlock naive, const Hash256& previous) {
  auto block = MakeWorldBlock(std::move(naive), RandomHash(random_), previous);
  blocks_[block->hash] = block;
  return block;
}

void CoinWorld::ApplyRandom(size_t count, size_t spends, size_t creations) {
  std::vector<std::shared_ptr<WorldBlock>> window;
  for (size_t i = 0; i < count; ++i) {
    auto block = Finish(MakeBlock(spends, creations), tip());
    auto spent = naive_.Apply(block->naive);
    ASSERT_TRUE(spent.has_value());
    block->undo.resize(1);
    block->undo.insert(block->undo.end(), spent->begin(), spent->end());
    chain_.push_back(block);
    window.push_back(block);
  }
  ApplyToStore(*store_, window, true);
  store_->SetApplied(store_->resolved());
}

void CoinWorld::ApplyBlock(NaiveBlock naive) {
  const auto block = Finish(std::move(naive), tip());
  const auto spent = naive_.Apply(block->naive);
  ASSERT_TRUE(spent.has_value());
  block->undo.resize(1);
  block->undo.insert(block->undo.end(), spent->begin(), spent->end());
  chain_.push_back(block);
  ApplyToStore(*store_, {block}, true);
  store_->SetApplied(store_->resolved());
}

void CoinWorld::ApplyToStore(FlatCoinStore& store, const std::vector<std::shared_ptr<WorldBlock>>& blocks, bool compare_spent) {
  WorldWindow window(blocks);
  const auto outcome = store.Apply(window.blocks);
  ASSERT_TRUE(outcome.ok()) << outcome.status();
  ASSERT_EQ(*outcome, WindowOutcome::kApplied);
  ASSERT_EQ(store.resolved(), (BlockPoint{blocks.back()->hash, blocks.back()->naive.height}));
  if (!compare_spent) return;
  for (size_t b = 0; b < blocks.size(); ++b) {
    for (size_t i = 1; i < blocks[b]->undo.size(); ++i) ASSERT_EQ(ToNaive(window.spent[b][i]), blocks[b]->undo[i]);
  }
}

WindowOutcome CoinWorld::TryWindow(const std::vector<std::shared_ptr<WorldBlock>>& blocks) {
  return TryWindow(*store_, blocks).value();
}

absl::StatusOr<WindowOutcome> CoinWorld::TryWindow(FlatCoinStore& store,
                                                   const std::vector<std::shared_ptr<WorldBlock>>& blocks) {
  WorldWindow window(blocks);
  return store.Apply(window.blocks);
}

void CoinWorld::UnapplyFrom(FlatCoinStore& store, const std::vector<std::shared_ptr<WorldBlock>>& blocks) {
  WorldWindow window(blocks);
  window.FillSpent(blocks);
  const absl::Status status =
      store.Unapply(window.blocks, {blocks.front()->previous, blocks.front()->naive.height - 1});
  ASSERT_TRUE(status.ok()) << status;
}

void CoinWorld::UnapplyLast(size_t count) {
  const std::vector<std::shared_ptr<WorldBlock>> window(chain_.end() - count, chain_.end());
  UnapplyFrom(*store_, window);
  for (size_t i = count; i-- > 0;) {
    const WorldBlock& block = *window[i];
    naive_.Unapply(block.naive, {block.undo.begin() + 1, block.undo.end()});
    // Coins that came back may be spent again.
    for (size_t t = 1; t < block.naive.transactions.size(); ++t) {
      const auto& inputs = block.naive.transactions[t].inputs;
      pool_.insert(pool_.end(), inputs.begin(), inputs.end());
    }
    chain_.pop_back();
  }
  std::sort(pool_.begin(), pool_.end());
  pool_.erase(std::unique(pool_.begin(), pool_.end()), pool_.end());
  store_->SetApplied(store_->resolved());
}

void CoinWorld::ExpectEqual(const FlatCoinStore& store) {
  ASSERT_EQ(store.counters().coins, naive_.coins().size());
  std::vector<uint8_t> script;
  for (const auto& [outpoint, expected] : naive_.coins()) {
    Coin coin;
    const auto found = store.Find(outpoint, coin, script);
    ASSERT_TRUE(found.ok()) << found.status();
    ASSERT_TRUE(*found);
    ASSERT_EQ(ToNaive(coin), expected);
  }
  for (int i = 0; i < 100; ++i) {
    Coin coin;
    ASSERT_FALSE(store.Find({RandomHash(random_), 0}, coin, script).value());
  }
}

void CoinWorld::Replay(FlatCoinStore& store) {
  // The branch that the shards ahead hold, from its tip down to where the store starts.
  std::vector<std::shared_ptr<WorldBlock>> branch;
  for (Hash256 hash = store.recovery_end().hash; hash != store.recovery_start().hash; hash = branch.back()->previous) {
    ASSERT_TRUE(blocks_.contains(hash));
    branch.push_back(blocks_.at(hash));
  }
  std::reverse(branch.begin(), branch.end());
  for (size_t at = 0; at < branch.size();) {
    const size_t count = std::min<size_t>(1 + Below(5), branch.size() - at);
    ASSERT_NO_FATAL_FAILURE(ApplyToStore(store, {branch.begin() + at, branch.begin() + at + count}, false));
    at += count;
  }
  // Back to a block of our chain.
  while (store.resolved().height > height() ||
         (store.resolved().height > 0 && chain_[store.resolved().height - 1]->hash != store.resolved().hash)) {
    ASSERT_NO_FATAL_FAILURE(UnapplyFrom(store, {blocks_.at(store.resolved().hash)}));
  }
  for (uint32_t at = store.resolved().height; at < height();) {
    const uint32_t count = std::min<uint32_t>(1 + Below(10), height() - at);
    ASSERT_NO_FATAL_FAILURE(ApplyToStore(store, {chain_.begin() + at, chain_.begin() + at + count}, true));
    at += count;
  }
  store.SetApplied(store.resolved());
}

void CoinWorld::RecoverAndCompare(const std::string& directory) {
  auto store = OpenCoinStore(Options(directory));
  ASSERT_TRUE(store.ok()) << store.status();
  ASSERT_NO_FATAL_FAILURE(Replay(**store));
  ExpectEqual(**store);
  for (const auto& verdict : (*store)->VerifyAll()) EXPECT_TRUE(verdict.status.ok()) << verdict.status;
}

void CoinWorld::Restart() {
  store_.reset();
  auto store = OpenCoinStore(Options(directory_.path()));
  ASSERT_TRUE(store.ok()) << store.status();
  store_ = *std::move(store);
  Replay(*store_);
}

void CoinWorld::Checkpoint() {
  const absl::Status status = store_->FinishCheckpoint();
  ASSERT_TRUE(status.ok()) << status;
  ASSERT_EQ(store_->durable(), store_->resolved());
}

}  // namespace headrace::testing
