// RocksDB as well as we know how to set it up for this: no log, windows written as batches sorted by key from as many
// threads as work, lookups by MultiGet in key order, SingleDelete (a coin is put once), Bloom filters over memtables
// and files, blocks kept in a cache of the whole budget and filled when they are flushed, direct reads and writes, no
// compression.
//
// A window's lookups and writes are split among the workers by ranges of keys. The two writes of a window are not one
// batch: without a log nothing is atomic but a flush, and whoever recovers replays blocks.
//
// By default nobody looks whether a created coin exists, which the other stores find out for nothing or cannot help
// finding out.

#include <rocksdb/cache.h>
#include <rocksdb/db.h>
#include <rocksdb/filter_policy.h>
#include <rocksdb/table.h>
#include <rocksdb/version.h>
#include <rocksdb/write_batch.h>

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "bench/storage/coins/benched_store.h"
#include "bench/storage/coins/net_window.h"
#include "engine/base/status_macros.h"

namespace headrace::bench {
namespace {

constexpr size_t kKeyBytes = OutPoint::kSerializedBytes;
// Keys of one MultiGet: it sorts and prefetches within 32 of them at a time.
constexpr size_t kKeysAtOnce = 256;
constexpr int kBloomBitsPerKey = 10;
constexpr double kMemtableBloomShare = 0.1;
constexpr uint64_t kMega = 1 << 20;

absl::Status StatusOf(const rocksdb::Status& status) {
  if (status.ok()) return absl::OkStatus();
  return absl::InternalError(absl::StrCat("RocksDB says: ", status.ToString()));
}

rocksdb::Slice SliceOf(const WindowKey& key) { return {reinterpret_cast<const char*>(key.bytes), kKeyBytes}; }

ByteSpan BytesOf(const rocksdb::Slice& slice) { return {reinterpret_cast<const uint8_t*>(slice.data()), slice.size()}; }

class RocksDbStore : public BenchedStore {
 public:
  static absl::StatusOr<std::unique_ptr<BenchedStore>> Open(const BenchedStoreOptions& options) {
    auto store = std::make_unique<RocksDbStore>(options);
    rocksdb::DB* database = nullptr;
    HR_RETURN_IF_ERROR(StatusOf(rocksdb::DB::Open(store->DatabaseOptions(), options.directory, &database)));
    store->database_.reset(database);
    return store;
  }

  explicit RocksDbStore(const BenchedStoreOptions& options)
      : options_(options), executor_(MakeBenchExecutor(options.workers)), parts_(options.workers + 1) {
    // A quarter of the budget for memtables, the rest for blocks.
    write_buffer_bytes_ = std::clamp<uint64_t>(options.cache_bytes / 16, 16 * kMega, 256 * kMega);
    block_cache_bytes_ = options.cache_bytes - kWriteBuffers * write_buffer_bytes_;
    write_.disableWAL = true;
    // Keys of a batch are sorted: each insertion begins where the one before ended.
    write_.memtable_insert_hint_per_batch = true;
  }

  nlohmann::ordered_json Settings() const override {
    return {{"version", absl::StrCat(ROCKSDB_MAJOR, ".", ROCKSDB_MINOR, ".", ROCKSDB_PATCH)},
            {"workers_beside_caller", options_.workers},
            {"cache_bytes", options_.cache_bytes},
            {"block_cache_bytes", block_cache_bytes_},
            {"write_buffers", kWriteBuffers},
            {"write_buffer_bytes", write_buffer_bytes_},
            {"bloom_bits_per_key", kBloomBitsPerKey},
            {"memtable_bloom_share", kMemtableBloomShare},
            {"block_bytes", 4096},
            {"block_index", "hash within blocks; index and filters in memory"},
            {"compression", "none"},
            {"log", "none"},
            {"direct_io", "reads, flushes and compactions"},
            {"flushed_blocks_fill_the_cache", true},
            {"reads", "MultiGet of sorted keys, split among the workers"},
            {"writes", "sorted batches with hints, one a worker; SingleDelete"},
            {"background_jobs", 2},
            {"checks_creations", options_.checks_creations}};
  }

  absl::Status Apply(std::span<WindowBlock> window) override {
    if (!net_.Resolve(window, *executor_)) return absl::InternalError("a coin is created twice");
    // Tasks copy scripts into the arenas of any block, and an arena belongs to one task; so each has one of its own,
    // until the next window.
    executor_->ParallelFor(parts_.size(), 1, [&](size_t begin, size_t end) {
      for (size_t number = begin; number < end; ++number) {
        Part& part = parts_[number];
        part.scripts.Reset();
        part.status = Read(Share(net_.spends(), number), window, part);
        if (part.status.ok() && options_.checks_creations)
          part.status = CheckAbsent(Share(net_.creations(), number), part);
      }
    });
    HR_RETURN_IF_ERROR(StatusOfParts());
    executor_->ParallelFor(parts_.size(), 1, [&](size_t begin, size_t end) {
      for (size_t number = begin; number < end; ++number) parts_[number].status = Write(number, window);
    });
    return StatusOfParts();
  }

  absl::StatusOr<bool> Find(const OutPoint& outpoint, Coin& coin, std::vector<uint8_t>& script) override {
    uint8_t key[kKeyBytes];
    outpoint.Store(key);
    rocksdb::PinnableSlice value;
    const rocksdb::Status status = database_->Get(read_, database_->DefaultColumnFamily(),
                                                  {reinterpret_cast<const char*>(key), kKeyBytes}, &value);
    if (status.IsNotFound()) return false;
    HR_RETURN_IF_ERROR(StatusOf(status));
    if (!DecodeCoinValue(BytesOf(value), script, coin))
      return absl::DataLossError("RocksDB has a value that is no coin");
    return true;
  }

  absl::Status StepDurability(bool must_begin) override {
    if (!must_begin) return absl::OkStatus();
    ++rounds_;
    rocksdb::FlushOptions flush;
    flush.wait = false;
    flush.allow_write_stall = true;
    return StatusOf(database_->Flush(flush));
  }
  uint64_t rounds_ended() const override { return rounds_; }
  absl::Status MakeDurable() override { return StatusOf(database_->Flush(rocksdb::FlushOptions())); }
  absl::Status Compact() override {
    rocksdb::CompactRangeOptions compact;
    compact.bottommost_level_compaction = rocksdb::BottommostLevelCompaction::kForceOptimized;
    return StatusOf(database_->CompactRange(compact, nullptr, nullptr));
  }

  std::optional<uint64_t> CoinCount() const override { return std::nullopt; }
  nlohmann::ordered_json Facts() const override {
    nlohmann::ordered_json facts;
    for (const char* name : {"rocksdb.cur-size-all-mem-tables", "rocksdb.estimate-table-readers-mem",
                             "rocksdb.block-cache-usage", "rocksdb.total-sst-files-size"}) {
      uint64_t value = 0;
      if (database_->GetIntProperty(name, &value)) facts[name] = value;
    }
    return facts;
  }

 private:
  static constexpr int kWriteBuffers = 4;

  // What one task works with.
  struct Part {
    absl::Status status;
    Arena scripts{1 << 20};
    rocksdb::WriteBatch batch;
    std::vector<rocksdb::Slice> keys;
    std::vector<rocksdb::PinnableSlice> values;
    std::vector<rocksdb::Status> statuses;
  };

  template <typename T>
  std::span<const T> Share(std::span<const T> list, size_t number) const {
    const size_t begin = list.size() * number / parts_.size();
    return list.subspan(begin, list.size() * (number + 1) / parts_.size() - begin);
  }

  rocksdb::Options DatabaseOptions() const {
    rocksdb::Options options;
    options.create_if_missing = true;
    options.compression = rocksdb::kNoCompression;
    options.max_background_jobs = 2;
    options.max_subcompactions = 2;
    options.write_buffer_size = write_buffer_bytes_;
    options.max_write_buffer_number = kWriteBuffers;
    options.memtable_whole_key_filtering = true;
    options.memtable_prefix_bloom_size_ratio = kMemtableBloomShare;
    options.level_compaction_dynamic_level_bytes = true;
    options.target_file_size_base = 64 * kMega;
    options.max_bytes_for_level_base = std::max<uint64_t>(4 * write_buffer_bytes_, 256 * kMega);
    options.level0_slowdown_writes_trigger = 40;
    options.level0_stop_writes_trigger = 60;
    options.soft_pending_compaction_bytes_limit = 0;
    options.hard_pending_compaction_bytes_limit = 0;
    // Nearly every lookup finds something, so the last level needs no filter unless creations are looked up too.
    options.optimize_filters_for_hits = !options_.checks_creations;
    options.use_direct_reads = true;
    options.use_direct_io_for_flush_and_compaction = true;
    options.compaction_readahead_size = 2 * kMega;
    options.max_open_files = -1;
    options.avoid_unnecessary_blocking_io = true;

    rocksdb::BlockBasedTableOptions table;
    table.block_cache = rocksdb::NewLRUCache(block_cache_bytes_);
    table.block_size = 4096;
    table.filter_policy.reset(rocksdb::NewBloomFilterPolicy(kBloomBitsPerKey));
    table.data_block_index_type = rocksdb::BlockBasedTableOptions::kDataBlockBinaryAndHash;
    table.cache_index_and_filter_blocks = false;
    table.prepopulate_block_cache = rocksdb::BlockBasedTableOptions::PrepopulateBlockCache::kFlushOnly;
    options.table_factory.reset(rocksdb::NewBlockBasedTableFactory(table));
    return options;
  }

  absl::Status StatusOfParts() const {
    for (const Part& part : parts_) HR_RETURN_IF_ERROR(part.status);
    return absl::OkStatus();
  }

  // Looks the keys up, some at a time, and hands each answer over.
  template <typename Item, typename Visit>
  absl::Status Lookup(std::span<const Item> items, Part& part, Visit&& visit) {
    part.keys.resize(kKeysAtOnce);
    part.values.resize(kKeysAtOnce);
    part.statuses.resize(kKeysAtOnce);
    for (size_t begin = 0; begin < items.size(); begin += kKeysAtOnce) {
      const std::span<const Item> group = items.subspan(begin, std::min(kKeysAtOnce, items.size() - begin));
      for (size_t i = 0; i < group.size(); ++i) part.keys[i] = SliceOf(group[i].key);
      database_->MultiGet(read_, database_->DefaultColumnFamily(), group.size(), part.keys.data(), part.values.data(),
                          part.statuses.data(), /*sorted_input=*/true);
      for (size_t i = 0; i < group.size(); ++i) {
        if (!part.statuses[i].IsNotFound()) HR_RETURN_IF_ERROR(StatusOf(part.statuses[i]));
        HR_RETURN_IF_ERROR(visit(group[i], part.statuses[i].IsNotFound(), BytesOf(part.values[i])));
        part.values[i].Reset();
      }
    }
    return absl::OkStatus();
  }

  absl::Status Read(std::span<const NetSpend> spends, std::span<WindowBlock> window, Part& part) {
    return Lookup(spends, part, [&](const NetSpend& spend, bool is_missing, ByteSpan value) -> absl::Status {
      if (is_missing) return absl::InternalError(absl::StrCat("RocksDB misses the coin of input ", spend.input));
      if (DecodeCoinValue(value, part.scripts, window[spend.block].spent[spend.input])) return absl::OkStatus();
      return absl::DataLossError("RocksDB has a value that is no coin");
    });
  }

  absl::Status CheckAbsent(std::span<const NetCreation> creations, Part& part) {
    return Lookup(creations, part, [](const NetCreation&, bool is_missing, ByteSpan) -> absl::Status {
      return is_missing ? absl::OkStatus() : absl::InternalError("RocksDB has a coin that is created only now");
    });
  }

  absl::Status Write(size_t number, std::span<const WindowBlock> window) {
    Part& part = parts_[number];
    const std::span<const NetSpend> spends = Share(net_.spends(), number);
    const std::span<const NetCreation> creations = Share(net_.creations(), number);
    part.batch.Clear();
    uint8_t value[kCoinValueBytesMax];
    size_t spend = 0;
    for (const NetCreation& creation : creations) {
      for (; spend < spends.size() && spends[spend].key < creation.key; ++spend) {
        HR_RETURN_IF_ERROR(StatusOf(part.batch.SingleDelete(SliceOf(spends[spend].key))));
      }
      const size_t size = EncodeCoinValue(CoinOf(creation, window), value);
      HR_RETURN_IF_ERROR(StatusOf(part.batch.Put(SliceOf(creation.key), {reinterpret_cast<const char*>(value), size})));
    }
    for (; spend < spends.size(); ++spend) {
      HR_RETURN_IF_ERROR(StatusOf(part.batch.SingleDelete(SliceOf(spends[spend].key))));
    }
    return StatusOf(database_->Write(write_, &part.batch));
  }

  const BenchedStoreOptions options_;
  const std::unique_ptr<Executor> executor_;
  uint64_t write_buffer_bytes_;
  uint64_t block_cache_bytes_;
  rocksdb::ReadOptions read_;
  rocksdb::WriteOptions write_;
  std::unique_ptr<rocksdb::DB> database_;
  NetWindow net_;
  std::vector<Part> parts_;
  uint64_t rounds_ = 0;
};

}  // namespace

absl::StatusOr<std::unique_ptr<BenchedStore>> OpenRocksDbStore(const BenchedStoreOptions& options) {
  return RocksDbStore::Open(options);
}

}  // namespace headrace::bench
