// The node: the engine's parts over the ports, turned by one thread. Events in, effects out.
//
// Threads: Start, Step and Shutdown belong to the engine thread. Status, OfferBlock, FindCoin, AppliedTip,
// reached_stop_height and the facade may be called from any.
#pragma once

#include <atomic>
#include <mutex>
#include <span>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "engine/base/bounded_ring.h"
#include "engine/node/block_import.h"
#include "engine/node/engine_calls.h"
#include "engine/node/node_facade.h"
#include "engine/node/node_status.h"
#include "engine/node/scrub_rounds.h"
#include "engine/node/stray_blocks.h"
#include "engine/node/whole_set_work.h"
#include "engine/ports/clock.h"
#include "engine/ports/entropy.h"
#include "engine/ports/peer_gateway.h"
#include "engine/sync/block_download.h"
#include "engine/sync/block_serving.h"
#include "engine/sync/compact_blocks.h"
#include "engine/sync/compact_serving.h"
#include "engine/sync/header_sync.h"
#include "engine/sync/inventory_sync.h"
#include "engine/sync/recent_transactions.h"
#include "engine/sync/tip_announcement.h"
#include "engine/validation/block_pipeline.h"

namespace headrace {

struct NodeOptions {
  PipelineOptions pipeline;
  BlockDownloadOptions download;
  Uint256 minimum_chain_work;
  // Secret: decides which headers of an unproven chain are looked at twice.
  HeaderPresync::Salt header_salt;
  // Peers are asked for blocks by inventory, and not for headers (inventory_sync.h).
  bool syncs_by_inventory = false;
  // Everything in the coin store's files is read and checked so often, at the tip. Zero: never.
  int64_t scrub_interval_ns = int64_t{7 * 24 * 3600} * 1'000'000'000;
  // Zero: never. Otherwise the node applies exactly so many blocks and then asks to be stopped.
  uint32_t stop_at_height = 0;
};

struct NodePorts {
  Clock& clock;
  Executor& executor;
  BlockStore& blocks;
  CoinStore& coins;
  PeerGateway& peers;
  Doorbell& doorbell;  // the engine thread's own
  Entropy& entropy;
};

class Node {
 public:
  Node(const ChainParams& params, const NodeOptions& options, const NodePorts& ports);

  // Reads the index into the header tree, takes up the coin store's state; `stray` blocks join the index in the turns to come.
  absl::Status Start(std::span<const StrayBlock> stray);
  // One turn: messages, downloads, stages, answers. False when there was nothing to do.
  absl::StatusOr<bool> Step();
  // Finishes what is under way and makes it durable.
  absl::Status Shutdown();

  // Questions and orders of other threads; answered while somebody turns the node.
  NodeFacade& facade() { return facade_; }
  // Questions and orders that wait, and all that come, fail: for whoever stops turning the node without Shutdown. Any thread.
  void TurnAwayCalls() {
    StopWholeSetWork();
    calls_.Close();
  }
  // Ends work on the whole unspent set early: for whoever is about to wait for the answers to calls. Any thread.
  void StopWholeSetWork() { whole_set_.Stop(); }

  NodeStatus Status() const;
  bool reached_stop_height() const { return reached_stop_height_.load(std::memory_order_relaxed); }
  // Hands in a block from a file; false when the queue is full: try again.
  bool OfferBlock(MaskedBytes&& block);
  // The header of such a block, ahead of it; see block_import.h.
  bool OfferHeader(MaskedBytes&& header);
  // Blocks handed in and not yet taken by the pipeline.
  bool import_is_empty() const { return import_.is_empty(); }

  // Whether blocks are on their way through the stages. Engine thread.
  bool is_busy() const { return pipeline_.is_busy(); }

  BlockPoint AppliedTip() const { return pipeline_.AppliedTip(); }
  absl::StatusOr<bool> FindCoin(const OutPoint& outpoint, Coin& coin, std::vector<uint8_t>& script_buffer) const {
    return pipeline_.FindCoin(outpoint, coin, script_buffer);
  }

 private:
  friend class NodeFacade;
  friend class WholeSetWork;

  absl::StatusOr<bool> TakeEvents(int64_t now_ns);
  absl::Status Handle(const PeerEvent& event, int64_t now_ns);
  void OnConnected(const PeerConnected& event, int64_t now_ns);
  absl::Status OnHeaders(const HeadersReceived& event, int64_t now_ns);
  absl::Status OnBlock(const BlockReceived& event, int64_t now_ns);
  void OnGetData(const GetDataReceived& event);
  // At the tip (node_tip.cc).
  bool MayRebuild(HeaderId id) const;
  absl::Status OnCompactBlock(const CompactBlockReceived& event, int64_t now_ns);
  void OnBlockTransactions(const BlockTransactionsReceived& event, int64_t now_ns);
  void TakeRebuilt(const std::optional<RebuiltBlock>& rebuilt, PeerId peer);
  absl::Status KeepTransactionsOf(HeaderId id);
  absl::Status KeepLostTransactions(HeaderId tip_before);
  bool MayComeNow() const;
  absl::StatusOr<bool> TakeImports();
  absl::StatusOr<bool> TurnPipeline(int64_t now_ns);
  void OnReport(const BlockReport& report);
  absl::Status Download(int64_t now_ns);
  absl::Status AnnounceTip(int64_t now_ns);
  void SubmitCommands();
  PeerStatus StatusOf(PeerId id, const SyncPeer& peer) const;
  void PublishStatus(int64_t now_ns);
  void LookForEndOfInitialDownload();
  bool IsIdleAtTip() const;
  WaitReason WaitingOn() const;
  double Progress() const;

  const ChainParams& params_;
  const NodeOptions options_;
  NodePorts ports_;

  HeaderTree tree_;
  BlockRecords records_;
  BlockPipeline pipeline_;
  SyncPeers peers_;
  HeaderSync header_sync_;
  BlockDownload download_;
  InventorySync inventory_sync_;
  BlockServing serving_;
  RecentTransactions recent_transactions_;
  CompactBlocks compact_;
  CompactServing compact_serving_;
  TipAnnouncement announcement_;
  StrayBlocks strays_;
  BlockImport import_;
  ScrubRounds scrub_;

  EngineCalls calls_;
  WholeSetWork whole_set_;
  NodeFacade facade_;

  std::vector<PeerEvent> events_;
  std::vector<PeerCommand> commands_;
  std::vector<BlockReport> reports_;
  std::vector<HeaderId> applied_;
  int64_t last_tick_ns_ = 0;
  // The tip as AnnounceTip saw it last and since when, and the one that peers were told of (or that stood at the start).
  HeaderId last_tip_ = kGenesisId;
  int64_t last_tip_ns_ = 0;
  HeaderId announced_tip_ = kGenesisId;
  int64_t last_status_ns_ = 0;
  int64_t last_low_work_log_ns_ = 0;
  uint64_t blocks_downloaded_ = 0;
  uint64_t blocks_rebuilt_ = 0;
  bool is_initial_block_download_ = true;
  std::atomic<bool> reached_stop_height_{false};

  mutable std::mutex status_mutex_;
  NodeStatus status_;
};

}  // namespace headrace
