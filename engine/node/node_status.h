// What the node is doing, as a snapshot: for the log line, the progress bar, RPC and the summary at the end.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "engine/base/span.h"
#include "engine/ports/coin_store.h"
#include "engine/primitives/hash256.h"
#include "engine/validation/block_pipeline.h"

namespace headrace {

// The one thing that the next block waits for.
enum class WaitReason : uint8_t { kNothing, kPeer, kNetwork, kDisk, kCpu };

struct PeerStatus {
  uint64_t id = 0;
  std::string address;
  bool is_inbound = false;
  std::string user_agent;
  int32_t start_height = 0;
  uint64_t blocks_received = 0;
  uint64_t block_bytes_received = 0;
  uint32_t blocks_in_flight = 0;
  std::vector<uint32_t> heights_in_flight;  // of those blocks, ascending
  // Of the best header that it has shown to have, and of the last block of the active chain that it has by that; -1 while
  // nothing is known.
  int64_t known_header_height = -1;
  int64_t common_block_height = -1;
  uint32_t blocks_in_flight_max = 0;  // the most there ever were
  uint64_t blocks_served = 0;
  // BIP152's high-bandwidth mode: we asked it to announce new blocks by compact blocks, and it asked us.
  bool is_compact_announcer = false;
  bool wants_compact = false;
};

struct NodeStatus {
  std::string chain;          // main, test, testnet4, signet, regtest
  uint32_t header_height = 0; // best header
  uint32_t resolved_height = 0;
  uint32_t verified_height = 0;
  uint32_t applied_height = 0;
  uint32_t durable_height = 0;
  Hash256 applied_hash;
  uint32_t applied_time_s = 0;  // header time of the applied tip
  // 0 to 1: of the blocks that are in the block files and still to join the index, by bytes, while there are any;
  // otherwise of the chain, by transactions as well as is known.
  double progress = 0;
  bool is_initial_block_download = true;

  // Totals since start.
  uint64_t blocks_applied = 0;
  uint64_t block_bytes = 0;
  uint64_t transactions = 0;
  uint64_t inputs = 0;
  uint64_t scripts_verified = 0;
  uint64_t scripts_skipped = 0;  // under assumevalid
  uint64_t blocks_downloaded = 0;
  uint64_t blocks_rebuilt = 0;  // of those, from compact blocks
  uint64_t reorganisations = 0;

  // Its memory is the part of anonymous memory that the cache budget bounds; the other is the download budget's.
  CoinStoreCounters coin_store;
  BlockMemory block_memory;
  // Blocks being parsed and checked; waiting for their turn; resolved and not yet applied.
  uint32_t blocks_in_check = 0;
  uint32_t blocks_ready = 0;
  uint32_t blocks_ahead = 0;
  // By kind, over all threads, since start; zeros where nobody records.
  SpanTotals span_ns{};
  SpanLengthsByKind span_lengths{};
  uint64_t bytes_in_flight = 0;   // slabs received and not yet applied
  uint64_t block_bytes_written = 0;  // blocks, undo and their index, to the disk
  uint64_t stored_blocks_left = 0;  // in the block files, and still to join the index

  WaitReason waiting_on = WaitReason::kNothing;
  uint32_t blocks_in_flight_max_per_peer = 0;  // over all peers, ever
  std::vector<PeerStatus> peers;

  uint64_t disk_bytes_written() const { return coin_store.bytes_written() + block_bytes_written; }
};

}  // namespace headrace
