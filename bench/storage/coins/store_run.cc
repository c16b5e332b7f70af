#include "bench/storage/coins/store_run.h"

#include <stdlib.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <filesystem>
#include <memory>
#include <optional>
#include <vector>

#include "absl/strings/str_cat.h"
#include "bench/storage/coins/benched_store.h"
#include "bench/storage/coins/coin_reader.h"
#include "bench/storage/coins/coin_workload.h"
#include "bench/storage/coins/process_figures.h"
#include "engine/base/status_macros.h"

namespace headrace::bench {
namespace {

using Json = nlohmann::ordered_json;
using SteadyClock = std::chrono::steady_clock;

constexpr uint32_t kCreationsPerBlockMax = 5500;
constexpr uint64_t kKnownCoinsMax = 1'000'000;
constexpr uint64_t kFindsMin = 100'000;
constexpr uint64_t kVerifiedMax = 200'000;
// A window MUST NOT be delayed by more than this by what goes on beside it (the aim).
constexpr double kDelayMaxMs = 50;
constexpr double kHistogramMs[] = {1, 2, 5, 10, 20, 50, 100, 200, 500, 1000};

double SecondsSince(SteadyClock::time_point begin) {
  return std::chrono::duration<double>(SteadyClock::now() - begin).count();
}

// How many took at most so many milliseconds, and longer than the bound before.
Json HistogramOf(const std::vector<double>& sorted_seconds) {
  Json histogram = Json::object();
  size_t before = 0;
  for (const double bound_ms : kHistogramMs) {
    const auto through = static_cast<size_t>(
        std::upper_bound(sorted_seconds.begin(), sorted_seconds.end(), bound_ms / 1000) - sorted_seconds.begin());
    if (through != before) histogram[absl::StrCat("<=", bound_ms)] = through - before;
    before = through;
  }
  if (before != sorted_seconds.size()) histogram["above"] = sorted_seconds.size() - before;
  return histogram;
}

WorkloadShape ShapeOf(const StoreRunOptions& options) {
  WorkloadShape shape;
  shape.seed = options.seed;
  shape.blocks_per_window = options.blocks_per_window;
  // Few coins make small blocks, so that there are windows enough.
  const uint64_t groups = std::clamp<uint64_t>(options.coins / 64 / CoinSequence::kGroupCoins, 1,
                                               kCreationsPerBlockMax / CoinSequence::kGroupCoins);
  shape.creations_per_block = static_cast<uint32_t>(groups * CoinSequence::kGroupCoins);
  shape.spends_per_block = static_cast<uint32_t>(groups * 10);
  return shape;
}

// Windows of the phases.
struct Plan {
  uint64_t spend;
  uint64_t mixed;
  uint64_t checkpoints;

  static Plan Of(const StoreRunOptions& options, const WorkloadShape& shape) {
    const uint64_t creations = uint64_t{shape.creations_per_block} * shape.blocks_per_window;
    const uint64_t spends = uint64_t{shape.spends_per_block} * shape.blocks_per_window;
    const uint64_t mixed =
        options.windows != 0 ? options.windows : std::clamp<uint64_t>(2 * options.coins / creations, 8, 120);
    return {std::clamp<uint64_t>(options.coins / 5 / spends, 2, 250), mixed,
            std::max<uint64_t>(2 * mixed, std::min<uint64_t>(options.coins / 100'000, 1000))};
  }
  uint64_t windows() const { return 4 * mixed + checkpoints; }
  // Coins created before anything is made durable.
  uint64_t creations_in_memory(uint64_t coins, const WorkloadShape& shape) const {
    return coins + (3 * mixed + 1) * shape.blocks_per_window * shape.creations_per_block;
  }
};

// What a record and a coin's share of the index take at most, on average, and what is there anyway.
constexpr uint64_t kRecordBytes = 75;
constexpr uint64_t kIndexBytes = 25;
constexpr uint64_t kCacheBytesMin = uint64_t{256} << 20;

class StoreRun {
 public:
  explicit StoreRun(const StoreRunOptions& options)
      : options_(options), workload_(ShapeOf(options)), plan_(Plan::Of(options, workload_.shape())) {}
  ~StoreRun() {
    store_.reset();
    std::error_code ignored;
    if (!directory_.empty()) std::filesystem::remove_all(directory_, ignored);
  }

  absl::StatusOr<Json> Run() {
    HR_RETURN_IF_ERROR(MakeDirectory());
    HR_RETURN_IF_ERROR(Open());
    Json figures = {{"store", options_.store}, {"coins", options_.coins}};
    figures["settings"] = store_->Settings();
    figures["load_before"] = LoadAverage();
    HR_RETURN_IF_ERROR(RunInMemory(figures));
    if (store_->is_durable()) {
      HR_RETURN_IF_ERROR(RunOnDisk(figures));
    } else {
      HR_RETURN_IF_ERROR(Verify());
    }
    const CoinWorkload::AgeShares& ages = workload_.age_shares();
    figures["mainnet_share_within_10_blocks"] = static_cast<double>(ages.within_10) / static_cast<double>(ages.spends);
    figures["mainnet_share_within_100_blocks"] =
        static_cast<double>(ages.within_100) / static_cast<double>(ages.spends);
    figures["peak_memory_bytes"] = MemoryOfProcess().peak_bytes;
    figures["load_after"] = LoadAverage();
    return figures;
  }

 private:
  absl::Status MakeDirectory() {
    const std::filesystem::path parent =
        options_.directory.empty() ? std::filesystem::temp_directory_path() : std::filesystem::path(options_.directory);
    std::string name = (parent / "headrace-coins-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) {
      return absl::UnavailableError(
          absl::StrCat("cannot make a directory in ", parent.string(), ": give another one with --directory."));
    }
    directory_ = name;
    return absl::OkStatus();
  }

  absl::Status Open() {
    BenchedStoreOptions options;
    options.directory = directory_;
    options.workers = options_.workers;
    options.creations_in_memory = plan_.creations_in_memory(options_.coins, workload_.shape());
    options.cache_bytes = options_.cache_bytes != 0 ? options_.cache_bytes
                                                    : kCacheBytesMin + options.creations_in_memory * kRecordBytes +
                                                          options_.coins * kIndexBytes;
    // The unspent never grow by more than what the mixed windows leave.
    options.coins_max = options_.coins +
                        (plan_.windows() + 1) * workload_.shape().blocks_per_window *
                            (workload_.shape().creations_per_block - workload_.shape().spends_per_block) +
                        uint64_t{workload_.shape().blocks_per_window} * workload_.shape().creations_per_block;
    options.is_prefaulted = options_.is_prefaulted;
    options.checks_creations = options_.checks_creations;
    HR_ASSIGN_OR_RETURN(store_, OpenBenchedStore(options_.store, options));
    return absl::OkStatus();
  }

  absl::Status RunInMemory(Json& figures) {
    const uint64_t creations_per_window =
        uint64_t{workload_.shape().creations_per_block} * workload_.shape().blocks_per_window;
    const uint64_t filling = (options_.coins + creations_per_window - 1) / creations_per_window;
    const WindowKind create{.creates = true, .spends = false};
    const WindowKind spend{.creates = false, .spends = true, .ages = SpentAges::kUniform};
    HR_RETURN_IF_ERROR(Measure("create", create, filling, false, figures));
    ChooseKnownCoins();
    HR_RETURN_IF_ERROR(MeasureFind(figures));
    HR_RETURN_IF_ERROR(Measure("spend", spend, plan_.spend, false, figures));
    HR_RETURN_IF_ERROR(Measure("uniform", kUniform, plan_.mixed, false, figures));
    HR_RETURN_IF_ERROR(Measure("mainnet", kMainnet, plan_.mixed, false, figures));
    CoinReader reader(*store_, known_, is_applying_);
    HR_RETURN_IF_ERROR(Measure("readers", kMainnet, plan_.mixed, false, figures));
    HR_ASSIGN_OR_RETURN(figures["reads_beside_windows"], reader.Finish());
    return absl::OkStatus();
  }

  absl::Status RunOnDisk(Json& figures) {
    HR_RETURN_IF_ERROR(MeasureDurable("first_durable", figures));
    NoteDisk("disk_without_garbage", figures);
    HR_RETURN_IF_ERROR(Measure("checkpoints", kMainnet, plan_.checkpoints, true, figures));
    // Coins of any age die, so what is on the disk goes to waste faster, and is compacted.
    HR_RETURN_IF_ERROR(Measure("compactions", kUniform, plan_.mixed, true, figures));
    figures["rounds_in_checkpoints"] = store_->rounds_ended();
    HR_RETURN_IF_ERROR(MeasureDurable("second_durable", figures));
    NoteDisk("disk_with_garbage", figures);
    const uint64_t written = BytesWrittenByProcess();
    figures["written_bytes"] = written;
    figures["written_bytes_per_creation"] = static_cast<double>(written) / static_cast<double>(workload_.created());
    figures["facts"] = store_->Facts();
    const auto begin = SteadyClock::now();
    HR_RETURN_IF_ERROR(store_->Compact());
    figures["compact_seconds"] = SecondsSince(begin);
    NoteDisk("disk_after_compaction", figures);
    HR_RETURN_IF_ERROR(Verify());
    HR_RETURN_IF_ERROR(MeasureRestart("restart_warm", false, figures));
    return MeasureRestart("restart_cold", true, figures);
  }

  absl::Status Measure(const char* name, const WindowKind& kind, uint64_t windows, bool makes_durable, Json& figures) {
    std::vector<double> seconds;
    std::vector<double> step_seconds;
    uint64_t creations = 0;
    uint64_t spends = 0;
    double own_cpu = 0;
    const double cpu_before = ProcessCpuSeconds();
    for (uint64_t number = 0; number < windows; ++number) {
      const double making_from = ThreadCpuSeconds();
      workload_.MakeWindow(kind);
      own_cpu += ThreadCpuSeconds() - making_from;
      is_applying_ = true;
      is_applying_.notify_all();
      const auto begin = SteadyClock::now();
      HR_RETURN_IF_ERROR(store_->Apply(workload_.window()));
      const auto applied = SteadyClock::now();
      if (makes_durable) HR_RETURN_IF_ERROR(store_->StepDurability(number % options_.windows_per_checkpoint == 0));
      seconds.push_back(SecondsSince(begin));
      if (makes_durable) step_seconds.push_back(SecondsSince(applied));
      is_applying_ = false;
      const double checking_from = ThreadCpuSeconds();
      HR_RETURN_IF_ERROR(workload_.CheckSpent());
      own_cpu += ThreadCpuSeconds() - checking_from;
      creations += workload_.creations();
      spends += workload_.spends();
    }
    const double cpu = ProcessCpuSeconds() - cpu_before - own_cpu;
    figures["phases"][name] = PhaseFigures(std::move(seconds), creations, spends, cpu);
    // Of the windows' times, what the store itself held them up for: steps of a checkpoint, compaction among them.
    if (!step_seconds.empty()) {
      std::ranges::sort(step_seconds);
      figures["phases"][name]["step_ms_max"] = step_seconds.back() * 1000;
      figures["phases"][name]["steps_by_ms"] = HistogramOf(step_seconds);
    }
    return CheckCount();
  }

  Json PhaseFigures(std::vector<double> seconds, uint64_t creations, uint64_t spends, double cpu) const {
    double total = 0;
    for (const double window : seconds) total += window;
    std::sort(seconds.begin(), seconds.end());
    const auto at = [&](double share) {
      return seconds[std::min(seconds.size() - 1, static_cast<size_t>(share * static_cast<double>(seconds.size())))] *
             1000;
    };
    const auto operations = static_cast<double>(creations + spends);
    const MemoryFigures memory = MemoryOfProcess();
    return {{"windows", seconds.size()},
            {"creations", creations},
            {"spends", spends},
            {"seconds", total},
            {"cpu_seconds", cpu},
            {"operations_per_second", operations / total},
            {"operations_per_cpu_second", operations / std::max(cpu, 1e-9)},
            {"window_ms_p50", at(0.5)},
            {"window_ms_p99", at(0.99)},
            {"window_ms_max", seconds.back() * 1000},
            {"windows_delayed_50_ms",
             std::count_if(seconds.begin(), seconds.end(), [&](double s) { return s * 1000 > at(0.5) + kDelayMaxMs; })},
            {"windows_by_ms", HistogramOf(seconds)},
            {"unspent", workload_.unspent()},
            {"anonymous_bytes", memory.anonymous_bytes},
            {"anonymous_bytes_per_coin",
             static_cast<double>(memory.anonymous_bytes) / static_cast<double>(workload_.unspent())},
            {"file_bytes", memory.file_bytes},
            {"store", store_->Facts()}};
  }

  absl::Status CheckCount() const {
    const std::optional<uint64_t> count = store_->CoinCount();
    if (!count || *count == workload_.unspent()) return absl::OkStatus();
    return absl::InternalError(
        absl::StrCat("the store holds ", *count, " coins where there should be ", workload_.unspent()));
  }

  void ChooseKnownCoins() {
    uint8_t script[CoinSequence::kScriptBytesMax];
    for (const uint64_t coin : workload_.Reserve(std::clamp<uint64_t>(workload_.unspent() / 10, 1, kKnownCoinsMax))) {
      const Coin expected = workload_.Expected(coin, script);
      known_.push_back({workload_.OutPointOf(coin), expected.height, expected.amount,
                        static_cast<uint32_t>(expected.script.size())});
    }
  }

  absl::Status MeasureFind(Json& figures) {
    const uint64_t finds = std::max<uint64_t>(known_.size(), kFindsMin);
    std::vector<uint8_t> script;
    const auto begin = SteadyClock::now();
    for (uint64_t number = 0; number < finds; ++number) {
      HR_RETURN_IF_ERROR(FindKnown(*store_, known_[number % known_.size()], script));
    }
    figures["find_ns"] = SecondsSince(begin) / static_cast<double>(finds) * 1e9;
    return absl::OkStatus();
  }

  absl::Status MeasureDurable(const char* name, Json& figures) {
    const auto begin = SteadyClock::now();
    HR_RETURN_IF_ERROR(store_->MakeDurable());
    figures[absl::StrCat(name, "_seconds")] = SecondsSince(begin);
    return absl::OkStatus();
  }

  void NoteDisk(const char* name, Json& figures) const {
    const uint64_t bytes = DiskBytesOf(directory_);
    figures[name] = {{"bytes", bytes},
                     {"bytes_per_coin", static_cast<double>(bytes) / static_cast<double>(workload_.unspent())}};
  }

  // Opened until a coin was found; whether it is the right store is checked after that.
  absl::Status MeasureRestart(const char* name, bool is_cold, Json& figures) {
    store_.reset();
    if (is_cold) figures[name]["share_left_in_page_cache"] = DropFromPageCache(directory_);
    const auto begin = SteadyClock::now();
    HR_RETURN_IF_ERROR(Open());
    figures[name]["open_seconds"] = SecondsSince(begin);
    std::vector<uint8_t> script;
    HR_RETURN_IF_ERROR(FindKnown(*store_, known_.front(), script));
    figures[name]["answer_seconds"] = SecondsSince(begin);
    HR_RETURN_IF_ERROR(CheckCount());
    return Verify();
  }

  // Asks for coins all over the sequence, and compares.
  absl::Status Verify() const {
    const uint64_t step = std::max<uint64_t>(1, workload_.created() / kVerifiedMax);
    uint8_t expected_script[CoinSequence::kScriptBytesMax];
    std::vector<uint8_t> script;
    for (uint64_t number = 0; number < workload_.created(); number += step) {
      // Another one of each step, so that no pattern of the sequence is missed.
      const uint64_t number_in_step = Scramble(number) % step;
      const uint64_t coin = std::min(number + number_in_step, workload_.created() - 1);
      Coin found;
      HR_ASSIGN_OR_RETURN(const bool is_there, store_->Find(workload_.OutPointOf(coin), found, script));
      bool is_right = is_there == workload_.IsUnspent(coin);
      if (is_there && is_right) {
        const Coin expected = workload_.Expected(coin, expected_script);
        is_right = found.amount == expected.amount && found.height == expected.height &&
                   found.is_coinbase == expected.is_coinbase && std::ranges::equal(found.script, expected.script);
      }
      if (!is_right) return absl::InternalError(absl::StrCat("the store answers wrongly about coin ", coin));
    }
    return absl::OkStatus();
  }

  static constexpr WindowKind kUniform{.creates = true, .spends = true, .ages = SpentAges::kUniform};
  static constexpr WindowKind kMainnet{.creates = true, .spends = true, .ages = SpentAges::kMainnet};

  const StoreRunOptions options_;
  CoinWorkload workload_;
  const Plan plan_;
  std::string directory_;
  std::unique_ptr<BenchedStore> store_;
  std::vector<KnownCoin> known_;
  std::atomic<bool> is_applying_{false};
};

}  // namespace

absl::StatusOr<Json> RunStore(const StoreRunOptions& options) { return StoreRun(options).Run(); }

}  // namespace headrace::bench
