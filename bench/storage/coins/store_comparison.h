// Runs several stores in turn, each in a process of its own, as often as wished, and lays their figures side by side.
//
// A contestant is a store's name with what is special about its runs: `headrace`, `headrace+prefaulted`,
// `headrace+alone` (no worker beside the calling thread), `rocksdb+checked` (looks whether created coins exist). All
// run once, then all again, so that what changes about the machine meanwhile strikes all alike.
//
// Threads: one; waits for each run.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "bench/storage/coins/store_run.h"

namespace headrace::bench {

// What the words after a contestant's `+` change. InvalidArgument for a word that means nothing.
absl::StatusOr<StoreRunOptions> OptionsOfContestant(const std::string& contestant, const StoreRunOptions& common);

struct Contestant {
  std::string name;
  std::vector<nlohmann::ordered_json> runs;
  std::vector<std::string> errors;
};

// `program` is this program, called again with `arguments` and --store=CONTESTANT for every run.
std::vector<Contestant> Compare(const std::string& program, const std::vector<std::string>& names,
                                const std::vector<std::string>& arguments, uint32_t repetitions, uint32_t deadline_s);

// Medians, one column a contestant, with the aims.
std::string TableOf(const std::vector<Contestant>& contestants);
nlohmann::ordered_json JsonOf(const std::vector<Contestant>& contestants);

}  // namespace headrace::bench
