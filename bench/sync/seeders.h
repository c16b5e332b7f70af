// The nodes that a measured node syncs from: headraced processes on loopback, each with the whole chain. The chain is
// imported once, scripts and all (which --seed-data keeps for later), and each node gets a copy of the directory. They
// run until this object goes.
//
// One thread.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "bench/sync/bench_node.h"
#include "bench/sync/sync_options.h"
#include "tests/interop/counting_proxy.h"

namespace headrace::bench {

class Seeders {
 public:
  // As many as the largest of --peers.
  static absl::StatusOr<std::unique_ptr<Seeders>> Start(const SyncOptions& options, const Chain& chain);

  // -connect options for the first `count` of them; the first is behind a slow relay with --slow-peer.
  std::vector<std::string> ConnectOptions(uint32_t count) const;
  // Processor seconds of all so far.
  double CpuSeconds() const;

 private:
  Seeders() = default;

  std::vector<std::unique_ptr<BenchNode>> nodes_;
  std::vector<std::string> addresses_;
  // Before the nodes end.
  std::unique_ptr<testing::CountingProxy> slow_relay_;
};

}  // namespace headrace::bench
