// What a run did, from its first snapshot to its last: printed when the node stops, and written as JSON for
// -summaryfile. Fields of the JSON object:
//
//   version chain                          strings
//   start_height height header_height durable_height best_block
//   seconds sync_seconds cpu_seconds       the run; until the last block was applied; of processor time
//   blocks block_bytes transactions inputs coins
//   scripts_verified scripts_skipped       skipped under assumevalid
//   blocks_downloaded reorganisations checkpoints disk_bytes_written
//   coin_store: {segment_bytes_written image_bytes_written disk_bytes cold_reads: {...}}
//       cold_reads: {reads pages in_flight_max in_flight_average seconds reads_per_second}: records that memory lacked;
//       average and rate over the seconds in which any read was in flight
//   memory_resident_bytes_max
//   memory_anonymous_bytes_max             the largest that a snapshot saw (RssAnon)
//   memory_bytes_max: {coins: {...}, blocks: {...}, sum, rest}   counted by owner: the largest of each, and of their sums;
//       rest: the most anonymous memory that a snapshot saw beyond what was counted then
//   blocks_in_flight_max_per_peer          the most that were ever asked of one peer and not yet answered
//   megabytes_per_second transactions_per_second inputs_per_second     over sync_seconds
//   stage_seconds: {parse: ..., ...}      by kind of engine/base/span.h, over all threads
//   stage_ms: {resolve: {"<=1": n, ..., ">1000": n, longest: ms}, ...}   lengths, of the stages that did anything
//   peers: [{id address inbound user_agent start_height blocks bytes share blocks_in_flight_max blocks_served}]
//       every peer that a snapshot showed with a block received or served; `share` is of the blocks of all peers, 0 to
//       1
//
// One thread (the daemon's main thread).
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "engine/node/node_status.h"
#include "tools/headraced/process_usage.h"

namespace headrace {

class RunSummary {
 public:
  // `first` is the state before the first block; times are monotonic nanoseconds.
  void Start(const NodeStatus& first, int64_t now_ns);
  // Every snapshot: peers that left are remembered by their last one.
  void Observe(const NodeStatus& status, const ProcessUsage& usage, int64_t now_ns);
  // The last snapshot.
  void Finish(const NodeStatus& last, const ProcessUsage& usage, int64_t now_ns);

  // Several lines for people.
  std::string ToText() const;
  std::string ToJson() const;

 private:
  // Peers with blocks are few; the cap only keeps a node that runs for years from growing.
  static constexpr size_t kPeersMax = 4096;

  double SyncSeconds() const;
  double PerSecond(uint64_t total) const;
  uint64_t BlocksOfAllPeers() const;

  void ObserveMemory(const NodeStatus& status, const ProcessUsage& usage);

  NodeStatus last_;
  ProcessUsage usage_;
  // The largest of each.
  CoinStoreMemory coin_memory_max_;
  uint64_t coin_memory_sum_max_ = 0;
  BlockMemory block_memory_max_;
  uint64_t block_memory_sum_max_ = 0;
  uint64_t counted_max_ = 0;
  uint64_t uncounted_max_ = 0;
  uint64_t anonymous_max_ = 0;
  std::map<uint64_t, PeerStatus> peers_;
  uint32_t start_height_ = 0;
  int64_t start_ns_ = 0;
  int64_t end_ns_ = 0;
  int64_t last_applied_ns_ = 0;  // when the applied height last rose
};

}  // namespace headrace
