// LMDB as well as we know how to set it up for this: a writable map without syncs, one transaction a window, its
// lookups, deletions and insertions in one walk in key order. There is one writer by design, so one core works.
//
// `mdb_env_sync` makes durable what was committed; what a loss of power in between leaves behind may be no database at
// all, which is a weaker promise than the other stores give, and the price of its speed here.

#include <lmdb.h>

#include <algorithm>
#include <cstring>

#include "absl/strings/str_cat.h"
#include "bench/storage/coins/benched_store.h"
#include "bench/storage/coins/net_window.h"
#include "engine/base/status_macros.h"

namespace headrace::bench {
namespace {

// Half-full pages of 36-byte keys and 30-byte values, and room for pages that wait for readers.
constexpr uint64_t kMapBytesPerCoin = 400;
constexpr uint64_t kMapBytesMin = uint64_t{1} << 30;
constexpr unsigned kFlags = MDB_WRITEMAP | MDB_NOSYNC | MDB_NOMETASYNC | MDB_NOMEMINIT | MDB_NOTLS;

absl::Status StatusOf(int code) {
  if (code == MDB_SUCCESS) return absl::OkStatus();
  return absl::InternalError(absl::StrCat("LMDB says: ", mdb_strerror(code)));
}

MDB_val ValueOf(const uint8_t* bytes, size_t size) { return {size, const_cast<uint8_t*>(bytes)}; }
MDB_val ValueOf(const WindowKey& key) { return ValueOf(key.bytes, OutPoint::kSerializedBytes); }
ByteSpan BytesOf(const MDB_val& value) { return {static_cast<const uint8_t*>(value.mv_data), value.mv_size}; }

class LmdbStore : public BenchedStore {
 public:
  static absl::StatusOr<std::unique_ptr<BenchedStore>> Open(const BenchedStoreOptions& options) {
    auto store = std::make_unique<LmdbStore>(options);
    HR_RETURN_IF_ERROR(StatusOf(mdb_env_create(&store->environment_)));
    HR_RETURN_IF_ERROR(StatusOf(mdb_env_set_mapsize(store->environment_, store->map_bytes())));
    HR_RETURN_IF_ERROR(StatusOf(mdb_env_open(store->environment_, options.directory.c_str(), kFlags, 0644)));
    MDB_txn* transaction = nullptr;
    HR_RETURN_IF_ERROR(StatusOf(mdb_txn_begin(store->environment_, nullptr, 0, &transaction)));
    HR_RETURN_IF_ERROR(StatusOf(mdb_dbi_open(transaction, nullptr, MDB_CREATE, &store->coins_)));
    HR_RETURN_IF_ERROR(StatusOf(mdb_txn_commit(transaction)));
    return store;
  }

  explicit LmdbStore(const BenchedStoreOptions& options)
      : options_(options), executor_(MakeBenchExecutor(options.workers)) {}
  ~LmdbStore() override {
    if (environment_ != nullptr) mdb_env_close(environment_);
  }

  nlohmann::ordered_json Settings() const override {
    return {{"version", absl::StrCat(MDB_VERSION_MAJOR, ".", MDB_VERSION_MINOR, ".", MDB_VERSION_PATCH)},
            {"workers_beside_caller", absl::StrCat(options_.workers, ", for sorting")},
            {"flags", "WRITEMAP NOSYNC NOMETASYNC NOMEMINIT NOTLS"},
            {"map_bytes", map_bytes()},
            {"cache_bytes", "the system's page cache"},
            {"transactions", "one a window, in key order"},
            {"checks_creations", true}};
  }

  absl::Status Apply(std::span<WindowBlock> window) override {
    if (!net_.Resolve(window, *executor_)) return absl::InternalError("a coin is created twice");
    MDB_txn* transaction = nullptr;
    HR_RETURN_IF_ERROR(StatusOf(mdb_txn_begin(environment_, nullptr, 0, &transaction)));
    MDB_cursor* cursor = nullptr;
    absl::Status status = StatusOf(mdb_cursor_open(transaction, coins_, &cursor));
    if (status.ok()) status = Walk(cursor, window);
    if (cursor != nullptr) mdb_cursor_close(cursor);
    if (status.ok()) return StatusOf(mdb_txn_commit(transaction));
    mdb_txn_abort(transaction);
    return status;
  }

  absl::StatusOr<bool> Find(const OutPoint& outpoint, Coin& coin, std::vector<uint8_t>& script) override {
    uint8_t bytes[OutPoint::kSerializedBytes];
    outpoint.Store(bytes);
    MDB_val key = ValueOf(bytes, sizeof(bytes));
    MDB_val value{};
    MDB_txn* transaction = nullptr;
    HR_RETURN_IF_ERROR(StatusOf(mdb_txn_begin(environment_, nullptr, MDB_RDONLY, &transaction)));
    const int code = mdb_get(transaction, coins_, &key, &value);
    const bool is_good = code == MDB_SUCCESS && DecodeCoinValue(BytesOf(value), script, coin);
    mdb_txn_abort(transaction);
    if (code == MDB_NOTFOUND) return false;
    HR_RETURN_IF_ERROR(StatusOf(code));
    return is_good ? absl::StatusOr<bool>(true) : absl::DataLossError("LMDB has a value that is no coin");
  }

  absl::Status StepDurability(bool must_begin) override {
    if (!must_begin) return absl::OkStatus();
    ++rounds_;
    return StatusOf(mdb_env_sync(environment_, 1));
  }
  uint64_t rounds_ended() const override { return rounds_; }
  absl::Status MakeDurable() override { return StatusOf(mdb_env_sync(environment_, 1)); }

  std::optional<uint64_t> CoinCount() const override {
    MDB_stat facts{};
    mdb_env_stat(environment_, &facts);
    return facts.ms_entries;
  }
  nlohmann::ordered_json Facts() const override {
    MDB_stat facts{};
    MDB_envinfo info{};
    mdb_env_stat(environment_, &facts);
    mdb_env_info(environment_, &info);
    const uint64_t pages = facts.ms_branch_pages + facts.ms_leaf_pages + facts.ms_overflow_pages;
    return {{"depth", facts.ms_depth},
            {"used_bytes", pages * facts.ms_psize},
            {"file_bytes", (info.me_last_pgno + 1) * facts.ms_psize}};
  }

 private:
  uint64_t map_bytes() const { return std::max(kMapBytesMin, options_.coins_max * kMapBytesPerCoin); }

  absl::Status Spend(MDB_cursor* cursor, const NetSpend& spend, std::span<WindowBlock> window) {
    MDB_val key = ValueOf(spend.key);
    MDB_val value{};
    const int code = mdb_cursor_get(cursor, &key, &value, MDB_SET_KEY);
    if (code == MDB_NOTFOUND) return absl::InternalError(absl::StrCat("LMDB misses the coin of input ", spend.input));
    HR_RETURN_IF_ERROR(StatusOf(code));
    WindowBlock& block = window[spend.block];
    if (!DecodeCoinValue(BytesOf(value), *block.arena, block.spent[spend.input])) {
      return absl::DataLossError("LMDB has a value that is no coin");
    }
    return StatusOf(mdb_cursor_del(cursor, 0));
  }

  absl::Status Walk(MDB_cursor* cursor, std::span<WindowBlock> window) {
    const std::span<const NetSpend> spends = net_.spends();
    size_t spend = 0;
    for (const NetCreation& creation : net_.creations()) {
      for (; spend < spends.size() && spends[spend].key < creation.key; ++spend) {
        HR_RETURN_IF_ERROR(Spend(cursor, spends[spend], window));
      }
      uint8_t bytes[kCoinValueBytesMax];
      const size_t size = EncodeCoinValue(CoinOf(creation, window), bytes);
      MDB_val key = ValueOf(creation.key);
      MDB_val value = ValueOf(bytes, size);
      HR_RETURN_IF_ERROR(StatusOf(mdb_cursor_put(cursor, &key, &value, MDB_NOOVERWRITE)));
    }
    for (; spend < spends.size(); ++spend) HR_RETURN_IF_ERROR(Spend(cursor, spends[spend], window));
    return absl::OkStatus();
  }

  const BenchedStoreOptions options_;
  const std::unique_ptr<Executor> executor_;
  MDB_env* environment_ = nullptr;
  MDB_dbi coins_ = 0;
  NetWindow net_;
  uint64_t rounds_ = 0;
};

}  // namespace

absl::StatusOr<std::unique_ptr<BenchedStore>> OpenLmdbStore(const BenchedStoreOptions& options) {
  return LmdbStore::Open(options);
}

}  // namespace headrace::bench
