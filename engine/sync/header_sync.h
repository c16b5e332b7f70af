// Headers first: getheaders from one peer until it has no more, then from the others, so that every peer shows what it
// has; unknown announcements lead to a question for headers. (protocol.md §4; BIP130)
//
// Engine thread only. Cost: one hash-map lookup and the header rules per header.
#pragma once

#include <vector>

#include "absl/functional/function_ref.h"
#include "engine/chain/header_tree.h"
#include "engine/consensus/chain_params.h"
#include "engine/sync/sync_peer.h"

namespace headrace {

class HeaderSync {
 public:
  // A silent header peer is replaced after this long; one that the operator named is asked by inventory instead (inventory_sync.h).
  static constexpr int64_t kHeadersTimeoutNs = int64_t{30} * 1'000'000'000;
  // After this long somebody else is asked as well.
  static constexpr int64_t kSecondQuestionNs = int64_t{2} * 1'000'000'000;
  static constexpr uint32_t kUnconnectingHeadersMax = 10;

  HeaderSync(HeaderTree& tree, SyncPeers& peers);

  void OnConnected(PeerId peer, int64_t now_ns, std::vector<PeerCommand>& commands);
  void OnDisconnected(PeerId peer, int64_t now_ns, std::vector<PeerCommand>& commands);
  // Calls `on_new` for every header that joined the tree, in order.
  void OnHeaders(const HeadersReceived& message, int64_t now_ns, int64_t now_s, const ChainParams& params,
                 std::vector<PeerCommand>& commands, absl::FunctionRef<void(HeaderId)> on_new);
  void OnInventory(const InventoryReceived& message, int64_t now_ns, std::vector<PeerCommand>& commands);
  void Tick(int64_t now_ns, std::vector<PeerCommand>& commands);

 private:
  void Ask(SyncPeer& peer, int64_t now_ns, std::vector<PeerCommand>& commands);
  void AskFrom(SyncPeer& peer, HeaderId from, int64_t now_ns, std::vector<PeerCommand>& commands);
  // A peer that has nothing above our best header may still have blocks below it that we lack, being itself on the way: asks from
  // the height that it said it had, and where that was too high, from what we have. False when there is nothing to ask.
  bool AskLower(SyncPeer& peer, int64_t now_ns, std::vector<PeerCommand>& commands);
  // Gives the question to the next peer that has not shown everything, when nobody is being asked or the answer takes long.
  // Those that we connected to come first.
  void AskNext(int64_t now_ns, std::vector<PeerCommand>& commands);

  HeaderTree& tree_;
  SyncPeers& peers_;
};

}  // namespace headrace
