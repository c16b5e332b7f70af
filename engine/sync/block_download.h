// Which block is asked of whom: a window over the chain of most work that connected peers have and deliver, spread over all peers, with at most
// `in_flight_per_peer_max` requests to each (MAX_BLOCKS_IN_TRANSIT_PER_PEER) and a byte budget over all. (protocol.md §4)
//
// The lowest missing block (the frontier) is always admitted. A peer that holds the window back is given
// `stall_timeout` (2 s, doubled up to 64 s when several stall, decaying again) and then replaced; one from which no
// block came for `kBlockTimeoutNs` loses its requests to others.
//
// Near the tip, after the initial download, up to `kParallelRequestsMax` peers are asked for one block, the last of them one that we connected to: when it does
// not come at once, and when several announce it by compact blocks (compact_blocks.h). The first that is whole wins.
//
// Engine thread only. Assign costs one pass over the window (1024 entries) when some peer has room.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "engine/chain/header_tree.h"
#include "engine/sync/sync_peer.h"

namespace headrace {

struct BlockDownloadOptions {
  uint32_t window_blocks = 1024;
  uint32_t in_flight_per_peer_max = 16;
  uint64_t budget_bytes = uint64_t{512} << 20;
  // No block above this height is asked for (-stopatheight).
  uint32_t height_max = UINT32_MAX;
};

class BlockDownload {
 public:
  static constexpr int64_t kStallTimeoutMinNs = int64_t{2} * 1'000'000'000;
  static constexpr int64_t kStallTimeoutMaxNs = int64_t{64} * 1'000'000'000;
  // A peer that says notfound for more blocks than this, of headers that it showed, is of no use.
  static constexpr size_t kLackingBlocksMax = 16;
  // So long a block is not asked again of a peer that said notfound.
  static constexpr int64_t kLackingNs = int64_t{60} * 1'000'000'000;
  static constexpr int64_t kBlockTimeoutNs = int64_t{60} * 1'000'000'000;
  static constexpr size_t kParallelRequestsMax = 3;
  // So few blocks from the target the node is near the tip.
  static constexpr size_t kNearTipBlocks = 2;
  // So long after the last request somebody else is asked as well, near the tip.
  static constexpr int64_t kParallelRequestNs = int64_t{500} * 1'000'000;

  BlockDownload(const HeaderTree& tree, SyncPeers& peers, const BlockDownloadOptions& options);

  // Whether the initial download is over: only then blocks are asked of several peers at once.
  void SetAtTip(bool is_at_tip) { is_at_tip_ = is_at_tip; }

  // Fills the free places of every peer. `pending_bytes`: what already waits in memory for the pipeline.
  void Assign(uint64_t pending_bytes, int64_t now_ns, std::vector<PeerCommand>& commands);

  // A block arrived; nothing when nobody was asked for it. Until OnSettled it is not asked for again.
  std::optional<HeaderId> OnBlock(PeerId peer, const Hash256& hash, uint64_t size_bytes, int64_t now_ns);
  // Whether the peer may be asked for this block now, beside those who are asked already. For whoever asks by other messages: then
  // TakePlace counts the block as in flight to the peer, until it comes or the peer goes.
  bool HasPlace(const SyncPeer& peer, HeaderId id) const;
  void TakePlace(SyncPeer& peer, HeaderId id, int64_t now_ns);
  // The block is stored, or turned out to be unusable and must come from somebody else.
  void OnSettled(HeaderId id);
  void OnNotFound(const NotFoundReceived& message, int64_t now_ns);
  void OnDisconnected(PeerId peer);
  void Tick(int64_t now_ns, std::vector<PeerCommand>& commands);

  size_t in_flight_count() const { return in_flight_.size(); }
  bool is_in_flight(HeaderId id) const { return in_flight_.contains(id); }
  uint32_t in_flight_per_peer_max_ever() const { return in_flight_per_peer_max_ever_; }
  // Whether a peer could be asked for anything now: when not, the node waits for peers.
  bool any_peer_has_blocks() const;
  // Whether a peer that delivers has shown a chain of more work than that of `tip`.
  bool is_better_chain_offered(HeaderId tip) const;

 private:
  struct Request {
    PeerId peer;
    int64_t requested_ns;
  };

  HeaderId Target() const;
  HeaderId BestOffered(bool by_withholders) const;
  void RebuildWindow();
  bool Has(const SyncPeer& peer, HeaderId id) const;
  bool IsMissing(HeaderId id) const;
  SyncPeer* ChoosePeer(HeaderId id);
  void EraseRequest(PeerId peer, HeaderId id);
  void ReleaseAll(SyncPeer& peer);
  void AskInParallel(int64_t now_ns, std::vector<PeerCommand>& commands);
  void RescueFrontier(int64_t now_ns, std::vector<PeerCommand>& commands);

  const HeaderTree& tree_;
  SyncPeers& peers_;
  const BlockDownloadOptions options_;

  std::vector<HeaderId> window_;  // of the target's chain, ascending, the frontier first
  uint32_t frontier_height_ = 1;  // every block of the target's chain below it has data
  HeaderId frontier_parent_ = 0;
  // Who was asked, in this order; never empty.
  absl::flat_hash_map<HeaderId, std::vector<Request>> in_flight_;
  absl::flat_hash_set<HeaderId> arrived_;  // received, not yet settled
  bool is_at_tip_ = false;
  double average_block_bytes_ = 250'000;
  int64_t stall_timeout_ns_ = kStallTimeoutMinNs;
  uint32_t in_flight_per_peer_max_ever_ = 0;
};

}  // namespace headrace
