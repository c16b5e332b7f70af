// Answers to peers that sync from us: getheaders, getblocks, getdata for blocks. Served are the blocks of the applied chain, and
// those that were applied once and lost a reorganisation within the last month: a peer that was told of them may be asking for
// them just now. Older ones are not, for who has which old branch tells nodes apart. (protocol.md §4)
//
// Peers take turns: each may be sent kTurnBytes, and what a block has beyond that is taken off its next turns. So whoever asks
// for much, or reads fast, gets as many bytes as the others that want some, and nobody waits longer than a turn of each. A call
// serves kStepBytes, however many peers there are, and the next goes on where it ended.
//
// Blocks older than a week are history: near -maxuploadtarget they are served to those with permission alone.
//
// Engine thread only. Blocks go out from the read-only mapping; a slow reader costs at most kQueuedBytesMax and a block.
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
  static constexpr int64_t kTurnBytes = 256 << 10;
  static constexpr int64_t kStepBytes = 4 << 20;
  // What the wishes of all peers may take in memory beyond what each has for itself (BlockWishes::kOwnBytes).
  static constexpr uint64_t kSharedWishBytes = uint64_t{8} << 20;
  // What an item counts for that is not there: it costs a look and an entry of a notfound.
  static constexpr int64_t kMissBytes = 256;
  static constexpr int64_t kHistoryAge_s = int64_t{7} * 24 * 60 * 60;  // the field's
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
  // A peer that wants something and whose queue has room.
  struct Reader {
    SyncPeer* peer;
    uint64_t queued_bytes;
    bool may_have_history;
    bool CanBeServed() const { return !peer->wanted.empty() && queued_bytes < kQueuedBytesMax; }
  };

  std::vector<Reader> ReadersInTurn(const PeerGateway& gateway);
  // Serves one turn and takes what it cost off `step_bytes`.
  absl::Status TakeTurn(Reader& reader, int64_t& step_bytes, std::vector<PeerCommand>& commands);
  uint64_t BytesBeyondOwn() const;
  bool IsServed(HeaderId id) const;
  bool IsHistory(HeaderId id) const;
  // Whether the block's bytes were looked at since the start: a disk may lose them after they were checked, and what is
  // sent damaged would be held against this node. Once a block; then it costs a bit.
  bool IsFoundWhole(HeaderId id);
  // What the block had in bytes.
  absl::StatusOr<uint64_t> ServeBlock(SyncPeer& peer, const InventoryItem& item, HeaderId id, std::vector<PeerCommand>& commands);

  const HeaderTree& tree_;
  const ActiveChain& chain_;
  const BlockStore& blocks_;
  SyncPeers& peers_;
  std::vector<bool> found_whole_;
  PeerId last_turn_ = 0;  // whose turn was the last
};

}  // namespace headrace
