// Blocks by inventory, as nodes synchronised before headers came first: `getblocks` with a locator, an `inv` of up to
// 500 hashes, `getdata`, and the next batch when the peer says that there is more, by announcing its tip behind the
// last block of a full batch. (protocol.md §4)
//
// It is for peers with `by_inventory`: all of them with -sync=inventory, else those that the operator named and that do
// not answer getheaders. One peer at a time is asked for batches, and its blocks come in the order of the chain, so
// that a block's parent is always here before it. Each header goes through the same rules as one that came alone; what
// the chain's work will be is not known before its blocks are here, so the minimum chain work does not hold them back:
// that is the operator's decision.
//
// Engine thread only. Memory: at most kWaitingMax hashes a peer; blocks in flight count towards the limit of requests
// to a peer.
#pragma once

#include <optional>
#include <vector>

#include "absl/functional/function_ref.h"
#include "engine/chain/header_tree.h"
#include "engine/consensus/chain_params.h"
#include "engine/sync/sync_peer.h"

namespace headrace {

class InventorySync {
 public:
  // Hashes that wait to be asked for: two batches.
  static constexpr size_t kWaitingMax = 1000;
  // A peer that has nothing new does not answer getblocks: after so long another is asked.
  static constexpr int64_t kAnswerTimeoutNs = int64_t{5} * 1'000'000'000;
  // After a full batch the peer announces its tip; one that does not is asked all the same.
  static constexpr int64_t kContinueTimeoutNs = int64_t{2} * 1'000'000'000;
  static constexpr int64_t kBlockTimeoutNs = int64_t{30} * 1'000'000'000;
  static constexpr uint32_t kUnconnectingBlocksMax = 10;

  InventorySync(HeaderTree& tree, SyncPeers& peers, uint32_t in_flight_per_peer_max, uint64_t budget_bytes);

  void OnDisconnected(PeerId peer);
  void OnInventory(const InventoryReceived& message, int64_t now_ns, std::vector<PeerCommand>& commands);
  // A block that was asked for here and whose header stands in the tree now; nothing when it was not, or is of no use.
  // `on_new` is called when the header joined the tree.
  std::optional<HeaderId> OnBlock(const BlockReceived& message, int64_t now_ns, int64_t now_s,
                                  const ChainParams& params, std::vector<PeerCommand>& commands,
                                  absl::FunctionRef<void(HeaderId)> on_new);
  void OnNotFound(const NotFoundReceived& message);
  // Fills the free places of the peer whose turn it is. `pending_bytes`: what already waits in memory for the pipeline.
  void Assign(uint64_t pending_bytes, int64_t now_ns, std::vector<PeerCommand>& commands);
  // Gives the turn to the next peer, and ends it where nothing comes.
  void Tick(int64_t now_ns, std::vector<PeerCommand>& commands);

  bool IsAskedOf(PeerId peer, const Hash256& hash) const;
  size_t in_flight_count() const;
  uint32_t in_flight_per_peer_max_ever() const { return in_flight_per_peer_max_ever_; }

 private:
  void AskForBatch(SyncPeer& peer, int64_t now_ns, std::vector<PeerCommand>& commands);
  void EndTurn(SyncPeer& peer);
  bool IsAwaited(const Hash256& hash) const;

  HeaderTree& tree_;
  SyncPeers& peers_;
  const uint32_t in_flight_per_peer_max_;
  const uint64_t budget_bytes_;
  PeerId asked_ = 0;  // whose turn it is; 0: nobody's
  uint32_t in_flight_per_peer_max_ever_ = 0;
};

}  // namespace headrace
