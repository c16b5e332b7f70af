// The coin store in windows: creations and spends a second, records, comparison and undo included; the time of a
// checkpoint; single reads; bytes a coin; hashes and snapshots of the whole set, and windows applied beside them.
// Arguments: coins, workers beside the calling thread.
//
// Blocks are made outside the measured time. Scripts are P2WPKH.

#include <benchmark/benchmark.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <filesystem>
#include <memory>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "engine/base/check.h"
#include "engine/runtime/production_entropy.h"
#include "engine/runtime/tbb_executor.h"
#include "storage/coins/flat_coin_store.h"
#include "storage/file/open_file_system.h"
#include "tests/support/temporary_directory.h"

namespace headrace {
namespace {

constexpr size_t kOutputsPerTransaction = 2;
constexpr size_t kItemsPerBlock = 5'000;
constexpr size_t kBlocksPerWindow = 32;
constexpr size_t kScriptBytes = 22;

// One block's columns, and the memory behind them.
struct BenchBlock {
  BlockColumns columns;
  std::vector<uint8_t> raw;
  std::vector<Coin> spent;
  Arena arena;
};

class BenchStore {
 public:
  explicit BenchStore(size_t workers)
      : executor_(MakeTbbExecutor(workers)),
        whole_set_executor_(MakeTbbExecutor(workers, ExecutorUrgency::kIdle)),
        files_(OpenFileSystem().value()) {
    CoinStoreOptions options;
    options.files = files_.get();
    options.executor = executor_.get();
    options.whole_set_executor = whole_set_executor_.get();
    options.entropy = &entropy_;
    options.directory = directory_.path();
    options.cache_bytes_max = uint64_t{16} << 30;
    options.make_durable = [] { return absl::OkStatus(); };
    store_ = OpenCoinStore(options).value();
  }

  FlatCoinStore& store() { return *store_; }
  const std::string& directory() const { return directory_.path(); }
  std::vector<OutPoint>& coins() { return coins_; }
  std::mt19937_64& random() { return random_; }

  // Makes a window of blocks with so many creations and spends each (`pick` chooses them), applies it and returns the seconds.
  template <typename Pick>
  double Window(size_t creations, size_t spends, Pick&& pick) {
    std::vector<BenchBlock> blocks(kBlocksPerWindow);
    std::vector<WindowBlock> window;
    uint32_t height = store_->resolved().height;
    for (BenchBlock& block : blocks) {
      Fill(block, creations, spends, pick);
      window.push_back({++height, &block.columns, block.spent, &block.arena, false});
    }
    const auto begin = std::chrono::steady_clock::now();
    const auto outcome = store_->Apply(window);
    const auto end = std::chrono::steady_clock::now();
    HR_CHECK(outcome.ok() && *outcome == WindowOutcome::kApplied);
    store_->SetApplied(store_->resolved());
    return std::chrono::duration<double>(end - begin).count();
  }

  double CreateAtLeast(size_t coins) {
    const size_t per_block = std::min(kItemsPerBlock, coins / kBlocksPerWindow + 1);
    double seconds = 0;
    while (coins_.size() < coins) seconds += Window(per_block, 0, [] { return OutPoint(); });
    return seconds;
  }

 private:
  template <typename Pick>
  void Fill(BenchBlock& block, size_t creations, size_t spends, Pick&& pick) {
    BlockColumns& columns = block.columns;
    std::vector<OutPoint> made;
    columns.first_input.push_back(0);
    columns.first_output.push_back(0);
    block.raw.resize((spends + 1) * OutPoint::kSerializedBytes + kScriptBytes);
    uint8_t* script = block.raw.data();
    script[0] = 0x00;
    script[1] = 0x14;
    size_t at = kScriptBytes;
    columns.hash.bytes[0] = 1;
    const size_t transactions = 1 + std::max(creations / kOutputsPerTransaction, (spends + 1) / 2);
    for (size_t t = 0, spent = 0, created = 0; t < transactions; ++t) {
      Hash256 txid;
      for (size_t i = 0; i < 32; i += 8) StoreLittle(&txid.bytes[i], random_());
      columns.txid.push_back(txid);
      columns.version.push_back(2);
      for (size_t i = 0; i < (t == 0 ? 1 : 2) && (t == 0 || spent < spends); ++i) {
        columns.prevout_offset.push_back(static_cast<uint32_t>(at));
        columns.sequence.push_back(0);
        const OutPoint prevout = t == 0 ? OutPoint{Hash256(), OutPoint::kNullIndex} : pick();
        prevout.Store(&block.raw[at]);
        at += OutPoint::kSerializedBytes;
        spent += t > 0;
      }
      for (uint32_t o = 0; o < kOutputsPerTransaction && created < creations; ++o, ++created) {
        columns.amount.push_back(static_cast<Amount>(random_() % 1'000'000'000));
        columns.script_pubkey.push_back({0, kScriptBytes});
        made.push_back({txid, o});
      }
      columns.first_input.push_back(columns.input_count());
      columns.first_output.push_back(columns.output_count());
    }
    columns.raw = block.raw;
    block.spent.resize(columns.input_count());
    coins_.insert(coins_.end(), made.begin(), made.end());
  }

  std::unique_ptr<Executor> executor_;
  std::unique_ptr<Executor> whole_set_executor_;
  std::unique_ptr<FileSystem> files_;
  ProductionEntropy entropy_;
  testing::TemporaryDirectory directory_;
  std::unique_ptr<FlatCoinStore> store_;
  std::vector<OutPoint> coins_;
  std::mt19937_64 random_{1};
};

void Create(benchmark::State& state) {
  double items = 0;
  for (auto _ : state) {
    BenchStore bench(state.range(1));
    state.SetIterationTime(bench.CreateAtLeast(state.range(0)));
    items += bench.coins().size();
  }
  state.counters["creations_per_second"] = benchmark::Counter(items, benchmark::Counter::kIsRate);
}

// Coins of any age, in random order, until few are left.
void SpendUniform(benchmark::State& state) {
  double items = 0;
  for (auto _ : state) {
    BenchStore bench(state.range(1));
    bench.CreateAtLeast(state.range(0));
    std::vector<OutPoint>& coins = bench.coins();
    std::shuffle(coins.begin(), coins.end(), bench.random());
    const size_t per_block = std::min(kItemsPerBlock, coins.size() / kBlocksPerWindow);
    double seconds = 0;
    while (coins.size() >= per_block * kBlocksPerWindow && per_block > 0) {
      seconds += bench.Window(0, per_block, [&] {
        const OutPoint coin = coins.back();
        coins.pop_back();
        return coin;
      });
      items += per_block * kBlocksPerWindow;
    }
    state.SetIterationTime(seconds);
  }
  state.counters["spends_per_second"] = benchmark::Counter(items, benchmark::Counter::kIsRate);
}

// A steady state in which spends prefer the young: 41 % within ten blocks, most of the rest within a hundred.
void MainnetAges(benchmark::State& state) {
  double items = 0;
  double bytes_per_coin = 0;
  for (auto _ : state) {
    BenchStore bench(state.range(1));
    bench.CreateAtLeast(state.range(0));
    std::vector<OutPoint>& coins = bench.coins();
    double seconds = 0;
    for (int window = 0; window < 8; ++window) {
      seconds += bench.Window(kItemsPerBlock, kItemsPerBlock - 500, [&] {
        const uint64_t dice = bench.random()() % 100;
        const size_t reach = dice < 41 ? 10 * kItemsPerBlock : dice < 90 ? 100 * kItemsPerBlock : coins.size();
        const size_t at = coins.size() - 1 - bench.random()() % std::min(reach, coins.size());
        const OutPoint coin = coins[at];
        coins[at] = coins.back();
        coins.pop_back();
        return coin;
      });
      items += kBlocksPerWindow * (2 * kItemsPerBlock - 500);
    }
    bytes_per_coin = static_cast<double>(bench.store().counters().memory.total_bytes()) / bench.store().counters().coins;
    state.SetIterationTime(seconds);
  }
  state.counters["operations_per_second"] = benchmark::Counter(items, benchmark::Counter::kIsRate);
  state.counters["resident_bytes_per_coin"] = bytes_per_coin;
}

void Checkpoint(benchmark::State& state) {
  double disk_bytes_per_coin = 0;
  for (auto _ : state) {
    BenchStore bench(state.range(1));
    bench.CreateAtLeast(state.range(0));
    const auto begin = std::chrono::steady_clock::now();
    HR_CHECK(bench.store().FinishCheckpoint().ok());
    state.SetIterationTime(std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count());
    disk_bytes_per_coin = static_cast<double>(bench.store().counters().disk_bytes) / bench.store().counters().coins;
  }
  state.counters["disk_bytes_per_coin"] = disk_bytes_per_coin;
}

const std::atomic<bool> kNeverStop{false};

void WholeSet(benchmark::State& state, CoinSetHashes hashes) {
  BenchStore bench(state.range(1));
  bench.CreateAtLeast(state.range(0));
  HR_CHECK(bench.store().FinishCheckpoint().ok());
  uint64_t coins = 0;
  for (auto _ : state) coins += bench.store().Pin()->Statistics(hashes, kNeverStop).value().coins;
  state.counters["coins_per_second"] = benchmark::Counter(static_cast<double>(coins), benchmark::Counter::kIsRate);
}

void HashSerialized(benchmark::State& state) { WholeSet(state, {.serialized = true, .muhash = false}); }
void MuHashOfSet(benchmark::State& state) { WholeSet(state, {.serialized = false, .muhash = true}); }

void Snapshot(benchmark::State& state) {
  BenchStore bench(state.range(1));
  bench.CreateAtLeast(state.range(0));
  HR_CHECK(bench.store().FinishCheckpoint().ok());
  const std::string path = bench.directory() + "/set.dat";
  uint64_t coins = 0;
  for (auto _ : state) {
    coins += bench.store().Pin()->WriteSnapshot(path, kNeverStop).value().coins;
    std::filesystem::remove(path);
  }
  state.counters["coins_per_second"] = benchmark::Counter(static_cast<double>(coins), benchmark::Counter::kIsRate);
}

// Windows of ten thousand operations, one after the other, while another thread hashes the set: how long they take at
// most, then and alone.
void WindowsBesideAHash(benchmark::State& state) {
  BenchStore bench(state.range(1));
  bench.CreateAtLeast(state.range(0));
  HR_CHECK(bench.store().FinishCheckpoint().ok());
  const auto window = [&] { return bench.Window(kItemsPerBlock / kBlocksPerWindow, 0, [] { return OutPoint(); }); };
  double longest_alone = 0;
  double longest_beside = 0;
  double windows_beside = 0;
  for (auto _ : state) {
    for (int i = 0; i < 50; ++i) longest_alone = std::max(longest_alone, window());
    std::atomic<bool> is_done{false};
    const std::unique_ptr<PinnedCoinSet> pin = bench.store().Pin();
    std::thread hashing([&] {
      HR_CHECK(pin->Statistics({.serialized = true, .muhash = false}, kNeverStop).ok());
      is_done = true;
    });
    while (!is_done) {
      longest_beside = std::max(longest_beside, window());
      ++windows_beside;
    }
    hashing.join();
  }
  state.counters["longest_alone_ms"] = longest_alone * 1000;
  state.counters["longest_beside_ms"] = longest_beside * 1000;
  state.counters["windows_beside"] = windows_beside;
}

void FindOne(benchmark::State& state) {
  BenchStore bench(state.range(1));
  bench.CreateAtLeast(state.range(0));
  std::vector<uint8_t> script;
  for (auto _ : state) {
    Coin coin;
    HR_CHECK(*bench.store().Find(bench.coins()[bench.random()() % bench.coins().size()], coin, script));
    benchmark::DoNotOptimize(coin);
  }
}

void Sizes(benchmark::internal::Benchmark* bench) {
  bench->Args({10'000, 1})->Args({1'000'000, 1})->Args({10'000'000, 1})->Unit(benchmark::kMillisecond);
}

BENCHMARK(Create)->Apply(Sizes)->UseManualTime();
BENCHMARK(SpendUniform)->Apply(Sizes)->UseManualTime();
BENCHMARK(MainnetAges)->Apply(Sizes)->UseManualTime();
BENCHMARK(Checkpoint)->Apply(Sizes)->UseManualTime();
BENCHMARK(HashSerialized)->Apply(Sizes);
BENCHMARK(MuHashOfSet)->Apply(Sizes);
BENCHMARK(Snapshot)->Apply(Sizes);
BENCHMARK(WindowsBesideAHash)->Apply(Sizes)->Iterations(1);
BENCHMARK(FindOne)->Apply(Sizes)->Unit(benchmark::kNanosecond);

}  // namespace
}  // namespace headrace

BENCHMARK_MAIN();
