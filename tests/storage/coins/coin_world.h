// A little world for coin store tests: random chains, the naive set beside the store, and directories to crash in.
#pragma once

#include <gtest/gtest.h>

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <random>
#include <span>
#include <string>
#include <vector>

#include "engine/base/arena.h"
#include "engine/ports/entropy.h"
#include "storage/coins/flat_coin_store.h"
#include "storage/file/open_file_system.h"
#include "tests/reference/naive_coin_set.h"
#include "tests/support/inline_executor.h"
#include "tests/support/node/short_memory_file_system.h"
#include "tests/support/temporary_directory.h"

namespace headrace::testing {

inline constexpr uint32_t kTestMagic = 0xdab5bffa;
// For whole-set work that is to be done.
inline const std::atomic<bool> kNeverStop{false};

// A naive block as the store takes it, with what it spent.
struct WorldBlock {
  NaiveBlock naive;
  Hash256 hash;
  Hash256 previous;
  std::vector<uint8_t> raw;
  BlockColumns columns;
  // What the naive set says it spends, by input position; the coinbase's input is null.
  std::vector<NaiveCoin> undo;
};

// The store's columns of a naive block.
std::shared_ptr<WorldBlock> MakeWorldBlock(NaiveBlock naive, const Hash256& hash, const Hash256& previous);

// A window of the store's kind over world blocks, with memory for what is spent.
struct WorldWindow {
  explicit WorldWindow(std::span<const std::shared_ptr<WorldBlock>> from);
  // As Unapply takes them: with what the blocks spent.
  void FillSpent(std::span<const std::shared_ptr<WorldBlock>> from);

  std::vector<Arena> arenas;
  std::vector<std::vector<Coin>> spent;
  std::vector<WindowBlock> blocks;
};

NaiveCoin ToNaive(const Coin& coin);

void WriteFileBytes(const std::string& path, const std::vector<uint8_t>& bytes);

class FixedEntropy : public Entropy {
 public:
  explicit FixedEntropy(uint64_t seed) : random_(seed) {}
  void Fill(MutableByteSpan out) override {
    for (uint8_t& byte : out) byte = static_cast<uint8_t>(random_());
  }

 private:
  std::mt19937_64 random_;
};

std::vector<uint8_t> RandomScript(std::mt19937_64& random);
Hash256 RandomHash(std::mt19937_64& random);

class CoinWorld {
 public:
  // `change` is asked whenever options are made.
  CoinWorld(uint64_t seed, uint64_t cache_bytes_max, Executor* executor = nullptr,
            std::function<void(CoinStoreOptions&)> change = nullptr);

  CoinStoreOptions Options(const std::string& directory);
  FlatCoinStore& store() { return *store_; }
  FileSystem* files() { return files_.get(); }
  ShortMemoryFileSystem& memory() { return *files_; }
  const std::string& directory() const { return directory_.path(); }
  std::mt19937_64& random() { return random_; }
  uint64_t Below(uint64_t bound) { return random_() % bound; }
  NaiveCoinSet& naive() { return naive_; }
  uint32_t height() const { return static_cast<uint32_t>(chain_.size()); }
  const std::vector<std::shared_ptr<WorldBlock>>& chain() const { return chain_; }

  // A valid block on the tip that spends up to `spends` coins, some of them its own, and creates up to `creations`.
  NaiveBlock MakeBlock(size_t spends, size_t creations);
  // Finishes a block of the given height on `previous`.
  std::shared_ptr<WorldBlock> Finish(NaiveBlock naive, const Hash256& previous);

  // Builds `count` blocks and applies them to both sets as one window.
  void ApplyRandom(size_t count, size_t spends, size_t creations);
  // Applies a valid block on the tip to both sets.
  void ApplyBlock(NaiveBlock naive);
  // Applies blocks that stand on the tip; the naive set has them already.
  void ApplyToStore(FlatCoinStore& store, const std::vector<std::shared_ptr<WorldBlock>>& window, bool compare_spent);
  WindowOutcome TryWindow(const std::vector<std::shared_ptr<WorldBlock>>& window);
  absl::StatusOr<WindowOutcome> TryWindow(FlatCoinStore& store, const std::vector<std::shared_ptr<WorldBlock>>& window);
  void UnapplyLast(size_t count);
  // Takes a store's last blocks back; both sets had them once.
  void UnapplyFrom(FlatCoinStore& store, const std::vector<std::shared_ptr<WorldBlock>>& window);

  // Every coin of the naive set is in the store, with the same contents, and nothing else.
  void ExpectEqual(const FlatCoinStore& store);
  // Recovers a store from a directory: its own branch through where its recovery ends, back to the fork, then to our tip.
  void RecoverAndCompare(const std::string& directory);
  // Closes and opens our own.
  void Restart();
  void Checkpoint();

  Hash256 tip() const { return chain_.empty() ? origin_.hash : chain_.back()->hash; }

 private:
  void Replay(FlatCoinStore& store);

  std::mt19937_64 random_;
  InlineExecutor inline_executor_;
  Executor* executor_;
  FixedEntropy entropy_;
  TemporaryDirectory directory_;
  std::unique_ptr<ShortMemoryFileSystem> files_;
  uint64_t cache_bytes_max_;
  std::function<void(CoinStoreOptions&)> change_;
  BlockPoint origin_;
  std::unique_ptr<FlatCoinStore> store_;
  NaiveCoinSet naive_;
  std::vector<OutPoint> pool_;  // coins that may be unspent
  std::vector<std::shared_ptr<WorldBlock>> chain_;
  std::map<Hash256, std::shared_ptr<WorldBlock>> blocks_;
};

}  // namespace headrace::testing
