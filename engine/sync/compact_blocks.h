// Receiving compact blocks (BIP152, version 2): near the tip a block is put together from transactions that are here,
// and what is missing is asked for; up to three peers are asked to announce new blocks that way (high-bandwidth mode),
// those that delivered the last ones first, one of them at least a peer that we connected to.
//
// A block that is being put together counts as in flight to its peer (block_download.h), so that time-outs, limits and
// parallel requests are one matter. What cannot be put together - two short ids alike, or transactions that are not
// those of the header - is asked for whole, and nobody is blamed: short ids collide by chance, too. Who answers
// getblocktxn with other transactions than it named lies, and goes. While the whole block is on its way from the same peer,
// a compact block of it is used only if nothing is missing: no peer ever owes more than the limit allows.
//
// Engine thread. A block that comes together costs hashing it once more than one that came whole.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <utility>
#include <vector>

#include "engine/chain/header_tree.h"
#include "engine/ports/transaction_source.h"
#include "engine/sync/block_download.h"
#include "engine/sync/compact_reconstruction.h"
#include "engine/sync/sync_peer.h"

namespace headrace {

struct RebuiltBlock {
  HeaderId id = kNoHeader;
  SlabRef block;
};

class CompactBlocks {
 public:
  static constexpr size_t kAnnouncersMax = 3;
  // Blocks that wait for transactions, of all peers: beyond this they are asked for whole.
  static constexpr size_t kRebuildingMax = 16;

  CompactBlocks(const HeaderTree& tree, SyncPeers& peers, BlockDownload& download, const TransactionSource& known);

  void OnSendCompact(const SendCompactReceived& message);

  // The block `id`, whose header is in the tree and which is next or nearly so, came as a compact block, asked for or
  // not. The block when it came together at once; it then counts as arrived (BlockDownload::OnBlock).
  std::optional<RebuiltBlock> OnCompactBlock(const CompactBlockReceived& message, HeaderId id, int64_t now_ns,
                                             std::vector<PeerCommand>& commands);
  std::optional<RebuiltBlock> OnBlockTransactions(const BlockTransactionsReceived& message, int64_t now_ns,
                                                  std::vector<PeerCommand>& commands);

  // A compact block came when its block is not next any more. If it was asked for, the peer owes the block: it is asked
  // for whole.
  void OnUnwanted(PeerId peer, HeaderId id, std::vector<PeerCommand>& commands);

  // A block arrived from this peer before it did from others, in whichever form.
  void OnArrived(PeerId peer, HeaderId id);
  // A block became the tip while nothing better was known: whoever delivered it is asked to announce the next ones at
  // once.
  void OnNewTip(HeaderId id, std::vector<PeerCommand>& commands);
  void OnDisconnected(PeerId peer);

  // Of questions that BlockDownload just put into `commands`: the one for the block after `tip`, when it is the only
  // one to its peer, becomes one for the compact block. Only while there are transactions to put it together from;
  // otherwise it would be a detour.
  void AskCompactly(HeaderId tip, std::span<PeerCommand> commands);

  size_t rebuilding_count() const { return rebuilding_.size(); }

 private:
  using Key = std::pair<HeaderId, PeerId>;

  // That the block is in flight to the peer, or nothing.
  static BlockRequest* RequestOf(SyncPeer& peer, HeaderId id);
  void AskWhole(SyncPeer& peer, HeaderId id, std::vector<PeerCommand>& commands);
  std::optional<RebuiltBlock> Finish(SyncPeer& peer, HeaderId id, const CompactReconstruction& rebuilt, int64_t now_ns,
                                     std::vector<PeerCommand>& commands);
  void SetAnnouncer(PeerId peer, bool is_announcer, std::vector<PeerCommand>& commands);
  size_t ToReplace(const SyncPeer& by) const;

  const HeaderTree& tree_;
  SyncPeers& peers_;
  BlockDownload& download_;
  const TransactionSource& known_;
  std::map<Key, CompactReconstruction> rebuilding_;
  // What did not come together and was asked for whole: it is not tried again with the same peer, whom a second try
  // would cost nothing and this node the hashing of a block.
  std::set<Key> asked_whole_;
  std::set<Key> asked_compactly_;   // and not answered yet
  std::vector<PeerId> announcers_;  // whoever delivered a tip last comes last
  std::deque<std::pair<HeaderId, PeerId>> deliveries_;
};

}  // namespace headrace
