// One measured run: a node gets the chain, is stopped, and is started again to show that it kept it and that its
// unspent set is the right one. Only what lies between the start and the end of the first process is measured.
//
// One thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "bench/sync/process_probe.h"
#include "bench/sync/seeders.h"
#include "bench/sync/sync_options.h"

namespace headrace::bench {

// A point of the axes.
struct SyncSetting {
  Mode mode = Mode::kIbd;
  std::string assumevalid;  // as in SyncOptions
  uint32_t peers = 0;       // 0 where there are none
  uint32_t par = 0;
  uint32_t dbcache = 0;
};
// All combinations that the options ask for, once each.
std::vector<SyncSetting> SettingsOf(const SyncOptions& options);

struct MeasuredNode {
  std::string name;
  std::vector<std::string> command;
  // Understands -summaryfile.
  bool is_headraced = false;
};

struct SyncRun {
  std::string error;     // empty when the node ended where it must
  double reached_s = 0;  // from the start of the process until it says that it has the last block
  double durable_s = 0;  // until it has ended in order
  double cpu_s = 0;
  double seeders_cpu_s = 0;
  uint64_t bytes_written = 0;  // handed to the block layer
  ProcessFacts facts;
  // What only headraced tells.
  std::optional<uint64_t> checkpoints;
  std::optional<uint64_t> scripts_verified;
  std::optional<uint64_t> scripts_skipped;
};

// `seeders` may be null for imports.
SyncRun Measure(const SyncOptions& options, const Chain& chain, const MeasuredNode& node, const SyncSetting& setting,
                const Seeders* seeders);

}  // namespace headrace::bench
