// A store under measurement. Every one gets the same windows and gives back the same: each input's coin in `spent`, its
// script copied into the block's arena, and single coins by Find.
//
// A failure of a rival or of its disk ends the program with a sentence (Status); a wrong answer is found by whoever
// drives the store, who knows every coin.
//
// Threads: everything but Find from one; Find from any at any time.
#pragma once

#include <cstdint>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "engine/ports/coin_store.h"
#include "engine/ports/executor.h"

namespace headrace::bench {

struct BenchedStoreOptions {
  std::string directory;
  // Workers beside the calling thread; without any, everything is done on the calling thread.
  uint32_t workers = 1;
  // For index, young records, memtables and block cache, as each store has them.
  uint64_t cache_bytes = 0;
  // Coins that the store will hold at most, for those that must know beforehand.
  uint64_t coins_max = 0;
  // Coins that are created before it is first asked to make anything durable.
  uint64_t creations_in_memory = 0;
  // Memory is there, touched, before it is asked for.
  bool is_prefaulted = false;
  // Stores that do not have to look whether a created coin exists already look nevertheless.
  bool checks_creations = false;
};

class BenchedStore {
 public:
  virtual ~BenchedStore() = default;

  // Its settings, for the reader of the figures.
  virtual nlohmann::ordered_json Settings() const = 0;
  virtual absl::Status Apply(std::span<WindowBlock> window) = 0;
  virtual absl::StatusOr<bool> Find(const OutPoint& outpoint, Coin& coin, std::vector<uint8_t>& script) = 0;

  // Making things durable while windows go on: called after each window, part of its time. `must_begin` asks for a new
  // round when none is under way.
  virtual absl::Status StepDurability(bool must_begin) = 0;
  virtual uint64_t rounds_ended() const = 0;
  // Returns when everything applied so far survives a loss of power.
  virtual absl::Status MakeDurable() = 0;
  // False when there is nothing to open again.
  virtual bool is_durable() const { return true; }
  // Brings what is on the disk to its smallest, as far as the store has means for that beside what it does by itself.
  virtual absl::Status Compact() { return absl::OkStatus(); }

  // How many coins it says it holds, or nothing where counting would mean reading them all.
  virtual std::optional<uint64_t> CoinCount() const = 0;
  // What it says of itself.
  virtual nlohmann::ordered_json Facts() const = 0;
};

// The stores of this build, and those that were left out with how to get them.
struct StoreName {
  std::string name;
  std::string missing;  // empty when the store is there
};
std::vector<StoreName> StoreNames();

// Opens or creates. Errors are sentences.
absl::StatusOr<std::unique_ptr<BenchedStore>> OpenBenchedStore(std::string_view name,
                                                               const BenchedStoreOptions& options);

absl::StatusOr<std::unique_ptr<BenchedStore>> OpenHeadraceStore(const BenchedStoreOptions& options);
absl::StatusOr<std::unique_ptr<BenchedStore>> OpenFlatMapStore(const BenchedStoreOptions& options);
absl::StatusOr<std::unique_ptr<BenchedStore>> OpenRocksDbStore(const BenchedStoreOptions& options);
absl::StatusOr<std::unique_ptr<BenchedStore>> OpenLmdbStore(const BenchedStoreOptions& options);

// oneTBB with so many workers beside the caller, or none at all.
std::unique_ptr<Executor> MakeBenchExecutor(uint32_t workers);

}  // namespace headrace::bench
