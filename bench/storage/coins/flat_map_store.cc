// absl::flat_hash_map of outpoint to coin, in memory alone: what the plainest container costs on one core. Scripts of
// up to 34 bytes (all common kinds) stand in the map itself, so that a coin is one cache miss or two and no allocation.
//
// Windows are applied in the order of their operations, under a lock for each block, as readers need one.

#include <sys/mman.h>

#include <algorithm>
#include <cstring>
#include <limits>
#include <mutex>
#include <new>
#include <shared_mutex>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/str_cat.h"
#include "bench/storage/coins/benched_store.h"
#include "engine/base/check.h"
#include "storage/coins/window_ops.h"

namespace headrace::bench {
namespace {

// A coin with its own script.
class StoredCoin {
 public:
  explicit StoredCoin(const Coin& coin)
      : amount_(coin.amount), height_code_(coin.height * 2 + (coin.is_coinbase ? 1 : 0)) {
    HR_CHECK(coin.script.size() <= kMaxScriptBytes);
    size_ = static_cast<uint16_t>(coin.script.size());
    uint8_t* const at = is_inside() ? bytes_ : static_cast<uint8_t*>(::operator new(size_));
    std::copy(coin.script.begin(), coin.script.end(), at);
    if (!is_inside()) std::memcpy(bytes_, &at, sizeof(at));
  }
  StoredCoin(StoredCoin&& other) noexcept { Take(other); }
  StoredCoin& operator=(StoredCoin&&) = delete;
  ~StoredCoin() {
    if (!is_inside()) ::operator delete(outside());
  }

  // The script is a view into this.
  Coin View() const {
    return {amount_, height_code_ / 2, height_code_ % 2 == 1, {is_inside() ? bytes_ : outside(), size_}};
  }

 private:
  static constexpr size_t kInsideMax = 34;

  bool is_inside() const { return size_ <= kInsideMax; }
  uint8_t* outside() const {
    uint8_t* at;
    std::memcpy(&at, bytes_, sizeof(at));
    return at;
  }
  void Take(StoredCoin& other) {
    amount_ = other.amount_;
    height_code_ = other.height_code_;
    size_ = other.size_;
    std::memcpy(bytes_, other.bytes_, sizeof(bytes_));
    other.size_ = 0;
  }

  Amount amount_;
  uint32_t height_code_;
  uint16_t size_;
  uint8_t bytes_[kInsideMax];
};
static_assert(sizeof(StoredCoin) == 48);

// Huge pages, as the other store's index has them; touched at once where pages shall be there before they are needed.
bool touches_pages = false;
constexpr size_t kLargeBytes = 2 << 20;

template <typename T>
struct PageAllocator {
  using value_type = T;
  PageAllocator() = default;
  template <typename U>
  explicit PageAllocator(const PageAllocator<U>&) {}

  T* allocate(size_t count) {
    const size_t bytes = count * sizeof(T);
    if (bytes < kLargeBytes) return static_cast<T*>(::operator new(bytes));
    void* const at = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (at == MAP_FAILED) throw std::bad_alloc();
    ::madvise(at, bytes, MADV_HUGEPAGE);
    if (touches_pages) std::memset(at, 0, bytes);
    return static_cast<T*>(at);
  }
  void deallocate(T* at, size_t count) {
    const size_t bytes = count * sizeof(T);
    if (bytes < kLargeBytes) {
      ::operator delete(at);
    } else {
      ::munmap(at, bytes);
    }
  }
  bool operator==(const PageAllocator&) const { return true; }
};

using CoinMap = absl::flat_hash_map<OutPoint, StoredCoin, absl::Hash<OutPoint>, std::equal_to<OutPoint>,
                                    PageAllocator<std::pair<const OutPoint, StoredCoin>>>;

class FlatMapStore : public BenchedStore {
 public:
  explicit FlatMapStore(const BenchedStoreOptions& options) : options_(options) {
    touches_pages = options.is_prefaulted;
    if (options.is_prefaulted) map_.reserve(options.coins_max);
  }

  nlohmann::ordered_json Settings() const override {
    return {{"slot_bytes", sizeof(CoinMap::value_type)},
            {"workers_beside_caller", 0},
            {"huge_pages", true},
            {"reserved_and_prefaulted", options_.is_prefaulted},
            {"checks_creations", true}};
  }

  absl::Status Apply(std::span<WindowBlock> window) override {
    for (WindowBlock& block : window) {
      const std::unique_lock lock(mutex_);
      absl::Status status;
      ForEachCoinOp(*block.columns, [&](CoinOp::Kind kind, const uint8_t* txid, uint32_t index, uint32_t item) {
        const OutPoint outpoint{Hash256::Load(txid), index};
        const bool is_good =
            kind == CoinOp::kSpend ? Spend(outpoint, block, item) : Create(outpoint, block, item, kind);
        if (!is_good)
          status = absl::InternalError(absl::StrCat("the map refuses item ", item, " at height ", block.height));
      });
      if (!status.ok()) return status;
    }
    return absl::OkStatus();
  }

  absl::StatusOr<bool> Find(const OutPoint& outpoint, Coin& coin, std::vector<uint8_t>& script) override {
    const std::shared_lock lock(mutex_);
    const auto found = map_.find(outpoint);
    if (found == map_.end()) return false;
    coin = found->second.View();
    script.assign(coin.script.begin(), coin.script.end());
    coin.script = script;
    return true;
  }

  absl::Status StepDurability(bool) override { return absl::OkStatus(); }
  uint64_t rounds_ended() const override { return 0; }
  absl::Status MakeDurable() override { return absl::OkStatus(); }
  bool is_durable() const override { return false; }
  std::optional<uint64_t> CoinCount() const override { return map_.size(); }
  nlohmann::ordered_json Facts() const override {
    return {{"capacity", map_.capacity()}, {"table_bytes", map_.capacity() * (sizeof(CoinMap::value_type) + 1)}};
  }

 private:
  bool Spend(const OutPoint& outpoint, WindowBlock& block, uint32_t input) {
    const auto found = map_.find(outpoint);
    if (found == map_.end()) return false;
    Coin& coin = block.spent[input];
    coin = found->second.View();
    coin.script = block.arena->Copy(coin.script);
    map_.erase(found);
    return true;
  }

  bool Create(const OutPoint& outpoint, const WindowBlock& block, uint32_t output, CoinOp::Kind kind) {
    const Coin coin{block.columns->amount[output], block.height, kind == CoinOp::kCreateInCoinbase,
                    block.columns->script_pubkey[output].In(block.columns->raw)};
    return map_.try_emplace(outpoint, coin).second;
  }

  const BenchedStoreOptions options_;
  std::shared_mutex mutex_;
  CoinMap map_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<BenchedStore>> OpenFlatMapStore(const BenchedStoreOptions& options) {
  return std::make_unique<FlatMapStore>(options);
}

}  // namespace headrace::bench
