// headrace's own store, driven as a node drives it.

#include <algorithm>

#include "bench/storage/coins/benched_store.h"
#include "bench/storage/coins/prefaulted_memory.h"
#include "engine/base/status_macros.h"
#include "engine/runtime/production_entropy.h"
#include "storage/coins/flat_coin_store.h"
#include "storage/file/open_file_system.h"

namespace headrace::bench {
namespace {

// What may be needed beforehand: a record takes 64 to 112 bytes, 68 on average; the index takes up to 21.5 bytes a
// coin, and as much again on the way there.
constexpr uint64_t kPrefaultedSegmentBytesPerCreation = 72;
constexpr uint64_t kPrefaultedTableBytesPerCoin = 45;
constexpr uint64_t kPrefaultedBytesMin = uint64_t{256} << 20;

class HeadraceStore : public BenchedStore {
 public:
  static absl::StatusOr<std::unique_ptr<BenchedStore>> Open(const BenchedStoreOptions& options) {
    auto store = std::make_unique<HeadraceStore>(options);
    HR_ASSIGN_OR_RETURN(store->files_, OpenFileSystem());
    CoinStoreOptions coins;
    coins.files = store->files_.get();
    coins.executor = store->executor_.get();
    coins.entropy = &store->entropy_;
    coins.directory = options.directory;
    coins.cache_bytes_max = options.cache_bytes;
    coins.make_durable = [] { return absl::OkStatus(); };
    HR_ASSIGN_OR_RETURN(store->coins_, OpenCoinStore(coins));
    return store;
  }

  explicit HeadraceStore(const BenchedStoreOptions& options)
      : options_(options), executor_(MakeBenchExecutor(options.workers)) {}

  nlohmann::ordered_json Settings() const override {
    return {{"files", std::string(files_->name())},
            {"workers_beside_caller", options_.workers},
            {"cache_bytes", options_.cache_bytes},
            {"prefaulted", options_.is_prefaulted},
            {"checks_creations", true}};
  }

  absl::Status Apply(std::span<WindowBlock> window) override {
    HR_ASSIGN_OR_RETURN(const WindowOutcome outcome, coins_->Apply(window));
    if (outcome != WindowOutcome::kApplied) return absl::InternalError("the store found a violation in a good window");
    coins_->SetApplied(coins_->resolved());
    return absl::OkStatus();
  }

  absl::StatusOr<bool> Find(const OutPoint& outpoint, Coin& coin, std::vector<uint8_t>& script) override {
    return coins_->Find(outpoint, coin, script);
  }

  absl::Status StepDurability(bool must_begin) override {
    if (must_begin) HR_RETURN_IF_ERROR(coins_->BeginCheckpoint());
    return coins_->checkpoint_under_way() ? coins_->StepCheckpoint() : absl::OkStatus();
  }
  uint64_t rounds_ended() const override { return coins_->counters().checkpoints; }
  absl::Status MakeDurable() override { return coins_->FinishCheckpoint(); }

  std::optional<uint64_t> CoinCount() const override { return coins_->counters().coins; }
  nlohmann::ordered_json Facts() const override {
    const CoinStoreCounters counters = coins_->counters();
    nlohmann::ordered_json facts = {{"index_bytes", coins_->state().index_bytes()},
                                    {"young_bytes", coins_->state().young_bytes()},
                                    {"disk_bytes", counters.disk_bytes},
                                    {"bytes_written", counters.bytes_written()},
                                    {"checkpoints", counters.checkpoints}};
    NoteSegments(facts);
    if (options_.is_prefaulted) {
      const PrefaultedUse use = UseOfPrefaultedMemory();
      facts["prefaulted_bytes_served"] = use.served_bytes;
      facts["prefaulted_bytes_refused"] = use.refused_bytes;
    }
    return facts;
  }

 private:
  // Sealed segments, and how much of them is alive.
  void NoteSegments(nlohmann::ordered_json& facts) const {
    uint64_t segments = 0;
    uint64_t record_bytes = 0;
    double live_bytes = 0;
    uint64_t serial_max = 0;
    for (const Segment* segment : coins_->state().space.OldSegments()) {
      if (!HasWholeFile(segment->kind) || segment->record_count == 0) continue;
      ++segments;
      record_bytes += segment->records_end;
      live_bytes += static_cast<double>(segment->records_end) * static_cast<double>(segment->live_count.load()) /
                    static_cast<double>(segment->record_count);
      serial_max = std::max<uint64_t>(serial_max, segment->serial);
    }
    facts["sealed_segments"] = segments;
    facts["sealed_record_bytes"] = record_bytes;
    facts["sealed_live_bytes"] = static_cast<uint64_t>(live_bytes);
    // Serials are never reused: with images, so many files were made.
    facts["sealed_serial_max"] = serial_max;
  }

  const BenchedStoreOptions options_;
  const std::unique_ptr<Executor> executor_;
  ProductionEntropy entropy_;
  std::unique_ptr<FileSystem> files_;
  std::unique_ptr<FlatCoinStore> coins_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<BenchedStore>> OpenHeadraceStore(const BenchedStoreOptions& options) {
  static bool is_prepared = false;
  if (options.is_prefaulted && !is_prepared) {
    PreparePrefaultedMemory(kPrefaultedBytesMin + options.coins_max * kPrefaultedTableBytesPerCoin,
                            kPrefaultedBytesMin + options.creations_in_memory * kPrefaultedSegmentBytesPerCreation);
    is_prepared = true;
  }
  return HeadraceStore::Open(options);
}

}  // namespace headrace::bench
