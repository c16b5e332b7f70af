// One store, once through everything that is measured, in a process of its own:
//
//   create      coins until there are as many as wanted, nothing spent
//   find        single coins, nothing else going on
//   spend       coins of any age, nothing created
//   uniform     blocks that create and spend, coins of any age
//   mainnet     the same with mainnet's ages
//   readers     the same beside a thread that reads single coins
//   durable     until everything is on the disk
//   checkpoints mainnet's ages again, while the store makes things durable every so many windows
//   compactions the same with coins of any age, which leave more garbage on the disk
//   durable     again; then what it takes on the disk, with its garbage and after it was told to compact
//   restart     closed and opened until it answers, the files in the page cache and not
//
// Blocks are made, and what was spent is compared with what is expected, outside the measured time. At the end single
// coins, spent and unspent, are asked for and compared (all of them when there are few).
//
// Threads: called by one; starts a reader of its own.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>

#include "absl/status/statusor.h"

namespace headrace::bench {

struct StoreRunOptions {
  std::string store = "headrace";
  uint64_t coins = 1'000'000;
  uint64_t seed = 1;
  uint32_t workers = 1;
  // 0: as much as everything created before the first checkpoint takes in headrace's store, so that all of it is in
  // memory.
  uint64_t cache_bytes = 0;
  bool is_prefaulted = false;
  bool checks_creations = false;
  uint32_t blocks_per_window = 8;
  // Windows of each kind; 0: chosen by the number of coins.
  uint32_t windows = 0;
  uint32_t windows_per_checkpoint = 40;
  // Where the store's directory is made; empty: the system's temporary directory.
  std::string directory;
};

// The figures; an error is a sentence (a wrong coin, a full disk, a store that this build has not).
absl::StatusOr<nlohmann::ordered_json> RunStore(const StoreRunOptions& options);

}  // namespace headrace::bench
