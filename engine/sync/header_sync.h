// Headers first: getheaders from one peer until it has no more, then from the others, so that every peer shows what it
// has; unknown announcements lead to a question for headers. (protocol.md §4; BIP130)
//
// Headers enter the tree only as part of a chain whose work reaches the minimum chain work and our tip's, less 144
// blocks' worth: what a peer shows below that is forgotten where its message was short, and otherwise seen twice in
// bounded memory (header_presync.h), if it was asked for. So a peer cannot fill the tree, or the block index on the
// disk, with headers that cost it nothing.
//
// Engine thread only. Cost: two hashes, one hash-map lookup and the header rules per header.
#pragma once

#include <map>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "absl/functional/function_ref.h"
#include "engine/chain/header_tree.h"
#include "engine/consensus/chain_params.h"
#include "engine/sync/header_presync.h"
#include "engine/sync/peer_fault.h"
#include "engine/sync/sync_peer.h"

namespace headrace {

struct HeaderSyncOptions {
  Uint256 minimum_chain_work;
  HeaderPresync::Salt salt;  // nobody else knows it
};

class HeaderSync {
 public:
  // Peers whose chains are seen twice at a time: what their memory is bounded by.
  static constexpr size_t kPresyncPeersMax = 8;
  // So many blocks' worth of work below our tip a chain may be and still be remembered.
  static constexpr uint32_t kWorkAllowanceBlocks = 144;
  // A silent header peer is replaced after this long; one that the operator named is asked by inventory instead
  // (inventory_sync.h).
  static constexpr int64_t kHeadersTimeoutNs = int64_t{30} * 1'000'000'000;
  // After this long somebody else is asked as well.
  static constexpr int64_t kSecondQuestionNs = int64_t{2} * 1'000'000'000;
  static constexpr uint32_t kUnconnectingHeadersMax = 10;

  HeaderSync(HeaderTree& tree, SyncPeers& peers, const HeaderSyncOptions& options = {});

  void OnConnected(PeerId peer, int64_t now_ns, std::vector<PeerCommand>& commands);
  void OnDisconnected(PeerId peer, int64_t now_ns, std::vector<PeerCommand>& commands);
  // Calls `on_new` for every header that joined the tree, in order.
  void OnHeaders(const HeadersReceived& message, int64_t now_ns, int64_t now_s, const ChainParams& params,
                 std::vector<PeerCommand>& commands, absl::FunctionRef<void(HeaderId)> on_new);
  void OnInventory(const InventoryReceived& message, int64_t now_ns, std::vector<PeerCommand>& commands);
  void Tick(int64_t now_ns, std::vector<PeerCommand>& commands);

  // The least work of a chain that is remembered.
  Uint256 WorkNeeded() const;
  // What chains that are being seen twice take.
  size_t presync_memory_bytes() const;

 private:
  struct Turn;  // what OnHeaders was called with

  void Ask(SyncPeer& peer, int64_t now_ns, std::vector<PeerCommand>& commands);
  void AskFrom(SyncPeer& peer, HeaderId from, int64_t now_ns, std::vector<PeerCommand>& commands);
  // What is done with the headers of a message; false when the peer is sent away or asked on, and nothing is left to be
  // done.
  bool ReceiveFirst(Turn& turn, const HeadersReceived& message);
  bool BeginPresync(Turn& turn, std::span<const BlockHeader> headers, HeaderId fork);
  bool ContinuePresync(Turn& turn, HeaderPresync& presync, const HeadersReceived& message);
  void AskOn(Turn& turn, const HeaderPresync& presync);
  bool SendAway(Turn& turn, PeerFault fault, std::string_view detail = {});
  // Puts headers into the tree.
  bool Accept(Turn& turn, std::span<const BlockHeader> headers);
  void SayLowWork(const SyncPeer& peer, uint32_t height, int64_t now_ns);
  // A peer that has nothing above our best header may still have blocks below it that we lack, being itself on the way:
  // asks from the height that it said it had, and where that was too high, from what we have. False when there is
  // nothing to ask.
  bool AskLower(SyncPeer& peer, int64_t now_ns, std::vector<PeerCommand>& commands);
  // Gives the question to the next peer that has not shown everything, when nobody is being asked or the answer takes
  // long. Those that we connected to come first.
  void AskNext(int64_t now_ns, std::vector<PeerCommand>& commands);

  HeaderTree& tree_;
  SyncPeers& peers_;
  const HeaderSyncOptions options_;
  std::map<PeerId, std::unique_ptr<HeaderPresync>> presyncs_;
  int64_t last_low_work_log_ns_ = INT64_MIN;
};

}  // namespace headrace
