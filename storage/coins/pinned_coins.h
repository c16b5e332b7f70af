// The whole unspent set as one manifest has it, while the store goes on: what the hashes of the set, and snapshots, are
// made from.
//
// A pin names a manifest; the files that it names stay until the last pin of them goes (pinned_files.h). The first call
// that reads opens them, checks the index image against its checksums, and marks the records that it names, segment by
// segment. The set is then walked in parts by txid prefix, cut so that a part fits the memory given: each part is
// copied out of the segments, read front to back, and sorted.
//
// Memory: a part (`part_bytes_max`, and a third more while it is sorted), an eighth of a byte for eight bytes of
// records, and what blocks changed (coin_changes.h). Cost: all records are read once to count them and once a part.
//
// Threads: as engine/ports/coin_store.h says: one at a time, with the executor's workers inside.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "engine/base/arena.h"
#include "engine/base/slab.h"
#include "engine/ports/coin_store.h"
#include "engine/ports/executor.h"
#include "storage/coins/coin_changes.h"
#include "storage/coins/coin_manifest.h"
#include "storage/coins/living_records.h"
#include "storage/coins/pinned_files.h"

namespace headrace {

struct CoinStoreOptions;

// A coin of a part: its record, and the first eight bytes of its txid as a number that sorts as they do.
struct PinnedRecord {
  uint64_t prefix = 0;
  const uint8_t* bytes = nullptr;
};
static_assert(sizeof(PinnedRecord) == 16);

class PinnedCoins final : public PinnedCoinSet {
 public:
  struct Source {
    FileSystem* files = nullptr;
    Executor* executor = nullptr;
    std::string directory;
    std::shared_ptr<PinnedFiles> pins;
    uint64_t part_bytes_max = 0;
  };
  PinnedCoins(Source source, CoinManifest manifest);
  ~PinnedCoins() override;
  PinnedCoins(const PinnedCoins&) = delete;
  PinnedCoins& operator=(const PinnedCoins&) = delete;

  // The manifest of a directory that nobody here has open as a store; another process may go on meanwhile. Its files
  // are open when this returns. The index is not loaded: memory is as said above.
  static absl::StatusOr<std::unique_ptr<PinnedCoins>> OpenPublished(const CoinStoreOptions& options);

  BlockPoint lowest() const override { return manifest_.Lowest(); }
  BlockPoint highest() const override { return manifest_.Highest(); }
  absl::Status Forward(const WindowBlock& block) override;
  absl::StatusOr<CoinSetStatistics> Statistics(CoinSetHashes hashes, const std::atomic<bool>& must_stop) override;
  absl::StatusOr<CoinSetStatistics> WriteSnapshot(const std::string& path, const std::atomic<bool>& must_stop) override;

  const CoinManifest& manifest() const { return manifest_; }
  FileSystem* files() const { return source_.files; }
  Executor* executor() const { return source_.executor; }
  // The block whose set this is; meaningful when is_uniform().
  const BlockPoint& point() const { return point_; }
  bool is_uniform() const { return point_.height >= highest().height; }
  // What the index takes in the memory of a running store, and all files on the disk.
  uint64_t index_bytes() const;
  uint64_t disk_bytes() const;

  // Counts the coins and cuts the parts, unless that was done since the last Forward; opens the files first. Returns
  // how many coins there are.
  absl::StatusOr<uint64_t> Count(const std::atomic<bool>& must_stop);
  // Calls visit for each part in turn, sorted by (txid in memory order, output index); no transaction is in two parts.
  // The records are there during the call only. `what` is the name of the work in the log.
  absl::Status ForEachPart(const std::string& what, const std::atomic<bool>& must_stop,
                           absl::FunctionRef<absl::Status(std::span<const PinnedRecord>)> visit);
  size_t part_count() const { return parts_.size(); }
  // The record's contents; a part's records have been checked already.
  static CoinRecord Decode(const PinnedRecord& record);

 private:
  // Txid prefixes of this many bits are counted, and parts begin at one.
  static constexpr uint32_t kPrefixBits = 12;
  static constexpr uint32_t kPrefixCount = 1u << kPrefixBits;
  using PrefixBytes = std::vector<uint64_t>;

  // Prefixes from `first` on, to the next part's.
  struct Part {
    uint32_t first = 0;
    uint32_t end = 0;
    uint64_t coins = 0;
  };

  std::string Path(const std::string& name) const { return source_.directory + "/" + name; }
  std::vector<std::string> FilePaths() const;
  absl::Status Open();
  absl::Status OpenSegments();
  absl::Status MarkLiving();
  absl::Status MarkShard(uint32_t number, ByteSpan image);
  absl::Status CountSegment(const LivingRecords& records, PrefixBytes& coins, PrefixBytes& bytes,
                            uint64_t& spent) const;
  void CutParts(const PrefixBytes& coins, const PrefixBytes& bytes);
  absl::Status CollectPart(const Part& part, const std::atomic<bool>& must_stop, std::vector<Arena>& arenas,
                           std::vector<PinnedRecord>& records) const;
  void Sort(std::vector<PinnedRecord>& records, const Part& part) const;

  const Source source_;
  const CoinManifest manifest_;
  BlockPoint point_;
  CoinChanges changes_;

  bool is_open_ = false;
  SharedBytes image_;  // from when the files are open until the living are marked
  std::vector<std::unique_ptr<LivingRecords>> segments_;
  // By segment id.
  std::vector<LivingRecords*> segment_of_id_;

  bool is_counted_ = false;
  uint64_t coins_ = 0;
  std::vector<Part> parts_;
};

}  // namespace headrace
