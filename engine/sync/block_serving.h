// Answers to peers that sync from us: getheaders, getblocks, getdata for blocks. Served are the blocks of the applied chain, and
// those that were applied once and lost a reorganisation within the last month: a peer that was told of them may be asking for
// them just now. Older ones are not, for who has which old branch tells nodes apart. (protocol.md §4)
//
// Engine thread only. Blocks go out from the read-only mapping; a slow reader costs at most kQueuedBytesMax.
#pragma once

#include <vector>

#include "absl/status/status.h"
#include "engine/chain/active_chain.h"
#include "engine/chain/header_tree.h"
#include "engine/ports/block_store.h"
#include "engine/sync/sync_peer.h"

namespace headrace {

class BlockServing {
 public:
  static constexpr uint64_t kQueuedBytesMax = uint64_t{8} << 20;
  // Measured against the best header: its time, and as many blocks as come in that time.
  static constexpr int64_t kStaleBlockAgeMax_s = int64_t{30} * 24 * 60 * 60;
  static constexpr uint32_t kStaleBlockDepthMax = 30 * 144;

  BlockServing(const HeaderTree& tree, const ActiveChain& chain, const BlockStore& blocks, SyncPeers& peers);

  void OnGetHeaders(const GetHeadersReceived& message, std::vector<PeerCommand>& commands);
  void OnGetBlocks(const GetBlocksReceived& message, std::vector<PeerCommand>& commands);
  void OnGetData(const GetDataReceived& message);
  // Sends what peers wait for while their queues have room. True when something was sent. A failing disk is a Status.
  absl::StatusOr<bool> Step(const PeerGateway& gateway, std::vector<PeerCommand>& commands);

 private:
  bool IsServed(HeaderId id) const;
  // Whether the block's bytes were looked at since the start: a disk may lose them after they were checked, and what is
  // sent damaged would be held against this node. Once a block; then it costs a bit.
  bool IsFoundWhole(HeaderId id);
  absl::Status ServeOne(SyncPeer& peer, const InventoryItem& item, uint64_t& queued_bytes,
                        std::vector<PeerCommand>& commands);

  const HeaderTree& tree_;
  const ActiveChain& chain_;
  const BlockStore& blocks_;
  SyncPeers& peers_;
  std::vector<bool> found_whole_;
};

}  // namespace headrace
